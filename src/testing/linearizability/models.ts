// Models of common services: registers and counters, each with any number of keys.

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
