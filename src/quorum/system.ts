// The one class behind every quorum system: a name, the nodes that it names (if it names any), and how to make a gate of
// given members. Checks that names and members agree. Which systems there are is the matter of the other files.

import { listIDs, requireNodeIDs, typeName } from './arguments.ts'
import { Bound } from './bound.ts'
import type { Gate } from './gate.ts'
import type { QuorumSystem } from './quorum-system.ts'

/** The members that a system, or a part of it, is over: their positions by id. */
export type Members = ReadonlyMap<string, number>

/** A quorum system, before its members are known. */
export class System implements QuorumSystem {
  readonly name: string
  /** The nodes that the system names: those and no others must be its members. Undefined: it fits itself to any. */
  readonly nodeIDs: readonly string[] | undefined
  readonly #build: (members: Members) => Gate

  constructor(name: string, nodeIDs: readonly string[] | undefined, build: (members: Members) => Gate) {
    this.name = name
    this.nodeIDs = nodeIDs
    this.#build = build
  }

  bind(members: readonly string[]): Bound {
    const nodeIDs = requireNodeIDs(`quorum ${this.name}: members`, members)
    return new Bound(this, nodeIDs, this.gate(new Map(nodeIDs.map((id, position) => [id, position]))))
  }

  /** The system as a gate over these members. Throws a RangeError if they are not the nodes that it names. */
  gate(members: Members): Gate {
    if (this.nodeIDs === undefined) return this.#build(members)
    const named = restrict(this.name, members, this.nodeIDs)
    for (const id of members.keys()) {
      if (named.has(id)) continue
      throw new RangeError(
        `quorum ${this.name}: member '${id}' has no place in it (it names ${listIDs(this.nodeIDs)}): ` +
          'name every member, and no others',
      )
    }
    return this.#build(members)
  }

  /** The system as a part of another one: over the nodes that it names, or over all members if it names none. */
  part(members: Members): Gate {
    return this.gate(this.nodeIDs === undefined ? members : restrict(this.name, members, this.nodeIDs))
  }
}

/** Those of the members that are named. Throws a RangeError for a name that is no member. */
export function restrict(name: string, members: Members, nodeIDs: readonly string[]): Members {
  return new Map(nodeIDs.map((id) => [id, positionOf(name, members, id)]))
}

/** The position of one member. Throws a RangeError if there is no such member. */
export function positionOf(name: string, members: Members, nodeID: string): number {
  const position = members.get(nodeID)
  if (position !== undefined) return position
  throw new RangeError(
    `quorum ${name}: node '${nodeID}' is not one of the ${members.size} members (${listIDs(members.keys())})`,
  )
}

/** A system made by `quorum`; anything else is a TypeError. */
export function requireSystem(what: string, value: unknown): System {
  if (value instanceof System) return value
  throw new TypeError(`${what} must be a quorum system made by quorum.…, got ${typeName(value)}`)
}
