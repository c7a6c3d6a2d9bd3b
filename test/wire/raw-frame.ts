// Frames as tests see them: built from their parts without the encoder, and collected from a decoder as copies.

import { FrameDecoder, type FrameSink } from '../../src/wire/decoder.ts'
import type { IncomingFrame } from '../../src/wire/incoming-frame.ts'

export interface RawFrame {
  readonly kind: number
  readonly flags: number
  readonly msgID: number
  readonly methodID: number
  readonly header: Buffer
  readonly payload: Buffer
}

/** The bytes of a frame. What is left out is 0 or empty. */
export function rawFrame(parts: Partial<RawFrame>): Buffer {
  const { kind = 0, flags = 0, msgID = 0, methodID = 0, header = Buffer.alloc(0), payload = Buffer.alloc(0) } = parts
  const head = Buffer.alloc(16)
  head.writeUInt32BE(12 + header.length + payload.length, 0)
  head.writeUInt8(kind, 4)
  head.writeUInt8(flags, 5)
  head.writeUInt16BE(header.length, 6)
  head.writeUInt32BE(msgID, 8)
  head.writeUInt32BE(methodID, 12)
  return Buffer.concat([head, header, payload])
}

/** A sink that keeps copies of what it is given. */
export class Collector implements FrameSink {
  readonly frames: RawFrame[] = []
  /** The number of frames after which it says stop. */
  readonly #stopAfter: number

  constructor(stopAfter = Infinity) {
    this.#stopAfter = stopAfter
  }

  onFrame({ kind, flags, msgID, methodID, bytes, headerStart, payloadStart, end }: IncomingFrame): boolean {
    this.frames.push({
      kind,
      flags,
      msgID,
      methodID,
      header: Buffer.from(bytes.subarray(headerStart, payloadStart)),
      payload: Buffer.from(bytes.subarray(payloadStart, end)),
    })
    return this.frames.length < this.#stopAfter
  }
}

/** Decodes a stream that comes in the given chunks. */
export function decodeChunks(chunks: Iterable<Buffer>, lengthMax = 1024 * 1024): RawFrame[] {
  const collector = new Collector()
  const decoder = new FrameDecoder(collector, lengthMax)
  for (const chunk of chunks) decoder.push(chunk)
  return collector.frames
}

/** The one frame that the bytes are. */
export function decodeOne(bytes: Buffer): RawFrame {
  const frames = decodeChunks([bytes])
  const consumed = frames.reduce((sum, frame) => sum + 16 + frame.header.length + frame.payload.length, 0)
  if (frames.length !== 1 || consumed !== bytes.length) throw new Error(`${frames.length} frames, not one`)
  return frames[0]!
}
