// The inside of a client process: the clients of one target, and the load that they make.

import { type OneWayCaller, runBursts } from '../measure/burst-load.ts'
import { Histogram } from '../measure/histogram.ts'
import { type LoadOptions, type LoadResult, runLoad } from '../measure/load.ts'
import {
  CountingRelay,
  collectedBytes,
  type LoopDelay,
  measureAllocation,
  measureLoopDelay,
  measureOneAllocation,
} from '../measure/observation.ts'
import { retainedBy } from '../measure/retained.ts'
import type { ConnectOptions, Target, TargetClient } from '../targets/target.ts'
import { loadTarget } from '../targets/targets.ts'
import { answerParent } from './questions.ts'
import { readUsage } from './usage.ts'

export interface ConnectQuestion {
  readonly target: string
  readonly addresses: readonly string[]
  readonly options: ConnectOptions
  /** How many clients, each with connections of its own. */
  readonly clients: number
}

/** A round, and the CPU time that the client has used for all of its calls, µs. */
export interface RoundResult extends LoadResult {
  readonly clientCpuMicros: number
}

export interface Observation {
  /** Allocated by one call in the client, bytes: on the heap, and outside. */
  readonly heapPerCall: number
  readonly externalPerCall: number
  readonly loopDelay: LoopDelay
}

/** Silence after which nothing more is expected of a relay, ms. */
const QUIET_MS = 50

/** How long a client that failed waits until it calls again, ms. */
const RETRY_MS = 5

let connected: { readonly target: Target; readonly question: ConnectQuestion } | undefined
const clients: TargetClient[] = []

answerParent({
  async connect(question: ConnectQuestion): Promise<void> {
    const target = await loadTarget(question.target)
    connected = { target, question }
    for (let made = 0; made < question.clients; made++)
      clients.push(await target.connect(question.addresses, question.options))
  },
  async round(options: LoadOptions): Promise<RoundResult> {
    const before = readUsage().cpuMicros
    const result = await load(options)
    return { ...result, clientCpuMicros: readUsage().cpuMicros - before }
  },
  async observe(options: LoadOptions): Promise<Observation> {
    let calls = 0
    const allocation = await measureAllocation(async () => {
      calls = (await load(options)).allCalls
    })
    const loopDelay = await measureLoopDelay(async () => {
      await load(options)
    })
    return { heapPerCall: allocation.heapBytes / calls, externalPerCall: allocation.externalBytes / calls, loopDelay }
  },
  bytes: (options: { calls: number; inFlight: number }) => countBytes(options),
  memory: () => collectedBytes(),
  usage: () => readUsage(),
  /** What each of so many calls allocates, one after the other, bytes; those are left out that a collection met. Needs --expose-gc. */
  async allocations({ calls }: { calls: number }): Promise<number[]> {
    const client = clients[0]!
    const found: number[] = []
    for (let made = 0; made < calls; made++) {
      const bytes = await measureOneAllocation(async () => client.check(await client.call()))
      if (bytes !== undefined) found.push(bytes)
    }
    return found
  },
  /** Makes calls that nobody answers; what each of them costs while it waits, bytes. Needs --expose-gc. */
  async hold({ calls }: { calls: number }): Promise<number> {
    // Their promises are let go of as they are: what a caller attaches to one is the caller's.
    process.on('unhandledRejection', () => {})
    const before = collectedBytes()
    for (let made = 0; made < calls; made++) void clients[made % clients.length]!.call()
    await new Promise((resolve) => setImmediate(resolve))
    return (collectedBytes() - before) / calls
  },
  /** What the objects of a class keep alive. */
  retained: (className: string) => retainedBy(className),
  /** Calls with each client until it is answered; how long that took each of them, ms. */
  async recover(): Promise<number[]> {
    const startedAt = performance.now()
    return Promise.all(
      clients.map(async (client) => {
        for (;;) {
          const isAnswered = await client.call().then(
            () => true,
            () => false,
          )
          if (isAnswered) return performance.now() - startedAt
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        }
      }),
    )
  },
})

async function load(options: LoadOptions): Promise<LoadResult> {
  if (connected?.question.options.operation !== 'multicast') return runLoad(clients, options)
  const startedAt = performance.now()
  const sent = await runBursts(clients as unknown as OneWayCaller[], options)
  const seconds = (performance.now() - startedAt) / 1000
  return { calls: sent, seconds, allCalls: sent, latency: new Histogram().toData() }
}

/** Makes so many calls over relays that count, on connections of their own. */
async function countBytes({ calls, inFlight }: { calls: number; inFlight: number }): Promise<number> {
  if (connected === undefined) throw new TypeError('not connected')
  const { target, question } = connected
  const relays = await Promise.all(question.addresses.map((address) => CountingRelay.start(address)))
  const addresses = relays.map(({ address }) => address)
  const client = await target.connect(addresses, question.options)
  try {
    // The first call is not counted: it belongs to connecting.
    client.check(await client.call())
    const before = relays.reduce((sum, relay) => sum + relay.bytes, 0)
    let left = calls
    const work = async (): Promise<void> => {
      while (left-- > 0) client.check(await client.call())
    }
    await Promise.all(Array.from({ length: Math.min(inFlight, calls) }, work))
    return ((await settledBytes(relays)) - before) / calls
  } finally {
    await client.close()
    await Promise.all(relays.map((relay) => relay.close()))
  }
}

/** What relays have counted once nothing more arrives: one-way messages, and answers beyond the quorum, are still on their way. */
async function settledBytes(relays: readonly CountingRelay[]): Promise<number> {
  const total = (): number => relays.reduce((sum, relay) => sum + relay.bytes, 0)
  let last = -1
  while (total() !== last) {
    last = total()
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  }
  return last
}
