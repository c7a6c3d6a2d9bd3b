// One side of a session: the counted frames that it has written and that the other side may not have, and how many it has
// accepted. Frames are numbered by being counted, on both sides: no number travels with them. A session outlives its
// connections; what a connection could not deliver is sent again, in order, on the next.
//
//   1 ………… acknowledged │ acknowledged + 1 ………… sent │ sent + 1
//   the other has them    in the log, to be sent again    the next to be written

import { ProtocolViolation } from '../errors.ts'
import { Deque } from './deque.ts'

/** What becomes of the log's entries when it is sent again. */
export interface Replay<T> {
  /** Whether anybody still wants what an entry asks for. */
  isWanted(entry: T): boolean
  send(entry: T): void
  /** Sends, in place of an entry of `bytes` that nobody wants, what only takes its number, and returns that. */
  skip(entry: T, bytes: number): T
}

/** What a frame in the log counts for at least, bytes: it has an entry and a place, wherever its bytes are. */
const ENTRY_BYTES = 128
const NOTHING = { above: 0, entries: [] }

export class Session<T> {
  /** How many counted frames have been written. */
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
    return this.sent - this.acknowledged
  }

  /** Numbers a frame that is about to be written, and keeps its entry until it is acknowledged. */
  write(entry: T, bytes: number): void {
    this.sent++
    this.logBytes += bytes
    this.#entries.push(entry)
    this.#sizes.push(bytes)
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
   * Goes on with another connection: what the other side has, `received`, leaves the log. Until its next ACK it may still
   * refuse it: a GOAWAY that the last connection has lost is said again.
   */
  goOn(received: number): void {
    const { acknowledged } = this
    const above = this.#arrived === NOTHING ? acknowledged : this.#arrived.above
    const entries = this.entriesAbove(acknowledged).slice(0, received - acknowledged)
    this.acknowledge(received)
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
    const above: T[] = []
    for (let index = Math.max(0, last - this.acknowledged); index < this.#entries.length; index++) {
      above.push(this.#entries.at(index)!)
    }
    return above
  }

  /** Sends the whole log again, in order. What nobody wants is replaced by a SKIP of `skipBytes`: the count goes on. */
  replay(to: Replay<T>, skipBytes: number): void {
    const { length } = this.#entries
    for (let index = 0; index < length; index++) {
      const entry = this.#entries.at(index)!
      if (to.isWanted(entry)) {
        to.send(entry)
        continue
      }
      const bytes = this.#sizes.at(index)!
      this.#entries.set(index, to.skip(entry, bytes))
      this.#sizes.set(index, skipBytes)
      this.logBytes += skipBytes - bytes
    }
  }
}
