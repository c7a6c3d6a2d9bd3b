// Fuzzes what travels in control frames and headers: any bytes are refused with ProtocolViolation or are the message that
// protobufjs reads in them with proto/wire.proto, which comes back the same from our own writer.
//
// An input's first byte says which message the rest is.

import assert from 'node:assert/strict'
import path from 'node:path'
import fc from 'fast-check'
import protobufjs from 'protobufjs'
import { type Metadata, ProtocolViolation } from '../../../src/errors.ts'
import type * as headerModule from '../../../src/wire/call-header.ts'
import type * as controlModule from '../../../src/wire/control.ts'
import type * as fieldsModule from '../../../src/wire/fields.ts'
import { METADATA_ENTRIES_MAX } from '../../../src/wire/frame.ts'
import type * as metadataModule from '../../../src/wire/metadata.ts'
import * as arbitrary from '../../wire/arbitrary.ts'
import { importVariant, type Variant } from '../engine/edges.ts'
import { Mismatch, type Target } from '../engine/target.ts'
import { asOurs } from './wire-proto.ts'

const wire = protobufjs.loadSync(path.resolve(import.meta.dirname, '../../../proto/wire.proto'))

interface Message {
  readonly type: protobufjs.Type
  readonly decode: (bytes: Buffer, start: number, end: number) => object
  readonly encode: (message: never) => Buffer
}

/** The bytes before and behind a message: whoever reads them gets something that looks like a field. */
const AROUND = Buffer.from('0a03616263', 'hex')

export async function controlTarget(variant: Variant = 'counted'): Promise<Target> {
  const control = (await importVariant('src/wire/control.ts', variant)) as typeof controlModule
  const header = (await importVariant('src/wire/call-header.ts', variant)) as typeof headerModule
  const { checkMetadata } = (await importVariant('src/wire/metadata.ts', variant)) as typeof metadataModule
  const { FieldReader } = (await importVariant('src/wire/fields.ts', variant)) as typeof fieldsModule
  const read =
    (decode: (reader: fieldsModule.FieldReader) => object): Message['decode'] =>
    (bytes, start, end) =>
      decode(new FieldReader(bytes, start, end))
  const messages: readonly Message[] = [
    { type: wire.lookupType('Hello'), decode: read(control.decodeHello), encode: control.encodeHello },
    { type: wire.lookupType('HelloOk'), decode: read(control.decodeHelloOk), encode: control.encodeHelloOk },
    { type: wire.lookupType('Reject'), decode: read(control.decodeReject), encode: control.encodeReject },
    { type: wire.lookupType('Ack'), decode: read(control.decodeAck), encode: control.encodeAck },
    { type: wire.lookupType('GoAway'), decode: read(control.decodeGoAway), encode: control.encodeGoAway },
    { type: wire.lookupType('Status'), decode: read(control.decodeStatus), encode: control.encodeStatus },
    {
      type: wire.lookupType('CallHeader'),
      decode: header.decodeCallHeader,
      encode: ({ timeoutMs, metadata }: headerModule.CallHeader) => {
        const time = Buffer.alloc(timeoutMs > 0 ? header.TIMEOUT_BYTES : 0)
        if (timeoutMs > 0) header.writeTimeout(time, 0, timeoutMs)
        return Buffer.concat([time, header.encodeMetadata(metadata)])
      },
    },
  ]
  return {
    name: 'control',
    variant,
    owns: /^src\/wire\/(control|fields|metadata|call-header)\.ts$/,
    maxBytes: 4096,
    seeds: seedsOf(messages),
    dictionary: DICTIONARY,
    run(input) {
      if (input.length === 0) return
      const message = messages[input[0]! % messages.length]!
      const value = check(message, input.subarray(1))
      if (value === undefined) return
      if ('metadata' in value) checkMetadata(value.metadata as Metadata)
      if (message.type.name === 'CallHeader') checkTimeout(header, value as headerModule.CallHeader)
    },
  }
}

/** A header that is sent late says its new time, and everything else as before. */
function checkTimeout(header: typeof headerModule, { timeoutMs, metadata }: headerModule.CallHeader): void {
  const time = Buffer.alloc(timeoutMs > 0 ? header.TIMEOUT_BYTES : 0)
  if (timeoutMs > 0) header.writeTimeout(time, 0, timeoutMs)
  const written = Buffer.concat([Buffer.alloc(16), time, header.encodeMetadata(metadata)])
  const late = header.headWithTimeout(written, 0, written.length, timeoutMs / 3)
  const read = header.decodeCallHeader(late, 16, late.length)
  const remaining = timeoutMs === 0 ? 0 : Math.ceil(timeoutMs / 3)
  same(read, { timeoutMs: remaining, metadata }, 'a header with its remaining time')
  if (header.readTimeout(late, 16, late.length) !== remaining) throw new Mismatch('another remaining time at its place')
}

/** The message, when the bytes are one. */
function check({ type, decode, encode }: Message, bytes: Buffer): object | undefined {
  const room = Buffer.concat([AROUND, bytes, AROUND])
  let value: object
  try {
    value = decode(room, AROUND.length, AROUND.length + bytes.length)
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined
    throw error
  }
  // What it has read must be its own.
  room.fill(0xee)
  same(value, asOurs(type, bytes), `${type.name} as protobufjs reads it`)
  const again = encode(value as never)
  same(decode(again, 0, again.length), isShortened(value) ? undefined : value, `${type.name} written and read again`)
  return value
}

/** A status whose text has been cut, which the writer does and the reader does not ask for. */
function isShortened(value: object): boolean {
  const { message = '', why } = value as { message?: string; why?: { message: string } }
  return Buffer.byteLength(why?.message ?? message) > 2048
}

function same(actual: object, expected: object | undefined, what: string): void {
  if (expected === undefined) return
  try {
    assert.deepEqual(plain(actual), plain(expected))
  } catch (error) {
    throw new Mismatch(`${what}: ${(error as Error).message}`)
  }
}

/** With byte fields of one class, and metadata that is not frozen. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value as Metadata).map(([key, field]) => [key, plain(field)]))
}

function seedsOf(messages: readonly Message[]): Buffer[] {
  const { hello, helloOk, reject, ack, goAway, status, metadata } = arbitrary
  const header = fc.record({ timeoutMs: fc.constantFrom(0, 1, 500, 2 ** 32 - 1), metadata }, { noNullPrototype: true })
  const samples = [hello, helloOk, reject, ack, goAway, status, header].flatMap((values, index) =>
    fc
      .sample<object>(values as fc.Arbitrary<object>, { seed: 1, numRuns: 4 })
      .map((value) => Buffer.concat([Buffer.of(index), messages[index]!.encode(value as never)])),
  )
  const most = Object.fromEntries(Array.from({ length: METADATA_ENTRIES_MAX }, (_, index) => [`k${index}`, '']))
  const full = messages[6]!.encode({ timeoutMs: 7, metadata: most } as never)
  return [...samples, Buffer.concat([Buffer.of(6), full])]
}

const entry = (hex: string): Buffer => Buffer.concat([Buffer.of(hex.length / 2), Buffer.from(hex, 'hex')])

const DICTIONARY: readonly Buffer[] = [
  // Tags: every field number with every wire type, the last ones with two bytes.
  ...Array.from({ length: 16 * 8 }, (_, tag) => (tag < 128 ? Buffer.of(tag) : Buffer.of(tag & 127, 1))),
  ...['8001', 'ff7f', 'ffffffff0f', '8080808010', 'ffffffffffffff0f', '8080808080808010', 'ffffffffffffffffff01'].map(
    (hex) => Buffer.from(hex, 'hex'),
  ),
  Buffer.concat([Buffer.of(0x0d), Buffer.from('f4010000', 'hex')]),
  Buffer.concat([Buffer.of(0x12), entry('0a016b120176')]),
  Buffer.concat([Buffer.of(0x1a), entry('0a016b1a0176')]),
  Buffer.concat([Buffer.of(0x4a), entry('0a095f5f70726f746f5f5f120176')]),
  Buffer.concat([Buffer.of(0x32, 16), Buffer.alloc(16, 5)]),
  Buffer.concat([Buffer.of(0x12, 16), Buffer.alloc(16, 6)]),
  Buffer.from('__proto__'),
  Buffer.from('c3a9e282acf09f9880', 'hex'),
  Buffer.from('c080eda080f4908080', 'hex'),
]
