// What a protobuf message may take in memory when it has been decoded: whatever costs little on the wire and much on the heap
// counts at least what it takes, a megabyte of it is refused, and honest lists are not.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import protobufjs from 'protobufjs'
import { Writer } from 'protobufjs/minimal.js'
import type { Codec } from '../../codec/codec.ts'
import { decodedBytesMax } from '../../codec/decoded-size.ts'
import { type ProtobufReflectedType, protobuf } from '../../codec/protobuf.ts'
import { ListValue } from '../../codec/well-known/struct.ts'
import { Sample } from './sample_gorums.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const type = protobufjs.parse(readFileSync(new URL('sample.proto', import.meta.url), 'utf8')).root.lookupType('Sample')

/** The codecs of the same type, by who made them, with a limit. */
const CODECS: Readonly<Record<string, (maxDecodedBytes?: number) => Codec<object, object>>> = {
  reflected: (maxDecodedBytes) => protobuf(type, { ...(maxDecodedBytes === undefined ? {} : { maxDecodedBytes }) }),
  generated: (maxDecodedBytes) => {
    Sample.maxDecodedBytes = maxDecodedBytes
    return Sample as Codec<object, object>
  },
}

const KIB = 1024
const MIB = 1024 * KIB

type Field = (writer: Writer, index: number) => void

/** A message within a field. */
function within(field: number, write: Field = () => {}): Field {
  return (writer, index) => {
    writer.uint32((field << 3) | 2).fork()
    write(writer, index)
    writer.ldelim()
  }
}
const number = (field: number, value: (index: number) => number): Field => {
  return (writer, index) => void writer.uint32(field << 3).uint32(value(index))
}
const text = (field: number, value: (index: number) => string): Field => {
  return (writer, index) => void writer.uint32((field << 3) | 2).string(value(index))
}
const packed = (field: number): Field => within(field, (writer) => void writer.raw(Buffer.alloc(2 * KIB, 5)))

/** So many bytes of one field again and again. */
function repeated(size: number, field: Field): Buffer {
  const writer = new Writer()
  for (let index = 0, length = 0; length < size; index += 64, length = writer.len) {
    for (let i = 0; i < 64; i++) field(writer, index + i)
  }
  return Buffer.from(writer.finish())
}

/** What takes far more memory than bytes, by what it is. */
const DEAR: Readonly<Record<string, Field>> = {
  'empty messages': within(17),
  'messages in messages': within(17, within(16)),
  'messages with a list': within(17, within(19)),
  'messages in a oneof': within(17, within(27)),
  'maps of messages': within(17, within(23)),
  'maps of messages that are something else': within(
    23,
    number(2, () => 5),
  ),
  'maps with a number as key': within(
    17,
    within(
      24,
      number(1, () => 1000),
    ),
  ),
  'maps with a number as text': within(
    17,
    within(
      23,
      text(1, () => '1000'),
    ),
  ),
  'maps whose keys have gaps': within(
    17,
    within(
      24,
      number(1, (index) => (index % 5) * 1000),
    ),
  ),
  'keys never seen before': within(
    23,
    text(1, (index) => index.toString(36)),
  ),
}
/** What takes more, too, but is not refused by default. */
const MODERATE: Readonly<Record<string, Field>> = {
  'byte fields': within(22, (writer) => void writer.raw(Buffer.alloc(6, 1))),
  'empty byte fields': within(22),
  'empty text': within(19),
  'text in any language': text(19, (index) => String.fromCharCode(0x4e00 + (index % 1000))),
  'integers of 64 bits': number(20, () => 5),
  'lists of numbers': packed(18),
  'lists of names': text(19, (index) => `name ${index}`),
  'rows with a line of text': within(
    17,
    text(1, (index) => `row ${index}, which says a little more than that`),
  ),
  'large keys': within(
    24,
    number(1, (index) => 1e6 + index * 77),
  ),
  'fields that are not known': number(100, () => 1),
}

/** As the first field of a message: nothing that is known, and longer than any integer. */
const LONG_VARINT = Buffer.from('a006ffffffffffffffffffffff01', 'hex')

for (const [who, codecOf] of Object.entries(CODECS)) {
  describe(`a message of a ${who} type`, () => {
    for (const [what, field] of Object.entries(DEAR)) {
      it(`is refused with a megabyte of ${what}`, () => {
        const bytes = repeated(MIB, field)
        assert.throws(() => codecOf().decode(bytes, 0, bytes.length), {
          name: 'RangeError',
          message: new RegExp(
            `Sample: a message of ${bytes.length} bytes would take more than ${decodedBytesMax(bytes.length, undefined)} bytes`,
          ),
        })
      })
    }

    it('is refused with them behind an unknown field that is longer than any integer', () => {
      const bytes = Buffer.concat([LONG_VARINT, repeated(MIB, within(17))])
      assert.throws(() => codecOf().decode(bytes, 0, bytes.length), /bytes of memory/)
    })

    for (const [what, field] of Object.entries(MODERATE)) {
      it(`may be a megabyte of ${what}`, () => {
        const bytes = repeated(MIB, field)
        assert.ok(codecOf().decode(bytes, 0, bytes.length))
      })
    }

    for (const [what, field] of Object.entries({ ...DEAR, ...MODERATE })) {
      it(`counts at least the memory that ${what} take`, () => {
        assertCounted(codecOf, repeated(64 * KIB, field))
      })
    }

    it('may take what is set instead', () => {
      const bytes = repeated(100 * KIB, within(17))
      assert.ok(codecOf(100 * MIB).decode(bytes, 0, bytes.length))
      assert.throws(
        () => codecOf(MIB).decode(bytes, 0, bytes.length),
        /more than 1048576 bytes of memory: it needs a larger maxDecodedBytes/,
      )
      assert.throws(() => codecOf(1).decode(bytes, 0, 1), RangeError)
      for (const wrong of [0, -1, 1.5, Number.NaN, Infinity])
        assert.throws(() => codecOf(wrong), { name: 'RangeError', message: /maxDecodedBytes/ })
    })
  })
}

it('a list of lists counts at least what it takes', () => {
  const list = within(1, within(6, within(1)))
  const codecOf = (maxDecodedBytes: number): Codec<object, object> => {
    ListValue.maxDecodedBytes = maxDecodedBytes
    return ListValue as Codec<object, object>
  }
  assertCounted(codecOf, repeated(64 * KIB, list))
})

describe('a map whose keys are numbers', () => {
  it('is read the same, whichever keys it has', () => {
    for (const keys of [[0, 1, 2, 3], [1000], [1000, 1, 7, 8, 9], [300, 200, 100], [5999, 6000, 6001, 4294967294]]) {
      const entries = Object.fromEntries(keys.map((key) => [key | 0, `${key}`]))
      const target = { buffer: Buffer.alloc(0), position: 0 }
      Sample.maxDecodedBytes = undefined
      Sample.encode({ numbered: entries }, target)
      const { numbered } = Sample.decode(target.buffer, 0, target.position)
      assert.deepEqual({ ...numbered }, entries)
      assert.equal(Object.getPrototypeOf(numbered), null)
    }
  })

  it('keeps the largest index that an object can have, when a small one comes behind it', () => {
    const entry = (key: number): Field =>
      within(25, (writer) => void writer.uint32(8).uint64(key).uint32(18).bytes(Buffer.of(1)))
    const writer = new Writer()
    for (const key of [4294967294, 100, 4294967295, 50]) entry(key)(writer, 0)
    const bytes = Buffer.from(writer.finish())
    const { wideKeys } = Sample.decode(bytes, 0, bytes.length)
    assert.deepEqual(Object.keys(wideKeys), ['50', '100', '4294967294', '4294967295'])
  })
})

it('a static class shows nothing of its fields: no limit can be set for it', () => {
  const plain = { encode: type.encode.bind(type), decode: type.decode.bind(type) }
  assert.throws(
    () => protobuf(plain as unknown as ProtobufReflectedType, { maxDecodedBytes: MIB }),
    /maxDecodedBytes is for reflected types, not for static classes/,
  )
})

function assertCounted(codecOf: (maxDecodedBytes: number) => Codec<object, object>, bytes: Buffer): void {
  const codec = codecOf(2 ** 40)
  // Once before: what stays in V8 and in the code's feedback is not the message's.
  codec.decode(bytes, 0, bytes.length)
  const before = memory()
  const message = codec.decode(bytes, 0, bytes.length)
  const taken = Math.max(2, memory() - before)
  assert.throws(
    () => codecOf(taken - 1).decode(bytes, 0, bytes.length),
    RangeError,
    `${bytes.length} bytes took ${taken} of memory and count less`,
  )
  assert.ok(message !== undefined)
}

function memory(): number {
  // Several times: code that has not run for a while goes as well.
  for (let i = 0; i < 4; i++) collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
