// One side of a session: the counted frames that it has written and that the other side may not have, and how many it has
// accepted. Frames are numbered by being counted, on both sides: no number travels with them. A session outlives its
// connections; what a connection could not deliver is sent again, in order, on the next.
//
//   1 ………… acknowledged │ ………… sent                    │ ………… written                 │ written + 1
//   the other has them    in the log, on their way over   in the log, to be sent over    the next to be written
//                         the connection of the moment    the connection of the moment

import { ProtocolViolation } from '../errors.ts'
import { Deque } from './deque.ts'

/** What a frame in the log counts for at least, bytes: it has an entry and a place, wherever its bytes are. */
const ENTRY_BYTES = 128
const NOTHING = { above: 0, entries: [] }

export class Session<T> {
  /** How many counted frames have been written: all that have a number. */
  written = 0
  /** How many of them have been sent so far, on the connection of the moment or before it. */
  sent = 0
  /** How many of them the other side has said to have. */
  acknowledged = 0
  /** How many counted frames of the other side have been accepted. */
  received = 0
  /** Bytes of the frames in the log. */
  logBytes = 0
  readonly #entries = new Deque<T>()
  readonly #sizes = new Deque<number>()
  /** What had arrived over earlier connections, as has only been told at the beginning of later ones, behind frame `above`. */
  #arrived: { readonly above: number; readonly entries: readonly T[] } = NOTHING

  /** What the log takes, bytes: more than its frames have when they are small. */
  get logWeight(): number {
    return Math.max(this.logBytes, this.logged * ENTRY_BYTES)
  }

  /** How many frames the log has. */
  get logged(): number {
    return this.written - this.acknowledged
  }

  /** Whether the connection of the moment lacks frames of the log. What is new goes behind them. */
  get isBehind(): boolean {
    return this.sent < this.written
  }

  /** The entry of the first frame that the connection of the moment lacks. */
  get next(): T {
    return this.#entries.at(this.sent - this.acknowledged)!
  }

  /** Numbers a frame, and keeps its entry until it is acknowledged. */
  write(entry: T, bytes: number): void {
    this.written++
    this.logBytes += bytes
    this.#entries.push(entry)
    this.#sizes.push(bytes)
  }

  /** The next frame is being sent. */
  noteSent(): void {
    this.sent++
  }

  /** Puts another frame, of `bytes`, in the place of the next, which keeps its number. Returns how many bytes that had. */
  replaceNext(entry: T, bytes: number): number {
    const index = this.sent - this.acknowledged
    const before = this.#sizes.at(index)!
    this.#entries.set(index, entry)
    this.#sizes.set(index, bytes)
    this.logBytes += bytes - before
    return before
  }

  /** A counted frame of the other side has been decoded and is in its place. */
  accept(): void {
    this.received++
  }

  /** Whether `received` can be what the other side has of ours: nothing that it had before, nothing that was never sent. */
  covers(received: number): boolean {
    return received >= this.acknowledged && received <= this.sent
  }

  /** Takes an acknowledgement: everything up to number `received` has arrived. */
  acknowledge(received: number): void {
    if (!this.covers(received)) {
      throw new ProtocolViolation(`acknowledges frame ${received}, outside of ${this.acknowledged} to ${this.sent}`)
    }
    while (this.acknowledged < received) {
      this.acknowledged++
      this.#entries.shift()
      this.logBytes -= this.#sizes.shift()!
    }
  }

  /**
   * Goes on with another connection: what the other side has, `received`, leaves the log, and the rest is to be sent. Until
   * its next ACK it may still refuse what it has: a GOAWAY that the last connection has lost is said again.
   */
  goOn(received: number): void {
    const { acknowledged } = this
    const above = this.#arrived === NOTHING ? acknowledged : this.#arrived.above
    const entries = this.#entriesBetween(acknowledged, received)
    this.acknowledge(received)
    this.sent = received
    this.#arrived = { above, entries: [...this.#arrived.entries, ...entries] }
  }

  /** Takes an ACK: the other side has `received` of ours, and had sent `sent` of its own at this point of the stream. */
  onAck(received: number, sent: number): void {
    this.#arrived = NOTHING
    this.acknowledge(received)
    if (sent === this.received) return
    throw new ProtocolViolation(`ACK says ${sent} frames were sent, ${this.received} have arrived`)
  }

  /** Takes a GOAWAY: everything up to number `last` was accepted. Returns the entries above, in order: they keep their numbers. */
  refusedAbove(last: number): T[] {
    if (last > this.sent) {
      throw new ProtocolViolation(`GOAWAY says that frame ${last} was the last, of ${this.sent} that were sent`)
    }
    // Said again after a reconnection, it is behind what has been acknowledged since.
    if (last > this.acknowledged) this.acknowledge(last)
    const { above, entries } = this.#arrived
    return [...entries.slice(Math.max(0, last - above)), ...this.entriesAbove(last)]
  }

  /** The entries above number `last`, in order. They stay in the log: their numbers are taken. */
  entriesAbove(last: number): T[] {
    return this.#entriesBetween(Math.max(last, this.acknowledged), this.written)
  }

  /** The entries above number `low`, which is acknowledged at least, up to number `high`. */
  #entriesBetween(low: number, high: number): T[] {
    const entries: T[] = []
    for (let number = low; number < high; number++) entries.push(this.#entries.at(number - this.acknowledged)!)
    return entries
  }
}
