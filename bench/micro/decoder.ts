// The incremental decoder, beside the usual way (join what is left over with the next chunk, a view per frame) and beside a
// loop that reads lengths and ids only and is given whole frames. One operation is one frame, read from chunks as a socket
// gives them.

import { FrameDecoder } from '../../src/wire/decoder.ts'
import { Kind, writeHead } from '../../src/wire/frame.ts'
import type { IncomingFrame } from '../../src/wire/incoming-frame.ts'
import { type Candidate, compare } from './comparison.ts'

const HEAD_BYTES = 16
const CHUNK_BYTES = 64 * 1024
const FRAME_BYTES_MAX = 64 * 1024 * 1024

/** Frames one behind the other, with ids 1, 2, … */
function stream(frames: number, payloadBytes: number): Buffer {
  const frameBytes = HEAD_BYTES + payloadBytes
  const bytes = Buffer.alloc(frames * frameBytes, 7)
  for (let index = 0; index < frames; index++) {
    const start = index * frameBytes
    writeHead(bytes, start, start + frameBytes, Kind.request, 0, index + 1, 0x1234)
  }
  return bytes
}

function chunksOf(bytes: Buffer): readonly Buffer[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES))
}

/** What every candidate does with a frame. */
function digest(id: number, bytes: Buffer, payloadStart: number, end: number): number {
  return id + (end - payloadStart) + (end > payloadStart ? bytes[end - 1]! : 0)
}

function ours(chunks: readonly Buffer[]): Candidate {
  let sum = 0
  const onFrame = (frame: IncomingFrame): boolean => {
    sum += digest(frame.msgID, frame.bytes, frame.payloadStart, frame.end)
    return true
  }
  const decoder = new FrameDecoder({ onFrame }, FRAME_BYTES_MAX)
  const run = (): number => {
    sum = 0
    for (const chunk of chunks) decoder.push(chunk)
    return sum
  }
  return { name: 'FrameDecoder (src/wire/decoder.ts)', run }
}

function joining(chunks: readonly Buffer[]): Candidate {
  const run = (): number => {
    let sum = 0
    let rest: Buffer = Buffer.alloc(0)
    for (const chunk of chunks) {
      let bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const frameBytes = 4 + bytes.readUInt32BE(0)
        const frame = bytes.subarray(0, frameBytes)
        const payload = frame.subarray(HEAD_BYTES + frame.readUInt16BE(6))
        sum += digest(frame.readUInt32BE(8), payload, 0, payload.length)
        bytes = bytes.subarray(frameBytes)
      }
      rest = bytes
    }
    return sum
  }
  return { name: 'concat, subarray', run }
}

function lengthsOnly(bytes: Buffer): Candidate {
  const run = (): number => {
    let sum = 0
    for (let start = 0; start < bytes.length; ) {
      const end = start + 4 + bytes.readUInt32BE(start)
      sum += digest(bytes.readUInt32BE(start + 8), bytes, start + HEAD_BYTES, end)
      start = end
    }
    return sum
  }
  return { name: 'lengths and ids, whole frames', run }
}

for (const [frames, payloadBytes, size] of [
  [10_000, 16, '16 B'],
  [1_000, 1024, '1 KiB'],
  [64, 64 * 1024, '64 KiB'],
  [8, 1024 * 1024, '1 MiB'],
] as const) {
  const bytes = stream(frames, payloadBytes)
  const chunks = chunksOf(bytes)
  await compare(`a frame of ${size}, in chunks of 64 KiB`, frames, [joining(chunks), ours(chunks), lengthsOnly(bytes)])
}
