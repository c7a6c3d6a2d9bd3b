// Breadth-first search through every state that the model can reach. The first state that breaks a promise is reached by
// the shortest way there is.

import { createHash } from 'node:crypto'
import { type Loosening, world } from './loosenings.ts'
import { Machine } from './model.ts'
import { type Bounds, Broken, firstState, type State } from './state.ts'

export interface Exploration {
  readonly states: number
  readonly depth: number
  /** How a promise was broken, and the steps that lead there; undefined when none was. */
  readonly broken: { readonly what: string; readonly steps: readonly string[] } | undefined
  /** Whether there were more states than were allowed. */
  readonly isCut: boolean
}

/** Small enough to be explored to the end. */
export const smallWorlds: readonly Bounds[] = [
  world({ requests: 2, log: 2, losses: 1, cancels: 1 }),
  world({ requests: 2, losses: 1, restarts: 1 }),
  world({ requests: 1, losses: 3, cancels: 1 }),
  world({ requests: 1, losses: 2, expiries: 1 }),
  world({ requests: 2, log: 2, losses: 1, drains: 1 }),
  world({ requests: 1, backs: 1, losses: 2 }),
  world({ requests: 2, losses: 1, callerRestarts: 1 }),
  world({ requests: 2, losses: 2, sessions: false }),
  world({ requests: 2, log: 2, slips: 1 }),
]

/** Not explored to its end by every test run. */
export const largeWorld: Bounds = world({ requests: 2, log: 2, losses: 2, restarts: 1, cancels: 1 })

/** Explores up to `statesMax` states. */
export function explore(bounds: Bounds, loose?: Loosening, statesMax = 10_000_000): Exploration {
  const machine = new Machine(bounds, loose)
  const parents: number[] = [-1]
  const names: string[] = ['']
  const seen = new Set<bigint>([keyOf(firstState(bounds))])
  let level: { readonly state: State; readonly index: number }[] = [{ state: firstState(bounds), index: 0 }]
  let depth = 0
  const wayTo = (index: number): string[] => {
    const steps: string[] = []
    for (let at = index; at > 0; at = parents[at]!) steps.unshift(names[at]!)
    return steps
  }
  while (level.length > 0) {
    const next: typeof level = []
    for (const { state, index } of level) {
      const steps = machine.steps(state)
      try {
        if (steps.length === 0) machine.checkEnd(state)
      } catch (error) {
        return { states: seen.size, depth, broken: { what: whatOf(error), steps: wayTo(index) }, isCut: false }
      }
      for (const { name, take } of steps) {
        const reached = structured(state)
        try {
          take(reached)
          tidy(reached)
          machine.check(reached)
        } catch (error) {
          return {
            states: seen.size,
            depth,
            broken: { what: whatOf(error), steps: [...wayTo(index), name] },
            isCut: false,
          }
        }
        const key = keyOf(reached)
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > statesMax) return { states: seen.size, depth, broken: undefined, isCut: true }
        parents.push(index)
        names.push(name)
        next.push({ state: reached, index: parents.length - 1 })
      }
    }
    level = next
    if (level.length > 0) depth++
  }
  return { states: seen.size, depth, broken: undefined, isCut: false }
}

/** A violation of the protocol is one of ours as well: both ends are correct here. */
function whatOf(error: unknown): string {
  if (error instanceof Broken || (error as Error)?.name === 'ProtocolViolation') return (error as Error).message
  throw error
}

function structured(state: State): State {
  return JSON.parse(JSON.stringify(state)) as State
}

/** Forgets connections that are over at both ends: they tell states apart that are the same. */
function tidy(state: State): void {
  if (!state.wires.some(isOver)) return
  const used = state.wire < 0 ? undefined : state.wires[state.wire]
  state.wires = state.wires.filter((wire) => !isOver(wire))
  state.wire = used === undefined ? -1 : state.wires.indexOf(used)
}

function isOver({ isCallerOpen, isServerOpen }: State['wires'][number]): boolean {
  return !isCallerOpen && !isServerOpen
}

function keyOf(state: State): bigint {
  return createHash('md5').update(JSON.stringify(state)).digest().readBigUInt64BE()
}
