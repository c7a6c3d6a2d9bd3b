// The checker against histories made by hand, and against its dumb twin.

import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../src/errors.ts'
import { checkLinearizable } from '../../src/testing/linearizability/checker.ts'
import { HistoryRecorder, type Operation } from '../../src/testing/linearizability/history.ts'
import {
  counterModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '../../src/testing/linearizability/models.ts'
import { drawHistory } from '../../src/testing/linearizability/picture.ts'
import { isLinearizable } from './brute-force.ts'

type Op = Operation<RegisterInput, RegisterOutput>

const model = registerModel('0')
const read = (invokedAt: number, returnedAt: number, output: string, client = 'r'): Op => ({
  client,
  input: { type: 'read' },
  invokedAt,
  returnedAt,
  output,
  isKnown: true,
})
const write = (invokedAt: number, returnedAt: number, value: string, client = 'w'): Op => ({
  client,
  input: { type: 'write', value },
  invokedAt,
  returnedAt,
  output: undefined,
  isKnown: returnedAt !== Infinity,
})
const cas = (invokedAt: number, returnedAt: number, expected: string, value: string, output: boolean): Op => ({
  client: 'c',
  input: { type: 'cas', expected, value },
  invokedAt,
  returnedAt,
  output,
  isKnown: true,
})

const HISTORIES: readonly (readonly [string, 'linearizable' | 'violation', readonly Op[]])[] = [
  ['nothing', 'linearizable', []],
  ['a read of what was there at first', 'linearizable', [read(1, 2, '0')]],
  ['a write, then its read', 'linearizable', [write(1, 2, '1'), read(3, 4, '1')]],
  ['a stale read', 'violation', [write(1, 2, '1'), read(3, 4, '0')]],
  ['a read of what nobody wrote', 'violation', [read(1, 2, '7')]],
  ['a read beside a write sees either', 'linearizable', [write(1, 4, '1'), read(2, 3, '0', 'a'), read(5, 6, '1', 'a')]],
  ['new, then old, beside one write', 'violation', [write(1, 8, '1'), read(2, 3, '1', 'a'), read(4, 5, '0', 'b')]],
  ['a lost write', 'violation', [write(1, 2, '1'), write(3, 4, '2'), read(5, 6, '1')]],
  ['a write that comes back', 'violation', [write(1, 2, '1'), write(3, 4, '2'), read(5, 6, '2'), read(7, 8, '1')]],
  ['an unknown write that is seen later', 'linearizable', [write(1, Infinity, '1'), read(2, 3, '0'), read(4, 5, '1')]],
  ['an unknown write that is never seen', 'linearizable', [write(1, Infinity, '1'), read(2, 3, '0'), read(4, 5, '0')]],
  ['an unknown write, seen and gone', 'violation', [write(1, Infinity, '1'), read(2, 3, '1'), read(4, 5, '0')]],
  ['an unknown write that is seen before it began', 'violation', [read(1, 2, '1'), write(3, Infinity, '1')]],
  ['cas that should have failed', 'violation', [write(1, 2, '1'), cas(3, 4, '0', '2', true)]],
  ['cas that should have set', 'violation', [cas(1, 2, '0', '2', false)]],
  ['two cas, one wins', 'linearizable', [cas(1, 5, '0', '1', false), cas(2, 4, '0', '2', true), read(6, 7, '2')]],
]

describe('histories made by hand', () => {
  for (const [title, verdict, operations] of HISTORIES) {
    it(`${title}: ${verdict}`, () => {
      const result = checkLinearizable(model, operations)
      assert.equal(result.verdict, verdict)
      assert.equal(isLinearizable(model, operations), verdict === 'linearizable')
    })
  }
})

const operation = fc.record({
  client: fc.constantFrom('a', 'b', 'c'),
  type: fc.constantFrom('read', 'write', 'cas'),
  value: fc.constantFrom('0', '1', '2'),
  expected: fc.constantFrom('0', '1', '2'),
  start: fc.nat(20),
  length: fc.nat(12),
  isKnown: fc.boolean(),
  isSet: fc.boolean(),
})

test('the checker says what its twin says, of six thousand random histories', () => {
  const verdicts = { linearizable: 0, violation: 0, undecided: 0 }
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (drawn) => {
      const operations = drawn.map((each, index): Op => {
        const { type, value, expected, isSet, start, length } = each
        const isKnown = each.isKnown || start % 2 === 0
        const input: RegisterInput =
          type === 'read' ? { type } : type === 'write' ? { type, value } : { type, expected, value }
        const known = type === 'read' ? value : type === 'cas' ? isSet : undefined
        return {
          client: each.client,
          input,
          // No two events at one time.
          invokedAt: start * 100 + index,
          returnedAt: isKnown ? (start + length) * 100 + 50 + index : Infinity,
          output: isKnown ? known : undefined,
          isKnown,
        }
      })
      const { verdict } = checkLinearizable(model, operations)
      verdicts[verdict]++
      assert.equal(verdict === 'linearizable', isLinearizable(model, operations))
    }),
    { numRuns: 6_000, seed: 7 },
  )
  assert.equal(verdicts.undecided, 0)
  assert.ok(verdicts.linearizable > 500 && verdicts.violation > 500, JSON.stringify(verdicts))
})

test('keys are checked apart, and the bad one is named', () => {
  const recorder = new HistoryRecorder<RegisterInput, RegisterOutput>()
  recorder.invoke('a', { type: 'write', key: 'x', value: '1' }).ok(undefined)
  recorder.invoke('a', { type: 'read', key: 'x' }).ok('1')
  recorder.invoke('a', { type: 'read', key: 'y' }).ok('1')
  const result = checkLinearizable(registerModel(), recorder.operations)
  assert.equal(result.verdict, 'violation')
  assert.deepEqual(
    result.partitions.map(({ key, verdict }) => [key, verdict]),
    [
      ['x', 'linearizable'],
      ['y', 'violation'],
    ],
  )
})

test('what certainly did not run is no part of the history; what may have run stays open', async () => {
  const recorder = new HistoryRecorder<RegisterInput, RegisterOutput>()
  const fail = (executed: 'no' | 'unknown'): Promise<undefined> =>
    Promise.reject(new RpcError('unavailable', 'gone', { executed }))
  await assert.rejects(recorder.record('a', { type: 'write', value: '1' }, () => fail('no')))
  await assert.rejects(recorder.record('a', { type: 'write', value: '2' }, () => fail('unknown')))
  await recorder.record('a', { type: 'read' }, async () => '2')
  assert.deepEqual(
    recorder.operations.map(({ input, isKnown }) => [input.type, isKnown]),
    [
      ['write', false],
      ['read', true],
    ],
  )
  assert.equal(checkLinearizable(registerModel(), recorder.operations).verdict, 'linearizable')
})

test('a search that takes too long is undecided', () => {
  const writes = Array.from({ length: 12 }, (_, index) => write(index, 100 + index, String(index), `w${index}`))
  const result = checkLinearizable(model, [...writes, read(200, 201, 'never')], { stepsMax: 100 })
  assert.equal(result.verdict, 'undecided')
})

test('ten clients with three hundred operations of one counter are decided', () => {
  const recorder = new HistoryRecorder<{ by: number }, number>()
  let sum = 0
  for (let round = 0; round < 30; round++) {
    const invocations = Array.from({ length: 10 }, (_, client) => recorder.invoke(`c${client}`, { by: client % 3 }))
    // They take effect in another order than they began.
    for (const [index, invocation] of invocations.reverse().entries()) {
      sum += (9 - index) % 3
      invocation.ok(sum)
    }
  }
  const result = checkLinearizable(counterModel(), recorder.operations)
  assert.deepEqual([result.verdict, result.operations, result.concurrency], ['linearizable', 300, 10])
})

test('a violation is drawn with what has no place', () => {
  const [partition] = checkLinearizable(model, [write(1, 2, '<1>'), read(3, 4, '0')]).partitions
  const picture = drawHistory(model, partition!)
  assert.match(picture, /^<svg /)
  assert.match(picture, /class="wrong"/)
  assert.ok(picture.includes('write &lt;1&gt;') && !picture.includes('<1>'))
})
