// The counter in a simulated world: one server, one client that adds, and whatever goes wrong. In the end the count must be
// what was acknowledged, or more by at most what nobody knows of.

import { connect, type RpcError } from 'gorums'
import { drawFaults, endOfFaults, type Fault, Simulation } from 'gorums/testing'
import { Counter, serveCounter } from './counter.ts'

export interface Outcome {
  readonly seed: number
  /** Two runs with one seed have one hash. */
  readonly hash: string
  readonly acknowledged: number
  readonly unknown: number
  readonly count: number
  readonly faults: readonly Fault[]
  readonly isRight: boolean
}

const PORT = 7000
const ADDS = 30

/** One run. `faults`: in place of those that the seed would draw. */
export async function runCounter(seed: number, syncs: boolean, faults?: readonly Fault[]): Promise<Outcome> {
  const simulation = new Simulation({ seed })
  let acknowledged = 0
  let unknown = 0
  let count = -1

  simulation.host('server', async ({ runtime }) => {
    await serveCounter({ runtime, port: PORT, syncs })
  })

  simulation.host('client', async ({ runtime }) => {
    const config = await connect([`server:${PORT}`], { runtime, whenDown: 'wait', callTimeoutMs: 60_000 })
    const counter = config.nodes[0]!.client(Counter)
    for (let add = 0; add < ADDS; add++) {
      await counter.add({ by: 1 }).then(
        () => acknowledged++,
        (error: RpcError) => {
          if (error.executed !== 'no') unknown++
        },
      )
      await new Promise<void>((resolve) => void runtime.startTimer(20, resolve))
    }
    // Only when all faults are over does the count stay what it is.
    while (simulation.now < healedAt) await new Promise<void>((resolve) => void runtime.startTimer(50, resolve))
    while (count < 0) {
      await counter.add({ by: 0 }).then(
        (reply) => {
          count = reply.count
        },
        () => {},
      )
    }
    await config.close()
  })

  const schedule =
    faults ?? drawFaults(simulation.random('faults'), ['server', 'client'], { overMs: 1_000, mayCrash: ['server'] })
  const healedAt = endOfFaults(schedule)
  simulation.schedule(schedule)
  const isOver = await simulation.run(() => count >= 0, 600_000)
  const isRight = isOver && acknowledged <= count && count <= acknowledged + unknown
  return { seed, hash: simulation.trace.hash, acknowledged, unknown, count, faults: schedule, isRight }
}
