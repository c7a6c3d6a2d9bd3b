// The examples of docs/protocol.md, which were not made with the code under test: each is decoded to the values that the
// page gives it, and those values are encoded to its bytes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { msgpack } from '../../codec/msgpack.ts'
import { codeFromNumber, codeToNumber, type ErrorCode, type Metadata } from '../../src/errors.ts'
import { decodeCallHeader } from '../../src/wire/call-header.ts'
import * as control from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import {
  CONTROL_BYTES_MAX,
  HEADER_BYTES_MAX,
  isKnownKind,
  isSkippable,
  Kind,
  kindName,
  METADATA_ENTRIES_MAX,
  PREFACE,
  writeHead,
} from '../../src/wire/frame.ts'
import { FrameWriter } from '../../src/wire/frame-writer.ts'
import { methodIDOf } from '../../src/wire/method-id.ts'
import { page, rows, textBlock, vector, vectors } from './document.ts'
import { decodeOne } from './raw-frame.ts'

const MIB = 1024 * 1024
const READ = 'storage.Storage/readQC+msgpack'
const STREAM = 'storage.Storage/readStream+msgpack'
const WRITE = 'storage.Storage/writeUnicast+msgpack'
const NO_ID = Buffer.alloc(0)
const DIALLER = Buffer.from(Array.from({ length: 16 }, (_, index) => index))
const ACCEPTOR = Buffer.from(Array.from({ length: 16 }, (_, index) => 16 + index))
const SESSION = Buffer.from(Array.from({ length: 16 }, (_, index) => 32 + index))

const hello: control.Hello = {
  versionMin: 1,
  versionMax: 1,
  clusterID: 'prod',
  nodeID: 'client-7',
  expectedNodeID: 'a',
  incarnation: DIALLER,
  frameMaxBytes: 4 * MIB,
  servesCalls: false,
  metadata: { zone: 'eu' },
  wantsSession: false,
  sessionID: NO_ID,
  attachEpoch: 1,
  receivedFrames: 0,
  requestBytesAllowed: 16 * MIB,
  features: 0,
}
const helloOk: control.HelloOk = {
  version: 1,
  nodeID: 'a',
  incarnation: ACCEPTOR,
  frameMaxBytes: 4 * MIB,
  servesCalls: true,
  metadata: {},
  sessionID: NO_ID,
  resumed: false,
  receivedFrames: 0,
  sessionTtlMs: 0,
  requestBytesAllowed: 16 * MIB,
  features: 0,
}

interface ControlCase<T> {
  readonly kind: (typeof Kind)[keyof typeof Kind]
  readonly value: T
  readonly encode: (value: T) => Uint8Array
  readonly decode: (reader: FieldReader) => T
}

function controlCase<T>(
  kind: ControlCase<T>['kind'],
  encode: ControlCase<T>['encode'],
  decode: ControlCase<T>['decode'],
  value: T,
): ControlCase<unknown> {
  return { kind, value, encode: encode as ControlCase<unknown>['encode'], decode }
}

function status(code: ErrorCode, message: string, notExecuted: boolean, metadata: Metadata = {}): control.Status {
  return { code, message, metadata, notExecuted }
}

const CONTROL: Readonly<Record<string, ControlCase<unknown>>> = {
  hello: controlCase(Kind.hello, control.encodeHello, control.decodeHello, hello),
  'hello-session': controlCase(Kind.hello, control.encodeHello, control.decodeHello, {
    ...hello,
    clusterID: '',
    nodeID: '',
    expectedNodeID: '',
    servesCalls: true,
    metadata: {},
    wantsSession: true,
    sessionID: SESSION,
    attachEpoch: 3,
    receivedFrames: 300,
  }),
  'hello-ok': controlCase(Kind.helloOk, control.encodeHelloOk, control.decodeHelloOk, helloOk),
  'hello-ok-session': controlCase(Kind.helloOk, control.encodeHelloOk, control.decodeHelloOk, {
    ...helloOk,
    sessionID: SESSION,
    resumed: true,
    receivedFrames: 298,
    sessionTtlMs: 30_000,
  }),
  reject: controlCase(Kind.reject, control.encodeReject, control.decodeReject, {
    why: status('failed_precondition', 'wrong cluster', true),
    versionMin: 1,
    versionMax: 1,
    retry: false,
  }),
  'ack-first': controlCase(Kind.ack, control.encodeAck, control.decodeAck, {
    receivedFrames: 0,
    sentFrames: 0,
    requestBytesAllowed: 16 * MIB,
  }),
  ack: controlCase(Kind.ack, control.encodeAck, control.decodeAck, {
    receivedFrames: 300,
    sentFrames: 2,
    requestBytesAllowed: 16 * MIB + 9000,
  }),
  'goaway-draining': controlCase(Kind.goaway, control.encodeGoAway, control.decodeGoAway, {
    lastFrame: 300,
    why: status('unavailable', 'the server is shutting down', true),
  }),
  'goaway-ending': controlCase(Kind.goaway, control.encodeGoAway, control.decodeGoAway, {
    lastFrame: 0,
    why: status('internal', 'protocol violation: unknown frame kind 0x42', false),
  }),
}

/** PING and PONG carry no message, but eight bytes as they are. */
const OPAQUE: Readonly<Record<string, ControlCase<unknown>['kind']>> = { ping: Kind.ping, pong: Kind.pong }

interface CallCase {
  readonly kind: number
  readonly msgID: number
  readonly method: string
  readonly timeoutMs: number
  readonly metadata: Metadata | undefined
  /** Undefined: no payload. */
  readonly payload: unknown
}

function callCase(
  kind: number,
  msgID: number,
  method: string,
  payload: unknown,
  more: Partial<CallCase> = {},
): CallCase {
  return { kind, msgID, method, payload, timeoutMs: 0, metadata: undefined, ...more }
}

const CALLS: Readonly<Record<string, CallCase>> = {
  request: callCase(Kind.request, 1, READ, { key: 'x' }),
  'request-deadline': callCase(Kind.request, 2, READ, { key: 'x' }, { timeoutMs: 500 }),
  'request-metadata': callCase(
    Kind.request,
    3,
    READ,
    { key: 'x' },
    { timeoutMs: 10_000, metadata: { 'trace-id': '7f3a', token: new Uint8Array([0xde, 0xad, 0]) } },
  ),
  oneway: callCase(Kind.oneway, 4, WRITE, { key: 'x', value: 'y' }),
  reply: callCase(Kind.reply, 1, READ, { value: 'y' }),
  'reply-metadata': callCase(Kind.reply, 3, READ, { value: 'y' }, { metadata: { 'served-by': 'a' } }),
  item: callCase(Kind.item, 5, STREAM, { value: 'y' }),
  end: callCase(Kind.end, 5, STREAM, undefined),
}

const ERRORS: Readonly<Record<string, { msgID: number; status: control.Status }>> = {
  error: { msgID: 1, status: status('unimplemented', `method ${READ} is not implemented`, true) },
  'error-metadata': { msgID: 2, status: status('not_found', 'no such key', false, { key: 'x' }) },
}

const HEAD_ONLY: Readonly<Record<string, { kind: number; msgID: number; methodID: number }>> = {
  cancel: { kind: Kind.cancel, msgID: 5, methodID: methodIDOf(STREAM) },
  skip: { kind: Kind.skip, msgID: 6, methodID: 0 },
}

test('every example of the page has its values here, and every kind of frame has an example', () => {
  const here = ['preface', ...[CONTROL, OPAQUE, CALLS, ERRORS, HEAD_ONLY].flatMap((cases) => Object.keys(cases))]
  assert.deepEqual([...vectors.keys()].sort(), here.sort())
  const kinds = new Set([...vectors].filter(([name]) => name !== 'preface').map(([, bytes]) => bytes[4]))
  assert.deepEqual(kinds, new Set<number | undefined>(Object.values(Kind)))
})

test('the preface is that of the page', () => {
  assert.deepEqual(PREFACE, vector('preface'))
})

for (const [name, { kind, value, encode, decode }] of Object.entries(CONTROL)) {
  test(`${name}: the control frame decodes to and encodes from its values`, () => {
    const bytes = vector(name)
    const frame = decodeOne(bytes)
    assert.deepEqual([frame.kind, frame.flags, frame.msgID, frame.methodID, frame.header.length], [kind, 0, 0, 0, 0])
    assert.deepEqual(decode(new FieldReader(frame.payload, 0, frame.payload.length)), value)
    assert.deepEqual(control.controlFrame(kind, encode(value)), bytes)
  })
}

for (const [name, kind] of Object.entries(OPAQUE)) {
  test(`${name}: the payload is eight opaque bytes`, () => {
    const bytes = vector(name)
    const frame = decodeOne(bytes)
    assert.deepEqual([frame.kind, frame.msgID, frame.methodID, frame.header.length], [kind, 0, 0, 0])
    assert.equal(frame.payload.toString('hex'), 'a1b2c3d4e5f60718')
    assert.deepEqual(control.controlFrame(kind, frame.payload), bytes)
  })
}

for (const [name, expected] of Object.entries(CALLS)) {
  test(`${name}: the call frame decodes to and encodes from its values`, () => {
    const bytes = vector(name)
    const codec = msgpack()
    const frame = decodeOne(bytes)
    assert.equal(frame.kind, expected.kind)
    assert.equal(frame.msgID, expected.msgID)
    assert.equal(frame.methodID, methodIDOf(expected.method))
    const header = decodeCallHeader(frame.header, 0, frame.header.length)
    assert.deepEqual(header, { timeoutMs: expected.timeoutMs, metadata: expected.metadata ?? {} })
    if (expected.payload === undefined) assert.equal(frame.payload.length, 0)
    else assert.deepEqual(codec.decode(frame.payload, 0, frame.payload.length), expected.payload)

    const { kind, msgID, timeoutMs, metadata, payload } = expected
    const writer = new FrameWriter()
    const written =
      payload === undefined
        ? writer.writeBytes(kind, msgID, methodIDOf(expected.method), metadata)
        : writer.write(kind, msgID, methodIDOf(expected.method), timeoutMs, metadata, codec, payload)
    assert.deepEqual(written.buffer.subarray(written.start, written.end), bytes)
    assert.equal(written.headEnd - written.start, 16 + frame.header.length)
  })
}

for (const [name, expected] of Object.entries(ERRORS)) {
  test(`${name}: the ERROR decodes to and encodes from its status`, () => {
    const bytes = vector(name)
    const frame = decodeOne(bytes)
    assert.deepEqual([frame.kind, frame.msgID, frame.methodID], [Kind.error, expected.msgID, methodIDOf(READ)])
    const decoded = control.decodeStatus(new FieldReader(frame.payload, 0, frame.payload.length))
    assert.deepEqual(decoded, expected.status)
    const payload = control.encodeStatus(expected.status)
    const written = new FrameWriter().writeBytes(Kind.error, expected.msgID, methodIDOf(READ), undefined, payload)
    assert.deepEqual(written.buffer.subarray(written.start, written.end), bytes)
  })
}

for (const [name, expected] of Object.entries(HEAD_ONLY)) {
  test(`${name}: the frame is a head and nothing else`, () => {
    const bytes = vector(name)
    const { kind, msgID, methodID, header, payload } = decodeOne(bytes)
    assert.deepEqual({ kind, msgID, methodID }, expected)
    assert.equal(header.length + payload.length, 0)
    const head = Buffer.alloc(16, 0xff)
    writeHead(head, 0, 16, kind, 0, msgID, methodID)
    assert.deepEqual(head, bytes)
  })
}

test('method ids are those of the page', () => {
  const ids = textBlock('method-ids')
  assert.ok(ids.length >= 3)
  for (const [name, hex] of ids) assert.equal(methodIDOf(name!).toString(16).padStart(8, '0'), hex, name)
})

test('the table of kinds is that of the code', () => {
  const listed = new Map(
    rows.filter((cells) => /^0x[0-9a-f]{2}$/.test(cells[0]!)).map((cells) => [Number(cells[0]), cells[1]]),
  )
  assert.deepEqual(
    [...listed.keys()].sort((one, other) => one - other),
    Object.values(Kind).sort((one, other) => one - other),
  )
  for (const [number, name] of listed) assert.equal(kindName(number), name)
  for (let kind = 0; kind < 256; kind++) {
    assert.equal(isKnownKind(kind), listed.has(kind))
    assert.equal(isSkippable(kind), kind >= 0xc0)
  }
})

test('the table of status codes is that of the code', () => {
  const pairs = rows
    .filter((cells) => cells.length === 4 && /^\d+$/.test(cells[0]!))
    .flatMap(([one, code, other, second]) => [
      [Number(one), code],
      [Number(other), second],
    ])
  assert.equal(pairs.length, 16)
  for (const [number, code] of pairs) {
    assert.equal(codeFromNumber(number as number), code)
    assert.equal(codeToNumber(code as ErrorCode), number)
  }
  for (const number of [0, 17, 2 ** 32 - 1]) assert.equal(codeFromNumber(number), 'unknown')
})

test('the limits on the page are those of the code', () => {
  const limits = page.slice(page.indexOf('\n## Limits'))
  const spaced = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ')
  for (const value of [CONTROL_BYTES_MAX, HEADER_BYTES_MAX, METADATA_ENTRIES_MAX, 0xffffffff])
    assert.ok(limits.includes(spaced(value)), `${value}`)
  assert.ok(limits.includes(`exactly ${control.ID_BYTES} bytes`))
})
