// Servers that end while calls are under way. Killed: every call is answered, 'no' or 'unknown', and what has run is what was
// answered and some of what is unknown, each once.

import { connect, type RpcError } from 'gorums'
import { CounterServer } from './counter-server.ts'
import { Counter } from './counter-service.ts'
import { BACKOFF, milestones } from './load.ts'

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

/** Long enough for calls to pile up, short of what makes a peer count as dead. */
const BLOCK_MS = 250
