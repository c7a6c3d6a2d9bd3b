// The storage example as its users run it: three to seven processes with journals, clients in this process and one in a process
// of its own that read and write registers, and fault proxies between them. Meanwhile everything of storage-faults.ts happens.
// What the clients saw must be linearizable. A fault lasts until so many operations have been done, so that every machine sees
// operations during each of them.

import {
  checkLinearizable,
  type FaultProxy,
  HistoryRecorder,
  hasNotRun,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  startFaultProxy,
} from 'gorums/testing'
import { ReplicaProcesses } from '../../examples/storage/processes.ts'
import { Random } from '../../src/testing/simulation/random.ts'
import { ClientProcess, LocalClient, type RegisterClient } from './register-client.ts'
import { type FaultKind, faultKinds } from './storage-faults.ts'

export interface ChaosOptions {
  readonly replicas: 3 | 5 | 7
  /** Clients in this process, beside the one that is killed. */
  readonly clients: number
  /** How many times something is done; every kind of fault in turn. */
  readonly faults: number
  /** The kinds of faults, by name. Default: all. */
  readonly kinds?: readonly string[]
  /** The longest time that a replica is stopped or cut off, ms. */
  readonly stopMaxMs: number
  readonly seed: number
  /** Replicas find nothing in their journals: that has to be found out. Default false. */
  readonly isForgetful?: boolean
}

/** How long it took from a kill until a quorum call that began after it had succeeded, ms. */
export interface RecoveryTimes {
  readonly times: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface ChaosResult {
  readonly replicas: number
  readonly operations: number
  /** Operations whose outcome is unknown, and those that certainly did nothing. */
  readonly unknown: number
  readonly failed: number
  /** Processes that were killed, and stopped, and for how long the longest. */
  readonly kills: number
  readonly stops: number
  readonly longestStopMs: number
  /** How many replicas, connections with one, or clients, each kind of fault was done to. */
  readonly faults: Readonly<Record<string, number>>
  /** After kills of a minority of the replicas; and of a majority or all, which have to be started again first. */
  readonly minorityKilled: RecoveryTimes
  readonly majorityKilled: RecoveryTimes
  readonly violations: number
  readonly verdict: string
  readonly seconds: number
}

/** A fault lasts for so many operations of all clients at least, and so many ms. */
const FAULT_OPERATIONS = 40
const FAULT_MS = 200
/** The shortest time that a replica is stopped, ms. */
const STOP_MIN_MS = 100
/** Operations per key: what the checker has to order. */
const KEY_OPERATIONS = 60

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const chaos = new StorageChaos(options)
  return chaos.run()
}

class StorageChaos {
  readonly #options: ChaosOptions
  readonly #random: Random
  readonly #ids: readonly string[]
  readonly #recorder = new HistoryRecorder<RegisterInput, RegisterOutput>()
  readonly #faults: Record<string, number> = {}
  readonly #recoveries: Record<'minority' | 'majority', number[]> = { minority: [], majority: [] }
  /** The kill after which no quorum call has succeeded yet. */
  #killed: { readonly at: number; readonly part: 'minority' | 'majority' } | undefined
  #waiting: { readonly at: number; resolve(): void }[] = []
  #operations = 0
  #failed = 0
  #kills = 0
  #stops = 0
  #longestStopMs = 0
  #isOver = false

  constructor(options: ChaosOptions) {
    this.#options = options
    this.#random = new Random(options.seed, 'chaos')
    this.#ids = 'abcdefg'.slice(0, options.replicas).split('')
  }

  async run(): Promise<ChaosResult> {
    const startedAt = performance.now()
    const preload = new URL(this.#options.isForgetful ? 'forget-journal.ts' : 'block-on-signal.ts', import.meta.url)
      .href
    const processes = await ReplicaProcesses.start({ nodeIDs: this.#ids, preload })
    const proxies = new Map<string, FaultProxy>()
    try {
      for (const [seed, id] of this.#ids.entries()) proxies.set(id, await proxyOf(processes.addresses[id]!, seed))
      const addresses = Object.fromEntries([...proxies].map(([id, { address }]) => [id, address]))
      const client = new ClientProcess(addresses, 'mortal')
      const names = Array.from({ length: this.#options.clients }, (_, index) => `c${index}`)
      const locals = await Promise.all(names.map((name) => LocalClient.connect(addresses, name)))
      const operating = [client, ...locals].map((each, index) => this.#operate(each, names[index - 1] ?? 'mortal'))
      const kinds = faultKinds({ processes, proxies, client, random: this.#random })
      await Promise.all([...operating, this.#disturb(kinds)])
    } finally {
      this.#isOver = true
      await processes.close()
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
    }
    return this.#result((performance.now() - startedAt) / 1000)
  }

  /** One client: one operation after the other, until all is over. */
  async #operate(client: RegisterClient, name: string): Promise<void> {
    const choices = new Random(this.#options.seed, name)
    for (let index = 0; !this.#isOver; index++) {
      const key = `k${Math.floor(this.#operations / KEY_OPERATIONS)}-${choices.int(0, 1)}`
      const value = `${name}${index}`
      const beganAt = performance.now()
      const operation = choices.chance(0.5)
        ? this.#recorder.record(name, { type: 'read', key }, () => client.read(key))
        : this.#recorder.record(name, { type: 'write', key, value }, async () => void (await client.write(key, value)))
      await operation.then(
        () => this.#noteSuccess(beganAt),
        (error: unknown) => {
          if (hasNotRun(error)) this.#failed++
        },
      )
      this.#operations++
      for (const { at, resolve } of this.#waiting) if (this.#operations >= at) resolve()
    }
    await client.close()
  }

  #noteSuccess(beganAt: number): void {
    if (this.#killed === undefined || beganAt < this.#killed.at) return
    this.#recoveries[this.#killed.part].push(performance.now() - this.#killed.at)
    this.#killed = undefined
  }

  async #disturb(kinds: Readonly<Record<string, FaultKind>>): Promise<void> {
    const names = this.#options.kinds ?? Object.keys(kinds)
    for (let fault = 0; fault < this.#options.faults; fault++) {
      const name = names[fault % names.length]!
      await this.#doOne(name, kinds[name]!)
    }
    this.#isOver = true
  }

  async #doOne(name: string, kind: FaultKind): Promise<void> {
    const count = this.#countOf(kind)
    const hasMajority = kind.hits === undefined || kind.hits === 'client'
    const victims = someOf(this.#ids, count, this.#random)
    this.#faults[name] = (this.#faults[name] ?? 0) + count
    await Promise.all(victims.map((id) => kind.begin(id)))
    const lastMs = kind.isLong ? this.#drawStopMs() : FAULT_MS
    if (kind.kills) this.#kills += count
    if (kind.kills && kind.hits !== 'client')
      this.#killed = { at: performance.now(), part: hasMajority ? 'minority' : 'majority' }
    if (name === 'stop') {
      this.#stops += count
      this.#longestStopMs = Math.max(this.#longestStopMs, lastMs)
    }
    // Nothing is done while there is no majority.
    if (hasMajority) await this.#last(lastMs)
    await Promise.all(victims.map((id) => kind.end?.(id)))
    await this.#last(0)
  }

  /** To how many a fault is done. */
  #countOf({ hits }: FaultKind): number {
    const majority = (this.#ids.length + 1) / 2
    if (hits === 'client') return 1
    if (hits === 'all') return this.#ids.length
    return hits === 'majority' ? majority : this.#random.int(1, majority - 1)
  }

  /** From the shortest to the longest, short ones as often as long ones. */
  #drawStopMs(): number {
    return STOP_MIN_MS * (this.#options.stopMaxMs / STOP_MIN_MS) ** this.#random.next()
  }

  async #last(ms: number): Promise<void> {
    const operations = new Promise<void>((resolve) => {
      this.#waiting = this.#waiting.filter(({ at }) => at > this.#operations)
      this.#waiting.push({ at: this.#operations + FAULT_OPERATIONS, resolve })
    })
    await Promise.all([operations, new Promise((resolve) => setTimeout(resolve, ms))])
  }

  #result(seconds: number): ChaosResult {
    const history = this.#recorder.operations
    const { verdict, partitions } = checkLinearizable(registerModel(), history)
    return {
      replicas: this.#options.replicas,
      operations: history.length,
      unknown: history.filter(({ isKnown }) => !isKnown).length,
      failed: this.#failed,
      kills: this.#kills,
      stops: this.#stops,
      longestStopMs: Math.round(this.#longestStopMs),
      faults: this.#faults,
      minorityKilled: timesOf(this.#recoveries.minority),
      majorityKilled: timesOf(this.#recoveries.majority),
      violations: partitions.filter((partition) => partition.verdict === 'violation').length,
      verdict,
      seconds,
    }
  }
}

function proxyOf(address: string, seed: number): Promise<FaultProxy> {
  const colon = address.lastIndexOf(':')
  return startFaultProxy({ target: { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }, seed })
}

function timesOf(values: readonly number[]): RecoveryTimes {
  const sorted = [...values].sort((one, other) => one - other)
  const at = (share: number): number =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1))
  return { times: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

function someOf(ids: readonly string[], count: number, random: Random): string[] {
  const left = [...ids]
  return Array.from({ length: count }, () => left.splice(random.int(0, left.length - 1), 1)[0]!)
}
