// Where frames are encoded: frames that were finished never change, whatever is encoded, fails or grows after them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Metadata } from '../../src/errors.ts'
import { decodeCallHeader } from '../../src/wire/call-header.ts'
import { type Frame, FrameWriter, type PayloadEncoder } from '../../src/wire/frame-writer.ts'
import * as arbitrary from './arbitrary.ts'
import { decodeOne, rawFrame } from './raw-frame.ts'

const KIB = 1024

type Target = Parameters<PayloadEncoder<Uint8Array>['encode']>[1]

/** Writes bytes, into a larger buffer of its own making when they do not fit. */
const bytesCodec: PayloadEncoder<Uint8Array> = {
  encode(value, target) {
    makeRoom(target, value.length)
    target.buffer.set(value, target.position)
    target.position += value.length
  },
}

function makeRoom(target: Target, bytes: number): void {
  if (target.buffer.length - target.position >= bytes) return
  const larger = Buffer.alloc(target.position + bytes)
  target.buffer.copy(larger, 0, 0, target.position)
  target.buffer = larger
}

function bytesOf(frame: Frame): Buffer {
  return Buffer.from(frame.buffer.subarray(frame.start, frame.end))
}

function frameOf(msgID: number, payload: Uint8Array, kind = 1, methodID = 9): Buffer {
  return rawFrame({ kind, msgID, methodID, payload: Buffer.from(payload) })
}

test('every frame keeps its bytes, however many and how large the frames are that follow', () => {
  const part = fc.record(
    {
      size: fc.oneof(fc.nat(100), fc.nat(3000), fc.integer({ min: 60 * KIB, max: 70 * KIB })),
      timeoutMs: fc.constantFrom(0, 500),
      metadata: fc.option(arbitrary.metadata, { nil: undefined }),
      fails: fc.boolean(),
    },
    { noNullPrototype: true },
  )
  const failing: PayloadEncoder<Uint8Array> = {
    encode(value, target) {
      bytesCodec.encode(value, target)
      throw new TypeError('can not be encoded')
    },
  }
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const writer = new FrameWriter()
      const written: { frame: Frame; payload: Buffer; timeoutMs: number; metadata: Metadata | undefined }[] = []
      parts.forEach(({ size, timeoutMs, metadata, fails }, index) => {
        const payload = Buffer.alloc(size, index + 1)
        if (fails) assert.throws(() => writer.write(1, index, 9, timeoutMs, metadata, failing, payload), TypeError)
        else
          written.push({
            frame: writer.write(1, index, 9, timeoutMs, metadata, bytesCodec, payload),
            payload,
            timeoutMs,
            metadata,
          })
      })
      for (const { frame, payload, timeoutMs, metadata } of written) {
        const decoded = decodeOne(bytesOf(frame))
        assert.equal(frame.bytes, frame.end - frame.start)
        assert.deepEqual(decoded.payload, payload)
        const header = decodeCallHeader(decoded.header, 0, decoded.header.length)
        assert.deepEqual(header, { timeoutMs, metadata: metadata ?? {} })
      }
    }),
    { numRuns: 50 },
  )
})

test('small frames lie one behind the other in one buffer', () => {
  const writer = new FrameWriter()
  const frames = Array.from({ length: 5 }, (_, index) =>
    writer.write(1, index + 1, 9, 0, undefined, bytesCodec, Buffer.alloc(10)),
  )
  for (const [index, frame] of frames.entries()) {
    assert.equal(frame.buffer, frames[0]!.buffer)
    assert.equal(frame.start, index * 26)
    assert.equal(frame.end, frame.start + 26)
  }
})

test('a payload of many times the shared buffer is one frame, and small ones go on behind it', () => {
  const writer = new FrameWriter()
  const before = writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.from('before'))
  const large = writer.write(1, 2, 9, 0, undefined, bytesCodec, Buffer.alloc(1024 * KIB, 7))
  const behind = writer.write(1, 3, 9, 0, undefined, bytesCodec, Buffer.from('behind'))
  assert.deepEqual(bytesOf(before), frameOf(1, Buffer.from('before')))
  assert.deepEqual(bytesOf(large), frameOf(2, Buffer.alloc(1024 * KIB, 7)))
  assert.deepEqual(bytesOf(behind), frameOf(3, Buffer.from('behind')))
})

test('a small frame that is to stand alone is a copy with the same bytes, a large one itself', () => {
  const writer = new FrameWriter()
  writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.from('before'))
  const small = writer.write(1, 2, 9, 500, { a: 'b' }, bytesCodec, Buffer.from('small'))
  const copy = small.alone
  assert.deepEqual(bytesOf(copy), bytesOf(small))
  assert.notEqual(copy.buffer.buffer, small.buffer.buffer, 'other memory')
  assert.deepEqual([copy.start, copy.headEnd, copy.bytes], [0, small.headEnd - small.start, small.bytes])
  assert.equal(copy.alone, copy)
  const large = writer.write(1, 3, 9, 0, undefined, bytesCodec, Buffer.alloc(100 * KIB))
  assert.equal(large.alone, large)
})

test('large frames have buffers of their own, and leave the shared one to the small frames around them', () => {
  const writer = new FrameWriter()
  const write = (msgID: number, bytes: number): Frame =>
    writer.write(1, msgID, 9, 0, undefined, bytesCodec, Buffer.alloc(bytes, msgID))
  const first = write(1, 100)
  const large = [write(2, 100 * KIB), write(3, 100 * KIB), write(4, 100 * KIB)]
  const [ofOtherSize, second, third] = [write(5, 100), write(6, 100), write(7, 100)]
  assert.equal(new Set([first, ...large].map((frame) => frame.buffer)).size, 4)
  assert.deepEqual([second.buffer, third.buffer], [first.buffer, first.buffer])
  assert.deepEqual([second.start, third.start], [first.end, second.end])
  for (const [index, frame] of [first, ...large, ofOtherSize, second, third].entries())
    assert.deepEqual(bytesOf(frame), frameOf(index + 1, Buffer.alloc(frame.bytes - 16, index + 1)))
})

test('a buffer is left behind when it is full, and never written to again', () => {
  const writer = new FrameWriter()
  const first = writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.alloc(1000, 1))
  const { buffer } = first
  let last = first
  let count = 1
  while (last.buffer === buffer) last = writer.write(1, ++count, 9, 0, undefined, bytesCodec, Buffer.alloc(1000, 1))
  const full = Buffer.from(buffer)
  for (let index = 0; index < 100; index++) writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.alloc(1000, 2))
  assert.deepEqual(buffer, full)
  assert.ok(count > 10, `${count} frames of 1 KB shared a buffer`)
})

test('frames of one size do not make a shared buffer grow, which would copy all that is in it', () => {
  const writer = new FrameWriter()
  for (const bytes of [1000, 3 * KIB, 4 * KIB, 8 * KIB, 15 * KIB]) {
    const frames = Array.from({ length: 100 }, () =>
      writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.alloc(bytes)),
    )
    // The first is as large as nobody expected.
    for (const { buffer } of frames.slice(1)) assert.equal(buffer.length, frames[1]!.buffer.length, `${bytes} bytes`)
    assert.equal(frames[1]!.buffer.length, 64 * KIB)
  }
})

test('what an encoder wrote before it threw is given up, and its exception passes through', () => {
  const writer = new FrameWriter()
  const before = writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.from('before'))
  const { position } = writer
  for (const bytes of [10, 200 * KIB]) {
    const failure = new RangeError('too deep')
    const failing: PayloadEncoder<number> = {
      encode(size, target) {
        bytesCodec.encode(Buffer.alloc(size, 0xee), target)
        throw failure
      },
    }
    assert.throws(
      () => writer.write(1, 2, 9, 500, { a: 'b' }, failing, bytes),
      (error) => error === failure,
    )
    assert.deepEqual([writer.buffer === before.buffer, writer.position], [true, position])
  }
  const behind = writer.write(1, 3, 9, 0, undefined, bytesCodec, Buffer.from('behind'))
  assert.deepEqual(bytesOf(before), frameOf(1, Buffer.from('before')))
  assert.deepEqual(bytesOf(behind), frameOf(3, Buffer.from('behind')))
})

test('metadata that does not fit a header is a RangeError; the writer goes on', () => {
  const writer = new FrameWriter()
  const before = writer.write(1, 1, 9, 0, undefined, bytesCodec, Buffer.from('before'))
  const { position } = writer
  assert.throws(
    () => writer.write(1, 2, 9, 500, { a: 'x'.repeat(8 * KIB) }, bytesCodec, Buffer.from('never')),
    RangeError,
  )
  assert.equal(writer.position, position)
  const behind = writer.write(1, 3, 9, 0, undefined, bytesCodec, Buffer.from('behind'))
  assert.deepEqual(
    [bytesOf(before), bytesOf(behind)],
    [frameOf(1, Buffer.from('before')), frameOf(3, Buffer.from('behind'))],
  )
})

test('metadata of almost 8 KiB fits wherever the writer stands in its buffer', () => {
  const metadata = { a: 'x'.repeat(8000) }
  for (let filled = 40 * KIB; filled < 66 * KIB; filled += 999) {
    const writer = new FrameWriter()
    const before = writer.write(1, 1, 10, 0, undefined, bytesCodec, Buffer.alloc(filled, 5))
    const frame = writer.write(1, 2, 9, 500, metadata, bytesCodec, Buffer.from('payload'))
    const { header, payload } = decodeOne(bytesOf(frame))
    assert.deepEqual(decodeCallHeader(header, 0, header.length), { timeoutMs: 500, metadata })
    assert.equal(payload.toString(), 'payload')
    assert.deepEqual(bytesOf(before), frameOf(1, Buffer.alloc(filled, 5), 1, 10))
  }
})

test('a call that is made while a value is encoded gets a frame of its own', () => {
  const writer = new FrameWriter()
  const inner: Frame[] = []
  const nesting: PayloadEncoder<number> = {
    encode(depth, target) {
      bytesCodec.encode(Buffer.alloc(20, depth), target)
      if (depth > 0) inner.push(writer.write(1, depth, 9, 0, undefined, nesting, depth - 1))
      bytesCodec.encode(Buffer.alloc(20, depth), target)
    },
  }
  const outer = writer.write(1, 100, 9, 0, undefined, nesting, 3)
  const behind = writer.write(1, 200, 9, 0, undefined, bytesCodec, Buffer.from('behind'))
  assert.deepEqual(bytesOf(outer), frameOf(100, Buffer.alloc(40, 3)))
  assert.deepEqual(inner.map(bytesOf), [
    frameOf(1, Buffer.alloc(40, 0)),
    frameOf(2, Buffer.alloc(40, 1)),
    frameOf(3, Buffer.alloc(40, 2)),
  ])
  assert.deepEqual(bytesOf(behind), frameOf(200, Buffer.from('behind')))
})

test('a nested call that fails leaves the frame around it alone', () => {
  const writer = new FrameWriter()
  const failing: PayloadEncoder<string> = {
    encode() {
      throw new TypeError('inner')
    },
  }
  const nesting: PayloadEncoder<string> = {
    encode(value, target) {
      assert.throws(() => writer.write(1, 5, 9, 0, undefined, failing, ''), TypeError)
      bytesCodec.encode(Buffer.from(value), target)
    },
  }
  const frame = writer.write(1, 1, 9, 0, undefined, nesting, 'outer')
  assert.deepEqual(bytesOf(frame), frameOf(1, Buffer.from('outer')))
})

test('bytes become a payload as they are, of any size, or none', () => {
  const writer = new FrameWriter()
  for (const size of [0, 1, 3000, 64 * KIB, 300 * KIB]) {
    const payload = Buffer.alloc(size, 3)
    assert.deepEqual(bytesOf(writer.writeBytes(6, 4, 9, undefined, payload)), frameOf(4, payload, 6))
  }
  const empty = writer.writeBytes(5, 2 ** 32 - 1, 2 ** 32 - 1, undefined)
  assert.deepEqual(bytesOf(empty), frameOf(2 ** 32 - 1, Buffer.alloc(0), 5, 2 ** 32 - 1))
  const { header } = decodeOne(bytesOf(writer.writeBytes(3, 1, 9, { a: 'b' }, Buffer.from('x'))))
  assert.deepEqual(decodeCallHeader(header, 0, header.length), { timeoutMs: 0, metadata: { a: 'b' } })
})
