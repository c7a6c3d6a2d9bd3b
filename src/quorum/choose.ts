// Systems made of systems: so many of some nodes and other systems.

import { listIDs, requireCount, requireList, requireNodeID, requireNodeIDs } from './arguments.ts'
import { gateOf } from './gate.ts'
import type { QuorumSystem } from './quorum-system.ts'
import { type Members, positionOf, requireSystem, System } from './system.ts'

/**
 * Any `k` of the given nodes and systems (hierarchical quorums; Kumar, "Hierarchical Quorum Consensus", 1991). A nested
 * system that names nodes is over those; one that names none (`majority()`) is over all members. If only nodes and
 * systems that name nodes are given, they must together name exactly the members; RangeError otherwise. The same node
 * may be in several nested systems, but not be given twice itself.
 */
export function choose(k: number, parts: readonly (string | QuorumSystem)[]): QuorumSystem {
  const need = requireCount('quorum.choose: k', k)
  const checked = requireList('quorum.choose: parts', parts).map((part, index) => {
    const what = `quorum.choose: parts[${index}]`
    return typeof part === 'string' ? requireNodeID(what, part) : requireSystem(`${what}, if no node id,`, part)
  })
  if (need > checked.length) {
    throw new RangeError(`quorum.choose: k is ${need}, but there are only ${checked.length} parts to choose from`)
  }
  const direct = checked.filter((part) => typeof part === 'string')
  if (direct.length > 0) requireNodeIDs('quorum.choose: parts', direct)

  const name = `choose(${need} of ${checked.length})`
  return new System(name, namesIn(checked), (members: Members) => {
    const rules = checked.map((part) =>
      typeof part === 'string' ? positionOf(name, members, part) : part.part(members),
    )
    const texts = rules.map((rule, index) => (typeof rule === 'number' ? (checked[index] as string) : rule.text))
    return gateOf(need, rules, `${need} of {${listIDs(texts)}}`)
  })
}

/** The nodes that the parts name together; undefined as soon as one of them is over all members. */
function namesIn(parts: readonly (string | System)[]): readonly string[] | undefined {
  const names = new Set<string>()
  for (const part of parts) {
    const own = typeof part === 'string' ? [part] : part.nodeIDs
    if (own === undefined) return undefined
    for (const id of own) names.add(id)
  }
  return [...names]
}
