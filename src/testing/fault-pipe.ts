// One direction of a connection through a fault proxy: bytes wait here for as long as their treatment says, and are passed on
// in order, in pieces, no faster than is allowed. Then comes the end of the stream, if it has one.

import type { Socket } from 'node:net'
import type { FaultProxyCounters, Treatment } from './fault-proxy.ts'
import type { Random } from './simulation/random.ts'

/** So much waits here before the sender has to, bytes. */
const WAITING_MAX_BYTES = 1024 * 1024
/** The longest time that bytes may take at a bandwidth without being cut into smaller pieces, ms. */
const SHARE_MS = 10

interface Piece {
  readonly bytes: Buffer
  /** By `performance.now()`. */
  readonly dueAt: number
}

export class FaultPipe {
  readonly #from: Socket
  readonly #to: Socket
  readonly #treatment: Required<Treatment>
  readonly #random: Random
  readonly #counters: FaultProxyCounters
  #waiting: Piece[] = []
  #waitingBytes = 0
  /** When the bandwidth lets the next piece go, by `performance.now()`. */
  #freeAt = 0
  #timer: NodeJS.Timeout | undefined
  #state: 'open' | 'ending' | 'ended' = 'open'

  constructor(from: Socket, to: Socket, treatment: Required<Treatment>, random: Random, counters: FaultProxyCounters) {
    this.#from = from
    this.#to = to
    this.#treatment = treatment
    this.#random = random
    this.#counters = counters
    from.on('data', (bytes) => this.#take(bytes))
    from.on('end', () => this.#end())
    to.on('drain', () => {
      if (this.#timer === undefined) this.#passOn()
    })
  }

  /** The treatment has changed: looks again at what may be passed on. */
  wake(): void {
    this.#freeAt = 0
    this.#stopTimer()
    this.#passOn()
  }

  /** Ends the stream at once, although its sender goes on: what it sends from now on is lost. */
  halfClose(): void {
    if (this.#state === 'ended') return
    this.#drop()
    this.#state = 'ended'
    this.#to.end()
    this.#from.resume()
  }

  /** The connection is gone, and what waits with it. */
  close(): void {
    this.#state = 'ended'
    this.#drop()
  }

  #take(bytes: Buffer): void {
    if (this.#state !== 'open' || this.#treatment.flow === 'lose') {
      this.#counters.lostBytes += bytes.length
      return
    }
    const { delayMs, flipChance } = this.#treatment
    const dueAt = performance.now() + delayMs
    for (let start = 0; start < bytes.length; ) {
      const piece = bytes.subarray(start, start + this.#pieceBytes(bytes.length - start))
      if (flipChance > 0 && this.#random.chance(flipChance)) this.#flip(piece)
      this.#waiting.push({ bytes: piece, dueAt })
      start += piece.length
    }
    this.#waitingBytes += bytes.length
    if (this.#timer === undefined) this.#passOn()
  }

  /** A stream that vanishes has no end either. */
  #end(): void {
    if (this.#state !== 'open' || this.#treatment.flow === 'lose') return
    this.#state = 'ending'
    if (this.#timer === undefined) this.#passOn()
  }

  #pieceBytes(left: number): number {
    const { pieceMaxBytes, bytesPerSecond } = this.#treatment
    const share = Math.max(1, Math.floor((bytesPerSecond * SHARE_MS) / 1000))
    const most = Math.min(pieceMaxBytes, share, left)
    return pieceMaxBytes === Infinity ? most : this.#random.int(1, most)
  }

  #passOn(): void {
    if (this.#treatment.flow !== 'hold') this.#passWhatIsDue()
    const isFull = this.#waitingBytes > WAITING_MAX_BYTES || this.#to.writableNeedDrain
    if (isFull || this.#treatment.flow === 'hold') this.#from.pause()
    else this.#from.resume()
  }

  #passWhatIsDue(): void {
    let passed = 0
    while (passed < this.#waiting.length) {
      const { bytes, dueAt } = this.#waiting[passed]!
      const now = performance.now()
      const waitMs = Math.max(dueAt, this.#freeAt) - now
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined
          this.#passOn()
        }, waitMs)
        break
      }
      this.#freeAt = Math.max(this.#freeAt, now) + (bytes.length * 1000) / this.#treatment.bytesPerSecond
      this.#counters.bytes += bytes.length
      this.#waitingBytes -= bytes.length
      this.#to.write(bytes)
      passed++
    }
    this.#waiting.splice(0, passed)
    if (this.#state === 'ending' && this.#waiting.length === 0) {
      this.#state = 'ended'
      this.#to.end()
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #drop(): void {
    this.#stopTimer()
    this.#counters.lostBytes += this.#waitingBytes
    this.#waiting = []
    this.#waitingBytes = 0
  }

  #flip(piece: Buffer): void {
    piece[this.#random.int(0, piece.length - 1)]! ^= 1 << this.#random.int(0, 7)
    this.#counters.flippedBits++
  }
}
