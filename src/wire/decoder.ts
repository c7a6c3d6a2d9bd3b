// The incremental decoder: bytes in, frames out. It checks the length as soon as it has read it, before it keeps any
// byte behind it, and never copies a frame that lies within one chunk. It knows nothing of what frames mean.

import { ProtocolViolation } from '../errors.ts'
import { HEAD_BYTES, LENGTH_BYTES, LENGTH_MIN, readU32 } from './frame.ts'
import { IncomingFrame } from './incoming-frame.ts'

/** What a declared length alone can make us allocate, bytes. */
const FIRST_STEP_BYTES = 64 * 1024
/** How much the room for a frame grows once the last step has been filled. */
const STEP_FACTOR = 16
const EMPTY = Buffer.alloc(0)

/** Takes the frames of a decoder. They are valid during the call only. */
export interface FrameSink {
  /** One whole frame. Returning false stops the decoder for good (the connection was closed). */
  onFrame(frame: IncomingFrame): boolean
}

/**
 * Decodes one direction of one connection. A violation throws ProtocolViolation; from then on, and after `stop()`,
 * no byte is interpreted.
 */
export class FrameDecoder {
  readonly #sink: FrameSink
  /** The most that `length` may say. */
  #lengthMax: number
  /** The frame that began in an earlier chunk: as much of it as is there. */
  #partial = EMPTY
  #partialBytes = 0
  /** What a declared length gets at once: the first step, or as much as a frame has had that came whole. */
  #trustedBytes = FIRST_STEP_BYTES
  readonly #frame = new IncomingFrame(EMPTY)
  #stopped = false
  /** Stopped, or interrupted. */
  #halted = false

  /** `frameMaxBytes`: the largest `length` that is accepted. */
  constructor(sink: FrameSink, frameMaxBytes: number) {
    this.#sink = sink
    this.#lengthMax = frameMaxBytes
  }

  /** Whether a frame has begun and is not complete. */
  get isMidFrame(): boolean {
    return this.#partialBytes > 0
  }

  /** Changes the largest accepted length: control frames only before the handshake, everything after it. */
  set frameMaxBytes(bytes: number) {
    this.#lengthMax = bytes
  }

  /** Interprets no further byte. */
  stop(): void {
    this.#stopped = true
    this.#halted = true
  }

  /** Has `push` return when the frame of the moment has been taken. */
  interrupt(): void {
    this.#halted = true
  }

  /**
   * Decodes the next bytes of the stream. Returns how many it has taken: all, unless it was stopped or interrupted; what an
   * interruption has left comes first in the next call.
   */
  push(chunk: Buffer): number {
    if (this.#stopped) return 0
    this.#halted = false
    let offset = 0
    while (this.#partialBytes > 0 && offset < chunk.length && !this.#halted) offset = this.#fill(chunk, offset)
    const end = chunk.length
    while (!this.#halted && end - offset >= LENGTH_BYTES) {
      const length = readU32(chunk, offset)
      this.#checkLength(length)
      const frameEnd = offset + LENGTH_BYTES + length
      if (frameEnd > end) break
      this.#emit(chunk, offset, frameEnd, false)
      offset = frameEnd
    }
    if (this.#halted || offset === end) return offset
    this.#keep(chunk, offset)
    return end
  }

  /** Copies the tail of a chunk: the beginning of a frame that goes on in the next. */
  #keep(chunk: Buffer, offset: number): void {
    const there = chunk.length - offset
    this.#makeRoom(there >= LENGTH_BYTES ? readU32(chunk, offset) + LENGTH_BYTES : LENGTH_BYTES, there)
    chunk.copy(this.#partial, 0, offset)
    this.#partialBytes = there
  }

  /** Goes on with the frame that began earlier; returns the offset of the first byte that it did not take. */
  #fill(chunk: Buffer, offset: number): number {
    const have = this.#partialBytes
    const lengthKnown = have >= LENGTH_BYTES
    const want = lengthKnown ? readU32(this.#partial, 0) + LENGTH_BYTES : LENGTH_BYTES
    if (have === this.#partial.length) this.#makeRoom(want, have + 1)
    const taken = Math.min(want, this.#partial.length) - have
    const end = Math.min(offset + taken, chunk.length)
    chunk.copy(this.#partial, have, offset, end)
    this.#partialBytes = have + end - offset
    if (this.#partialBytes < want) return end
    if (!lengthKnown) {
      this.#checkLength(readU32(this.#partial, 0))
      return end
    }
    const frame = this.#partial
    this.#partialBytes = 0
    this.#trustedBytes = Math.max(this.#trustedBytes, want)
    // A buffer that was made for a large frame is given up with it; small ones are used again.
    const isOwned = frame.length > FIRST_STEP_BYTES
    if (isOwned) this.#partial = EMPTY
    this.#emit(frame, 0, want, isOwned)
    return end
  }

  /**
   * Makes room for a frame of `frameBytes`, of which `needed` bytes are there. A declared length alone gets no more than
   * this peer has been trusted with before; the rest is made when that much has arrived.
   */
  #makeRoom(frameBytes: number, needed: number): void {
    if (this.#partial.length >= needed && this.#partial.length >= Math.min(frameBytes, this.#trustedBytes)) return
    const step = Math.max(this.#trustedBytes, needed * STEP_FACTOR)
    const larger = Buffer.allocUnsafeSlow(Math.max(Math.min(frameBytes, step), HEAD_BYTES))
    this.#partial.copy(larger, 0, 0, this.#partialBytes)
    this.#partial = larger
  }

  #checkLength(length: number): void {
    if (length >= LENGTH_MIN && length <= this.#lengthMax) return
    this.stop()
    throw new ProtocolViolation(
      length < LENGTH_MIN
        ? `frame length ${length} is below the ${LENGTH_MIN} bytes of a head`
        : `frame length ${length} exceeds the limit of ${this.#lengthMax}`,
    )
  }

  #emit(bytes: Buffer, start: number, end: number, isOwned: boolean): void {
    const frame = this.#frame
    const headerBytes = frame.readHead(bytes, start)
    const headerStart = start + HEAD_BYTES
    if (headerStart + headerBytes > end) {
      this.stop()
      throw new ProtocolViolation(`header of ${headerBytes} bytes does not fit a frame of ${end - start} bytes`)
    }
    frame.isOwned = isOwned
    // Storing the same reference again is not free: the collector is told of it.
    if (frame.bytes !== bytes) frame.bytes = bytes
    frame.headerStart = headerStart
    frame.payloadStart = headerStart + headerBytes
    frame.end = end
    if (!this.#sink.onFrame(frame)) this.stop()
  }
}
