// Models of common services: registers and counters, each with any number of keys, and transactions over several keys.

import type { Model } from './checker.ts'

/** An operation of a register. `cas` sets `value` if the register holds `expected`. */
export type RegisterInput =
  | { readonly type: 'read'; readonly key?: string }
  | { readonly type: 'write'; readonly key?: string; readonly value: string }
  | { readonly type: 'cas'; readonly key?: string; readonly expected: string; readonly value: string }

/** What was read; for `cas`, whether it has set the value; nothing for a write. */
export type RegisterOutput = string | boolean | undefined

/** Registers by key that hold `initial` ('') at first, with reads, writes and compare-and-set. */
export function registerModel(initial = ''): Model<string, RegisterInput, RegisterOutput> {
  return {
    partition: ({ key }) => key ?? '',
    initial: () => initial,
    step(state, input, output, isKnown) {
      if (input.type === 'write') return input.value
      if (input.type === 'read') return !isKnown || output === state ? state : undefined
      const isSet = state === input.expected
      if (isKnown && output !== isSet) return undefined
      return isSet ? input.value : state
    },
    keyOf: (state) => state,
    describe(input, output, isKnown) {
      const key = input.key === undefined ? '' : `${input.key} `
      if (input.type === 'write') return `write ${key}${input.value}`
      if (input.type === 'read') return `read ${key}→ ${isKnown ? JSON.stringify(output) : '?'}`
      return `cas ${key}${input.expected}→${input.value}: ${isKnown ? String(output) : '?'}`
    },
  }
}

/** An operation of a counter: adds, and answers with the sum. `by` 0 reads it. */
export interface CounterInput {
  readonly key?: string
  readonly by: number
}

/** Counters by key that begin at 0. */
export function counterModel(): Model<number, CounterInput, number> {
  return {
    partition: ({ key }) => key ?? '',
    initial: () => 0,
    step: (state, { by }, output, isKnown) => (!isKnown || output === state + by ? state + by : undefined),
    keyOf: String,
    describe: ({ key = '', by }, output, isKnown) => `add ${key} ${by} → ${isKnown ? String(output) : '?'}`,
  }
}

/** An operation over several keys, all at one moment: reads, and then writes if every key holds what is expected of it. */
export interface TransactionInput {
  readonly reads?: readonly string[]
  readonly expects?: Readonly<Record<string, string>>
  readonly writes?: Readonly<Record<string, string>>
}

/** Whether every key held what was expected, and what the keys held that were read, before the writes. */
export interface TransactionOutput {
  readonly isApplied: boolean
  readonly values: Readonly<Record<string, string>>
}

/**
 * Keys that hold `initial` ('') at first, with transactions over any of them. One transaction may touch every key, so they are
 * checked together: histories must be shorter than those of `registerModel`.
 */
export function transactionModel(
  initial = '',
): Model<ReadonlyMap<string, string>, TransactionInput, TransactionOutput> {
  const at = (state: ReadonlyMap<string, string>, key: string): string => state.get(key) ?? initial
  return {
    initial: () => new Map(),
    step(state, { reads = [], expects = {}, writes = {} }, output, isKnown) {
      const isApplied = Object.entries(expects).every(([key, value]) => at(state, key) === value)
      if (isKnown) {
        if (output?.isApplied !== isApplied) return undefined
        if (reads.some((key) => !Object.hasOwn(output.values, key) || output.values[key] !== at(state, key)))
          return undefined
      }
      return isApplied ? new Map([...state, ...Object.entries(writes)]) : state
    },
    keyOf: (state) => JSON.stringify([...state].filter(([, value]) => value !== initial).sort(byKey)),
    describe({ reads = [], expects = {}, writes = {} }, output, isKnown) {
      const parts = [
        ...Object.entries(expects).map(([key, value]) => `${key}=${value}?`),
        ...reads.map((key) => `${key}→${isKnown ? output?.values[key] : '?'}`),
        ...Object.entries(writes).map(([key, value]) => `${key}:=${value}`),
      ]
      return `${parts.join(' ')}: ${isKnown ? String(output?.isApplied) : '?'}`
    },
  }
}

function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1
}
