// The protobuf codec's own promises: what protobufjs would let through is refused, its writer and reader work in place,
// and bad bytes fail the call. What all codecs share is in contract.ts.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import protobufjs from 'protobufjs'
import { Reader, Writer } from 'protobufjs/minimal.js'
import type { EncodeTarget } from '../../codec/codec.ts'
import { type ProtobufType, protobuf } from '../../codec/protobuf.ts'
import { InPlaceWriter, writesInPlace } from '../../codec/protobuf-io.ts'
import { bytesOf } from './contract.ts'

interface Sample {
  text?: unknown
  big?: unknown
  bigs?: unknown[]
  signed?: unknown
  fixed?: unknown
  bytes?: Uint8Array
  child?: unknown
  number?: number
}

const { root } = protobufjs.parse(`
  syntax = "proto3";
  message Sample {
    string text = 1; uint64 big = 2; repeated int64 bigs = 3; sint64 signed = 4; fixed64 fixed = 5; bytes bytes = 6;
    Sample child = 7; uint32 number = 8;
  }
`)
const type = root.lookupType('Sample')
const codec = protobuf<Sample>(type)
/** As a type without `verify`. */
const unverified: ProtobufType<Sample> = {
  encode: (message, writer) => type.encode(message, writer),
  decode: (reader, length) => type.decode(reader, length) as Sample,
}

/** The same in the form that a static module has. */
class Static {
  number = 0
  static encode(message: { number?: number }, writer: Writer = Writer.create()): Writer {
    if (message.number) writer.uint32(64).uint32(message.number)
    return writer
  }
  static decode(reader: Reader | Uint8Array, length?: number): Static {
    const from = reader instanceof Reader ? reader : Reader.create(reader)
    const end = length === undefined ? from.len : from.pos + length
    const message = new Static()
    while (from.pos < end) {
      const tag = from.uint32()
      if (tag === 64) message.number = from.uint32()
      else from.skipType(tag & 7)
    }
    return message
  }
}

describe('protobuf encodes', () => {
  it('the bytes that protobufjs writes', () => {
    const message = {
      text: 'héllo',
      big: 300,
      bigs: [1, -1],
      bytes: Buffer.alloc(500, 3),
      child: { child: { number: 1 } },
    }
    assert.deepEqual(bytesOf(codec, message), Buffer.from(type.encode(message).finish()))
  })

  it('with a class of a static module, whose types it takes over', () => {
    const fixed = protobuf(Static)
    const bytes = bytesOf(fixed, { number: 7 })
    const message: Static = fixed.decode(bytes, 0, bytes.length)
    assert.deepEqual(message, Object.assign(new Static(), { number: 7 }))
  })

  it('with a type that brings its own writer', () => {
    const own = protobuf<Sample>({ ...unverified, encode: (message) => type.encode(message) })
    const message = { bytes: Buffer.alloc(100, 5) }
    for (const capacity of [10, 4_096]) {
      const target: EncodeTarget = { buffer: Buffer.alloc(capacity, 0xa5), position: 9 }
      own.encode(message, target)
      assert.deepEqual(target.buffer.subarray(0, 9), Buffer.alloc(9, 0xa5))
      assert.deepEqual(target.buffer.subarray(9, target.position), bytesOf(codec, message))
    }
  })

  it('no message that its type finds fault with, and says which field', () => {
    const wrong: [Sample, RegExp][] = [
      [{ text: 5 }, /Sample: text: string expected/],
      [{ big: 5n }, /Sample: big: integer\|Long expected/],
      [{ child: 5 }, /Sample: child\.object expected/],
      [{ child: { text: false } }, /Sample: child\.text: string expected/],
      [{ number: 1.5 }, /Sample: number: integer expected/],
    ]
    for (const [message, text] of wrong) {
      assert.throws(
        () => bytesOf(codec, message),
        (error) => error instanceof TypeError && text.test(error.message),
      )
    }
    for (const nothing of [null, undefined, 5, 'text'])
      assert.throws(() => bytesOf(codec, nothing as Sample), TypeError)
  })

  it('neither a bigint nor a lone surrogate, even when the type has no verify', () => {
    const blind = protobuf(unverified)
    for (const message of [{ big: 5n }, { bigs: [1, 5n] }, { signed: 0n }, { fixed: 5n }]) {
      assert.throws(() => bytesOf(blind, message), /bigint/)
    }
    for (const text of ['\ud800', '\udc00'.padStart(60), '\ud800'.padEnd(300)]) {
      assert.throws(() => bytesOf(codec, { text }), /lone surrogate/)
      assert.throws(() => bytesOf(blind, { child: { text } }), TypeError)
    }
  })

  it('no message that contains itself', () => {
    const message: Sample = {}
    message.child = message
    assert.throws(() => bytesOf(codec, message), /max depth exceeded/)
    assert.throws(() => bytesOf(protobuf(unverified), message), RangeError)
    assert.equal(bytesOf(codec, { number: 1 }).length, 2)
  })
})

describe('protobuf decodes', () => {
  const decode = (bytes: number[]): unknown => codec.decode(Buffer.from(bytes), 0, bytes.length)

  it('no bytes that are not the message', () => {
    const nested = Buffer.concat(Array.from({ length: 3 }, () => Buffer.from([0x3a])))
    const malformed: [string, number[]][] = [
      ['a cut tag', [0x80]],
      ['a cut length', [0x0a]],
      ['a length beyond the end', [0x0a, 5, 0x61]],
      ['a length beyond 31 bits', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
      ['a varint of 11 bytes', [0x10, ...Array.from({ length: 11 }, () => 0x80), 0]],
      ['field number 0', [0x00, 0x00]],
      ['a wire type that does not exist', [0x0f]],
      ['an end of a group that has not begun', [0x0c]],
      ['a group without end', [0x7b, 0x08, 0x01]],
      ['invalid UTF-8', [0x0a, 1, 0xff]],
      ['a lone surrogate', [0x0a, 3, 0xed, 0xa0, 0x80]],
      ['a child that ends too late', [...nested, 1]],
    ]
    for (const [what, bytes] of malformed) assert.throws(() => decode(bytes), Error, what)
  })

  it('nothing nested deeper than 100, and no unknown groups either', () => {
    let message: Buffer = Buffer.alloc(0)
    const wrap = (content: Buffer): Buffer => Buffer.from(new Writer().uint32(58).bytes(content).finish())
    for (let i = 0; i < 100; i++) message = wrap(message)
    assert.ok(codec.decode(message, 0, message.length))
    for (let i = 0; i < 5_000; i++) message = wrap(message)
    assert.throws(() => codec.decode(message, 0, message.length), /max depth exceeded/)
    const groups = Buffer.alloc(200_000, 0x7b)
    assert.throws(() => codec.decode(groups, 0, groups.length), /max depth exceeded/)
  })

  it('fields that the type does not know by skipping them', () => {
    assert.deepEqual(type.toObject(decode([0x78, 5, 0x40, 9, 0x7a, 2, 1, 2]) as protobufjs.Message), { number: 9 })
  })

  it('no message without its required fields, and does not hand out the part that it has read', () => {
    const strict = protobufjs.parse(
      'syntax = "proto2"; message Strict { required string a = 1; optional string b = 2; }',
    )
    const bytes = Buffer.from([0x12, 1, 0x62])
    assert.throws(
      () => protobuf(strict.root.lookupType('Strict')).decode(bytes, 0, bytes.length),
      (error) => error instanceof Error && /missing required 'a'/.test(error.message) && !('instance' in error),
    )
  })

  it('no message whose type stops before the end', () => {
    const lazy = protobuf<Sample>({ ...unverified, decode: () => ({}) })
    assert.throws(() => lazy.decode(Buffer.from([0x40, 1]), 0, 2), /2 bytes follow/)
  })

  it('a message whose constructor decodes another one', () => {
    const outer = protobuf<Sample>({
      ...unverified,
      decode: (reader, length) => {
        const inner = bytesOf(codec, { number: 3 })
        assert.equal(codec.decode(inner, 0, inner.length).number, 3)
        return unverified.decode(reader, length)
      },
    })
    const bytes = bytesOf(codec, { text: 'outer' })
    assert.equal(outer.decode(bytes, 0, bytes.length).text, 'outer')
  })
})

describe('protobuf relies on protobufjs', () => {
  it('writing in place, as the version that is installed does', () => {
    assert.equal(
      writesInPlace(() => new InPlaceWriter()),
      true,
    )
  })

  it('and notices when it no longer does', () => {
    /** As if a buffer that has grown did not keep what was there. */
    class Forgetful extends InPlaceWriter {
      override _reserve(length: number): void {
        const { buf } = this
        super._reserve(length)
        if (this.buf !== buf) this.buf.fill(0, 0, this.pos)
      }
    }
    /** As if it kept a view of the buffer that it had before. */
    class Stale extends InPlaceWriter {
      override _reserve(length: number): void {
        const view = this.view ?? new DataView(this.buf.buffer, this.buf.byteOffset, this.buf.length)
        super._reserve(length)
        this.view = view
      }
    }
    /** As if it began at 0 whatever the position. */
    class Absolute extends InPlaceWriter {
      override begin(target: EncodeTarget, message: unknown): void {
        super.begin(target, message)
        this.pos = 0
      }
    }
    /** As if it kept its bytes elsewhere. */
    class Detached extends InPlaceWriter {
      override commit(): void {}
    }
    for (const Broken of [Forgetful, Stale, Absolute, Detached])
      assert.equal(
        writesInPlace(() => new Broken()),
        false,
        Broken.name,
      )
  })

  it('types that another copy of protobufjs has made, with byte fields of their own', () => {
    const other = anotherCopy().parse('syntax = "proto3"; message Sample { string text = 1; bytes bytes = 6; }').root
    const foreign = protobuf<Sample>(other.lookupType('Sample') as unknown as ProtobufType<Sample>)
    const message = { text: 'one', bytes: Buffer.alloc(100, 7) }
    const bytes = bytesOf(foreign, message)
    assert.deepEqual(bytes, bytesOf(codec, message))
    const between = Buffer.concat([Buffer.alloc(9, 0xff), bytes, Buffer.alloc(9, 0xff)])
    for (let time = 0; time < 2; time++) {
      const read = foreign.decode(between, 9, 9 + bytes.length)
      between.fill(0)
      assert.deepEqual([read.text, Buffer.from(read.bytes!)], [message.text, message.bytes])
      bytes.copy(between, 9)
    }
    assert.throws(() => foreign.decode(bytes.subarray(0, bytes.length - 1), 0, bytes.length - 1), RangeError)
    assert.throws(() => foreign.decode(Buffer.from([0x0a]), 0, 1), RangeError)
  })

  it('types that can encode and decode', () => {
    assert.throws(() => protobuf({} as ProtobufType<Sample>), TypeError)
    assert.throws(() => protobuf(undefined as unknown as ProtobufType<Sample>), TypeError)
    assert.equal(codec.name, 'protobuf')
  })
})

/** protobufjs as it is when a user's package and this one do not share it. */
function anotherCopy(): typeof protobufjs {
  const require = createRequire(import.meta.url)
  const isOfIt = (file: string): boolean => /[\\/]node_modules[\\/]@?protobufjs[\\/]/.test(file)
  const loaded = Object.entries(require.cache).filter(([file]) => isOfIt(file))
  for (const [file] of loaded) delete require.cache[file]
  const copy = require('protobufjs') as typeof protobufjs
  for (const file of Object.keys(require.cache)) if (isOfIt(file)) delete require.cache[file]
  for (const [file, module] of loaded) require.cache[file] = module
  assert.notEqual(copy.Reader, protobufjs.Reader)
  return copy
}
