// One side of a session: the counted frames that it has written and that the other side may not have, and how many it has
// accepted. Frames are numbered by being counted, on both sides: no number travels with them. A session outlives its
// connections; what a connection could not deliver is sent again, in order, on the next.
//
//   1 ………… acknowledged │ acknowledged + 1 ………… sent │ sent + 1
//   the other has them    in the log, to be sent again    the next to be written

import { ProtocolViolation } from '../errors.ts'
import { Deque } from './deque.ts'

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

  /** The entries above number `last`, in order. They stay in the log: their numbers are taken. */
  entriesAbove(last: number): T[] {
    const above: T[] = []
    for (let index = Math.max(0, last - this.acknowledged); index < this.#entries.length; index++) {
      above.push(this.#entries.at(index)!)
    }
    return above
  }

  /**
   * Sends the whole log again, in order: `send` returns what takes an entry's place (itself, or a SKIP of
   * `replacementBytes` for a request that was withdrawn) and has sent that.
   */
  replay(send: (entry: T, bytes: number) => T, replacementBytes: number): void {
    for (let left = this.#entries.length; left > 0; left--) {
      const entry = this.#entries.shift()!
      const bytes = this.#sizes.shift()!
      const sent = send(entry, bytes)
      const sentBytes = sent === entry ? bytes : replacementBytes
      this.#entries.push(sent)
      this.#sizes.push(sentBytes)
      this.logBytes += sentBytes - bytes
    }
  }
}
