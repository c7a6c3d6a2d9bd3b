// Metadata and its limits: what a caller may give, what a peer may send, and that what passes the one passes the other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Metadata, ProtocolViolation } from '../../src/errors.ts'
import { decodeCallHeader, encodeMetadata } from '../../src/wire/call-header.ts'
import { HEADER_BYTES_MAX } from '../../src/wire/frame.ts'
import { checkMetadata, NO_METADATA } from '../../src/wire/metadata.ts'
import * as arbitrary from './arbitrary.ts'

function decode(header: Buffer): Metadata {
  return decodeCallHeader(header, 0, header.length).metadata
}

/** An entry as a peer may send it: fields of a MetadataEntry, as they are. */
function entry(...fields: Buffer[]): Buffer {
  const content = Buffer.concat(fields)
  return field(2, content)
}

function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content)
  assert.ok(bytes.length < 16_384)
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

const key = (name: string | Buffer): Buffer => field(1, name)
const text = (value: string | Buffer): Buffer => field(2, value)
const binary = (value: string | Buffer): Buffer => field(3, value)

test('metadata survives, text as text and bytes as bytes', () => {
  fc.assert(
    fc.property(arbitrary.metadata, (metadata) => {
      checkMetadata(metadata)
      assert.deepEqual(decode(encodeMetadata(metadata)), metadata)
    }),
  )
})

test('empty values keep their kind', () => {
  const metadata = { none: '', nothing: new Uint8Array(0) }
  assert.deepEqual(decode(encodeMetadata(metadata)), metadata)
})

test('text that begins with a byte order mark keeps it', () => {
  assert.deepEqual(decode(encodeMetadata({ a: '\ufeffx' })), { a: '\ufeffx' })
})

test('keys that objects have already are keys like any other', () => {
  const metadata = { constructor: 'a', tostring: 'b', hasownproperty: 'c' } as unknown as Metadata
  checkMetadata(metadata)
  const decoded = decode(encodeMetadata(metadata))
  assert.deepEqual(Object.entries(decoded), Object.entries(metadata))
  assert.equal(Object.getPrototypeOf(decoded), Object.prototype)
})

test('decoded metadata can not be changed, and does not change with the buffer that it came from', () => {
  const header = encodeMetadata({ a: new Uint8Array([1, 2, 3]) })
  const decoded = decode(header)
  header.fill(0)
  assert.deepEqual(decoded, { a: new Uint8Array([1, 2, 3]) })
  assert.throws(() => Object.assign(decoded, { b: '' }), TypeError)
})

test('no entries are no metadata', () => {
  assert.equal(encodeMetadata({}).length, 0)
  assert.equal(decode(Buffer.alloc(0)), NO_METADATA)
})

const BAD_KEYS = ['', 'A', 'aB', 'a b', 'ä', 'a\n', '\n', '\x7f', '\x00', '__proto__', 'x'.repeat(65), 'é'.repeat(40)]
const GOOD_KEYS = ['a', '!', '~', '@', '[', 'x'.repeat(64), '__proto', 'grpc-status', 'x_y.z-1/2']

for (const name of BAD_KEYS) {
  test(`the key ${JSON.stringify(name.slice(0, 12))} of ${name.length} characters is refused on both sides`, () => {
    const metadata = Object.fromEntries([[name, 'value']])
    if (name === '__proto__') Object.defineProperty(metadata, name, { value: 'value', enumerable: true })
    assert.throws(() => checkMetadata(metadata), RangeError)
    assert.throws(() => decode(entry(key(name), text('value'))), ProtocolViolation)
  })
}

for (const name of GOOD_KEYS) {
  test(`the key ${JSON.stringify(name.slice(0, 12))} of ${name.length} characters is taken on both sides`, () => {
    checkMetadata({ [name]: 'value' })
    assert.deepEqual(decode(entry(key(name), text('value'))), { [name]: 'value' })
  })
}

test('a very long key is not repeated in the error that it causes', () => {
  const long = '\x01'.repeat(8000)
  for (const refuse of [() => checkMetadata({ [long]: '' }), () => decode(entry(key(long)))])
    assert.throws(refuse, (error: Error) => error.message.length < 1000)
})

test('64 entries are taken, 65 are not, on both sides', () => {
  const of = (count: number): Metadata =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
  checkMetadata(of(64))
  assert.throws(() => checkMetadata(of(65)), RangeError)
  assert.deepEqual(decode(encodeMetadata(of(64))), of(64))
  assert.throws(() => decode(encodeMetadata(of(65))), ProtocolViolation)
})

test('a key that is there twice is a violation, also with different values', () => {
  const one = entry(key('a'), text('1'))
  assert.throws(() => decode(Buffer.concat([one, one])), ProtocolViolation)
  assert.throws(
    () => decode(Buffer.concat([one, entry(key('b'), text('2')), entry(key('a'), binary('3'))])),
    ProtocolViolation,
  )
})

test('an entry without a key is a violation, one without a value is empty text', () => {
  assert.throws(() => decode(entry()), ProtocolViolation)
  assert.throws(() => decode(entry(text('value'))), ProtocolViolation)
  assert.deepEqual(decode(entry(key('a'))), { a: '' })
})

test('of text and bytes in one entry the last counts', () => {
  assert.deepEqual(decode(entry(key('a'), text('1'), binary('2'))), { a: new Uint8Array([0x32]) })
  assert.deepEqual(decode(entry(binary('2'), text('1'), key('a'))), { a: '1' })
})

test('fields of an entry that nobody knows are passed over', () => {
  assert.deepEqual(decode(entry(key('a'), field(4, 'new'), text('1'), Buffer.from('2805', 'hex'))), { a: '1' })
})

test('keys and text that are not UTF-8 are a violation, bytes may be anything', () => {
  const broken = Buffer.from([0x61, 0xff])
  assert.throws(() => decode(entry(key(broken))), ProtocolViolation)
  assert.throws(() => decode(entry(key('a'), text(broken))), ProtocolViolation)
  assert.deepEqual(decode(entry(key('a'), binary(broken))), { a: new Uint8Array(broken) })
})

test('an entry that ends within a field, or goes on behind its end, is a violation', () => {
  const good = entry(key('ab'), text('cd'))
  assert.deepEqual(decode(good), { ab: 'cd' })
  for (let length = 1; length < good.length - 2; length++) {
    const shorter = Buffer.from(good)
    shorter[1] = length
    assert.throws(() => decode(shorter), ProtocolViolation, `${length}`)
  }
  for (const length of [good.length - 1, 127]) {
    const longer = Buffer.from(good)
    longer[1] = length
    assert.throws(() => decode(longer), ProtocolViolation)
  }
})

test('values that are neither text nor bytes are a TypeError of the caller', () => {
  for (const value of [1, null, undefined, true, {}, [], new Date(0), new ArrayBuffer(1), new Uint16Array(1)])
    assert.throws(() => checkMetadata({ a: value } as unknown as Metadata), TypeError)
  for (const metadata of [null, undefined, 'a', 1])
    assert.throws(() => checkMetadata(metadata as unknown as Metadata), TypeError)
  checkMetadata({ a: Buffer.from('x') })
})

for (const value of ['\ud800', 'a\ud800b', '\udc00', '\udc00\ud800', 'x\ud83d', '😀\ude00']) {
  test(`text with the lone surrogate of ${JSON.stringify(value)} is refused: UTF-8 has no bytes for it`, () => {
    assert.throws(() => checkMetadata({ a: value }), RangeError)
  })
}

test('text with surrogates in pairs is taken', () => {
  checkMetadata({ a: '😀', b: 'x😀😀y', c: '\ud83d\ude00' })
})

test('a header takes 8 KiB: metadata that fills it beside a timeout is encoded, one byte more is a RangeError', () => {
  // Tags and lengths: 3 for the entry, 3 for the key "a", 3 for a value of more than 127 bytes; 5 for the timeout.
  const most = HEADER_BYTES_MAX - 14
  assert.equal(encodeMetadata({ a: 'x'.repeat(most) }).length, HEADER_BYTES_MAX - 5)
  assert.throws(() => encodeMetadata({ a: 'x'.repeat(most + 1) }), RangeError)
  assert.throws(() => encodeMetadata({ a: 'é'.repeat(most / 2 + 1) }), RangeError)
})
