// A quorum system over given members: translates between node ids and positions, starts tallies, and keeps the answers
// of the analysis, each computed when first asked for.

import { MINIMAL_QUORUMS_MAX, minimalSets, resilience } from './analysis.ts'
import { listIDs } from './arguments.ts'
import { type Gate, positionsIn } from './gate.ts'
import { LOAD_QUORUMS_MAX, load } from './load.ts'
import type { BoundQuorum, QuorumSystem, Tally } from './quorum-system.ts'
import { tallyStarter } from './tally.ts'

/** The one implementation of BoundQuorum. */
export class Bound implements BoundQuorum {
  readonly system: QuorumSystem
  readonly members: readonly string[]
  readonly needed: string
  /** The system as a tree over positions. */
  readonly gate: Gate
  readonly tally: () => Tally
  readonly #positions: ReadonlyMap<string, number>
  #survives: number | undefined
  #load: number | undefined

  constructor(system: QuorumSystem, members: readonly string[], gate: Gate) {
    this.system = system
    this.members = members
    this.needed = `needs ${gate.text}`
    this.gate = gate
    this.tally = tallyStarter(gate, members.length)
    this.#positions = new Map(members.map((id, position) => [id, position]))
  }

  isQuorum(nodeIDs: Iterable<string>): boolean {
    const tally = this.tally()
    for (const position of this.#positionsOf(nodeIDs)) tally.reply(position)
    return tally.state === 'reached'
  }

  canBecome(replied: Iterable<string>, failed: Iterable<string>): boolean {
    const tally = this.tally()
    const hasReplied = this.#positionsOf(replied)
    for (const position of this.#positionsOf(failed)) if (!hasReplied.has(position)) tally.fail(position)
    return tally.state !== 'impossible'
  }

  get survives(): number {
    this.#survives ??= resilience(this.gate) ?? this.#tooMany('its resilience', MINIMAL_QUORUMS_MAX)
    return this.#survives
  }

  get load(): number {
    this.#load ??= load(this.gate) ?? this.#tooMany('its load', LOAD_QUORUMS_MAX)
    return this.#load
  }

  minimalQuorums(): readonly (readonly string[])[] {
    const sets = minimalSets(this.gate, MINIMAL_QUORUMS_MAX) ?? this.#tooMany('its quorums', MINIMAL_QUORUMS_MAX)
    return sets.map((set) => this.idsIn(set))
  }

  /** The ids of a set of positions, in the order of the members. */
  idsIn(set: bigint): readonly string[] {
    return positionsIn(set).map((position) => this.members[position]!)
  }

  #positionsOf(nodeIDs: Iterable<string>): ReadonlySet<number> {
    const positions = new Set<number>()
    for (const id of nodeIDs) {
      const position = this.#positions.get(id)
      if (position === undefined) {
        throw new RangeError(
          `quorum ${this.system.name}: node '${id}' is not one of the ${this.members.length} members ` +
            `(${listIDs(this.members)})`,
        )
      }
      positions.add(position)
    }
    return positions
  }

  #tooMany(what: string, max: number): never {
    throw new RangeError(
      `quorum ${this.system.name} over ${this.members.length} members: more than ${max} sets to search for ${what}; ` +
        'ask about a smaller system',
    )
  }
}
