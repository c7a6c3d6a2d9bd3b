// The frames of the floors: how they are found in what arrives, and how they leave.

import type net from 'node:net'

/** u32 length of the payload, u32 id of the call. */
const HEADER = 8
const BATCH_BYTES = 64 * 1024
/** Payloads from here on are not copied into the batch: header and payload go out in one vectored write. */
const BY_REFERENCE = 16 * 1024

/** Finds frames in what arrives: reads headers, skips payloads. */
export class FrameReader {
  readonly #header = Buffer.alloc(HEADER)
  #headerBytes = 0
  #skip = 0
  #id = 0
  #length = 0

  /** With `onPayload`, tells also which bytes of payloads have come: the next of a frame that `onFrame` is told of later. */
  read(
    bytes: Buffer,
    end: number,
    onFrame: (id: number, length: number) => void,
    onPayload?: (bytes: Buffer, from: number, to: number, left: number) => void,
  ): void {
    let at = 0
    while (at < end) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, end - at)
        onPayload?.(bytes, at, at + skipped, this.#skip)
        at += skipped
        this.#skip -= skipped
        if (this.#skip === 0) onFrame(this.#id, this.#length)
        continue
      }
      if (this.#headerBytes === 0 && end - at >= HEADER) {
        this.#begin(bytes, at)
        at += HEADER
      } else {
        const taken = Math.min(HEADER - this.#headerBytes, end - at)
        bytes.copy(this.#header, this.#headerBytes, at, at + taken)
        at += taken
        this.#headerBytes += taken
        if (this.#headerBytes < HEADER) return
        this.#headerBytes = 0
        this.#begin(this.#header, 0)
      }
      if (this.#skip === 0) onFrame(this.#id, this.#length)
    }
  }

  #begin(bytes: Buffer, at: number): void {
    this.#length = bytes.readUInt32LE(at)
    this.#id = bytes.readUInt32LE(at + 4)
    this.#skip = this.#length
  }
}

/** Gives out payloads whole, as values that stay: what every framework owes to those who handle them. */
export class PayloadReader {
  readonly #frames = new FrameReader()
  #payload = Buffer.alloc(0)
  #filled = 0
  readonly #onFrame: (id: number, length: number) => void

  constructor(onPayload: (id: number, payload: Buffer) => void) {
    this.#onFrame = (id) => {
      const payload = this.#payload
      this.#payload = Buffer.alloc(0)
      this.#filled = 0
      onPayload(id, payload)
    }
  }

  read(bytes: Buffer, end: number): void {
    this.#frames.read(bytes, end, this.#onFrame, this.#keep)
  }

  readonly #keep = (bytes: Buffer, from: number, to: number, left: number): void => {
    if (this.#filled === 0) this.#payload = Buffer.allocUnsafe(left)
    bytes.copy(this.#payload, this.#filled, from, to)
    this.#filled += to - from
  }
}

/** What goes out in one tick, to one node or to several. */
export class Batch {
  readonly sockets: net.Socket[] = []
  #buffer = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #bytes = 0
  #isFlushDue = false
  #confirming: (() => void)[] = []
  readonly #onTick = (): void => this.#flush()

  append(id: number, payload: Buffer): void {
    if (payload.length >= BY_REFERENCE) {
      this.#flush()
      this.#writeByReference(id, payload)
      return
    }
    if (this.#bytes + HEADER + payload.length > BATCH_BYTES) this.#flush()
    const at = this.#bytes
    this.#buffer.writeUInt32LE(payload.length, at)
    this.#buffer.writeUInt32LE(id, at + 4)
    payload.copy(this.#buffer, at + HEADER)
    this.#bytes = at + HEADER + payload.length
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    process.nextTick(this.#onTick)
  }

  /** Calls back once what has been appended was written. */
  confirm(onWritten: () => void): void {
    this.#confirming.push(onWritten)
  }

  #writeByReference(id: number, payload: Buffer): void {
    const header = Buffer.allocUnsafe(HEADER)
    header.writeUInt32LE(payload.length, 0)
    header.writeUInt32LE(id, 4)
    for (const socket of this.sockets) {
      socket.cork()
      socket.write(header)
      socket.write(payload)
      socket.uncork()
    }
  }

  #flush(): void {
    this.#isFlushDue = false
    if (this.#bytes === 0) return
    const bytes = this.#buffer.subarray(0, this.#bytes)
    const confirming = this.#confirming
    this.#confirming = []
    let left = this.sockets.length
    const onWritten = (): void => {
      if (--left === 0) for (const confirm of confirming) confirm()
    }
    let isKept = false
    for (const socket of this.sockets) {
      if (confirming.length > 0) socket.write(bytes, onWritten)
      else socket.write(bytes)
      // What the kernel has taken at once can be written over.
      isKept ||= socket.writableLength > 0
    }
    if (isKept) this.#buffer = Buffer.allocUnsafeSlow(BATCH_BYTES)
    this.#bytes = 0
  }
}
