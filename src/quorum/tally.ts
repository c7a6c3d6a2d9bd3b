// Counting votes, the part of a quorum system that runs on every reply of every call. Two forms: one counter pair for
// "k of n", one counter pair per gate for everything else. A gate is decided when its missing weight is used up by
// replies (it holds) or its spare weight by failures (it never will), and then votes in the gate above it.

import { type Gate, isCounting, totalWeight } from './gate.ts'
import type { Tally, TallyState } from './quorum-system.ts'

/** A tally of `need` out of `size` members. */
class CountTally implements Tally {
  #missing: number
  #spare: number

  constructor(need: number, size: number) {
    this.#missing = need
    this.#spare = size - need
  }

  get state(): TallyState {
    return this.#missing <= 0 ? 'reached' : this.#spare < 0 ? 'impossible' : 'pending'
  }

  reply(_position: number): void {
    this.#missing--
  }

  fail(_position: number): void {
    this.#spare--
  }
}

/** The gates of a tree in one row, the root first: what all tallies of one bound system share. */
interface Circuit {
  readonly need: number[]
  /** The weight that a gate can lose and still hold. */
  readonly spare: number[]
  /** The gate above, and the weight of this gate in it; nothing reads those of the root. */
  readonly parent: number[]
  readonly weight: number[]
  /** For each position, the gates that it is a part of, and its weights in them. */
  readonly inputs: readonly { readonly gates: number[]; readonly weights: number[] }[]
}

function circuitOf(root: Gate, size: number): Circuit {
  const inputs = Array.from({ length: size }, () => ({ gates: [] as number[], weights: [] as number[] }))
  const circuit: Circuit = { need: [], spare: [], parent: [], weight: [], inputs }
  const add = (gate: Gate, parent: number, weight: number): void => {
    const index = circuit.need.push(gate.need) - 1
    circuit.spare.push(totalWeight(gate) - gate.need)
    circuit.parent.push(parent)
    circuit.weight.push(weight)
    for (const [at, part] of gate.parts.entries()) {
      const partWeight = gate.weights?.[at] ?? 1
      if (typeof part === 'number') {
        inputs[part]!.gates.push(index)
        inputs[part]!.weights.push(partWeight)
      } else {
        add(part, index, partWeight)
      }
    }
  }
  add(root, -1, 0)
  return circuit
}

/** A tally over any tree of gates. */
class GateTally implements Tally {
  readonly #circuit: Circuit
  readonly #missing: number[]
  readonly #spare: number[]
  #state: TallyState = 'pending'

  constructor(circuit: Circuit) {
    this.#circuit = circuit
    this.#missing = circuit.need.slice()
    this.#spare = circuit.spare.slice()
  }

  get state(): TallyState {
    return this.#state
  }

  reply(position: number): void {
    if (this.#state !== 'pending') return
    const { gates, weights } = this.#circuit.inputs[position]!
    for (let i = 0; i < gates.length; i++) this.#credit(gates[i]!, weights[i]!)
  }

  fail(position: number): void {
    if (this.#state !== 'pending') return
    const { gates, weights } = this.#circuit.inputs[position]!
    for (let i = 0; i < gates.length; i++) this.#debit(gates[i]!, weights[i]!)
  }

  #credit(gate: number, weight: number): void {
    const missing = this.#missing[gate]!
    if (missing <= 0) return
    this.#missing[gate] = missing - weight
    if (missing > weight) return
    if (gate === 0) this.#state = 'reached'
    else this.#credit(this.#circuit.parent[gate]!, this.#circuit.weight[gate]!)
  }

  #debit(gate: number, weight: number): void {
    const spare = this.#spare[gate]!
    if (spare < 0) return
    this.#spare[gate] = spare - weight
    if (spare >= weight) return
    if (gate === 0) this.#state = 'impossible'
    else this.#debit(this.#circuit.parent[gate]!, this.#circuit.weight[gate]!)
  }
}

/** What starts the tallies of a gate over `size` members; the choice of form is made here, once. */
export function tallyStarter(gate: Gate, size: number): () => Tally {
  if (isCounting(gate) && gate.parts.length === size) {
    const { need } = gate
    return () => new CountTally(need, size)
  }
  const circuit = circuitOf(gate, size)
  return () => new GateTally(circuit)
}
