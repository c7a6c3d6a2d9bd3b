// The storage example as its users run it: three to seven processes with journals, clients that read and write registers, and
// processes that are killed, started again, stopped and continued meanwhile, a minority at a time. What the clients saw must be
// linearizable. Faults begin and end when so many operations have been done, so that every machine sees them all.

import { connect } from 'gorums'
import {
  checkLinearizable,
  HistoryRecorder,
  hasNotRun,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from 'gorums/testing'
import { MultiWriterStorage } from '../../examples/storage/clients.ts'
import { ReplicaProcesses } from '../../examples/storage/processes.ts'
import { Random } from '../../src/testing/simulation/random.ts'

export interface ChaosOptions {
  readonly replicas: 3 | 5 | 7
  readonly clients: number
  /** How many times something is done to some of the replicas. */
  readonly faults: number
  readonly seed: number
}

export interface ChaosResult {
  readonly replicas: number
  readonly operations: number
  /** Operations whose outcome is unknown, and those that certainly did nothing. */
  readonly unknown: number
  readonly failed: number
  readonly faults: Readonly<Record<string, number>>
  readonly verdict: string
  readonly seconds: number
}

/** A fault lasts for so many operations of all clients. */
const FAULT_OPERATIONS = 40
/** Operations per key: what the checker has to order. */
const KEY_OPERATIONS = 60

export async function runChaos({ replicas, clients, faults: count, seed }: ChaosOptions): Promise<ChaosResult> {
  const startedAt = performance.now()
  const random = new Random(seed, 'chaos')
  const ids = 'abcdefg'.slice(0, replicas).split('')
  const processes = await ReplicaProcesses.start({ nodeIDs: ids })
  const recorder = new HistoryRecorder<RegisterInput, RegisterOutput>()
  const faults: Record<string, number> = {}
  let done = 0
  let failed = 0
  const waiting: { readonly at: number; resolve(): void }[] = []
  let isOver = false
  const reached = (at: number): Promise<void> => new Promise((resolve) => void waiting.push({ at, resolve }))
  const note = (): void => {
    done++
    for (const { at, resolve } of waiting) if (done >= at) resolve()
  }
  const operate = async (name: string): Promise<void> => {
    const config = await connect(processes.addresses, {
      callTimeoutMs: 3_000,
      backoff: BACKOFF,
    })
    const storage = new MultiWriterStorage(config, name)
    const choices = new Random(seed, name)
    for (let index = 0; !isOver; index++) {
      const key = `k${Math.floor(done / KEY_OPERATIONS)}-${choices.int(0, 1)}`
      const value = `${name}${index}`
      const operation = choices.chance(0.5)
        ? recorder.record(name, { type: 'read', key }, async () => (await storage.read(key)).value)
        : recorder.record(name, { type: 'write', key, value }, async () => void (await storage.write(key, value)))
      await operation.catch((error: unknown) => {
        if (hasNotRun(error)) failed++
      })
      note()
    }
    await config.close()
  }
  const disturb = async (): Promise<void> => {
    for (let fault = 0; fault < count; fault++) {
      const victims = someOf(ids, random.int(1, (replicas - 1) / 2), random)
      const kind = random.pick(['kill', 'stop'])
      for (const id of victims) {
        faults[kind] = (faults[kind] ?? 0) + 1
        if (kind === 'kill') await processes.kill(id)
        else processes.stop(id)
      }
      await reached(done + FAULT_OPERATIONS)
      for (const id of victims) {
        if (kind === 'kill') await processes.restart(id)
        else processes.cont(id)
      }
      await reached(done + FAULT_OPERATIONS)
    }
    isOver = true
  }
  try {
    await Promise.all([...Array.from({ length: clients }, (_, index) => operate(`c${index}`)), disturb()])
  } finally {
    await processes.close()
  }
  const history = recorder.operations
  return {
    replicas,
    operations: history.length,
    unknown: history.filter(({ isKnown }) => !isKnown).length,
    failed,
    faults,
    verdict: checkLinearizable(registerModel(), history).verdict,
    seconds: (performance.now() - startedAt) / 1000,
  }
}

const BACKOFF = { minMs: 10, maxMs: 200 }

function someOf(ids: readonly string[], count: number, random: Random): string[] {
  const left = [...ids]
  return Array.from({ length: count }, () => left.splice(random.int(0, left.length - 1), 1)[0]!)
}
