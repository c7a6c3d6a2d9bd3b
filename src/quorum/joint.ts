// Joint consensus: one system that must hold in two sets of members at once, while one replaces the other.

import { listIDs, requireNodeIDs } from './arguments.ts'
import { gateOf } from './gate.ts'
import type { QuorumSystem } from './quorum-system.ts'
import { type Members, requireSystem, restrict, System } from './system.ts'

/**
 * Members: their ids, or whatever has them, such as a configuration. They are read once. Of a view they are the members
 * that it is a view of, not the nodes that its calls go to: fewer contacts make no smaller quorum.
 */
export type MembersLike = readonly string[] | { readonly members: readonly string[] }

/**
 * Quorums of `system` in both sets of members at once (Ongaro, "Consensus: Bridging Theory and Practice", 2014, 4.3).
 * The two sets may overlap; a node in both counts in both. Bind it to the members of the union, no more and no fewer.
 * A system that does not fit one of the two is a RangeError when bound.
 */
export function joint(membersA: MembersLike, membersB: MembersLike, system: QuorumSystem): QuorumSystem {
  const idsA = idsOf('quorum.joint: membersA', membersA)
  const idsB = idsOf('quorum.joint: membersB', membersB)
  const inner = requireSystem('quorum.joint: system', system)
  const name = `joint(${inner.name})`
  return new System(name, [...new Set([...idsA, ...idsB])], (members: Members) => {
    const a = inner.gate(restrict(name, members, idsA))
    const b = inner.gate(restrict(name, members, idsB))
    return gateOf(2, [a, b], `${a.text} in {${listIDs(idsA)}} and ${b.text} in {${listIDs(idsB)}}`)
  })
}

function idsOf(what: string, members: unknown): readonly string[] {
  const hasMembers = typeof members === 'object' && members !== null && 'members' in members
  return requireNodeIDs(what, hasMembers ? members.members : members)
}
