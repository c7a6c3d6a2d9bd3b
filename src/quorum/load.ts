// The load of a system (Naor and Wool, "The Load, Capacity, and Availability of Quorum Systems", 1998): what share of
// the calls the busiest node sees when quorums are picked by the best strategy. A formula where the parts of every gate
// share no nodes; otherwise a linear program over the minimal quorums.

import { minimalSets } from './analysis.ts'
import { type Gate, isDisjoint, mentioned, positionsIn, type Rule } from './gate.ts'

/** How many minimal quorums the linear program takes. */
export const LOAD_QUORUMS_MAX = 10_000

const ROUNDING = 1e-9

/** The load of a gate, in (0, 1]; undefined if it takes a search beyond the bound. */
export function load(gate: Gate): number | undefined {
  return loadOfDisjoint(gate) ?? loadByProgram(gate)
}

/**
 * The load of a rule by formula; undefined where a gate has weights, or parts that share nodes. Part i, of load l, is
 * used with a probability p: these may be any that add up to `need`, and put p * l on the busiest node of the part. The
 * best strategy levels p * l at a water line; parts that stay below it even when always used (p = 1) are set aside.
 */
export function loadOfDisjoint(rule: Rule): number | undefined {
  if (typeof rule === 'number') return 1
  if (rule.weights !== null || !isDisjoint(rule)) return undefined
  const loads = rule.parts.map(loadOfDisjoint)
  if (!loads.every((part) => part !== undefined)) return undefined
  loads.sort((a, b) => a - b)
  let always = 0
  while (always < rule.need - 1) {
    const line = waterLine(rule.need - always, loads.slice(always))
    if (line <= loads[always]!) return line
    always++
  }
  return Math.min(waterLine(1, loads.slice(always)), loads.at(-1)!)
}

function waterLine(need: number, loads: readonly number[]): number {
  return need / loads.reduce((sum, part) => sum + 1 / part, 0)
}

/** The load of a gate by linear programming over its minimal quorums; undefined if there are too many. */
export function loadByProgram(gate: Gate): number | undefined {
  const sets = minimalSets(gate, LOAD_QUORUMS_MAX)
  if (sets === undefined) return undefined
  const rowOf = new Map(positionsIn(mentioned(gate)).map((position, row) => [position, row]))
  const columns = sets.map((set) => positionsIn(set).map((position) => rowOf.get(position)!))
  return 1 / packing(columns, rowOf.size)
}

/**
 * The largest total weight that sets can be given without any row seeing more than 1: how many calls the system answers
 * while each node answers one. Simplex on a condensed tableau, one row per node and one column per set, the last row
 * and column for the objective and the limits; Bland's rule, because ties are the normal case here.
 */
function packing(columns: readonly (readonly number[])[], rows: number): number {
  const width = columns.length
  const tableau = Array.from({ length: rows + 1 }, () => new Float64Array(width + 1))
  columns.forEach((column, index) => {
    for (const row of column) tableau[row]![index] = 1
    tableau[rows]![index] = -1
  })
  for (let row = 0; row < rows; row++) tableau[row]![width] = 1

  const outside = Array.from({ length: width }, (_, index) => index)
  const basis = Array.from({ length: rows }, (_, index) => width + index)
  for (;;) {
    const entering = lowest(outside, (index) => tableau[rows]![index]! < -ROUNDING)
    if (entering === -1) return tableau[rows]![width]!
    const limit = (row: number): number => {
      const step = tableau[row]![entering]!
      return step > ROUNDING ? tableau[row]![width]! / step : Number.POSITIVE_INFINITY
    }
    const tightest = Math.min(...basis.map((_, row) => limit(row)))
    const leaving = lowest(basis, (row) => limit(row) <= tightest + ROUNDING)
    exchange(tableau, leaving, entering)
    const variable = basis[leaving]!
    basis[leaving] = outside[entering]!
    outside[entering] = variable
  }
}

/** The index, among those accepted, of the lowest value; -1 if none is accepted. */
function lowest(values: readonly number[], accept: (index: number) => boolean): number {
  let best = -1
  values.forEach((value, index) => {
    if ((best === -1 || value < values[best]!) && accept(index)) best = index
  })
  return best
}

/** Swaps the variable of a row with that of a column. */
function exchange(tableau: readonly Float64Array[], row: number, column: number): void {
  const pivotRow = tableau[row]!
  const pivot = pivotRow[column]!
  pivotRow[column] = 1
  for (let i = 0; i < pivotRow.length; i++) pivotRow[i]! /= pivot
  tableau.forEach((other, index) => {
    const factor = other[column]!
    if (index === row || factor === 0) return
    other[column] = 0
    for (let i = 0; i < other.length; i++) other[i]! -= factor * pivotRow[i]!
  })
}
