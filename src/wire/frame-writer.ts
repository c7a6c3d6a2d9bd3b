// Where frames are encoded: an append-only buffer in which a codec writes directly behind the reserved head. A frame is
// encoded once and then only referred to; buffers are never changed after a frame is finished, only left behind.

import type { Metadata } from '../errors.ts'
import { encodeMetadata, TIMEOUT_BYTES, TIMEOUT_MAX_MS, writeTimeout } from './call-header.ts'
import { HEAD_BYTES, writeHead } from './frame.ts'

/** The size of a buffer that frames share, bytes. */
const SHARED_BYTES = 64 * 1024
/** A new buffer is begun when less than this is left beyond what a frame is expected to take: growing one copies it. */
const ROOM_BYTES = 2 * 1024
/** A frame that is expected to be larger gets a buffer of its own. */
const LARGE_BYTES = 16 * 1024
/** How many methods' last frame sizes are remembered; methods share places by their ids. */
const HINTS = 64

/** A finished frame: `buffer[start, headEnd)` is its head and header, `[headEnd, end)` its payload. Shared by all who send it. */
export class Frame {
  readonly buffer: Buffer
  readonly start: number
  readonly headEnd: number
  readonly end: number

  constructor(buffer: Buffer, start: number, headEnd: number, end: number) {
    this.buffer = buffer
    this.start = start
    this.headEnd = headEnd
    this.end = end
  }

  get bytes(): number {
    return this.end - this.start
  }

  /** For a frame that will wait: itself, or a copy when it would keep a buffer in which it is a small part. */
  get alone(): Frame {
    if (this.bytes * 2 >= this.buffer.length) return this
    const copy = Buffer.from(this.buffer.subarray(this.start, this.end))
    return new Frame(copy, 0, this.headEnd - this.start, copy.length)
  }
}

/** The codec's `encode`, as the writer sees it. */
export interface PayloadEncoder<T> {
  encode(value: T, target: { buffer: Buffer; position: number }): void
}

/** Encodes frames one after the other into shared buffers. */
export class FrameWriter {
  /** Public for codecs (it is their target): the buffer and where the next byte goes. */
  buffer: Buffer = Buffer.allocUnsafeSlow(SHARED_BYTES)
  position = 0
  #encoding = false
  readonly #hints = new Uint32Array(HINTS)

  /**
   * Encodes one frame. `timeoutMs` 0 means none. What the codec throws passes through, and the bytes it wrote are given
   * up. Metadata must have been checked.
   */
  write<T>(
    kind: number,
    msgID: number,
    methodID: number,
    timeoutMs: number,
    metadata: Metadata | undefined,
    codec: PayloadEncoder<T>,
    value: T,
  ): Frame {
    // A value may run code while it is encoded (a getter, toJSON), and that code may call: it gets a buffer of its own.
    if (this.#encoding) return new FrameWriter().write(kind, msgID, methodID, timeoutMs, metadata, codec, value)
    const hint = this.#hints[methodID & (HINTS - 1)]!
    const isOwn = hint > LARGE_BYTES
    if (!isOwn) this.#makeRoom(hint)
    const { buffer: shared, position: end } = this
    if (isOwn) this.#goTo(Buffer.allocUnsafeSlow(hint + ROOM_BYTES), 0)
    const start = this.position
    this.#encoding = true
    try {
      const headEnd = this.#writeHeader(start + HEAD_BYTES, timeoutMs, metadata)
      this.position = headEnd
      codec.encode(value, this)
      const frame = this.#finish(start, headEnd, kind, msgID, methodID)
      this.#hints[methodID & (HINTS - 1)] = frame.bytes
      // A large frame that has made the buffer grow keeps it for itself.
      if (isOwn || (this.buffer !== shared && frame.bytes > LARGE_BYTES)) this.#goTo(shared, end)
      return frame
    } catch (error) {
      this.#goTo(shared, end)
      throw error
    } finally {
      this.#encoding = false
    }
  }

  /** Encodes a frame whose payload is bytes, or nothing. */
  writeBytes(
    kind: number,
    msgID: number,
    methodID: number,
    metadata: Metadata | undefined,
    payload?: Uint8Array,
  ): Frame {
    return this.write(kind, msgID, methodID, 0, metadata, payload === undefined ? NOTHING : RAW, payload as Uint8Array)
  }

  /** Begins a new shared buffer when the last one may not have room for a frame of so many bytes. */
  #makeRoom(bytes: number): void {
    if (this.buffer.length - this.position < bytes + ROOM_BYTES) this.#goTo(Buffer.allocUnsafeSlow(SHARED_BYTES), 0)
  }

  #goTo(buffer: Buffer, position: number): void {
    this.buffer = buffer
    this.position = position
  }

  #writeHeader(position: number, timeoutMs: number, metadata: Metadata | undefined): number {
    let end = position
    if (timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS) {
      writeTimeout(this.buffer, end, Math.max(1, Math.ceil(timeoutMs)))
      end += TIMEOUT_BYTES
    }
    if (metadata !== undefined) {
      const bytes = encodeMetadata(metadata)
      reserve(this, end, bytes.length)
      this.buffer.set(bytes, end)
      end += bytes.length
    }
    return end
  }

  #finish(start: number, headEnd: number, kind: number, msgID: number, methodID: number): Frame {
    const frame = new Frame(this.buffer, start, headEnd, this.position)
    writeHead(this.buffer, start, this.position, kind, headEnd - start - HEAD_BYTES, msgID, methodID)
    return frame
  }
}

/** Makes sure that `bytes` fit behind `position`; what lies below it keeps its place. */
function reserve(target: { buffer: Buffer }, position: number, bytes: number): void {
  if (target.buffer.length - position >= bytes) return
  const larger = Buffer.allocUnsafeSlow(position + bytes + ROOM_BYTES)
  target.buffer.copy(larger, 0, 0, position)
  target.buffer = larger
}

const RAW: PayloadEncoder<Uint8Array> = {
  encode(value, target) {
    reserve(target, target.position, value.length)
    target.buffer.set(value, target.position)
    target.position += value.length
  },
}

const NOTHING: PayloadEncoder<unknown> = { encode() {} }
