// What the rest of the framework sees of this directory: the object `quorum`, whose functions make quorum systems, and
// the types of what they make. Everything here is pure: no clock, socket, timer or randomness.

import { choose } from './choose.ts'
import { grid } from './grid.ts'
import { intersects } from './intersects.ts'
import { joint } from './joint.ts'
import { all, byzantine, majority, threshold } from './threshold.ts'
import { weighted } from './weighted.ts'

export type { Grid } from './grid.ts'
export type { Intersection } from './intersects.ts'
export type { MembersLike } from './joint.ts'
export type { BoundQuorum, QuorumSystem, Tally, TallyState } from './quorum-system.ts'

/** The quorum systems, and the question whether two of them always meet. */
export const quorum = Object.freeze({
  /** More than half of the members: 2 of 3, 3 of 4, 3 of 5. */
  majority,
  /** Any `k` of the members. */
  threshold,
  /** Every member. */
  all,
  /** Members that have `need` votes together. */
  weighted,
  /** Nodes in rows and columns: `read` takes one whole row, `write` one whole column. */
  grid,
  /** Quorums that meet in a truthful node although `f` members may lie. */
  byzantine,
  /** Any `k` of the given nodes and systems. */
  choose,
  /** Quorums of one system in two sets of members at once, as while members change. */
  joint,
  /** Whether every quorum of one system meets every quorum of another. */
  intersects,
})
