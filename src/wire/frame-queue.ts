// Frames that wait, first in first out, as the bytes that they came in: objects for small ones would take many times as much,
// and what they decode to a hundred times. Whatever is done to one of them takes the time of a chunk, however many wait.
//
//   chunks   [ … … … ][ … … … … ][ … … ]      the msgIDs of requests rise from one to the next, as clients give them;
//                           ^                 where the others lie is in a table
//                  outOfOrder.get(msgID)
//
// Chunks are used again: what is made of a small frame must not refer to them.

import { Kind } from './frame.ts'
import { FrameChunk, QueuedFrame, recordBytesOf } from './frame-chunk.ts'
import type { IncomingFrame } from './incoming-frame.ts'

/** The first chunk is smaller, bytes: most queues are short, and there may be one for each of very many peers. */
const FIRST_CHUNK_BYTES = 1024
const CHUNK_BYTES = 8 * 1024
/** Neighbours that have no more than this together become one when either is moved, bytes. */
const MERGED_BYTES = 4 * 1024

/** Buffers that nobody uses, of all queues. */
const spares = { first: [] as Buffer[], other: [] as Buffer[] }
const SPARES_MAX = 32
const EMPTY = Buffer.alloc(0)

export class FrameQueue {
  /** In each of them some frame waits. */
  readonly #chunks: FrameChunk[] = []
  #length = 0
  /** The highest msgID of a request that has waited since the queue was empty. */
  #highestMsgID = -1
  /** Where those requests lie whose msgIDs were not above all before them. */
  readonly #outOfOrder = new Map<number, FrameChunk>()
  readonly #frame = new QueuedFrame(EMPTY)

  /** How many frames wait. */
  get length(): number {
    return this.#length
  }

  /** Whether a request with this msgID waits. */
  has(msgID: number): boolean {
    return this.#chunkOf(msgID)?.has(msgID) === true
  }

  /** Copies a frame to the end; one that `isOwned` and is large is referred to instead. */
  push(frame: IncomingFrame, dueAt: number): void {
    const { kind, msgID } = frame
    const isRequest = kind === Kind.request
    const isOutOfOrder = isRequest && msgID <= this.#highestMsgID
    const chunk = this.#chunkFor(recordBytesOf(frame.end - frame.headerStart))
    chunk.push(frame, dueAt, isOutOfOrder)
    if (isOutOfOrder) this.#outOfOrder.set(msgID, chunk)
    else if (isRequest) this.#highestMsgID = msgID
    this.#length++
  }

  /** The frame that has waited longest; undefined when there is none. */
  first(): QueuedFrame | undefined {
    if (this.#length === 0) return undefined
    this.#chunks[0]!.first(this.#frame)
    return this.#frame
  }

  /** Removes the frame that `first` has returned, which stays valid until the next `push`. */
  shift(): void {
    const chunk = this.#chunks[0]!
    const msgID = chunk.shift()
    if (msgID !== undefined) this.#outOfOrder.delete(msgID)
    this.#length--
    if (chunk.bytes === 0) this.#drop(0)
  }

  /** Removes the request with this msgID, wherever it stands, and returns it without its header and payload; undefined when there is none. */
  withdraw(msgID: number): Pick<QueuedFrame, 'methodID' | 'frameBytes'> | undefined {
    const chunk = this.#chunkOf(msgID)
    if (chunk?.withdraw(msgID, this.#frame) !== true) return undefined
    const { methodID, frameBytes } = this.#frame
    this.#outOfOrder.delete(msgID)
    this.#length--
    if (chunk.bytes === 0) this.#drop(this.#chunks.indexOf(chunk))
    else if (chunk.isWasteful) this.#move(this.#chunks.indexOf(chunk))
    return { methodID, frameBytes }
  }

  /** Removes all. */
  clear(): void {
    for (const { buffer } of this.#chunks) spare(buffer)
    this.#chunks.length = 0
    this.#length = 0
    this.#highestMsgID = -1
    this.#outOfOrder.clear()
  }

  /** The chunk in which a request with this msgID lies, if there is one. */
  #chunkOf(msgID: number): FrameChunk | undefined {
    if (msgID > this.#highestMsgID) return undefined
    return this.#outOfOrder.get(msgID) ?? this.#chunks[this.#countBelow(msgID) - 1]
  }

  /** How many chunks begin below a msgID. */
  #countBelow(msgID: number): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#chunks[middle]!.floorID < msgID) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The last chunk, in which `bytes` have room. */
  #chunkFor(bytes: number): FrameChunk {
    const last = this.#chunks.at(-1)
    if (last?.hasRoom(bytes)) return last
    const isFirst = last === undefined && bytes <= FIRST_CHUNK_BYTES
    const buffer =
      (isFirst ? spares.first : spares.other).pop() ?? Buffer.allocUnsafeSlow(isFirst ? FIRST_CHUNK_BYTES : CHUNK_BYTES)
    const chunk = new FrameChunk(buffer, this.#highestMsgID)
    this.#chunks.push(chunk)
    return chunk
  }

  /** Gives up a chunk in which nothing waits. */
  #drop(index: number): void {
    if (this.#length === 0) return this.clear()
    const [chunk] = this.#chunks.splice(index, 1)
    spare(chunk!.buffer)
  }

  /** Moves what waits in a chunk, and in its neighbours when it is little, to one that has no room for more. */
  #move(index: number): void {
    const chunks = this.#chunks
    let { bytes } = chunks[index]!
    let first = index
    let end = index + 1
    const fits = (neighbour: FrameChunk | undefined): boolean =>
      neighbour !== undefined && bytes + neighbour.bytes <= MERGED_BYTES
    if (fits(chunks[first - 1])) bytes += chunks[--first]!.bytes
    if (fits(chunks[end])) bytes += chunks[end++]!.bytes
    const merged = new FrameChunk(Buffer.allocUnsafeSlow(bytes), chunks[first]!.floorID)
    for (const chunk of chunks.splice(first, end - first, merged)) {
      merged.take(chunk, (msgID) => this.#outOfOrder.set(msgID, merged))
      spare(chunk.buffer)
    }
  }
}

function spare(buffer: Buffer): void {
  const kept =
    buffer.length === CHUNK_BYTES ? spares.other : buffer.length === FIRST_CHUNK_BYTES ? spares.first : undefined
  if (kept !== undefined && kept.length < SPARES_MAX) kept.push(buffer)
}
