// Servers that are asked to end, one after the other, under load, with their links cut while they finish what they have
// accepted: nothing is lost at all.

import { type CallRecord, type Configuration, connect, type RpcError } from 'gorums'
import { type FaultProxy, startFaultProxy } from 'gorums/testing'
import { CounterServer } from './counter-server.ts'
import { Counter } from './counter-service.ts'
import { BACKOFF, milestones } from './load.ts'

export interface RollingResult {
  readonly restarts: number
  /** Connections that were cut while their server was draining. */
  readonly cuts: number
  readonly calls: number
  /** Calls of all nodes; they resolve when a majority has answered. The others are calls of one node. */
  readonly quorumCalls: number
  /** What the calls came to, request by request: each node of a quorum call counts. */
  readonly requests: number
  readonly answered: number
  /** Requests without an answer whose fate nobody knows, and requests that certainly did not run. */
  readonly unknown: number
  readonly notRun: number
  /** Calls that did not end well, by code and `executed`. */
  readonly failures: Readonly<Record<string, number>>
  /** Requests that a server ran twice, or not at all. */
  readonly twice: number
  readonly lost: number
  readonly seconds: number
}

export interface RollingOptions {
  readonly calls: number
  /** How often each of the three servers is restarted, spread over the calls. */
  readonly rounds: number
  readonly inFlight?: number
}

/**
 * Restarts three servers one after the other, gracefully, under calls to each of them and quorum calls. Each is cut off when
 * it has begun to drain: its client has to connect again to get what it has accepted.
 */
export async function runRollingRestart({ calls, rounds, inFlight = 64 }: RollingOptions): Promise<RollingResult> {
  const startedAt = performance.now()
  const servers = [new CounterServer(), new CounterServer(), new CounterServer()]
  await Promise.all(servers.map((server) => server.start()))
  const proxies = await Promise.all(
    servers.map(({ port }, seed) => startFaultProxy({ target: { host: '127.0.0.1', port }, seed })),
  )
  const addresses = proxies.map(({ address }) => address)
  const config = await connect(addresses, {
    whenDown: 'wait',
    waitFor: 'all',
    callTimeoutMs: 60_000,
    backoff: BACKOFF,
  })
  const restarts = rounds * servers.length
  const [reached, reach] = milestones(restarts)
  const caller = new Caller(config)
  let next = 1
  let ended = 0
  const keepCalling = async (): Promise<void> => {
    while (next <= calls) {
      await caller.call(next++)
      reach(Math.floor((++ended * (restarts + 1)) / calls))
    }
  }
  try {
    const callers = Promise.all(Array.from({ length: inFlight }, keepCalling))
    for (let restart = 0; restart < restarts; restart++) {
      await reached[restart]
      const server = servers[restart % servers.length]!
      const proxy = proxies[restart % servers.length]!
      await server.stop(() => proxy.cut())
      await server.start()
      await config.waitFor(({ connected }) => connected.size === config.size)
    }
    await callers
    await caller.settled()
    const figures = caller.judge(servers.map(({ runs }) => runs))
    const cuts = proxies.reduce((sum, { counters }) => sum + counters.cuts, 0)
    return { restarts, cuts, calls, ...figures, seconds: (performance.now() - startedAt) / 1000 }
  } finally {
    await config.close()
    await Promise.all([...proxies, ...servers].map((each: FaultProxy | CounterServer) => each.close()))
  }
}

/** Makes numbered calls, three of four to one node, the others to all, and keeps account of every request to every node. */
class Caller {
  readonly #config: Configuration
  /** The numbers of the requests to each node. */
  readonly #sent: number[][]
  readonly #failures: Record<string, number> = {}
  readonly #settling: Promise<void>[] = []
  #quorumCalls = 0
  #answered = 0
  #unknown = 0
  #notRun = 0

  constructor(config: Configuration) {
    this.#config = config
    this.#sent = config.nodes.map(() => [])
  }

  async call(n: number): Promise<void> {
    const node = n % (this.#sent.length + 1)
    try {
      await (node < this.#sent.length ? this.#callOne(n, node) : this.#callAll(n))
    } catch (error) {
      const { code, executed, reason } = error as { code?: string; executed?: string; reason?: string }
      const key = reason ?? `${code} ${executed}`
      this.#failures[key] = (this.#failures[key] ?? 0) + 1
    }
  }

  /** Resolves when every node has answered every call, those included that a majority did not wait for. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling)
  }

  /** Compares what was asked with what the servers have run. */
  judge(runs: readonly (readonly number[])[]): Omit<RollingResult, 'restarts' | 'cuts' | 'calls' | 'seconds'> {
    let twice = 0
    let lost = 0
    let requests = 0
    for (const [index, sent] of this.#sent.entries()) {
      const ran = new Set(runs[index])
      twice += runs[index]!.length - ran.size
      lost += sent.filter((n) => !ran.has(n)).length
      requests += sent.length
    }
    return {
      quorumCalls: this.#quorumCalls,
      requests,
      answered: this.#answered,
      unknown: this.#unknown,
      notRun: this.#notRun,
      failures: this.#failures,
      twice,
      lost,
    }
  }

  async #callAll(n: number): Promise<void> {
    this.#quorumCalls++
    for (const numbers of this.#sent) numbers.push(n)
    const call = this.#config.client(Counter).countAll({ n })
    const noteAll = ({ nodes }: CallRecord): void => {
      for (const { error } of nodes) this.#note(error)
    }
    this.#settling.push(call.settled.then(noteAll))
    await call.majority()
  }

  async #callOne(n: number, node: number): Promise<void> {
    this.#sent[node]!.push(n)
    try {
      await this.#config.nodes[node]!.client(Counter).count({ n })
      this.#note(undefined)
    } catch (error) {
      this.#note(error as RpcError)
      throw error
    }
  }

  #note(error: RpcError | undefined): void {
    if (error === undefined) this.#answered++
    else if (error.executed === 'unknown') this.#unknown++
    else if (error.executed === 'no') this.#notRun++
  }
}
