// One end of a simulated connection. What is written goes into a pipe of bounded size, crosses the network in pieces of any
// size, in order, and is read by the other end. What the pipe does not take stays buffered, as in a socket.

import type { ByteStream, ByteStreamHandler, PeerIdentity } from '../../net/runtime.ts'
import type { SimulatedHost } from './host.ts'
import type { Network } from './network.ts'

/** A socket tells that it has drained only when more than this had been buffered, bytes. */
const HIGH_WATER_BYTES = 16 * 1024

export class SimulatedStream implements ByteStream {
  readonly remoteAddress: string
  readonly host: SimulatedHost
  readonly life: number
  readonly identity: PeerIdentity | undefined = undefined
  /** The other end, once the connection stands. */
  other: SimulatedStream | undefined
  isClosed = false
  /** Bytes of this end vanish on their way, for good. */
  isBlackholed = false
  /** A delivery to the other end is planned, or waits for the network. */
  isDelivering = false
  /** Nothing that this end sends arrives before this, ms: bytes do not overtake each other. */
  arrivesAfter = 0
  readonly #network: Network
  #handler: ByteStreamHandler | undefined
  #isOpen = false
  #isEnding = false
  /** On their way: the other end's to read. */
  #pipe: Buffer[] = []
  #pipeBytes = 0
  /** Written, and not taken by the pipe yet. */
  #buffered: Buffer[] = []
  #bufferedBytes = 0
  #tellsDrain = false
  /** The program has been told that the connection stands. */
  #isTold = false
  /** What has arrived before that: the kernel of a machine takes bytes before its program takes the connection. */
  #early: Buffer[] = []

  constructor(network: Network, host: SimulatedHost, remoteAddress: string) {
    this.#network = network
    this.host = host
    this.life = host.life
    this.remoteAddress = remoteAddress
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Whether anything is on its way to the other end. */
  get hasBytesOnTheWay(): boolean {
    return this.#pipeBytes > 0
  }

  get bytesOnTheWay(): number {
    return this.#pipeBytes
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler
    if (this.#isOpen) this.#tellOpen()
  }

  /** The connection stands. */
  open(): void {
    this.#isOpen = true
    if (this.#handler !== undefined) this.#tellOpen()
  }

  write(pieces: readonly Buffer[]): void {
    if (this.isClosed || this.#isEnding || !this.host.lives(this.life)) return
    for (const piece of pieces) {
      // A copy: what a program changes after it has written it must not matter here, and is not noticed.
      this.#buffered.push(Buffer.from(piece))
      this.#bufferedBytes += piece.length
    }
    this.#fillPipe()
    if (this.#bufferedBytes >= HIGH_WATER_BYTES) this.#tellsDrain = true
    this.#network.deliverSoon(this)
  }

  end(): void {
    if (this.isClosed || this.#isEnding) return
    this.#isEnding = true
    this.#network.deliverSoon(this)
  }

  destroy(): void {
    if (this.isClosed) return
    const last = this.takeSome()
    this.close(undefined)
    this.#network.onDestroyed(this, last)
  }

  /** What is on its way when this end goes, and arrives nevertheless: a prefix. */
  takeSome(): Buffer {
    return this.take(this.#network.survivors(this.#pipeBytes))
  }

  /** Takes up to `count` bytes that are on their way, for the other end to read. */
  take(count: number): Buffer {
    const parts: Buffer[] = []
    let left = Math.min(count, this.#pipeBytes)
    this.#pipeBytes -= left
    while (left > 0) {
      const first = this.#pipe[0]!
      if (first.length <= left) this.#pipe.shift()
      else this.#pipe[0] = first.subarray(left)
      parts.push(first.subarray(0, left))
      left -= Math.min(left, first.length)
    }
    const before = this.#bufferedBytes
    this.#fillPipe()
    if (before > 0 && this.#bufferedBytes === 0) this.#tellDrain()
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** Bytes have arrived at this end. They are valid during the call only, and turn into others behind it. */
  receive(bytes: Buffer): void {
    if (this.isClosed) return
    if (!this.#isTold) {
      this.#early.push(Buffer.from(bytes))
      return
    }
    const scratch = this.#network.scratch(bytes.length)
    bytes.copy(scratch)
    this.#handler?.onBytes(scratch)
    scratch.fill(0xdb)
  }

  /** This end is gone, now. */
  close(error: Error | undefined): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#pipe = []
    this.#pipeBytes = 0
    this.#buffered = []
    this.#bufferedBytes = 0
    this.#early = []
    this.#network.forget(this)
    if (this.host.lives(this.life)) this.#handler?.onClose(error)
  }

  #fillPipe(): void {
    while (this.#buffered.length > 0 && this.#pipeBytes < this.#network.pipeBytes) {
      const first = this.#buffered[0]!
      const room = this.#network.pipeBytes - this.#pipeBytes
      if (first.length <= room) this.#buffered.shift()
      else this.#buffered[0] = first.subarray(room)
      const taken = first.subarray(0, room)
      this.#pipe.push(taken)
      this.#pipeBytes += taken.length
      this.#bufferedBytes -= taken.length
    }
  }

  #tellOpen(): void {
    this.host.plan('open', 0, this.life, () => {
      if (this.isClosed) return
      this.#handler?.onOpen()
      this.#isTold = true
      for (const bytes of this.#early.splice(0)) this.receive(bytes)
    })
  }

  #tellDrain(): void {
    if (!this.#tellsDrain) return
    this.#tellsDrain = false
    this.host.plan('drain', 0, this.life, () => {
      if (!this.isClosed) this.#handler?.onDrain()
    })
  }
}
