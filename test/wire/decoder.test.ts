// The incremental decoder: the same frames however the stream is cut, nothing kept of a frame that is too long, no more
// memory than has arrived is worth, nothing interpreted behind a violation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProtocolViolation } from '../../src/errors.ts'
import { FrameDecoder } from '../../src/wire/decoder.ts'
import { vectors } from './document.ts'
import { collectGarbage } from './garbage.ts'
import { Collector, decodeChunks, decodeOne, type RawFrame, rawFrame } from './raw-frame.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** One frame of every kind, some of them twice, with and without header and payload. */
const ALL_KINDS = [...vectors].filter(([name]) => name !== 'preface').map(([, bytes]) => bytes)
const STREAM = Buffer.concat(ALL_KINDS)
const FRAMES: readonly RawFrame[] = ALL_KINDS.map((bytes) => ({
  kind: bytes.readUInt8(4),
  flags: bytes.readUInt8(5),
  msgID: bytes.readUInt32BE(8),
  methodID: bytes.readUInt32BE(12),
  header: bytes.subarray(16, 16 + bytes.readUInt16BE(6)),
  payload: bytes.subarray(16 + bytes.readUInt16BE(6)),
}))

/** A chunk as it comes from a socket: a buffer of its own, overwritten once it has been decoded. */
function* disposable(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) {
    const chunk = Buffer.from(piece)
    yield chunk
    chunk.fill(0xee)
  }
}

function* cut(stream: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let offset = 0; offset < stream.length; offset += chunkBytes) yield stream.subarray(offset, offset + chunkBytes)
}

function lengthField(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

test('a stream of all kinds decodes to the same frames for every point at which it is split', () => {
  assert.deepEqual(decodeChunks([STREAM]), FRAMES)
  for (let point = 0; point <= STREAM.length; point++) {
    const chunks = disposable([STREAM.subarray(0, point), STREAM.subarray(point)])
    assert.deepEqual(decodeChunks(chunks), FRAMES, `split at ${point}`)
  }
})

test('a stream of all kinds decodes in chunks of every size, from one byte on', () => {
  for (let chunkBytes = 1; chunkBytes <= 130; chunkBytes++)
    assert.deepEqual(decodeChunks(disposable(cut(STREAM, chunkBytes))), FRAMES, `chunks of ${chunkBytes}`)
})

test('any frames in any chunks decode to themselves', () => {
  const part = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  const frame = fc.record(
    {
      kind: fc.nat(255),
      flags: fc.nat(255),
      msgID: fc.nat(2 ** 32 - 1),
      methodID: fc.nat(2 ** 32 - 1),
      header: part,
      payload: part,
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(5000), { maxLength: 12 }), (frames, points) => {
      const stream = Buffer.concat(frames.map(rawFrame))
      const edges = [0, ...points.map((point) => Math.min(point, stream.length)).sort((one, other) => one - other)]
      const chunks = edges.map((edge, index) => stream.subarray(edge, edges[index + 1] ?? stream.length))
      assert.deepEqual(decodeChunks(disposable(chunks)), frames)
    }),
  )
})

test('the same decoder takes small frames after large ones and large ones after small ones', () => {
  const frames = [10, 70 * KIB, 3, 300 * KIB, 64 * KIB - 16, 64 * KIB, 1, 0].map((size, index) =>
    rawFrame({ kind: 1, msgID: index + 1, payload: Buffer.alloc(size, index + 1) }),
  )
  for (const chunkBytes of [1000, 4096, 65_536, 100_000]) {
    const decoded = decodeChunks(disposable(cut(Buffer.concat(frames), chunkBytes)))
    assert.deepEqual(decoded.map(rawFrame), frames)
  }
})

test('a decoder says whether a frame has begun and is not complete', () => {
  const decoder = new FrameDecoder(new Collector(), MIB)
  const frame = rawFrame({ kind: 1, payload: Buffer.alloc(10) })
  assert.equal(decoder.isMidFrame, false)
  for (const byte of cut(frame.subarray(0, 25), 1)) {
    decoder.push(byte)
    assert.equal(decoder.isMidFrame, true)
  }
  decoder.push(frame.subarray(25))
  assert.equal(decoder.isMidFrame, false)
  decoder.push(Buffer.concat([frame, frame.subarray(0, 1)]))
  assert.equal(decoder.isMidFrame, true)
})

const MAX = 16 * KIB
const WRONG_LENGTHS = [0, 1, 11, MAX + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 5, 2 ** 32 - 1]

for (const length of WRONG_LENGTHS) {
  test(`a length of ${length} is a violation as soon as its fourth byte is there`, () => {
    for (const chunkBytes of [1, 2, 3, 4]) {
      const collector = new Collector()
      const decoder = new FrameDecoder(collector, MAX)
      const chunks = [...cut(lengthField(length), chunkBytes)]
      const last = chunks.pop()!
      for (const chunk of chunks) decoder.push(chunk)
      assert.throws(() => decoder.push(last), ProtocolViolation)
      assert.equal(collector.frames.length, 0)
    }
  })

  test(`a length of ${length} behind a good frame lets that frame through and nothing else`, () => {
    const good = rawFrame({ kind: 0x83, payload: Buffer.alloc(8, 1) })
    const collector = new Collector()
    const decoder = new FrameDecoder(collector, MAX)
    assert.throws(() => decoder.push(Buffer.concat([good, lengthField(length), good, good])), ProtocolViolation)
    decoder.push(good)
    assert.deepEqual(collector.frames.map(rawFrame), [good])
  })
}

test('the smallest and the largest length are accepted', () => {
  const smallest = rawFrame({ kind: 7 })
  const largest = rawFrame({ kind: 1, payload: Buffer.alloc(MAX - 12, 5) })
  assert.equal(largest.readUInt32BE(0), MAX)
  for (const chunkBytes of [1, 4, 5, 16, 17, 1000, 2 * MAX]) {
    const decoded = decodeChunks(disposable(cut(Buffer.concat([smallest, largest]), chunkBytes)), MAX)
    assert.deepEqual(decoded.map(rawFrame), [smallest, largest])
  }
})

test('a new limit holds from the next frame on', () => {
  const collector = new Collector()
  const decoder = new FrameDecoder(collector, 100)
  const large = rawFrame({ kind: 1, payload: Buffer.alloc(200) })
  decoder.frameMaxBytes = 300
  decoder.push(large)
  assert.equal(collector.frames.length, 1)
  decoder.frameMaxBytes = 100
  assert.throws(() => decoder.push(large), ProtocolViolation)
})

test('a header that is longer than its frame is a violation, and one that fills it is not', () => {
  for (const [headerBytes, isGood] of [
    [20, true],
    [21, false],
    [0xffff, false],
  ] as const) {
    const frame = rawFrame({ kind: 1, payload: Buffer.alloc(20) })
    frame.writeUInt16BE(headerBytes, 6)
    for (const chunkBytes of [1, 7, 36]) {
      const collector = new Collector()
      const decoder = new FrameDecoder(collector, MAX)
      const feed = (): void => {
        for (const chunk of cut(frame, chunkBytes)) decoder.push(chunk)
      }
      if (isGood) {
        feed()
        assert.equal(collector.frames[0]?.header.length, headerBytes)
        continue
      }
      assert.throws(feed, ProtocolViolation)
      decoder.push(frame)
      decoder.push(rawFrame({ kind: 1 }))
      assert.equal(collector.frames.length, 0)
    }
  }
})

test('a sink that says stop gets nothing more, within the chunk and after it', () => {
  for (const chunkBytes of [STREAM.length, 7]) {
    const collector = new Collector(2)
    const decoder = new FrameDecoder(collector, MIB)
    for (const chunk of cut(STREAM, chunkBytes)) decoder.push(chunk)
    assert.deepEqual(collector.frames, FRAMES.slice(0, 2))
  }
})

test('a decoder that was stopped by its owner decodes nothing more', () => {
  const collector = new Collector()
  const decoder = new FrameDecoder(collector, MIB)
  decoder.push(STREAM.subarray(0, 30))
  decoder.stop()
  decoder.push(STREAM.subarray(30))
  assert.equal(collector.frames.length, 0)
})

test('a stop within a frame that came in pieces leaves the rest of its chunk alone', () => {
  const frame = rawFrame({ kind: 1, payload: Buffer.alloc(40, 1) })
  const collector = new Collector(1)
  const decoder = new FrameDecoder(collector, MIB)
  decoder.push(frame.subarray(0, 20))
  decoder.push(Buffer.concat([frame.subarray(20), lengthField(0)]))
  assert.deepEqual(collector.frames.map(rawFrame), [frame])
})

/** The memory of buffers that `make` leaves behind, per object that it makes. */
function bytesHeldBy(count: number, make: () => unknown): number {
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  const kept = Array.from({ length: count }, make)
  collectGarbage()
  return (process.memoryUsage().arrayBuffers - before) / kept.length
}

test('a declared length alone makes a decoder allocate 64 KiB at most', () => {
  for (const declared of [64 * KIB, MIB, 512 * MIB]) {
    const held = bytesHeldBy(200, () => {
      const decoder = new FrameDecoder(new Collector(), 1024 * MIB)
      decoder.push(lengthField(declared))
      decoder.push(Buffer.alloc(13))
      return decoder
    })
    assert.ok(held <= 65 * KIB, `${held} bytes for a declared length of ${declared}`)
  }
})

test('what a decoder allocates for a frame is bounded by a multiple of what has arrived of it', () => {
  const arrived = 80 * KIB
  const held = bytesHeldBy(20, () => {
    const decoder = new FrameDecoder(new Collector(), 1024 * MIB)
    for (const chunk of cut(Buffer.concat([lengthField(512 * MIB), Buffer.alloc(arrived)]), 8 * KIB))
      decoder.push(Buffer.from(chunk))
    return decoder
  })
  assert.ok(held <= 32 * arrived, `${held} bytes for ${arrived} that have arrived`)
})

test('a decoder that has had a large frame allocates no more for a declared length than that frame had', () => {
  const large = rawFrame({ kind: 1, payload: Buffer.alloc(300 * KIB) })
  const decoders = Array.from({ length: 20 }, () => {
    const decoder = new FrameDecoder(new Collector(), 1024 * MIB)
    for (const chunk of cut(large, 100 * KIB)) decoder.push(chunk)
    return decoder
  })
  const held = bytesHeldBy(decoders.length, () => {
    const decoder = decoders.pop()!
    decoder.push(lengthField(512 * MIB))
    decoder.push(Buffer.alloc(13))
    return decoder
  })
  assert.ok(held <= 302 * KIB, `${held} bytes`)
})

test('a frame of 1 MiB in chunks of 64 bytes is copied about once, not once per chunk', (t) => {
  const frame = rawFrame({ kind: 1, msgID: 7, payload: Buffer.alloc(MIB, 0x5a) })
  let copied = 0
  const copy = Buffer.prototype.copy
  t.mock.method(Buffer.prototype, 'copy', function (this: Buffer, ...to: Parameters<Buffer['copy']>): number {
    const bytes = copy.apply(this, to)
    copied += bytes
    return bytes
  })
  const decoded = decodeChunks(cut(frame, 64), 2 * MIB)
  t.mock.restoreAll()
  assert.deepEqual(decoded.map(rawFrame), [frame])
  assert.ok(copied >= frame.length - 64, 'the copies were counted')
  assert.ok(copied <= 2 * frame.length, `${copied} bytes copied for a frame of ${frame.length}`)
})

test('a frame that lies within one chunk is given to the sink without a copy', () => {
  const chunk = Buffer.concat([rawFrame({ kind: 1, payload: Buffer.alloc(100) }), rawFrame({ kind: 2 })])
  const seen: Buffer[] = []
  const decoder = new FrameDecoder(
    {
      onFrame: ({ bytes }) => {
        seen.push(bytes)
        return true
      },
    },
    MAX,
  )
  decoder.push(chunk)
  assert.deepEqual(
    seen.map((bytes) => bytes === chunk),
    [true, true],
  )
})

test('a frame owns its bytes when its buffer was made for it, and no other frame sees that buffer', () => {
  const seen: { bytes: Buffer; isOwned: boolean }[] = []
  const decoder = new FrameDecoder(
    {
      onFrame: ({ bytes, isOwned }) => {
        seen.push({ bytes, isOwned })
        return true
      },
    },
    2 * MIB,
  )
  const small = rawFrame({ kind: 1, payload: Buffer.alloc(100) })
  const large = rawFrame({ kind: 2, payload: Buffer.alloc(200 * KIB) })
  for (const chunk of cut(Buffer.concat([small, large, small, large, small]), 90 * KIB)) decoder.push(chunk)
  assert.deepEqual(
    seen.map(({ isOwned }) => isOwned),
    [false, true, false, true, false],
  )
  for (const { bytes } of seen.filter(({ isOwned }) => isOwned))
    assert.equal(seen.filter((other) => other.bytes.buffer === bytes.buffer).length, 1)
})

test('every frame of the page is one frame', () => {
  for (const bytes of ALL_KINDS) assert.deepEqual(rawFrame(decodeOne(bytes)), bytes)
})

test('a frame says its size, whether it has a header and a payload, and reads its payload as a message', () => {
  const seen: string[] = []
  const decoder = new FrameDecoder(
    {
      onFrame: (frame) => {
        seen.push(`${frame.frameBytes} ${frame.hasHeader} ${frame.hasPayload} ${frame.payloadReader().next()}`)
        return true
      },
    },
    MAX,
  )
  const header = Buffer.from('0df4010000', 'hex')
  const payload = Buffer.from('1801', 'hex')
  const frames = [{ kind: 1 }, { kind: 1, header }, { kind: 1, payload }, { kind: 1, header, payload }].map(rawFrame)
  decoder.push(Buffer.concat(frames))
  assert.deepEqual(seen, ['16 false false 0', '21 true false 0', '18 false true 3', '23 true true 3'])
})

test('an interrupted decoder says how much it has taken, and goes on with the rest', () => {
  const frames = [1, 2, 3].map((msgID) => rawFrame({ msgID }))
  const seen: number[] = []
  const decoder: FrameDecoder = new FrameDecoder(
    {
      onFrame: ({ msgID }) => {
        seen.push(msgID)
        decoder.interrupt()
        return true
      },
    },
    1_000,
  )
  const all = Buffer.concat(frames)
  let left = all
  // The first frame begins in an earlier chunk, which is taken whole.
  assert.equal(decoder.push(left.subarray(0, 7)), 7)
  left = left.subarray(7)
  for (const expected of [[1], [1, 2], [1, 2, 3]]) {
    left = left.subarray(decoder.push(left))
    assert.deepEqual(seen, expected)
  }
  assert.equal(left.length, 0)
})
