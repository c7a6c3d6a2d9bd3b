// The one form that every quorum system takes once its members are known: a tree of gates over node positions. A gate
// holds when parts of enough weight hold; a leaf holds when its node has replied. Sets of positions are bigint masks.
// What can be read off a tree without searching lives here; counting votes does not (tally.ts), nor searching (analysis.ts).

/** A position (that node has replied) or a gate. */
export type Rule = number | Gate

/** Holds when the weights of the parts that hold add up to `need`. */
export interface Gate {
  /** 1 to the sum of the weights. */
  readonly need: number
  /** Positions are distinct within one gate; different gates may share them. */
  readonly parts: readonly Rule[]
  /** One positive whole number per part; null: each part weighs 1. A gate with weights has only positions as parts. */
  readonly weights: readonly number[] | null
  /** What it takes, without the word "needs". */
  readonly text: string
}

/** A gate that holds when `need` of its parts do. */
export function gateOf(need: number, parts: readonly Rule[], text: string): Gate {
  return { need, parts, weights: null, text }
}

/** The sum of a gate's weights. */
export function totalWeight(gate: Gate): number {
  return gate.weights === null ? gate.parts.length : gate.weights.reduce((sum, weight) => sum + weight, 0)
}

/** Whether the gate is a plain `need` of positions. */
export function isCounting(gate: Gate): boolean {
  return gate.weights === null && gate.parts.every((part) => typeof part === 'number')
}

/** The set of one position. */
export function maskOf(position: number): bigint {
  return 1n << BigInt(position)
}

/** The positions in a set, ascending. */
export function positionsIn(set: bigint): number[] {
  const positions: number[] = []
  for (let rest = set, position = 0; rest !== 0n; rest >>= 1n, position++)
    if ((rest & 1n) === 1n) positions.push(position)
  return positions
}

/** The positions that a rule mentions. */
export function mentioned(rule: Rule): bigint {
  return typeof rule === 'number' ? maskOf(rule) : rule.parts.reduce((set: bigint, part) => set | mentioned(part), 0n)
}

/** Whether no position is mentioned by two parts of the gate. */
export function isDisjoint(gate: Gate): boolean {
  let seen = 0n
  for (const part of gate.parts) {
    const positions = mentioned(part)
    if ((seen & positions) !== 0n) return false
    seen |= positions
  }
  return true
}

/** Whether the rule holds when exactly this set has replied. */
export function holds(rule: Rule, replied: bigint): boolean {
  if (typeof rule === 'number') return ((replied >> BigInt(rule)) & 1n) === 1n
  let weight = 0
  rule.parts.forEach((part, index) => {
    if (holds(part, replied)) weight += rule.weights?.[index] ?? 1
  })
  return weight >= rule.need
}

/** The rule whose quorums are the blocking sets of the given one: those without which no quorum is left. */
export function dual(rule: Rule): Rule {
  return typeof rule === 'number' ? rule : dualGate(rule)
}

/** {@link dual}, of a gate. */
export function dualGate(gate: Gate): Gate {
  return { ...gate, need: totalWeight(gate) - gate.need + 1, parts: gate.parts.map(dual) }
}
