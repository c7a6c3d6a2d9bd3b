// Frames that wait, first in first out, as the bytes that they came in: objects for small ones would take many times as much,
// and what they decode to a hundred times.
//
//   chunks   [ dueAt | head | header payload ][ dueAt | head ][ dueAt | head | header payload ] …
//                                              '--> large: its header and payload have a buffer of their own
//
// Chunks are used again: what is made of a small frame must not refer to them.

import { Deque } from './deque.ts'
import { HEAD_BYTES, Kind, LENGTH_BYTES, readU32, writeHead } from './frame.ts'
import { IncomingFrame } from './incoming-frame.ts'

/** The first chunk is smaller, bytes: most queues are short, and there may be one for each of very many peers. */
const FIRST_CHUNK_BYTES = 1024
const CHUNK_BYTES = 16 * 1024
/** A header and a payload of up to so many bytes together lie in a chunk. */
const SMALL_BYTES = 2048
const DUE_BYTES = 8
const RECORD_BYTES = DUE_BYTES + HEAD_BYTES
const KIND_OFFSET = DUE_BYTES + LENGTH_BYTES
const FLAGS_OFFSET = KIND_OFFSET + 1
const MSG_ID_OFFSET = DUE_BYTES + 8
/** Stands in the flags of a frame that has been withdrawn. (None that arrives has any.) */
const WITHDRAWN = 1
/** So much of withdrawn frames may lie between the others, bytes; or as much as the others have. */
const WITHDRAWN_MIN_BYTES = 2048

/** Chunks that nobody uses, of all queues. */
const spares = { first: [] as Buffer[], other: [] as Buffer[] }
const SPARES_MAX = 32

/** A frame in a queue. There is one object for all of them: it is valid until the queue is changed. */
export class QueuedFrame extends IncomingFrame {
  /** What was given with it. */
  dueAt = 0
}

const EMPTY = Buffer.alloc(0)

export class FrameQueue {
  #chunks = new Deque<Buffer>()
  /** The number of the first chunk. Locations are chunk numbers times CHUNK_BYTES, plus the offset in the chunk. */
  #firstChunk = 0
  #head = 0
  #tail = 0
  #length = 0
  /** Of the frames that wait, in the chunks. */
  #bytes = 0
  /** Of withdrawn frames that still lie there. */
  #withdrawnBytes = 0
  /** The highest msgID that has waited since the queue was empty: usually none that comes is below it. */
  #highestMsgID = -1
  /** Where requests lie, by msgID; undefined until somebody wants to know, and when the queue is empty. */
  #locations: Map<number, number> | undefined
  /** Headers and payloads of large frames, by location. */
  #large = new Map<number, Buffer>()
  readonly #frame = new QueuedFrame(EMPTY)

  /** How many frames wait. */
  get length(): number {
    return this.#length
  }

  /** Whether a request with this msgID waits. */
  has(msgID: number): boolean {
    return msgID <= this.#highestMsgID && this.#index().has(msgID)
  }

  /** Copies a frame to the end; one that `isOwned` and is large is referred to instead. */
  push(frame: IncomingFrame, dueAt: number): void {
    const { kind, msgID, bytes, headerStart, payloadStart, end } = frame
    const bodyBytes = end - headerStart
    const isSmall = bodyBytes <= SMALL_BYTES
    const bytesThere = isSmall ? RECORD_BYTES + bodyBytes : RECORD_BYTES
    const chunk = this.#makeRoom(bytesThere)
    const location = this.#tail
    const at = location % CHUNK_BYTES
    chunk.writeDoubleBE(dueAt, at)
    const headStart = at + DUE_BYTES
    const headerBytes = payloadStart - headerStart
    writeHead(chunk, headStart, headStart + HEAD_BYTES + bodyBytes, kind, headerBytes, msgID, frame.methodID)
    if (isSmall) bytes.copy(chunk, at + RECORD_BYTES, headerStart, end)
    else this.#large.set(location, ownBytes(frame))
    if (kind === Kind.request) {
      this.#highestMsgID = Math.max(this.#highestMsgID, msgID)
      this.#locations?.set(msgID, location)
    }
    this.#tail += bytesThere
    this.#bytes += bytesThere
    this.#length++
  }

  /** The frame that has waited longest; undefined when there is none. */
  first(): QueuedFrame | undefined {
    while (this.#length > 0) {
      const chunk = this.#chunks.at(0)!
      const at = this.#head % CHUNK_BYTES
      if (isChunkEnd(chunk, at)) this.#dropChunk()
      else if (chunk[at + FLAGS_OFFSET] !== WITHDRAWN) return this.#read(this.#head)
      else {
        const bytes = recordBytes(chunk, at)
        this.#withdrawnBytes -= bytes
        this.#head += bytes
      }
    }
    return undefined
  }

  /** Removes the frame that `first` has returned, which stays valid until the next `push`. */
  shift(): void {
    const chunk = this.#chunks.at(0)!
    const at = this.#head % CHUNK_BYTES
    if (this.#locations !== undefined && chunk[at + KIND_OFFSET] === Kind.request)
      this.#locations.delete(readU32(chunk, at + MSG_ID_OFFSET))
    if (this.#large.size > 0) this.#large.delete(this.#head)
    const bytes = recordBytes(chunk, at)
    this.#head += bytes
    this.#bytes -= bytes
    this.#length--
    if (this.#length === 0) this.clear()
  }

  /** Removes the request with this msgID, wherever it stands, and returns it without its header and payload; undefined when there is none. */
  withdraw(msgID: number): Pick<QueuedFrame, 'methodID' | 'frameBytes'> | undefined {
    if (msgID > this.#highestMsgID) return undefined
    const locations = this.#index()
    const location = locations.get(msgID)
    if (location === undefined) return undefined
    const { methodID, frameBytes } = this.#read(location)
    const chunk = this.#chunkAt(location)
    const at = location % CHUNK_BYTES
    const bytes = recordBytes(chunk, at)
    chunk[at + FLAGS_OFFSET] = WITHDRAWN
    locations.delete(msgID)
    this.#large.delete(location)
    this.#length--
    this.#bytes -= bytes
    this.#withdrawnBytes += bytes
    if (this.#length === 0) this.clear()
    else if (this.#withdrawnBytes > Math.max(WITHDRAWN_MIN_BYTES, this.#bytes)) this.#compact()
    return { methodID, frameBytes }
  }

  /** Removes all. */
  clear(): void {
    while (this.#chunks.length > 0) this.#dropChunk()
    this.#firstChunk = 0
    this.#head = 0
    this.#tail = 0
    this.#length = 0
    this.#bytes = 0
    this.#withdrawnBytes = 0
    this.#highestMsgID = -1
    this.#locations = undefined
    if (this.#large.size > 0) this.#large.clear()
  }

  /** Where requests lie. (None has been withdrawn yet when this is not known yet.) */
  #index(): Map<number, number> {
    if (this.#locations !== undefined) return this.#locations
    const locations = new Map<number, number>()
    this.#locations = locations
    for (let index = 0, at = this.#head % CHUNK_BYTES; index < this.#chunks.length; index++, at = 0) {
      const chunk = this.#chunks.at(index)!
      const start = (this.#firstChunk + index) * CHUNK_BYTES
      const end = index === this.#chunks.length - 1 ? this.#tail - start : chunk.length
      for (; at < end && !isChunkEnd(chunk, at); at += recordBytes(chunk, at)) {
        if (chunk[at + KIND_OFFSET] === Kind.request) locations.set(readU32(chunk, at + MSG_ID_OFFSET), start + at)
      }
    }
    return locations
  }

  #read(location: number): QueuedFrame {
    const frame = this.#frame
    const chunk = this.#chunkAt(location)
    const at = location % CHUNK_BYTES
    frame.dueAt = chunk.readDoubleBE(at)
    const headerBytes = frame.readHead(chunk, at + DUE_BYTES)
    const large = this.#large.size === 0 ? undefined : this.#large.get(location)
    frame.isOwned = large !== undefined
    frame.bytes = large ?? chunk
    frame.headerStart = large === undefined ? at + RECORD_BYTES : 0
    frame.payloadStart = frame.headerStart + headerBytes
    frame.end = frame.headerStart + bodyBytesOf(chunk, at)
    return frame
  }

  #chunkAt(location: number): Buffer {
    return this.#chunks.at(Math.floor(location / CHUNK_BYTES) - this.#firstChunk)!
  }

  /** The chunk in which `bytes` fit at the tail. */
  #makeRoom(bytes: number): Buffer {
    const count = this.#chunks.length
    const last = this.#chunks.at(count - 1)
    if (last !== undefined) {
      const at = this.#tail % CHUNK_BYTES
      // Never filled to the last byte: the end of one chunk would be the beginning of the next.
      if (last.length - at > bytes) return last
      markEnd(last, at)
    }
    const isFirst = count === 0 && bytes <= FIRST_CHUNK_BYTES
    const chunk =
      (isFirst ? spares.first : spares.other).pop() ?? Buffer.allocUnsafeSlow(isFirst ? FIRST_CHUNK_BYTES : CHUNK_BYTES)
    this.#chunks.push(chunk)
    this.#tail = (this.#firstChunk + count) * CHUNK_BYTES
    return chunk
  }

  /** Gives the first chunk up. */
  #dropChunk(): void {
    const chunk = this.#chunks.shift()!
    const kept = chunk.length === CHUNK_BYTES ? spares.other : spares.first
    if (kept.length < SPARES_MAX) kept.push(chunk)
    this.#firstChunk++
    this.#head = this.#firstChunk * CHUNK_BYTES
  }

  /** Moves what has not been withdrawn to new chunks. */
  #compact(): void {
    const kept = new FrameQueue()
    for (let frame = this.first(); frame !== undefined; frame = this.first()) {
      kept.push(frame, frame.dueAt)
      this.shift()
    }
    this.#chunks = kept.#chunks
    this.#firstChunk = kept.#firstChunk
    this.#head = kept.#head
    this.#tail = kept.#tail
    this.#length = kept.#length
    this.#bytes = kept.#bytes
    this.#highestMsgID = kept.#highestMsgID
    this.#large = kept.#large
  }
}

/** The header and payload of a frame in memory of their own. */
function ownBytes({ bytes, headerStart, end, isOwned }: IncomingFrame): Buffer {
  if (isOwned) return bytes.subarray(headerStart, end)
  const own = Buffer.allocUnsafe(end - headerStart)
  bytes.copy(own, 0, headerStart, end)
  return own
}

/** The bytes of the header and the payload of the record at `at`. */
function bodyBytesOf(chunk: Buffer, at: number): number {
  return readU32(chunk, at + DUE_BYTES) + LENGTH_BYTES - HEAD_BYTES
}

function recordBytes(chunk: Buffer, at: number): number {
  const bodyBytes = bodyBytesOf(chunk, at)
  return bodyBytes <= SMALL_BYTES ? RECORD_BYTES + bodyBytes : RECORD_BYTES
}

/** Says that no record begins at `at` or behind it. No frame has a length of 0. */
function markEnd(chunk: Buffer, at: number): void {
  if (at + RECORD_BYTES <= chunk.length) chunk.fill(0, at + DUE_BYTES, at + RECORD_BYTES)
}

function isChunkEnd(chunk: Buffer, at: number): boolean {
  return at + RECORD_BYTES > chunk.length || readU32(chunk, at + DUE_BYTES) === 0
}
