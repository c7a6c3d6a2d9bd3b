// Whom a call goes to and what its quorum is counted against: nodes in their order, the members' ids, and the tables
// that lead from a channel to the node's place in constant time.

import type { Channel } from '../net/channel.ts'
import type { BoundQuorum, QuorumSystem } from '../quorum/index.ts'
import { Node } from './node.ts'

export class Contacts {
  readonly nodes: readonly Node[]
  readonly channels: readonly Channel[]
  /** The ids that quorums are counted against, in the configuration's order. */
  readonly members: readonly string[]
  /** For each node its position among the members; -1 for one that is not a member. */
  readonly memberPositions: readonly number[]
  /** Whether the nodes are the members, one by one. */
  readonly isWhole: boolean
  /** The positions of the nodes: 0, 1, … */
  readonly positions: readonly number[]
  /**
   * What the marks of a call to these nodes begin with, copied: a copy is exactly as long as it has to be. Doubles from the
   * start, so that no array changes its form when the first time comes.
   */
  readonly zeroMarks: readonly number[]
  readonly #bySlot: number[] = []
  readonly #bound = new WeakMap<QuorumSystem, BoundQuorum>()

  constructor(nodes: readonly Node[], members: readonly string[]) {
    this.nodes = nodes
    this.members = members
    this.channels = nodes.map((node) => Node.channelOf(node))
    this.positions = nodes.map((_, position) => position)
    this.zeroMarks = [...nodes, ...nodes, ...nodes, ...nodes, this].map(() => 0.5).fill(0)
    const positions = new Map(members.map((id, position) => [id, position]))
    this.memberPositions = nodes.map((node) => positions.get(node.id) ?? -1)
    this.isWhole =
      nodes.length === members.length && this.memberPositions.every((member, position) => member === position)
    for (let position = 0; position < this.channels.length; position++)
      this.#bySlot[this.channels[position]!.slot] = position
  }

  /** The place of a channel among the nodes. */
  positionOf(channel: Channel): number {
    return this.#bySlot[channel.slot]!
  }

  /** Binds a quorum system to the members, once per system. Throws TypeError for what is none, RangeError when it does not fit. */
  bind(system: QuorumSystem): BoundQuorum {
    if (typeof system?.bind !== 'function')
      throw new TypeError('takes a quorum system: quorum.majority(), quorum.grid(…).read, …')
    let bound = this.#bound.get(system)
    if (bound === undefined) {
      bound = system.bind(this.members)
      this.#bound.set(system, bound)
    }
    return bound
  }
}
