// The control messages: values survive, unknown fields are passed over, everything malformed is a violation, and they are
// the messages of proto/wire.proto, by the word of another implementation of protocol buffers.

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { codeToNumber, type Metadata, ProtocolViolation } from '../../src/errors.ts'
import * as control from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { CONTROL_BYTES_MAX, Kind } from '../../src/wire/frame.ts'
import * as arbitrary from './arbitrary.ts'
import { vector } from './document.ts'

/** One message: how it is written and read, and what it is called in proto/wire.proto. */
interface Message<T> {
  readonly name: string
  readonly values: fc.Arbitrary<T>
  readonly encode: (value: T) => Buffer
  readonly decode: (reader: FieldReader) => T
}

const MESSAGES = [
  { name: 'Status', values: arbitrary.status, encode: control.encodeStatus, decode: control.decodeStatus },
  { name: 'Hello', values: arbitrary.hello, encode: control.encodeHello, decode: control.decodeHello },
  { name: 'HelloOk', values: arbitrary.helloOk, encode: control.encodeHelloOk, decode: control.decodeHelloOk },
  { name: 'Reject', values: arbitrary.reject, encode: control.encodeReject, decode: control.decodeReject },
  { name: 'Ack', values: arbitrary.ack, encode: control.encodeAck, decode: control.decodeAck },
  { name: 'GoAway', values: arbitrary.goAway, encode: control.encodeGoAway, decode: control.decodeGoAway },
] as unknown as readonly Message<Record<string, unknown>>[]

/** An example of each message in which no field is missing. */
const FULL: Readonly<Record<string, string>> = {
  Hello: 'hello',
  HelloOk: 'hello-ok-session',
  Reject: 'reject',
  Ack: 'ack',
  GoAway: 'goaway-draining',
  Status: 'error-metadata',
}

const root = new protobuf.Root().loadSync(path.resolve(import.meta.dirname, '../../proto/wire.proto'), {
  keepCase: true,
})

function decode<T>(message: Message<T>, bytes: Buffer): T {
  return message.decode(new FieldReader(bytes, 0, bytes.length))
}

/** The message as proto/wire.proto spells it: names, codes as numbers, metadata as a list of entries. */
function toProto(value: unknown): unknown {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    const name = key.replaceAll(/ID|[A-Z]/g, (letters) => `_${letters.toLowerCase()}`)
    if (key === 'metadata') result[name] = entriesOf(field as Metadata)
    else if (key === 'code') result[name] = codeToNumber(field as 'unknown')
    else result[name] = toProto(field)
  }
  return result
}

function entriesOf(metadata: Metadata): unknown[] {
  return Object.entries(metadata).map(([key, value]) =>
    typeof value === 'string' ? { key, text: value } : { key, binary: value },
  )
}

/** Buffers and arrays of bytes as one thing, objects as plain ones. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, normal(field)]))
}

/** Without an incarnation HELLO and HELLO_OK are violations whatever else they hold. */
const MUST_HAVE_ID = new Set(['Hello', 'HelloOk'])

/** Fields of all wire types with numbers that no message has. */
const UNKNOWN = ['f80601', 'f106 0102030405060708', 'fa0603616263', 'fa0600', 'fd06 01020304', 'f8ffffff0f00'].map(
  (hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'),
)

const WIRE_TYPES: Readonly<Record<string, number>> = { uint32: 0, uint64: 0, bool: 0, fixed32: 5 }
const CONTENTS = [
  [0, '01'],
  [1, '0102030405060708'],
  [2, '00'],
  [3, ''],
  [4, ''],
  [5, '01020304'],
  [6, ''],
  [7, ''],
].map(([wireType, hex]) => [wireType as number, Buffer.from(hex as string, 'hex')] as const)

function tag(field: number, wireType: number): Buffer {
  const value = (field << 3) | wireType
  return Buffer.from(value < 128 ? [value] : [(value & 127) | 128, value >> 7])
}

/** The message that the page of the protocol gives as an example. */
function fullMessage(name: string): Buffer {
  return Buffer.from(vector(FULL[name]!).subarray(16))
}

/** Where the fields of a message end, 0 included. */
function fieldEnds(bytes: Buffer): number[] {
  const ends = [0]
  for (let end = 0; end < bytes.length; ) {
    const wireType = bytes[end++]! & 7
    if (wireType === 2) end += 1 + bytes[end]!
    else while (bytes[end++]! > 127) {}
    ends.push(end)
  }
  assert.equal(ends.at(-1), bytes.length)
  return ends
}

for (const message of MESSAGES) {
  test(`${message.name}: what is encoded decodes to the same values`, () => {
    fc.assert(
      fc.property(message.values, (value) => {
        assert.deepEqual(decode(message, message.encode(value)), value)
      }),
    )
  })

  test(`${message.name}: it is the message of proto/wire.proto, in both directions`, () => {
    const type = root.lookupType(`gorums.wire.${message.name}`)
    fc.assert(
      fc.property(message.values, (value) => {
        const theirs = toProto(value) as Record<string, unknown>
        const read = type.toObject(type.decode(message.encode(value)), { longs: Number, defaults: true })
        assert.deepEqual(normal(read), normal(theirs))
        const bytes = Buffer.from(type.encode(type.fromObject(theirs)).finish())
        assert.deepEqual(decode(message, bytes), value)
      }),
    )
  })

  test(`${message.name}: fields that nobody knows are passed over, wherever they stand`, () => {
    const bytes = fullMessage(message.name)
    const expected = decode(message, bytes)
    for (const unknown of UNKNOWN) {
      for (const end of fieldEnds(bytes)) {
        const longer = Buffer.concat([bytes.subarray(0, end), unknown, bytes.subarray(end)])
        assert.deepEqual(decode(message, longer), expected)
      }
    }
  })

  test(`${message.name}: cut anywhere within a field it is a violation, between two fields it is a shorter message`, () => {
    const bytes = fullMessage(message.name)
    const ends = fieldEnds(bytes)
    for (let end = 0; end < bytes.length; end++) {
      const cut = bytes.subarray(0, end)
      if (!ends.includes(end)) assert.throws(() => decode(message, cut), ProtocolViolation, `cut at ${end}`)
      else if (!MUST_HAVE_ID.has(message.name)) assert.doesNotThrow(() => decode(message, cut))
    }
  })

  test(`${message.name}: each field with another wire type is a violation`, () => {
    const type = root.lookupType(`gorums.wire.${message.name}`)
    for (const field of type.fieldsArray) {
      const right = WIRE_TYPES[field.type] ?? 2
      for (const [wireType, content] of CONTENTS) {
        if (wireType === right) continue
        const bytes = Buffer.concat([fullMessage(message.name), tag(field.id, wireType), content])
        assert.throws(() => decode(message, bytes), ProtocolViolation, `${field.name} as ${wireType}`)
      }
    }
  })

  test(`${message.name}: a field numbered 0, a number of eleven bytes and a group are violations`, () => {
    for (const hex of [
      '0000',
      '020100',
      '0880808080808080808080800000',
      'f801808080808080808080808000',
      'fb01fc01',
      'fc01',
    ]) {
      const bytes = Buffer.concat([fullMessage(message.name), Buffer.from(hex, 'hex')])
      assert.throws(() => decode(message, bytes), ProtocolViolation, hex)
    }
  })

  test(`${message.name}: any bytes decode or are a violation, and nothing else`, () => {
    const bytes = fullMessage(message.name)
    const changed = fc
      .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const copy = Buffer.from(bytes)
        for (const [index, byte] of changes) copy[index] = byte
        return copy
      })
    const random = fc.uint8Array({ maxLength: 60 }).map((value) => Buffer.from(value))
    fc.assert(
      fc.property(fc.oneof(changed, random), (input) => {
        try {
          decode(message, input)
        } catch (error) {
          assert.ok(error instanceof ProtocolViolation, String(error))
        }
      }),
      { numRuns: 500 },
    )
  })
}

function readHello(bytes: Buffer): control.Hello {
  return control.decodeHello(new FieldReader(bytes, 0, bytes.length))
}

function readHelloOk(bytes: Buffer): control.HelloOk {
  return control.decodeHelloOk(new FieldReader(bytes, 0, bytes.length))
}

function readStatus(bytes: Buffer): control.Status {
  return control.decodeStatus(new FieldReader(bytes, 0, bytes.length))
}

test('an incarnation has 16 bytes, a session id 16 or none', () => {
  const hello = readHello(fullMessage('Hello'))
  const helloOk = readHelloOk(fullMessage('HelloOk'))
  for (const length of [0, 1, 15, 17, 32]) {
    const id = Buffer.alloc(length, 1)
    const what = `${length} bytes`
    assert.throws(() => readHello(control.encodeHello({ ...hello, incarnation: id })), ProtocolViolation, what)
    assert.throws(() => readHelloOk(control.encodeHelloOk({ ...helloOk, incarnation: id })), ProtocolViolation, what)
    if (length === 0) continue
    assert.throws(() => readHello(control.encodeHello({ ...hello, sessionID: id })), ProtocolViolation, what)
    assert.throws(() => readHelloOk(control.encodeHelloOk({ ...helloOk, sessionID: id })), ProtocolViolation, what)
  }
  assert.equal(readHello(control.encodeHello({ ...hello, sessionID: Buffer.alloc(0) })).sessionID.length, 0)
  assert.equal(readHelloOk(control.encodeHelloOk({ ...helloOk, sessionID: Buffer.alloc(0) })).sessionID.length, 0)
})

test('a frame limit below that of a control frame is a violation', () => {
  const hello = readHello(fullMessage('Hello'))
  const helloOk = readHelloOk(fullMessage('HelloOk'))
  for (const frameMaxBytes of [0, 1, CONTROL_BYTES_MAX - 1]) {
    assert.throws(() => readHello(control.encodeHello({ ...hello, frameMaxBytes })), ProtocolViolation)
    assert.throws(() => readHelloOk(control.encodeHelloOk({ ...helloOk, frameMaxBytes })), ProtocolViolation)
  }
  const frameMaxBytes = CONTROL_BYTES_MAX
  assert.equal(readHello(control.encodeHello({ ...hello, frameMaxBytes })).frameMaxBytes, CONTROL_BYTES_MAX)
})

test('names of nodes and clusters beyond 256 bytes, and __proto__, are a violation', () => {
  const hello = readHello(fullMessage('Hello'))
  const longest = 'é'.repeat(128)
  for (const key of ['clusterID', 'nodeID', 'expectedNodeID'] as const) {
    assert.equal(readHello(control.encodeHello({ ...hello, [key]: longest }))[key], longest)
    for (const name of [`${longest}x`, '__proto__'])
      assert.throws(() => readHello(control.encodeHello({ ...hello, [key]: name })), ProtocolViolation)
  }
})

test('codes that nobody defined are read as unknown', () => {
  for (const hex of ['', '0800', '0811', '08ffffffff0f']) {
    assert.equal(readStatus(Buffer.from(hex, 'hex')).code, 'unknown', hex)
  }
})

test('of several values of one field the last counts, and metadata gathers', () => {
  const one = control.encodeStatus({ code: 'aborted', message: 'one', metadata: { a: '1' }, notExecuted: true })
  const other = control.encodeStatus({ code: 'internal', message: 'other', metadata: { b: '2' }, notExecuted: false })
  const status = readStatus(Buffer.concat([one, other]))
  assert.deepEqual(status, { code: 'internal', message: 'other', metadata: { a: '1', b: '2' }, notExecuted: true })
})

test('a control frame may have a length of 16 KiB, and not more', () => {
  const frame = control.controlFrame(Kind.ack, Buffer.alloc(CONTROL_BYTES_MAX - 12))
  assert.equal(frame.readUInt32BE(0), CONTROL_BYTES_MAX)
  assert.throws(() => control.controlFrame(Kind.ack, Buffer.alloc(CONTROL_BYTES_MAX - 11)), RangeError)
})

test('a long message is cut at the boundary of a character, so that every status fits a control frame', () => {
  for (const message of ['x'.repeat(20_000), '€'.repeat(20_000), `x${'€'.repeat(20_000)}`, '😀'.repeat(9000)]) {
    const bytes = control.encodeGoAway({
      lastFrame: 0,
      why: { code: 'internal', message, metadata: {}, notExecuted: false },
    })
    assert.ok(bytes.length < CONTROL_BYTES_MAX / 2, `${bytes.length}`)
    const { why } = control.decodeGoAway(new FieldReader(bytes, 0, bytes.length))
    assert.ok(message.startsWith(why.message.replace(/…$/, '')), why.message.slice(-5))
    assert.ok(why.message.endsWith('…'))
  }
})
