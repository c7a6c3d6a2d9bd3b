// Servers that end while calls are under way. Killed: every call is answered, 'no' or 'unknown', and what has run is what was
// answered and some of what is unknown, each once. Asked to end, one after the other, with their links cut while they finish
// what they have accepted: nothing is lost at all.

import { type Configuration, connect, type RpcError } from 'gorums'
import { type FaultProxy, startFaultProxy } from 'gorums/testing'
import { CounterServer } from './counter-server.ts'
import { Counter } from './counter-service.ts'

export interface KillOptions {
  readonly kills: number
  /** Calls that are answered between kills. */
  readonly callsPerLife: number
  readonly inFlight?: number
}

export interface KillResult {
  readonly kills: number
  /** How often the server's event loop was blocked. */
  readonly blocks: number
  readonly calls: number
  readonly acknowledged: number
  /** Calls that did not end well, by `executed`. */
  readonly failed: { readonly no: number; readonly unknown: number; readonly yes: number }
  /** What the counter says in the end. */
  readonly counted: number
  readonly twice: number
  /** Calls that were answered, or said not to have run, and the counter says otherwise. */
  readonly lies: number
  readonly disordered: number
  readonly seconds: number
}

/** Calls a counter that is blocked and killed again and again, in order, many at a time. */
export async function runKills({ kills, callsPerLife, inFlight = 64 }: KillOptions): Promise<KillResult> {
  const startedAt = performance.now()
  const server = new CounterServer()
  await server.start()
  const config = await connect([server.address], { whenDown: 'wait', callTimeoutMs: 60_000, backoff: BACKOFF })
  const fates = new Map<number, 'ok' | 'no' | 'unknown' | 'yes'>()
  try {
    const client = config.nodes[0]!.client(Counter)
    let next = 1
    let acknowledged = 0
    let isOver = false
    const [reached, reach] = milestones(2 * kills)
    const keepCalling = async (): Promise<void> => {
      while (!isOver) {
        const n = next++
        try {
          await client.count({ n })
          fates.set(n, 'ok')
          reach(Math.floor((2 * ++acknowledged) / callsPerLife))
        } catch (error) {
          fates.set(n, (error as RpcError).executed)
        }
      }
    }
    const callers = Array.from({ length: inFlight }, keepCalling)
    for (let kill = 1; kill <= kills; kill++) {
      await reached[2 * kill - 2]
      server.block(BLOCK_MS)
      await reached[2 * kill - 1]
      await server.kill()
      await server.start()
    }
    await client.count({ n: next++ }).then(() => fates.set(next - 1, 'ok'))
    isOver = true
    await Promise.all(callers)
    return { ...judge(fates, server.runs), kills, blocks: kills, seconds: (performance.now() - startedAt) / 1000 }
  } finally {
    await config.close()
    await server.close()
  }
}

/** Promises of 1, 2, … `count`, and what keeps them: everything up to a number. */
function milestones(count: number): [Promise<void>[], (number: number) => void] {
  const resolvers: (() => void)[] = []
  const promises = Array.from({ length: count }, () => new Promise<void>((resolve) => resolvers.push(resolve)))
  const reach = (number: number): void => {
    for (const resolve of resolvers.slice(0, number)) resolve()
  }
  return [promises, reach]
}

function judge(
  fates: ReadonlyMap<number, string>,
  runs: readonly number[],
): Omit<KillResult, 'kills' | 'blocks' | 'seconds'> {
  const counted = new Set(runs)
  const count = (fate: string): number => [...fates.values()].filter((each) => each === fate).length
  let lies = 0
  for (const [n, fate] of fates)
    if (fate === 'ok' || fate === 'yes' ? !counted.has(n) : fate === 'no' && counted.has(n)) lies++
  return {
    calls: fates.size,
    acknowledged: count('ok'),
    failed: { no: count('no'), unknown: count('unknown'), yes: count('yes') },
    counted: counted.size,
    twice: runs.length - counted.size,
    lies,
    disordered: runs.filter((n, index) => index > 0 && n <= runs[index - 1]!).length,
  }
}

export interface RollingResult {
  readonly restarts: number
  /** Connections that were cut while their server was draining. */
  readonly cuts: number
  readonly calls: number
  readonly quorumCalls: number
  /** Calls that did not end well, by code and `executed`. */
  readonly failures: Readonly<Record<string, number>>
  /** Calls that a server ran twice, or not at all though it was called alone. */
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
  const config = await connect(
    proxies.map(({ address }) => address),
    { whenDown: 'wait', waitFor: 'all', callTimeoutMs: 60_000, backoff: BACKOFF },
  )
  const failures: Record<string, number> = {}
  const called: number[][] = servers.map(() => [])
  let next = 1
  let quorumCalls = 0
  let ended = 0
  const restarts = rounds * servers.length
  const [reached, reach] = milestones(restarts)
  const keepCalling = async (): Promise<void> => {
    while (next <= calls) {
      const n = next++
      const node = n % 4
      try {
        if (node === 3) {
          quorumCalls++
          await config.client(Counter).countAll({ n }).majority()
        } else {
          called[node]!.push(n)
          await config.nodes[node]!.client(Counter).count({ n })
        }
      } catch (error) {
        const key = failureOf(error)
        failures[key] = (failures[key] ?? 0) + 1
      }
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
      await allUp(config)
    }
    await callers
    let twice = 0
    let lost = 0
    servers.forEach((server, index) => {
      const { runs } = server
      const ran = new Set(runs)
      twice += runs.length - ran.size
      lost += called[index]!.filter((n) => !ran.has(n)).length
    })
    const cuts = proxies.reduce((sum, { counters }) => sum + counters.cuts, 0)
    const seconds = (performance.now() - startedAt) / 1000
    return { restarts, cuts, calls, quorumCalls, failures, twice, lost, seconds }
  } finally {
    await config.close()
    await Promise.all([...proxies, ...servers].map((each: FaultProxy | CounterServer) => each.close()))
  }
}

const BACKOFF = { minMs: 10, maxMs: 200 }
/** Long enough for calls to pile up, short of what makes a peer count as dead. */
const BLOCK_MS = 250

function allUp(config: Configuration): Promise<unknown> {
  return config.waitFor(({ connected }) => connected.size === config.size)
}

function failureOf(error: unknown): string {
  const { code, executed, reason } = error as { code?: string; executed?: string; reason?: string }
  return reason ?? `${code} ${executed}`
}
