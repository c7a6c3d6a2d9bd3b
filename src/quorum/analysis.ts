// Searches over a tree of gates: its minimal quorums, the size of its smallest one, and how many failures it survives.
// Knows positions and sets, no ids; says undefined when a search would pass its bound, and leaves the error to others.

import { dualGate, type Gate, holds, isDisjoint, maskOf, positionsIn, type Rule, totalWeight } from './gate.ts'

/** How many sets a search for minimal quorums may hold at a time. */
export const MINIMAL_QUORUMS_MAX = 100_000

/** How many sets may be made of parts that share nodes, for one part: bounds the time, where most sets are the same. */
const UNIONS_MAX = 1_000_000

/**
 * The minimal sets that satisfy a rule, each once; undefined if the search meets more than `max`. Takes the parts of a
 * gate one by one, and keeps every set that can be had from those so far, with the weight that it still misses.
 */
export function minimalSets(rule: Rule, max: number): readonly bigint[] | undefined {
  if (typeof rule === 'number') return [maskOf(rule)]
  // With the heaviest first, the part that completes a set is its lightest, so no part of the set was superfluous.
  const heaviestFirst = rule.parts
    .map((part, index) => ({ part, weight: rule.weights?.[index] ?? 1 }))
    .sort((a, b) => b.weight - a.weight)
  let found = new Map([[0n, rule.need]])
  let left = totalWeight(rule)
  for (const { part, weight } of heaviestFirst) {
    left -= weight
    const sets = minimalSets(part, max)
    if (sets === undefined || found.size * sets.length > UNIONS_MAX) return undefined
    const longer = new Map<bigint, number>()
    for (const [set, missing] of found) {
      if (missing > 0) for (const more of sets) keepLeast(longer, set | more, missing - weight)
      if (missing <= left) keepLeast(longer, set, missing)
      if (longer.size > max) return undefined
    }
    found = longer
  }
  const complete = [...found.keys()]
  return isDisjoint(rule) ? complete : complete.filter((set) => isMinimal(rule, set))
}

function keepLeast(sets: Map<bigint, number>, set: bigint, missing: number): void {
  const before = sets.get(set)
  if (before === undefined || missing < before) sets.set(set, missing)
}

function isMinimal(gate: Gate, set: bigint): boolean {
  return positionsIn(set).every((position) => !holds(gate, set ^ maskOf(position)))
}

/** The size of the smallest set that satisfies a rule; undefined if that takes a search beyond the bound. */
export function smallestSize(rule: Rule): number | undefined {
  if (typeof rule === 'number') return 1
  if (rule.weights !== null) return heaviestUntil(rule.weights, rule.need)
  if (rule.need === 1 || isDisjoint(rule)) {
    const sizes = rule.parts.map(smallestSize)
    if (!sizes.every((size) => size !== undefined)) return undefined
    const cheapest = sizes.sort((a, b) => a - b).slice(0, rule.need)
    return cheapest.reduce((sum, size) => sum + size, 0)
  }
  const sets = minimalSets(rule, MINIMAL_QUORUMS_MAX)
  return sets?.reduce((smallest, set) => Math.min(smallest, positionsIn(set).length), Number.POSITIVE_INFINITY)
}

function heaviestUntil(weights: readonly number[], need: number): number {
  let missing = need
  let taken = 0
  for (const weight of [...weights].sort((a, b) => b - a)) {
    if (missing <= 0) break
    missing -= weight
    taken++
  }
  return taken
}

/** How many nodes may fail, whichever they are: one fewer than the smallest set that blocks every quorum. */
export function resilience(gate: Gate): number | undefined {
  const blocking = smallestSize(dualGate(gate))
  return blocking === undefined ? undefined : blocking - 1
}
