// The frame writer, beside a buffer of its own for every frame and beside joining a head and a payload. All of them end
// with the bytes of the payload in one piece behind the head. One operation is one frame.

import type { EncodeTarget } from 'gorums'
import { HEAD_BYTES, Kind } from '../../src/wire/frame.ts'
import { FrameWriter } from '../../src/wire/frame-writer.ts'
import { type Candidate, compare } from './comparison.ts'

const METHOD_ID = 0x1234

/** A codec that does nothing but put bytes in their place, so that the writer is what is measured. */
const copying = {
  encode(value: Uint8Array, target: EncodeTarget): void {
    const end = target.position + value.length
    if (target.buffer.length < end) {
      const larger = Buffer.allocUnsafeSlow(end)
      target.buffer.copy(larger, 0, 0, target.position)
      target.buffer = larger
    }
    target.buffer.set(value, target.position)
    target.position = end
  },
}

/** What every candidate does with a frame: all of its head counts, and its last byte. */
function digest(buffer: Buffer, start: number, end: number): number {
  return end - start + buffer[start + 3]! + buffer[start + 11]! + buffer[start + 15]! + buffer[end - 1]!
}

function ours(payload: Uint8Array, operations: number): Candidate {
  const writer = new FrameWriter()
  const run = (): number => {
    let sum = 0
    for (let id = 1; id <= operations; id++) {
      const { buffer, start, end } = writer.write(Kind.request, id, METHOD_ID, 0, undefined, copying, payload)
      sum += digest(buffer, start, end)
    }
    return sum
  }
  return { name: 'FrameWriter (src/wire/frame-writer.ts)', run }
}

function writeHead(frame: Buffer, frameBytes: number, id: number): void {
  frame.writeUInt32BE(frameBytes - 4, 0)
  frame[4] = Kind.request
  frame[5] = 0
  frame.writeUInt16BE(0, 6)
  frame.writeUInt32BE(id, 8)
  frame.writeUInt32BE(METHOD_ID, 12)
}

function ownBuffer(payload: Uint8Array, operations: number): Candidate {
  const run = (): number => {
    let sum = 0
    for (let id = 1; id <= operations; id++) {
      const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
      writeHead(frame, frame.length, id)
      frame.set(payload, HEAD_BYTES)
      sum += digest(frame, 0, frame.length)
    }
    return sum
  }
  return { name: 'a buffer per frame', run }
}

function joined(payload: Uint8Array, operations: number): Candidate {
  const run = (): number => {
    let sum = 0
    for (let id = 1; id <= operations; id++) {
      const head = Buffer.allocUnsafe(HEAD_BYTES)
      writeHead(head, HEAD_BYTES + payload.length, id)
      const frame = Buffer.concat([head, payload])
      sum += digest(frame, 0, frame.length)
    }
    return sum
  }
  return { name: 'concat head and payload', run }
}

for (const [operations, payloadBytes, size] of [
  [1_000, 16, '16 B'],
  [1_000, 1024, '1 KiB'],
  [64, 64 * 1024, '64 KiB'],
  [8, 1024 * 1024, '1 MiB'],
] as const) {
  const payload = new Uint8Array(payloadBytes).fill(7)
  await compare(`a frame of ${size}`, operations, [
    ownBuffer(payload, operations),
    joined(payload, operations),
    ours(payload, operations),
  ])
}
