// What can be fuzzed: how one input is run, what it starts from, and what its parts look like. The loop is in engine.ts.

import type { Random } from '../../../src/testing/simulation/random.ts'
import type { Variant } from './edges.ts'

/** Two ways to the same result have led to different ones, or something is not as the specification says. */
export class Mismatch extends Error {
  override name = 'Mismatch'
}

export interface Target {
  readonly name: string
  readonly variant: Variant
  /** The files whose branches are what is to be covered. Those of all other files that have counters guide as well. */
  readonly owns: RegExp
  readonly maxBytes: number
  /** Good inputs to begin with. */
  readonly seeds: readonly Buffer[]
  /** Pieces that inputs are made of. */
  readonly dictionary: readonly Buffer[]
  /** Changes an input in a way that keeps its form; undefined when it has none to keep. */
  mutate?(input: Buffer, random: Random): Buffer | undefined
  /**
   * Runs one input. Throws Mismatch when what must agree does not, and lets through every error that must not be. The
   * input may be kept by nobody, nor be changed.
   */
  run(input: Buffer): void | Promise<void>
  /** Lets go of what all inputs shared. Throws when something is left that should not be. */
  close?(): Promise<void>
}

/** Counters that a target hits by itself, where branches say too little about what an input has led to. */
export class Features {
  readonly counts = new Uint16Array(1024)

  /** Notes that something of this name was seen. */
  hit(name: string): void {
    let hash = 0x811c9dc5
    for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & 1023
    this.counts[slot] = this.counts[slot]! + 1
  }
}
