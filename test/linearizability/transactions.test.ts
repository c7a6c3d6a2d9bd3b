// Transactions over several keys, against histories made by hand and against the checker's dumb twin.

import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { checkLinearizable } from '../../src/testing/linearizability/checker.ts'
import type { Operation } from '../../src/testing/linearizability/history.ts'
import {
  type TransactionInput,
  type TransactionOutput,
  transactionModel,
} from '../../src/testing/linearizability/models.ts'
import { isLinearizable } from './brute-force.ts'

type Op = Operation<TransactionInput, TransactionOutput>

const model = transactionModel('0')

function op(from: number, to: number, input: TransactionInput, values?: Record<string, string>, isApplied = true): Op {
  const isKnown = to !== Infinity
  const output = isKnown ? { isApplied, values: values ?? {} } : undefined
  return { client: 'a', input, invokedAt: from, returnedAt: to, output, isKnown }
}

const both = { reads: ['x', 'y'] }
const HISTORIES: readonly (readonly [string, 'linearizable' | 'violation', readonly Op[]])[] = [
  ['what was there at first', 'linearizable', [op(1, 2, both, { x: '0', y: '0' })]],
  [
    'two keys that are written together are seen together',
    'violation',
    [op(1, 5, { writes: { x: '1', y: '1' } }), op(2, 3, both, { x: '1', y: '0' })],
  ],
  [
    'a snapshot beside a write sees all of it or nothing',
    'linearizable',
    [op(1, 5, { writes: { x: '1', y: '1' } }), op(2, 3, both, { x: '0', y: '0' }), op(6, 7, both, { x: '1', y: '1' })],
  ],
  [
    'two writers, two readers who see them in different orders',
    'violation',
    [
      op(1, 9, { writes: { x: '1' } }),
      op(2, 10, { writes: { y: '1' } }),
      op(3, 4, both, { x: '1', y: '0' }),
      op(5, 6, both, { x: '0', y: '1' }),
    ],
  ],
  [
    'write skew: each reads what the other writes, and both are applied',
    'violation',
    [
      op(1, 4, { reads: ['x'], expects: { x: '0' }, writes: { y: '1' } }, { x: '0' }),
      op(2, 5, { reads: ['y'], expects: { y: '0' }, writes: { x: '1' } }, { y: '0' }),
    ],
  ],
  [
    'of two that can not both be, one says that it was not applied',
    'linearizable',
    [
      op(1, 4, { expects: { x: '0' }, writes: { y: '1' } }),
      op(2, 5, { expects: { y: '0' }, writes: { x: '1' } }, {}, false),
    ],
  ],
  ['one that should not have been applied', 'violation', [op(1, 2, { expects: { x: '1' }, writes: { y: '1' } })]],
  [
    'one with unknown outcome that is seen later',
    'linearizable',
    [
      op(1, Infinity, { writes: { x: '1', y: '2' } }),
      op(2, 3, both, { x: '0', y: '0' }),
      op(4, 5, both, { x: '1', y: '2' }),
    ],
  ],
  ['an answer without one of the keys', 'violation', [op(1, 2, both, { x: '0' })]],
  ['a key that looks like a part of objects', 'violation', [op(1, 2, { reads: ['constructor'] }, {})]],
]

describe('transactions', () => {
  for (const [title, verdict, operations] of HISTORIES) {
    it(`${title}: ${verdict}`, () => {
      assert.equal(checkLinearizable(model, operations).verdict, verdict)
      assert.equal(isLinearizable(model, operations), verdict === 'linearizable')
    })
  }
})

const some = fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('0', '1'), { maxKeys: 2, noNullPrototype: true })
const transaction = fc.record({
  reads: fc.subarray(['x', 'y']),
  values: some,
  expects: some,
  writes: some,
  start: fc.nat(20),
  length: fc.nat(12),
  isKnown: fc.boolean(),
  isApplied: fc.boolean(),
})

test('the checker says what its twin says, of three thousand random histories of transactions', () => {
  const verdicts = { linearizable: 0, violation: 0, undecided: 0 }
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 5 }), (drawn) => {
      const operations = drawn.map(({ reads, values, expects, writes, start, length, isKnown, isApplied }, index) => {
        // No two events at one time.
        const to = isKnown ? (start + length) * 100 + 50 + index : Infinity
        return op(start * 100 + index, to, { reads, expects, writes }, { x: '0', y: '0', ...values }, isApplied)
      })
      const { verdict } = checkLinearizable(model, operations)
      verdicts[verdict]++
      assert.equal(verdict === 'linearizable', isLinearizable(model, operations))
    }),
    { numRuns: 3_000, seed: 7 },
  )
  assert.equal(verdicts.undecided, 0)
  assert.ok(verdicts.linearizable > 300 && verdicts.violation > 300, JSON.stringify(verdicts))
})

test('transactions are said in words, with what is not known left open', () => {
  const input = { expects: { x: '0' }, reads: ['y'], writes: { z: '2' } }
  assert.equal(model.describe(input, { isApplied: true, values: { y: '1' } }, true), 'x=0? y→1 z:=2: true')
  assert.equal(model.describe(input, undefined, false), 'x=0? y→? z:=2: ?')
})
