// One side of a session: the counted frames that it has written and that the other side may not have, and how many it has
// accepted. Frames are numbered by being counted, on both sides: no number travels with them. A session outlives its
// connections; what a connection could not deliver is sent again, in order, on the next.
//
//   1 ………… acknowledged │ ………… sent                    │ ………… written                 │ written + 1
//   the other has them    in the log, on their way over   in the log, to be sent over    the next to be written
//                         the connection of the moment    the connection of the moment

import { ProtocolViolation } from '../errors.ts'
import { Deque } from './deque.ts'
import { FrameRun } from './frame-run.ts'

/** What a frame in the log counts for at least, bytes: it has a place to be looked at, and may have an entry of its own. */
const FRAME_COSTS_BYTES = 128

/** `T` is whoever can make its frame again, which may have changed meanwhile. Other frames are kept as they are. */
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
  readonly #log = new Deque<T | FrameRun>()
  /** Bytes of each entry that is a `T`, 0 for runs. */
  readonly #sizes = new Deque<number>()
  /** The last entry, if it is a run. */
  #lastRun: FrameRun | undefined
  /** How many entries have been sent. They are sent whole. */
  #sentEntries = 0
  /** What had arrived over earlier connections, as has only been told at the beginning of later ones. */
  #arrived: { readonly number: number; readonly entry: T }[] = []

  /** What the log takes, bytes: more than its frames have when they are small. */
  get logWeight(): number {
    return Math.max(this.logBytes, this.logged * FRAME_COSTS_BYTES)
  }

  /** How many frames the log has. */
  get logged(): number {
    return this.written - this.acknowledged
  }

  /** Whether the connection of the moment lacks frames of the log. What is new goes behind them. */
  get isBehind(): boolean {
    return this.sent < this.written
  }

  /** What is to be sent next over the connection of the moment. */
  get next(): T | FrameRun {
    return this.#log.at(this.#sentEntries)!
  }

  get nextBytes(): number {
    return this.#sizes.at(this.#sentEntries)! || (this.next as FrameRun).bytes
  }

  /** Numbers the frame of `entry`, and keeps that until the frame is acknowledged. `isSent`: it is sent at once. */
  write(entry: T, bytes: number, isSent: boolean): void {
    this.#push(entry, bytes)
    this.#lastRun = undefined
    this.logBytes += bytes
    this.written++
    if (!isSent) return
    this.sent++
    this.#sentEntries++
  }

  /** Numbers a frame, and keeps it until it is acknowledged. `isSent`: it is sent at once. */
  writeFrame(buffer: Buffer, start: number, end: number, isSent: boolean): void {
    const run = this.#lastRun
    this.logBytes += end - start
    this.written++
    if (isSent) this.sent++
    // What has been sent and what has not are not in one run.
    if (run !== undefined && isSent === (this.#sentEntries === this.#log.length) && run.extend(buffer, start, end))
      return
    this.#lastRun = new FrameRun(buffer, start, end)
    this.#push(this.#lastRun, 0)
    if (isSent) this.#sentEntries++
  }

  /** The next entry is being sent. */
  noteSent(): void {
    const { next } = this
    this.sent += next instanceof FrameRun ? next.frames : 1
    this.#sentEntries++
  }

  /** Puts an entry of one frame, of `bytes`, in the place of the next, which keeps its number. */
  replaceNext(entry: T | FrameRun, bytes: number): void {
    this.logBytes += bytes - this.nextBytes
    this.#log.set(this.#sentEntries, entry)
    this.#sizes.set(this.#sentEntries, entry instanceof FrameRun ? 0 : bytes)
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
      const bytes = this.#sizes.shift()!
      if (bytes > 0) {
        this.acknowledged++
        this.logBytes -= bytes
      } else if (this.#acknowledgeRun(received)) {
        // The rest of it stays.
        this.#sizes.unshift(0)
        return
      }
      this.#log.shift()
      this.#sentEntries--
    }
  }

  /** Takes an acknowledgement of the run at the head of the log; returns whether it has more frames. */
  #acknowledgeRun(received: number): boolean {
    const run = this.#log.at(0) as FrameRun
    const count = Math.min(run.frames, received - this.acknowledged)
    this.acknowledged += count
    this.logBytes -= run.drop(count)
    if (run.frames > 0) return true
    if (run === this.#lastRun) this.#lastRun = undefined
    return false
  }

  /**
   * Goes on with another connection: what the other side has, `received`, leaves the log, and the rest is to be sent. Until
   * its next ACK it may still refuse what it has: a GOAWAY that the last connection has lost is said again.
   */
  goOn(received: number): void {
    this.forEach((entry, number) => {
      if (number <= received && !(entry instanceof FrameRun)) this.#arrived.push({ number, entry })
    })
    this.acknowledge(received)
    this.sent = received
    this.#sentEntries = 0
  }

  /** Takes an ACK: the other side has `received` of ours, and had sent `sent` of its own at this point of the stream. */
  onAck(received: number, sent: number): void {
    if (this.#arrived.length > 0) this.#arrived = []
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
    const arrived = this.#arrived.filter(({ number }) => number > last).map(({ entry }) => entry)
    return [...arrived, ...this.entriesAbove(last)]
  }

  /** The entries of frames above number `last`, in order. They stay in the log: their numbers are taken. */
  entriesAbove(last: number): T[] {
    const above: T[] = []
    this.forEach((entry, number) => {
      if (number > last && !(entry instanceof FrameRun)) above.push(entry)
    })
    return above
  }

  /** Calls back with each entry of the log and the number of its first frame. */
  forEach(callback: (entry: T | FrameRun, number: number) => void): void {
    let number = this.acknowledged + 1
    for (let index = 0; index < this.#log.length; index++) {
      const entry = this.#log.at(index)!
      callback(entry, number)
      number += entry instanceof FrameRun ? entry.frames : 1
    }
  }

  #push(entry: T | FrameRun, bytes: number): void {
    this.#log.push(entry)
    this.#sizes.push(bytes)
  }
}
