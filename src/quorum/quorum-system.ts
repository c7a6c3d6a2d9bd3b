// The words of this directory: a quorum system (a value), the same system bound to members, and the tally of one call.
// Types only. A quorum is a set of members whose replies are enough; every system here is monotone, that is, adding a
// reply to a quorum leaves a quorum.

/** What a tally knows: not yet decided, a quorum has replied, or no quorum can reply any more. Only `'pending'` changes. */
export type TallyState = 'pending' | 'reached' | 'impossible'

/**
 * Counts the outcome of one call. Positions index the members that the system was bound to; the caller votes each
 * position at most once, as replied or as failed, and never a position outside the members.
 */
export interface Tally {
  readonly state: TallyState
  /** The member at this position has replied. */
  reply(position: number): void
  /** The member at this position will never reply. */
  fail(position: number): void
}

/**
 * A rule that says which sets of nodes are quorums, as a value that can be bound to any number of member lists.
 * Made by the functions of `quorum`.
 */
export interface QuorumSystem {
  /** What the system is called in messages, for example `majority` or `threshold(3)`. */
  readonly name: string
  /**
   * The system over these members (ids, in the order that tally positions refer to). A list with an empty or repeated
   * id, or to which the system does not fit, is a RangeError; anything but an array of strings a TypeError.
   */
  bind(members: readonly string[]): BoundQuorum
}

/** A quorum system over given members: answers questions about sets of them, and starts tallies. Immutable. */
export interface BoundQuorum {
  readonly system: QuorumSystem
  readonly members: readonly string[]
  /** What a quorum takes, as words for a message: `needs 3 of 5`, `needs one whole row of the 2x3 grid`. */
  readonly needed: string
  /**
   * How many members may fail, whichever they are, with a quorum left among the others; 0 if one failure can be too
   * many. A system whose parts share nodes is searched, and a RangeError if it is too large to search (see `minimalQuorums`).
   */
  readonly survives: number
  /**
   * The load of the system (Naor and Wool, 1998): with quorums picked at random by the best strategy, the share of calls
   * that the busiest member takes part in, in (0, 1]. Exact up to rounding where parts share no nodes; otherwise by
   * linear programming, to about 1e-9, and a RangeError beyond 10 000 minimal quorums (near 15 members).
   */
  readonly load: number
  /** A tally of nothing yet; cheap, one per call. */
  tally(): Tally
  /** Whether these nodes are a quorum or more; repeated ids count once, and an id that is no member is a RangeError. */
  isQuorum(nodeIDs: Iterable<string>): boolean
  /**
   * Whether a quorum can still reply, given who has replied and who has failed (an id in both counts as replied); an id
   * that is no member is a RangeError.
   */
  canBecome(replied: Iterable<string>, failed: Iterable<string>): boolean
  /**
   * Every quorum of which no proper part is one, each in the order of the members. A RangeError if the search meets more
   * than 100 000 sets, or has to combine more than a million where parts share nodes. The other searches have the same
   * bounds, if none is named.
   */
  minimalQuorums(): readonly (readonly string[])[]
}
