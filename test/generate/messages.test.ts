// What generated messages promise beyond the wire format: what they refuse and how they say it, what absence reads as, what
// comes again. Values that JavaScript makes difficult have a file of their own.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Maps, Node, Node_Inner_Shade, Nothing } from './golden/messages_gorums.ts'
import {
  AMessageWhoseNameIsSoLongThatNothingOfItFitsIntoALineOfOneHundredAndTwentyColumns as Long,
  Service,
} from './golden/names_gorums.ts'
import { Level, Old, type OldInput, Part } from './golden/proto2_gorums.ts'
import { All, type AllInput, Explicit, Lists } from './golden/scalars_gorums.ts'
import { again, bytesOf, messageOf } from './load-generated.ts'

/** A wrong value, as one who does not use types may pass it. */
const wrong = (value: unknown): never => value as never

describe('a generated message', () => {
  it('reads what is absent as its zero, its default, or undefined', () => {
    assert.deepEqual(again(All, {}), {
      aDouble: 0,
      aFloat: 0,
      anInt32: 0,
      aUint32: 0,
      aSint32: 0,
      aFixed32: 0,
      aSfixed32: 0,
      anInt64: 0n,
      aUint64: 0n,
      aSint64: 0n,
      aFixed64: 0n,
      aSfixed64: 0n,
      aBool: false,
      aString: '',
      someBytes: new Uint8Array(0),
    })
    assert.equal(again(Explicit, {}).aString, undefined)
    assert.equal(again(Explicit, { aString: '' }).aString, '')
    const old = again(Old, required({}))
    assert.equal(old.count, 7)
    assert.equal(old.text, 'it\'s "quoted"')
    assert.equal(old.big, 18446744073709551615n)
    assert.equal(old.flag, true)
    assert.equal(old.infinite, Number.NEGATIVE_INFINITY)
    assert.deepEqual(old.data, new Uint8Array([0x61, 0, 0xff]))
    assert.equal(old.level, Level.HIGH)
    assert.equal(old.plain, undefined)
  })

  it('keeps -0, NaN and infinities in floats', () => {
    const all = again(All, { aDouble: -0, aFloat: -0 })
    assert.ok(Object.is(all.aDouble, -0) && Object.is(all.aFloat, -0))
    assert.equal(again(All, { aDouble: Number.NaN }).aDouble, Number.NaN)
    assert.equal(again(All, { aFloat: Number.POSITIVE_INFINITY }).aFloat, Number.POSITIVE_INFINITY)
  })

  it('keeps strings of every length and alphabet', () => {
    for (const unit of ['a', 'é', '€', '😀', '\ufffd']) {
      for (const length of [1, 31, 32, 33, 42, 43, 127, 128, 340, 341, 1024, 1025, 20_000]) {
        const aString = unit.repeat(length)
        assert.equal(again(All, { aString }).aString, aString)
      }
    }
  })

  it('gives byte fields that are neither Buffers nor part of what was read', () => {
    for (const length of [1, 24, 25, 32, 33, 5_000]) {
      const { someBytes } = again(All, { someBytes: new Uint8Array(length).fill(5) })
      assert.deepEqual(someBytes, new Uint8Array(length).fill(5))
      assert.equal(someBytes.buffer.byteLength, length)
    }
  })

  it('refuses what a field can not hold, with the name of the field', () => {
    const cases: [AllInput, RegExp, new () => Error][] = [
      [
        { anInt32: 2 ** 31 },
        /^golden\.scalars\.All\.an_int32: expected an integer from -2147483648 to 2147483647, got 2147483648$/,
        RangeError,
      ],
      [{ anInt32: 1.5 }, /an_int32/, RangeError],
      [{ anInt32: Number.NaN }, /an_int32/, RangeError],
      [{ anInt32: wrong(5n) }, /an_int32: .*got 5n/, TypeError],
      [{ aUint32: -1 }, /a_uint32/, RangeError],
      [{ aUint32: wrong('5') }, /a_uint32: .*a string of 1 characters/, TypeError],
      [{ aSint32: 2 ** 31 }, /a_sint32/, RangeError],
      [{ aFixed32: 2 ** 32 }, /a_fixed32/, RangeError],
      [{ aSfixed32: wrong(null) }, /a_sfixed32: .*got null/, TypeError],
      [{ anInt64: 2n ** 63n }, /an_int64/, RangeError],
      [{ aUint64: -1n }, /a_uint64/, RangeError],
      [{ aSint64: -(2n ** 63n) - 1n }, /a_sint64/, RangeError],
      [{ aFixed64: wrong({}) }, /a_fixed64: .*an object \(Object\)/, TypeError],
      [{ aSfixed64: wrong(1.5) }, /a_sfixed64/, RangeError],
      [{ aUint64: wrong('five') }, /a_uint64/, RangeError],
      [{ aDouble: wrong('1') }, /a_double/, TypeError],
      [{ aFloat: 1e300 }, /a_float/, RangeError],
      [{ aFloat: wrong(true) }, /a_float: .*got true/, TypeError],
      [{ aBool: wrong(1) }, /a_bool/, TypeError],
      [{ aString: wrong(5) }, /a_string/, TypeError],
      [{ aString: '\ud800' }, /a_string: a string with a lone surrogate/, TypeError],
      [{ aString: 'x'.repeat(2_000).concat('\udc00') }, /lone surrogate/, TypeError],
      [{ someBytes: wrong([1, 2]) }, /some_bytes: expected a Uint8Array, got an array/, TypeError],
      [{ someBytes: wrong(null) }, /some_bytes/, TypeError],
    ]
    for (const [value, text, type] of cases) {
      assert.throws(
        () => bytesOf(All, value),
        (error) => error instanceof type && text.test(error.message),
        String(text),
      )
    }
    for (const value of [undefined, null, 5, 'text', []]) {
      assert.throws(() => bytesOf(All, wrong(value)), /^TypeError: golden\.scalars\.All: expected an object/)
    }
  })

  it('refuses lists, messages, maps and oneofs that are something else', () => {
    const cases: [() => unknown, RegExp][] = [
      [() => bytesOf(Lists, { int32s: [1, 1.5] }), /golden\.scalars\.Lists\.int32s\[1\]: /],
      [() => bytesOf(Lists, { doubles: wrong('12') }), /doubles: expected an array/],
      [() => bytesOf(Lists, { strings: wrong('12') }), /strings: expected an array/],
      [() => bytesOf(Lists, { bools: [true, wrong(0)] }), /bools\[1\]/],
      [() => bytesOf(Lists, { uint32s: [-1] }), /uint32s\[0\]/],
      [() => bytesOf(Lists, { sint32s: [2 ** 31] }), /sint32s\[0\]/],
      [() => bytesOf(Lists, { fixed32s: [-1] }), /fixed32s\[0\]/],
      [() => bytesOf(Lists, { sfixed32s: [2 ** 31] }), /sfixed32s\[0\]/],
      [() => bytesOf(Lists, { floats: [1e300] }), /floats/],
      [() => bytesOf(Lists, { doubles: [wrong('1')] }), /doubles\[0\]/],
      [() => bytesOf(Lists, { int64s: [wrong('x')] }), /int64s/],
      [() => bytesOf(Node, { parent: wrong(5) }), /Node\.parent: expected an object, got 5/],
      [() => bytesOf(Node, { children: [wrong(null)] }), /Node\.children\[0\]: expected an object, got null/],
      [() => bytesOf(Node, { kind: wrong({ case: 'txet', value: '' }) }), /Node\.kind: expected an object with one of/],
      [() => bytesOf(Maps, { strings: wrong(new Map([['a', 'b']])) }), /Maps\.strings: expected a plain object/],
      [() => bytesOf(Maps, { strings: wrong(5) }), /Maps\.strings: expected a plain object/],
      [() => bytesOf(Maps, { int32s: { '01': 1 } }), /Maps\.int32s: the key "01" is not an integer/],
      [() => bytesOf(Maps, { int64s: { x: 1n } }), /Maps\.int64s/],
      [() => bytesOf(Maps, { bools: { yes: true } }), /Maps\.bools: the key "yes" is neither/],
      [() => bytesOf(Old, required({ level: wrong(5) })), /Old\.level: 5 is not one of the enum's values, 1, 2/],
      [() => bytesOf(Old, required({ level: wrong('HIGH') })), /Old\.level/],
      [() => bytesOf(Old, wrong({ part: { id: 1 } })), /Old\.name: expected a string, got undefined/],
    ]
    for (const [run, text] of cases) assert.throws(run, text)
  })

  it('refuses to be nested deeper than 100, both ways', () => {
    let node: Parameters<typeof Node.encode>[0] = {}
    for (let i = 0; i < 100; i++) node = { parent: node }
    const bytes = bytesOf(Node, node)
    assert.ok(messageOf(Node, bytes))
    assert.throws(() => bytesOf(Node, { parent: node }), /RangeError: golden.messages.Node.parent: .*deeper than 100/)
    const deeper = Buffer.concat([Buffer.from([0x12, 0x80 | (bytes.length & 127), bytes.length >> 7]), bytes])
    assert.throws(() => messageOf(Node, deeper), /golden.messages.Node: messages are nested deeper than 100/)
  })

  it('goes on where it was when it comes again, and other values replace', () => {
    const first = bytesOf(Node, { parent: { name: 'a', children: [{}] }, kind: { case: 'node', value: { name: 'x' } } })
    const second = bytesOf(Node, {
      parent: { between: 5, children: [{}] },
      kind: { case: 'node', value: { between: 1 } },
    })
    const both = messageOf(Node, Buffer.concat([first, second]))
    assert.equal(both.parent?.name, 'a')
    assert.equal(both.parent?.between, 5)
    assert.equal(both.parent?.children.length, 2)
    assert.ok(both.kind?.case === 'node')
    assert.deepEqual([both.kind.value.name, both.kind.value.between], ['x', 1])
    const text = bytesOf(Node, { kind: { case: 'text', value: 't' } })
    assert.deepEqual(messageOf(Node, Buffer.concat([first, text])).kind, { case: 'text', value: 't' })
  })

  it('keeps values of open enums that it does not know, and takes those of closed ones for unknown fields', () => {
    assert.deepEqual(again(Node, { kind: { case: 'color', value: 77 } }).kind, { case: 'color', value: 77 })
    assert.deepEqual(again(Node, { inner: { shades: [Node_Inner_Shade.DARK, 9] } }).inner?.shades, [1, 9])
    const bytes = bytesOf(Old, required({}))
    const unknown = Buffer.concat([
      bytes,
      Buffer.from([0x48, 9, 0x68, 1, 0x68, 9, 0x72, 2, 9, 2, 0x88, 1, 9, 0x50, 9, 0xa0, 1, 9]),
    ])
    const old = messageOf(Old, unknown)
    assert.equal(old.level, Level.HIGH)
    assert.equal(old.plain, undefined)
    assert.equal(old.requiredLevel, Level.LOW)
    assert.deepEqual(old.levels, [Level.LOW])
    assert.deepEqual(old.packedLevels, [Level.HIGH])
    assert.equal(old.choice, undefined)
    assert.equal(again(Old, required({ choice: { case: 'chosen', value: Level.LOW } })).choice?.value, Level.LOW)
  })

  it('skips fields that it does not know, of every kind', () => {
    const unknown = Buffer.from([
      0xa0,
      6,
      1,
      0xa1,
      6,
      ...Array(8).fill(0),
      0xa2,
      6,
      1,
      9,
      0xa3,
      6,
      8,
      1,
      0xa4,
      6,
      0xa5,
      6,
      0,
      0,
      0,
      0,
    ])
    assert.deepEqual(messageOf(Nothing, unknown), {})
    assert.equal(messageOf(Part, Buffer.concat([unknown, bytesOf(Part, { id: 3 })])).id, 3)
  })

  it('reads lists packed and not packed, whatever is declared', () => {
    assert.deepEqual(messageOf(Lists, Buffer.from([0x18, 1, 0x1a, 2, 2, 3, 0x18, 4])).int32s, [1, 2, 3, 4])
    assert.deepEqual(messageOf(Lists, Buffer.from([0x82, 1, 2, 1, 2])).unpacked, [1, 2])
    assert.deepEqual(messageOf(Lists, Buffer.from([0x8a, 1, 2, 1, 2])).unpacked64, [1n, 2n])
    assert.deepEqual(bytesOf(Lists, { unpacked: [1, 2] }), Buffer.from([0x80, 1, 1, 0x80, 1, 2]))
  })

  it('refuses bytes that are not one, and says which message', () => {
    const bad = [
      [0x72, 5, 1],
      [0x72, 1, 0xff],
      [0x40],
      [0x40, ...Array(11).fill(0x80), 0],
      [0x7a, 4, 0],
      [0x0b],
      [0x0c],
      [0, 0],
      [0x0f],
    ]
    for (const bytes of bad)
      assert.throws(() => messageOf(All, Buffer.from(bytes)), /^RangeError: golden\.scalars\.All: /)
    assert.throws(() => messageOf(Node, Buffer.from([0x12, 2, 0x0a, 1, 0x61])), /golden\.messages\.Node: /)
    assert.throws(() => messageOf(Lists, Buffer.from([0x42, 1, 0x80, 1])), /golden\.scalars\.Lists: /)
  })

  it('refuses to be read without its required fields', () => {
    assert.throws(
      () => messageOf(Part, Buffer.alloc(0)),
      /golden.proto2.Part: required field golden.proto2.Part.id is missing/,
    )
    const fields = Object.entries({
      name: [0x0a, 1, 0x6e],
      part: [0x12, 2, 8, 1],
      other_part: [0x9a, 1, 2, 8, 2],
      required_level: [0xa0, 1, 1],
    })
    assert.equal(messageOf(Old, Buffer.from(fields.flatMap(([, bytes]) => bytes))).name, 'n')
    for (const [missing] of fields) {
      const others = fields.flatMap(([name, bytes]) => (name === missing ? [] : bytes))
      assert.throws(() => messageOf(Old, Buffer.from(others)), {
        message: `golden.proto2.Old: required field golden.proto2.Old.${missing} is missing`,
      })
    }
  })

  it('keeps groups', () => {
    const value = {
      extra: { note: 'n', deep: [{ depth: 1 }, {}] },
      choice: { case: 'other', value: { value: 3 } },
    } as const
    const old = again(Old, required(value))
    assert.deepEqual(old.extra, { note: 'n', deep: [{ depth: 1 }, { depth: undefined }] })
    assert.deepEqual(old.choice, { case: 'other', value: { value: 3 } })
    assert.throws(() => messageOf(Old, Buffer.from([0x7b, 0x0a, 0])), /golden.proto2.Old/)
  })
})

describe('names that are taken', () => {
  it('are changed so that messages of any name work', () => {
    const service = again(Service, {
      aDate: { valueOf$: 'v' },
      someBytes: {},
      realBytes: new Uint8Array([1]),
      toString$: 's',
    })
    assert.equal(service.toString$, 's')
    assert.equal(service.aDate?.valueOf$, 'v')
    const long = again(Long, {
      choiceWhoseNameIsLong: { case: 'other', value: new Uint8Array([1]) },
      mapWithLongName: { a: {} },
    })
    assert.deepEqual(long.choiceWhoseNameIsLong, { case: 'other', value: new Uint8Array([1]) })
    assert.deepEqual(Object.keys(long.mapWithLongName), ['a'])
  })
})

function required(value: Partial<OldInput>): OldInput {
  return { name: 'n', part: { id: 1 }, otherPart: { id: 2 }, requiredLevel: Level.LOW, ...value }
}
