// A part of a queue of frames: records in one buffer, one behind the other. What is looked for is looked for from one end to
// the other, so a chunk must not be long.
//
//   [ dueAt | head | header payload ][ dueAt | head ][ dueAt | head | header payload ] …
//                                              '--> large: its header and payload have a buffer of their own

import { HEAD_BYTES, Kind, LENGTH_BYTES, readU32, writeHead } from './frame.ts'
import { IncomingFrame } from './incoming-frame.ts'

/** A header and a payload of up to so many bytes together lie in the chunk. */
const SMALL_BYTES = 2048
const DUE_BYTES = 8
const RECORD_BYTES = DUE_BYTES + HEAD_BYTES
const KIND_OFFSET = DUE_BYTES + LENGTH_BYTES
const FLAGS_OFFSET = KIND_OFFSET + 1
const MSG_ID_OFFSET = DUE_BYTES + 8
/** The lowest byte of the msgID. */
const LOWEST_OFFSET = MSG_ID_OFFSET + 3
/** Stand in the flags of a record. (No frame that arrives has any.) */
const WITHDRAWN = 1
const OUT_OF_ORDER = 2
/** So much may lie there in any case, whatever part of it has been withdrawn, bytes. */
const WASTE_MIN_BYTES = 2048

/** A frame in a queue. There is one object for all frames of a queue: it is valid until the queue is changed. */
export class QueuedFrame extends IncomingFrame {
  /** What was given with it. */
  dueAt = 0
}

export class FrameChunk {
  readonly buffer: Buffer
  /** Requests that have come in the order of their msgIDs are here or behind when theirs is above this, and before this chunk otherwise. */
  readonly floorID: number
  /** Of the frames that wait. */
  bytes = 0
  #start = 0
  #end = 0
  /** Headers and payloads of large frames, by where their records begin. */
  #large: Map<number, Buffer> | undefined

  constructor(buffer: Buffer, floorID: number) {
    this.buffer = buffer
    this.floorID = floorID
  }

  hasRoom(bytes: number): boolean {
    return this.buffer.length - this.#end >= bytes
  }

  /** Whether the larger part of what lies here has been withdrawn. */
  get isWasteful(): boolean {
    const used = this.#end - this.#start
    return used > WASTE_MIN_BYTES && used > 2 * this.bytes
  }

  /** Adds a frame, for which there is room. `isOutOfOrder`: its msgID is not above all others. */
  push(frame: IncomingFrame, dueAt: number, isOutOfOrder: boolean): void {
    const { buffer } = this
    const { kind, msgID, methodID, bytes, headerStart, payloadStart, end } = frame
    const at = this.#end
    const bodyBytes = end - headerStart
    buffer.writeDoubleBE(dueAt, at)
    const head = at + DUE_BYTES
    writeHead(buffer, head, head + HEAD_BYTES + bodyBytes, kind, payloadStart - headerStart, msgID, methodID)
    if (isOutOfOrder) buffer[at + FLAGS_OFFSET] = OUT_OF_ORDER
    if (bodyBytes <= SMALL_BYTES) bytes.copy(buffer, at + RECORD_BYTES, headerStart, end)
    else this.#setLarge(at, ownBytes(frame))
    this.#added(recordBytesOf(bodyBytes))
  }

  /** Adds the frames that wait in another chunk; tells the msgIDs of those that have come out of order. */
  take(other: FrameChunk, onOutOfOrder: (msgID: number) => void): void {
    const { buffer } = other
    for (let at = other.#start; at < other.#end; at += recordBytesAt(buffer, at)) {
      const flags = buffer[at + FLAGS_OFFSET]!
      if (flags === WITHDRAWN) continue
      const bytes = recordBytesAt(buffer, at)
      buffer.copy(this.buffer, this.#end, at, at + bytes)
      const large = other.#large?.get(at)
      if (large !== undefined) this.#setLarge(this.#end, large)
      if (flags === OUT_OF_ORDER) onOutOfOrder(readU32(buffer, at + MSG_ID_OFFSET))
      this.#added(bytes)
    }
  }

  /** Reads the frame that has waited longest. There must be one. */
  first(frame: QueuedFrame): void {
    this.#passWithdrawn()
    this.#read(this.#start, frame)
  }

  /** Removes the frame that `first` has read; returns its msgID when it has come out of order, otherwise undefined. */
  shift(): number | undefined {
    const { buffer } = this
    const at = this.#start
    this.#large?.delete(at)
    const bytes = recordBytesAt(buffer, at)
    this.#start += bytes
    this.bytes -= bytes
    return buffer[at + FLAGS_OFFSET] === OUT_OF_ORDER ? readU32(buffer, at + MSG_ID_OFFSET) : undefined
  }

  /** Whether a request with this msgID waits. */
  has(msgID: number): boolean {
    return this.#find(msgID) >= 0
  }

  /** Removes the request with this msgID, which is read without its header and payload; returns whether there was one. */
  withdraw(msgID: number, frame: QueuedFrame): boolean {
    const at = this.#find(msgID)
    if (at < 0) return false
    this.#large?.delete(at)
    this.#read(at, frame)
    this.buffer[at + FLAGS_OFFSET] = WITHDRAWN
    this.bytes -= recordBytesAt(this.buffer, at)
    if (at === this.#start && this.bytes > 0) this.#passWithdrawn()
    return true
  }

  /** The frames that were withdrawn before all others are passed over once. */
  #passWithdrawn(): void {
    while (this.buffer[this.#start + FLAGS_OFFSET] === WITHDRAWN) this.#start += recordBytesAt(this.buffer, this.#start)
  }

  /** Where a request's record begins; -1 when it is not here. */
  #find(msgID: number): number {
    const { buffer } = this
    const end = this.#end
    const lowest = msgID & 0xff
    for (let at = this.#start; at < end; at += recordBytesAt(buffer, at)) {
      if (buffer[at + LOWEST_OFFSET] !== lowest || readU32(buffer, at + MSG_ID_OFFSET) !== msgID) continue
      if (buffer[at + KIND_OFFSET] === Kind.request && buffer[at + FLAGS_OFFSET] !== WITHDRAWN) return at
    }
    return -1
  }

  #read(at: number, frame: QueuedFrame): void {
    const { buffer } = this
    frame.dueAt = buffer.readDoubleBE(at)
    const headerBytes = frame.readHead(buffer, at + DUE_BYTES)
    const large = this.#large?.get(at)
    frame.isOwned = large !== undefined
    frame.bytes = large ?? buffer
    frame.headerStart = large === undefined ? at + RECORD_BYTES : 0
    frame.payloadStart = frame.headerStart + headerBytes
    frame.end = frame.headerStart + bodyBytesAt(buffer, at)
  }

  #added(bytes: number): void {
    this.#end += bytes
    this.bytes += bytes
  }

  #setLarge(at: number, body: Buffer): void {
    this.#large ??= new Map()
    this.#large.set(at, body)
  }
}

/** What the record of a frame takes whose header and payload have so many bytes together. */
export function recordBytesOf(bodyBytes: number): number {
  return bodyBytes <= SMALL_BYTES ? RECORD_BYTES + bodyBytes : RECORD_BYTES
}

function bodyBytesAt(buffer: Buffer, at: number): number {
  return readU32(buffer, at + DUE_BYTES) + LENGTH_BYTES - HEAD_BYTES
}

function recordBytesAt(buffer: Buffer, at: number): number {
  return recordBytesOf(bodyBytesAt(buffer, at))
}

/** The header and payload of a frame in memory of their own. */
function ownBytes({ bytes, headerStart, end, isOwned }: IncomingFrame): Buffer {
  if (isOwned) return bytes.subarray(headerStart, end)
  const own = Buffer.allocUnsafe(end - headerStart)
  bytes.copy(own, 0, headerStart, end)
  return own
}
