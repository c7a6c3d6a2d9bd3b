// The storage example in simulated worlds: clients read and write registers while everything that can go wrong does, and
// the history that they saw is checked. Replicas keep what they have acknowledged over their crashes.

import { type Configuration, connect, createServer } from 'gorums'
import { MultiWriterStorage } from '../../../examples/storage/clients.ts'
import { newest } from '../../../examples/storage/entry.ts'
import { storageHandlers } from '../../../examples/storage/server.ts'
import { type Entry, Storage, type WriteReply } from '../../../examples/storage/storage_gorums.ts'
import { Store } from '../../../examples/storage/store.ts'
import { type CheckResult, checkLinearizable } from '../../../src/testing/linearizability/checker.ts'
import { HistoryRecorder } from '../../../src/testing/linearizability/history.ts'
import { type RegisterInput, type RegisterOutput, registerModel } from '../../../src/testing/linearizability/models.ts'
import { drawFaults, endOfFaults } from '../../../src/testing/simulation/faults.ts'
import type { Random } from '../../../src/testing/simulation/random.ts'
import { Simulation } from '../../../src/testing/simulation/simulation.ts'

/** How the registers are read and written. All but the first are wrong. */
export type Variant = 'abd' | 'no-write-back' | 'small-quorum' | 'stale-local-read'

export const brokenVariants: readonly Variant[] = ['no-write-back', 'small-quorum', 'stale-local-read']

interface Register {
  read(key: string): Promise<string>
  write(key: string, value: string): Promise<unknown>
}

export interface RegisterRun {
  readonly seed: number
  readonly hash: string
  readonly virtualMs: number
  readonly faults: Readonly<Record<string, number>>
  readonly result: CheckResult<RegisterInput, RegisterOutput>
  readonly unknown: number
}

const KEYS = ['x', 'y']
const PORT = 7000

/** One world: three or five replicas, three to five clients, faults. */
export async function runRegisters(seed: number, variant: Variant): Promise<RegisterRun> {
  const simulation = new Simulation({ seed: `registers ${seed}` })
  const random = simulation.random('registers')
  const replicas = ['a', 'b', 'c', 'd', 'e'].slice(0, random.pick([3, 5]))
  const clients = ['p', 'q', 'r', 's', 't'].slice(0, random.int(3, 5))
  const overMs = random.magnitude(50, 5_000)
  const recorder = new HistoryRecorder<RegisterInput, RegisterOutput>()
  for (const name of replicas) {
    const store = new Store()
    simulation.host(name, async ({ runtime }) => {
      const server = createServer({ runtime, nodeID: name, pingIntervalMs: 500, pingTimeoutMs: 500 })
      server.handle(Storage, storageHandlers(store))
      await server.listen({ port: PORT })
    })
  }
  let finished = 0
  for (const name of clients) {
    simulation.host(name, async ({ runtime }) => {
      const nodes = Object.fromEntries(replicas.map((replica) => [replica, `${replica}:${PORT}`]))
      const config = await connect(nodes, {
        runtime,
        pingIntervalMs: 500,
        pingTimeoutMs: 500,
        callTimeoutMs: 2_000,
        waitFor: 'none',
        whenDown: 'wait',
      })
      const pause = (ms: number): Promise<void> => new Promise((resolve) => void runtime.startTimer(ms, resolve))
      await operate(
        simulation.random(`client ${name}`),
        name,
        registerOf(variant, config, name),
        recorder,
        pause,
        overMs,
      )
      finished++
      await config.close()
    })
  }
  const faults = drawFaults(simulation.random('faults'), [...replicas, ...clients], {
    overMs,
    mayCrash: replicas,
    kinds: [
      'partition',
      'delay',
      'reset',
      'half-close',
      'blackhole',
      'refuse',
      'pause',
      'crash',
      'restart',
      'clock-jump',
    ],
  })
  simulation.schedule(faults)
  const limitMs = endOfFaults(faults) + 120_000
  if (!(await simulation.run(() => finished === clients.length, limitMs)))
    throw new Error(`seed ${seed}: ${clients.length - finished} clients have not finished after ${limitMs} ms`)
  const { operations } = recorder
  return {
    seed,
    hash: simulation.trace.hash,
    virtualMs: simulation.now,
    faults: simulation.counters.faults,
    result: checkLinearizable(registerModel(), operations),
    unknown: operations.filter(({ isKnown }) => !isKnown).length,
  }
}

/** What one client does: one operation after the other. */
async function operate(
  random: Random,
  name: string,
  register: Register,
  recorder: HistoryRecorder<RegisterInput, RegisterOutput>,
  pause: (ms: number) => Promise<void>,
  overMs: number,
): Promise<void> {
  const count = random.int(8, 20)
  for (let index = 0; index < count; index++) {
    const key = random.pick(KEYS)
    const value = `${name}${index}`
    const operation = random.chance(0.5)
      ? recorder.record(name, { type: 'read', key }, () => register.read(key))
      : recorder.record(name, { type: 'write', key, value }, async () => void (await register.write(key, value)))
    await operation.catch(() => {})
    await pause(random.between(0, (2 * overMs) / count))
  }
}

function registerOf(variant: Variant, config: Configuration, writerID: string): Register {
  if (variant === 'abd') {
    const storage = new MultiWriterStorage(config, writerID)
    return { read: async (key) => (await storage.read(key)).value, write: (key, value) => storage.write(key, value) }
  }
  const majority = Math.floor(config.size / 2) + 1
  return new BrokenRegister(config, writerID, variant, variant === 'small-quorum' ? majority - 1 : majority)
}

/** The algorithm with a part left out. */
class BrokenRegister implements Register {
  readonly #config: Configuration
  readonly #writerID: string
  readonly #variant: Variant
  readonly #quorum: number
  #last = 0

  constructor(config: Configuration, writerID: string, variant: Variant, size: number) {
    this.#config = config
    this.#writerID = writerID
    this.#variant = variant
    this.#quorum = size
  }

  async read(key: string): Promise<string> {
    if (this.#variant === 'stale-local-read') {
      const [nearest] = this.#config.nodes
      return (await nearest!.client(Storage).readRPC({ key })).value
    }
    const entry = await this.#newest(key)
    if (this.#variant === 'small-quorum') await this.#put(key, entry)
    return entry.value
  }

  async write(key: string, value: string): Promise<void> {
    const { timestamp } = await this.#newest(key)
    this.#last = Math.max(this.#last, timestamp) + 1
    await this.#put(key, { value, timestamp: this.#last, writer: this.#writerID })
  }

  async #newest(key: string): Promise<Entry> {
    const replies = await this.#config.client(Storage).readQC({ key }).threshold(this.#quorum)
    return newest(replies.values())
  }

  #put(key: string, entry: Entry): PromiseLike<ReadonlyMap<string, WriteReply>> {
    return this.#config
      .client(Storage)
      .writeQC({ key, ...entry })
      .threshold(this.#quorum) as never
  }
}
