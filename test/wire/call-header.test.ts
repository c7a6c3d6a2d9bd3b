// The header of calls: remaining time and metadata, the limits, and the copy of a head that says a new time.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProtocolViolation } from '../../src/errors.ts'
import {
  decodeCallHeader,
  encodeMetadata,
  headWithTimeout,
  NO_HEADER,
  readTimeout,
  TIMEOUT_MAX_MS,
} from '../../src/wire/call-header.ts'
import { FrameWriter } from '../../src/wire/frame-writer.ts'
import * as arbitrary from './arbitrary.ts'
import { decodeOne } from './raw-frame.ts'

const PAYLOAD = Buffer.from('the payload')
const codec = {
  encode(value: Buffer, target: { buffer: Buffer; position: number }): void {
    target.position += value.copy(target.buffer, target.position)
  },
}

function decode(hex: string): { timeoutMs: number; metadata: object } {
  const header = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return decodeCallHeader(header, 0, header.length)
}

test('a time and metadata survive in a frame', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.option(arbitrary.metadata, { nil: undefined }), (timeoutMs, metadata) => {
      const frame = new FrameWriter().write(1, 7, 9, timeoutMs, metadata, codec, PAYLOAD)
      const { header, payload } = decodeOne(Buffer.from(frame.buffer.subarray(frame.start, frame.end)))
      const decoded = decodeCallHeader(header, 0, header.length)
      assert.deepEqual(decoded, { timeoutMs, metadata: metadata ?? {} })
      assert.deepEqual(payload, PAYLOAD)
    }),
  )
})

for (const [timeoutMs, written] of [
  [0, 0],
  [0.001, 1],
  [1, 1],
  [1.5, 2],
  [10_000, 10_000],
  [2 ** 32 - 1.5, 2 ** 32 - 1],
  [TIMEOUT_MAX_MS, TIMEOUT_MAX_MS],
  [TIMEOUT_MAX_MS + 1, 0],
  [Infinity, 0],
] as const) {
  test(`a timeout of ${timeoutMs} ms travels as ${written === 0 ? 'none' : written}`, () => {
    const frame = new FrameWriter().write(1, 1, 1, timeoutMs, undefined, codec, PAYLOAD)
    const { header } = decodeOne(Buffer.from(frame.buffer.subarray(frame.start, frame.end)))
    assert.equal(header.length, written === 0 ? 0 : 5)
    assert.equal(decodeCallHeader(header, 0, header.length).timeoutMs, written)
  })
}

test('fields may come in any order, and unknown ones are passed over', () => {
  const entry = '12 06 0a 01 61 12 01 62'
  const expected = { timeoutMs: 500, metadata: { a: 'b' } }
  for (const hex of [
    `0d f4010000 ${entry}`,
    `${entry} 0d f4010000`,
    `18 05 ${entry} 22 03 010203 0d f4010000 2d 01020304`,
    `0d 01000000 ${entry} 0d f4010000`,
  ])
    assert.deepEqual(decode(hex), expected)
})

test('no header says nothing, and a time of 0 is none', () => {
  assert.equal(decode(''), NO_HEADER)
  assert.deepEqual(decode('0d 00000000'), { timeoutMs: 0, metadata: {} })
  assert.deepEqual(decode('18 01'), { timeoutMs: 0, metadata: {} })
})

test('a header that is cut, or has a field of the wrong type, is a violation', () => {
  for (const hex of [
    '0d f40100',
    '0d',
    '08 05',
    '09 0102030405060708',
    '0a 00',
    '12',
    '12 05 0a',
    '10 01',
    '15 01020304',
    '0b',
    '00',
  ])
    assert.throws(() => decode(hex), ProtocolViolation, hex)
})

test('a header of 8 KiB is read, a larger one is a violation', () => {
  const padded = (bytes: number): Buffer => {
    const header = Buffer.alloc(bytes)
    header[0] = 0x1a
    header[1] = ((bytes - 3) & 127) | 128
    header[2] = (bytes - 3) >> 7
    return header
  }
  assert.deepEqual(decodeCallHeader(padded(8192), 0, 8192), { timeoutMs: 0, metadata: {} })
  assert.throws(() => decodeCallHeader(padded(8193), 0, 8193), ProtocolViolation)
})

test('a header is read within its range of a larger buffer', () => {
  const bytes = Buffer.from('ffffff 0df4010000 ffffff'.replaceAll(' ', ''), 'hex')
  assert.equal(decodeCallHeader(bytes, 3, 8).timeoutMs, 500)
  assert.equal(readTimeout(bytes, 3, 8), 500)
  assert.equal(readTimeout(bytes, 3, 7), 0)
  assert.equal(readTimeout(bytes, 0, 8), 0)
})

for (const metadata of [undefined, { a: 'b', c: new Uint8Array([1]) }]) {
  const what = metadata === undefined ? 'without metadata' : 'with metadata'

  test(`a copy of a head ${what} says a new time; the frame that it comes from stays as it is`, () => {
    const writer = new FrameWriter()
    writer.write(1, 1, 1, 0, undefined, codec, PAYLOAD)
    const frame = writer.write(1, 7, 9, 10_000, metadata, codec, PAYLOAD)
    const before = Buffer.from(frame.buffer)
    for (const [remainingMs, says] of [
      [9000, 9000],
      [8999.2, 9000],
      [1, 1],
      [0.3, 1],
      [0, 1],
      [-50, 1],
    ] as const) {
      const head = headWithTimeout(frame.buffer, frame.start, frame.headEnd, remainingMs)
      assert.equal(head.length, frame.headEnd - frame.start)
      assert.notEqual(head.buffer, frame.buffer.buffer)
      const late = decodeOne(Buffer.concat([head, frame.buffer.subarray(frame.headEnd, frame.end)]))
      assert.deepEqual(decodeCallHeader(late.header, 0, late.header.length), {
        timeoutMs: says,
        metadata: metadata ?? {},
      })
      assert.deepEqual([late.kind, late.msgID, late.methodID, late.payload], [1, 7, 9, PAYLOAD])
    }
    assert.deepEqual(frame.buffer, before)
  })

  test(`a copy of a head ${what} and without a time has none either`, () => {
    const frame = new FrameWriter().write(1, 7, 9, 0, metadata, codec, PAYLOAD)
    const head = headWithTimeout(frame.buffer, frame.start, frame.headEnd, 5000)
    assert.deepEqual(head, frame.buffer.subarray(frame.start, frame.headEnd))
  })
}

test('metadata is encoded without the time, which stands in front of it', () => {
  const metadata = { a: 'b' }
  const frame = new FrameWriter().write(1, 7, 9, 500, metadata, codec, PAYLOAD)
  const header = frame.buffer.subarray(frame.start + 16, frame.headEnd)
  assert.equal(header.toString('hex'), `0df4010000${encodeMetadata(metadata).toString('hex')}`)
})
