// Weighted voting: members have different numbers of votes.

import { requireCount, requireNodeIDs, typeName } from './arguments.ts'
import { type Gate, gateOf } from './gate.ts'
import type { QuorumSystem } from './quorum-system.ts'
import { type Members, positionOf, System } from './system.ts'

/**
 * Members that have `need` votes together (Gifford, "Weighted Voting for Replicated Data", 1979). Votes are whole
 * numbers; a node with 0 votes may reply but never counts. Two quorums always meet when `need` is more than half of all
 * votes. Every member, and nobody else, must be given votes; `need` is 1 to the sum. RangeError otherwise.
 */
export function weighted(votes: Readonly<Record<string, number>>, need: number): QuorumSystem {
  if (typeof votes !== 'object' || votes === null || Array.isArray(votes)) {
    throw new TypeError(`quorum.weighted: votes must be an object such as { a: 2, b: 1 }, got ${typeName(votes)}`)
  }
  const byID = new Map(Object.entries(votes))
  const nodeIDs = requireNodeIDs('quorum.weighted: votes', [...byID.keys()])
  let total = 0
  for (const [id, count] of byID) total += requireCount(`quorum.weighted: the votes of node '${id}'`, count, 0)
  requireCount('quorum.weighted: need', need)
  requireCount('quorum.weighted: the sum of all votes', total)
  if (need > total) {
    throw new RangeError(`quorum.weighted: need is ${need}, but all nodes together have ${total} votes`)
  }

  const text = `${need} of ${total} votes`
  const name = `weighted(${text})`
  const voters = nodeIDs.filter((id) => byID.get(id) !== 0)
  return new System(name, nodeIDs, (members: Members): Gate => {
    const parts = voters.map((id) => positionOf(name, members, id))
    const weights = voters.map((id) => byID.get(id)!)
    const weight = weights[0]!
    if (weights.every((other) => other === weight)) return gateOf(Math.ceil(need / weight), parts, text)
    return { need, parts, weights, text }
  })
}
