// Whether the quorums of two systems always meet: the property that reads and writes, or the quorums of two
// configurations, need from each other.

import { MINIMAL_QUORUMS_MAX, minimalSets } from './analysis.ts'
import { typeName } from './arguments.ts'
import { Bound } from './bound.ts'
import { holds, isCounting, maskOf, positionsIn } from './gate.ts'
import type { BoundQuorum, QuorumSystem } from './quorum-system.ts'
import { System } from './system.ts'

/** The answer of `intersects`: yes, or one quorum of each system that have no node in common. */
export type Intersection =
  | { readonly intersects: true }
  | { readonly intersects: false; readonly counterexample: readonly [readonly string[], readonly string[]] }

const MEETS: Intersection = Object.freeze({ intersects: true })

/**
 * Whether every quorum of `a` has a node in common with every quorum of `b`; if not, with two minimal ones that have
 * none. Systems that are not bound yet are bound to `members`; two bound systems may be over different members, and nodes
 * are the same when their ids are. Exact. By arithmetic if both only count; else it searches the minimal quorums of one
 * of the two, and throws a RangeError if both take more than 100 000 sets (majorities pass that at 20 members).
 */
export function intersects(
  a: QuorumSystem | BoundQuorum,
  b: QuorumSystem | BoundQuorum,
  members?: readonly string[],
): Intersection {
  const first = boundTo(a, members, 'the first argument')
  const second = boundTo(b, members, 'the second argument')
  if (isCounting(first.gate) && isCounting(second.gate)) return countingMeet(first, second)
  const found = search(first, second)
  if (found !== undefined) return found
  const mirrored = search(second, first)
  if (mirrored === undefined) {
    throw new RangeError(
      `quorum.intersects: ${first.system.name} over ${first.members.length} members and ${second.system.name} over ` +
        `${second.members.length} both take more than ${MINIMAL_QUORUMS_MAX} sets to search: ask about fewer members`,
    )
  }
  if (mirrored.intersects) return MEETS
  const [ofSecond, ofFirst] = mirrored.counterexample
  return { intersects: false, counterexample: [ofFirst, ofSecond] }
}

function boundTo(value: unknown, members: readonly string[] | undefined, what: string): Bound {
  if (value instanceof Bound) return value
  if (!(value instanceof System)) {
    throw new TypeError(`quorum.intersects: ${what} must be a quorum system, bound or not, got ${typeName(value)}`)
  }
  if (members === undefined) {
    throw new TypeError(`quorum.intersects: ${what}, ${value.name}, is not bound: pass the members as third argument`)
  }
  return value.bind(members)
}

/** Both avoid the nodes that the other can use, as far as they can, and share the rest out. */
function countingMeet(a: Bound, b: Bound): Intersection {
  const votersA = a.gate.parts.map((position) => a.members[position as number]!)
  const votersB = b.gate.parts.map((position) => b.members[position as number]!)
  const inA = new Set(votersA)
  const inB = new Set(votersB)
  const common = votersA.filter((id) => inB.has(id))
  const quorumA = [...votersA.filter((id) => !inB.has(id)), ...common].slice(0, a.gate.need)
  const quorumB = [...votersB.filter((id) => !inA.has(id)), ...common.reverse()].slice(0, b.gate.need)
  const taken = new Set(quorumA)
  if (quorumB.some((id) => taken.has(id))) return MEETS
  return { intersects: false, counterexample: [inOrder(a, quorumA), inOrder(b, quorumB)] }
}

function inOrder(bound: Bound, nodeIDs: readonly string[]): readonly string[] {
  return bound.members.filter((id) => nodeIDs.includes(id))
}

/** Takes each minimal quorum of `a` from the members of `b`: do the others still have a quorum of `b`? */
function search(a: Bound, b: Bound): Intersection | undefined {
  const quorums = minimalSets(a.gate, MINIMAL_QUORUMS_MAX)
  if (quorums === undefined) return undefined
  const positionsInB = new Map(b.members.map((id, position) => [id, maskOf(position)]))
  const masks = a.members.map((id) => positionsInB.get(id) ?? 0n)
  const everyone = maskOf(b.members.length) - 1n
  for (const quorum of quorums) {
    const taken = positionsIn(quorum).reduce((set, position) => set | masks[position]!, 0n)
    const others = everyone ^ taken
    if (holds(b.gate, others))
      return { intersects: false, counterexample: [a.idsIn(quorum), b.idsIn(minimized(b, others))] }
  }
  return MEETS
}

/** A minimal quorum within one, of the earliest members. */
function minimized(bound: Bound, quorum: bigint): bigint {
  let set = quorum
  for (const position of positionsIn(quorum).reverse()) {
    const without = set ^ maskOf(position)
    if (holds(bound.gate, without)) set = without
  }
  return set
}
