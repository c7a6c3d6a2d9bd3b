// Values that JavaScript makes difficult, in generated messages: 64-bit integers, maps, and what comes with the runtime.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Duration, Struct } from '../../src/runtime.ts'
import { Color, Maps, Node } from './golden/messages_gorums.ts'
import { Level, Old, type OldInput } from './golden/proto2_gorums.ts'
import { All, Lists } from './golden/scalars_gorums.ts'
import { Node as DateNode, Maps as NumberMaps } from './golden-number/messages_gorums.ts'
import { All as NumberAll, Lists as NumberLists } from './golden-number/scalars_gorums.ts'
import { Maps as StringMaps, Node as StringNode } from './golden-string/messages_gorums.ts'
import { All as StringAll, Lists as StringLists } from './golden-string/scalars_gorums.ts'
import { again, bytesOf, messageOf } from './load-generated.ts'

/** A wrong value, as one who does not use types may pass it. */
const wrong = (value: unknown): never => value as never

describe('64-bit integers', () => {
  const edges = [
    0n,
    1n,
    -1n,
    127n,
    128n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ]
  it('are bigints without loss', () => {
    for (const edge of [...edges, 2n ** 64n - 1n]) {
      const aUint64 = BigInt.asUintN(64, edge)
      const anInt64 = BigInt.asIntN(64, edge)
      const all = again(All, { anInt64, aSint64: anInt64, aSfixed64: anInt64, aUint64, aFixed64: aUint64 })
      assert.deepEqual(
        [all.anInt64, all.aSint64, all.aSfixed64, all.aUint64, all.aFixed64],
        [anInt64, anInt64, anInt64, aUint64, aUint64],
      )
      const lists = {
        int64s: [anInt64],
        uint64s: [aUint64],
        sint64s: [anInt64],
        fixed64s: [aUint64],
        sfixed64s: [anInt64],
      }
      const { int64s, uint64s, sint64s, fixed64s, sfixed64s } = again(Lists, lists)
      assert.deepEqual({ int64s, uint64s, sint64s, fixed64s, sfixed64s }, lists)
    }
  })

  it('are numbers by option, and an error beyond 2^53 - 1, both ways', () => {
    const anInt64 = Number.MIN_SAFE_INTEGER
    assert.equal(again(NumberAll, { anInt64 }).anInt64, anInt64)
    assert.deepEqual(again(NumberLists, { int64s: [5], unpacked64: [-5] }).int64s, [5])
    assert.deepEqual({ ...again(NumberMaps, { int64s: { '-5': 5 } }).int64s }, { '-5': 5 })
    assert.throws(() => bytesOf(NumberAll, { anInt64: 2 ** 53 }), RangeError)
    assert.throws(() => bytesOf(NumberLists, { uint64s: [2 ** 53] }), RangeError)
    const beyond = bytesOf(All, { aUint64: 2n ** 53n })
    assert.throws(
      () => messageOf(NumberAll, beyond),
      /RangeError: golden.scalars.All: golden.scalars.All.a_uint64: 9007199254740992 is beyond/,
    )
  })

  it('are decimal strings by option', () => {
    assert.equal(again(StringAll, {}).aUint64, '0')
    assert.equal(again(StringAll, { aUint64: '18446744073709551615' }).aUint64, '18446744073709551615')
    assert.throws(() => bytesOf(StringAll, { aUint64: '18446744073709551616' }), RangeError)
    assert.throws(() => bytesOf(StringAll, { aUint64: '0x5' }), RangeError)
    assert.deepEqual(again(StringLists, { int64s: ['-1'], unpacked64: ['7'] }).int64s, ['-1'])
    assert.deepEqual({ ...again(StringMaps, { int64s: { '1': '2' } }).int64s }, { '1': '2' })
    assert.deepEqual(again(StringNode, { kind: { case: 'big', value: '5' } }).kind, { case: 'big', value: '5' })
  })
})

describe('packed lists of 32 bits', () => {
  const edges = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, 2_147_483_647]

  it('have integers of every length, behind each other in any order', () => {
    for (const one of edges) {
      for (const other of [...edges, 4_294_967_295])
        assert.deepEqual(again(Lists, { uint32s: [one, other, one] }).uint32s, [one, other, one])
      for (const other of [...edges, -1, -2_147_483_648])
        assert.deepEqual(again(Lists, { int32s: [one, other, one] }).int32s, [one, other, one])
    }
  })

  it('are refused when they end within an integer, or beyond the message', () => {
    for (const [integer, size] of [
      [200, 2],
      [20_000, 3],
      [268_435_456, 5],
    ] as const) {
      const whole = Buffer.from(bytesOf(Lists, { uint32s: [integer] }))
      // What follows would complete the integer, but is not in the list.
      for (let length = 1; length < size; length++) {
        const cut = Buffer.concat([whole.subarray(0, -size - 1), Buffer.of(length), whole.subarray(-size)])
        assert.throws(() => messageOf(Lists, cut), /list goes|index out of range/)
      }
      for (let bytes = 1; bytes <= size; bytes++)
        assert.throws(() => messageOf(Lists, whole.subarray(0, -bytes)), /a list of [0-9] bytes where [0-9] are left/)
    }
  })
})

describe('maps', () => {
  it('keep every key, also __proto__ and constructor, and have no others', () => {
    const strings = JSON.parse('{"__proto__":"p","constructor":"c","":"e"}')
    const { strings: read } = again(Maps, { strings })
    assert.deepEqual(Object.entries(read), Object.entries(strings))
    assert.equal(again(Maps, {}).strings.constructor, undefined)
    assert.equal(Object.getPrototypeOf({}), Object.prototype)
  })

  it('have keys and values of every kind, and zeros for what an entry does not say', () => {
    const value = {
      int32s: { 1: 2, '-3': 0 },
      int64s: { '-9223372036854775808': 1n },
      bools: { true: false },
      bytes: { '18446744073709551615': new Uint8Array([1]) },
      colors: { 5: Color.RED },
      nothings: { 7: {} },
      doubles: { x: 0.5 },
    }
    const read = again(Maps, value)
    for (const key of Object.keys(value) as (keyof typeof value)[]) assert.deepEqual({ ...read[key] }, value[key])
    const empty = messageOf(Maps, Buffer.from([0x0a, 0, 0x12, 0, 0x1a, 0, 0x22, 0, 0x2a, 0, 0x32, 0, 0x3a, 0, 0x42, 0]))
    assert.deepEqual({ ...empty.strings }, { '': '' })
    assert.deepEqual({ ...empty.int64s }, { '0': 0n })
    assert.deepEqual({ ...empty.bools }, { false: false })
    assert.deepEqual({ ...empty.nothings }, { '0': {} })
    assert.deepEqual(messageOf(Maps, Buffer.from([0x0a, 2, 0x50, 1])).strings[''], '')
    const byName = again(Old, required({ byName: { a: Level.LOW } })).byName
    assert.deepEqual({ ...byName }, { a: Level.LOW })
    const unknown = Buffer.concat([bytesOf(Old, required({})), Buffer.from([0x82, 1, 2, 0x10, 9])])
    assert.deepEqual({ ...messageOf(Old, unknown).byName }, {})
  })
})

describe('well-known types', () => {
  it('come with the runtime', () => {
    assert.deepEqual(again(Duration, { seconds: -1n, nanos: -5 }), { seconds: -1n, nanos: -5 })
    const { fields } = again(Struct, { fields: { a: { kind: { case: 'numberValue', value: 1 } } } })
    assert.deepEqual(fields.a, { kind: { case: 'numberValue', value: 1 } })
  })

  it('have Timestamp as a Date by option', () => {
    for (const time of [0, 1, -1, 999, 1_700_000_000_123, -62_135_596_800_000, 8.64e15, -8.64e15]) {
      assert.deepEqual(again(DateNode, { createdAt: new Date(time) }).createdAt, new Date(time))
    }
    assert.deepEqual(again(DateNode, { times: [new Date(5)] }).times, [new Date(5)])
    assert.throws(() => bytesOf(DateNode, { createdAt: new Date(Number.NaN) }), /RangeError: .*got an invalid Date/)
    assert.throws(() => bytesOf(DateNode, { createdAt: wrong({ seconds: 1n }) }), /TypeError: .*a valid Date/)
    const late = bytesOf(Node, { createdAt: { seconds: 2n ** 60n } })
    assert.throws(() => messageOf(DateNode, late), /are no Date/)
    // Seconds and nanoseconds may come in two parts.
    const seconds = bytesOf(Node, { createdAt: { seconds: 1n } })
    const nanos = bytesOf(Node, { createdAt: { nanos: 5_999_999 } })
    assert.deepEqual(messageOf(DateNode, Buffer.concat([seconds, nanos])).createdAt, new Date(1_005))
  })
})

function required(value: Partial<OldInput>): OldInput {
  return { name: 'n', part: { id: 1 }, otherPart: { id: 2 }, requiredLevel: Level.LOW, ...value }
}
