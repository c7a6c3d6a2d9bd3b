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
export const quorum = Object.freeze({ majority, threshold, all, weighted, grid, byzantine, choose, joint, intersects })
