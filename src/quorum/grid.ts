// Grid quorums: members arranged in rows and columns.

import { requireList, requireNodeIDs } from './arguments.ts'
import { gateOf } from './gate.ts'
import type { QuorumSystem } from './quorum-system.ts'
import { type Members, positionOf, System } from './system.ts'

/** The two systems of one grid. Each quorum of one meets each quorum of the other. */
export interface Grid {
  /** All nodes of one row, whichever. */
  readonly read: QuorumSystem
  /** All nodes of one column, whichever. */
  readonly write: QuorumSystem
}

/**
 * A grid of nodes (after Maekawa, 1985, and Cheung, Ammar and Ahamad, 1992): `read` takes one whole row and `write` one
 * whole column, so that a read meets every write. Two writes need not meet: several writers need both at once,
 * `choose(2, [grid.read, grid.write])`. The grid need not be square, but its rows are of one length, no node is in it
 * twice, and its nodes are exactly the members; RangeError otherwise.
 */
export function grid(rows: readonly (readonly string[])[]): Grid {
  const lines = requireList('quorum.grid: rows', rows).map((row, index) =>
    requireNodeIDs(`quorum.grid: rows[${index}]`, row),
  )
  const width = lines[0]!.length
  lines.forEach((line, index) => {
    if (line.length === width) return
    throw new RangeError(
      `quorum.grid: rows[${index}] has ${line.length} nodes and rows[0] has ${width}: give every row the same number`,
    )
  })
  const nodeIDs = requireNodeIDs('quorum.grid: rows', lines.flat())
  const columns = lines[0]!.map((_, column) => lines.map((line) => line[column]!))

  const shape = `${lines.length}x${width}`
  return Object.freeze({
    read: oneWhole(`grid(${shape}).read`, nodeIDs, lines, `one whole row of the ${shape} grid`),
    write: oneWhole(`grid(${shape}).write`, nodeIDs, columns, `one whole column of the ${shape} grid`),
  })
}

function oneWhole(name: string, nodeIDs: readonly string[], lines: readonly (readonly string[])[], text: string) {
  return new System(name, nodeIDs, (members: Members) => {
    const parts = lines.map((line) =>
      gateOf(
        line.length,
        line.map((id) => positionOf(name, members, id)),
        text,
      ),
    )
    return gateOf(1, parts, text)
  })
}
