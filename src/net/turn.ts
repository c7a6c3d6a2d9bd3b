// One turn of the event loop, as all connections of one owner share it: the clock is read once, and what was sent is
// written when the turn ends, one write per connection. Under load the writes wait until everything that has arrived on
// any connection has been read: what the answers of several nodes bring about leaves in one write per node.

import type { Runtime } from './runtime.ts'

/** A turn that has read so many frames is followed by others: its writes wait for the end of reading. */
const BUSY_FRAMES = 8

/** Whoever reads goes on for so long, ms; what has arrived on other connections is read before it goes on. */
const SLICE_MS = 0.25

/** Whatever has bytes to write at the end of the turn. */
export interface Flushable {
  flush(): void
}

/** Whatever has more to read than fits its time. */
export interface Reader {
  /** Reads for a while; returns whether there is more. */
  readOn(): boolean
}

export class Turn {
  readonly runtime: Runtime
  /** Counts turns. */
  number = 1
  #now = 0
  #isNowKnown = false
  #waiting: Flushable[] = []
  #isArmed = false
  #isFlushDeferred = false
  /** Frames that this turn has read. */
  #frames = 0
  /** Who has more to read: in order, one at a time. */
  readonly #behind: Reader[] = []

  constructor(runtime: Runtime) {
    this.runtime = runtime
  }

  /** The time of this turn, ms: read at most once from the clock while the turn lasts. */
  now(): number {
    if (!this.#isNowKnown) {
      this.#now = this.runtime.now()
      this.#isNowKnown = true
      this.#arm()
    }
    return this.#now
  }

  /** A new turn begins: something has come from outside (bytes, a timer). */
  begin(): void {
    this.#isNowKnown = false
    this.number++
  }

  /** Frames have been read. */
  count(frames: number): void {
    this.#frames += frames
  }

  /** Whether whoever reads has read long enough: others may wait. */
  isSliceOver(): boolean {
    return this.runtime.now() - this.now() >= SLICE_MS
  }

  /** Has `reader` read on when what has arrived for others has been read. All that are behind share one slice per turn. */
  readLater(reader: Reader): void {
    this.#behind.push(reader)
    if (this.#behind.length === 1) this.runtime.afterReading(this.#readOn)
  }

  readonly #readOn = (): void => {
    const reader = this.#behind.shift()!
    try {
      if (reader.readOn()) this.#behind.push(reader)
    } finally {
      if (this.#behind.length > 0) this.runtime.afterReading(this.#readOn)
    }
  }

  /** Has `flushable` flushed at the end of this turn. Once per turn is for the caller to see to. */
  flushLater(flushable: Flushable): void {
    this.#waiting.push(flushable)
    this.#arm()
  }

  /** Ends the turn early, unless there is so much to do that its writes wait for the end of reading. */
  flushSoon(): void {
    if (this.#frames < BUSY_FRAMES) this.flush()
  }

  /** Ends the turn early: all that waits is written now. */
  flush(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    let flushed = 0
    try {
      for (; flushed < waiting.length; flushed++) waiting[flushed]!.flush()
    } finally {
      // An exception of one must not leave the others unwritten.
      for (flushed++; flushed < waiting.length; flushed++) this.flushLater(waiting[flushed]!)
    }
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.runtime.afterJobs(this.#end)
  }

  readonly #end = (): void => {
    this.#isArmed = false
    this.#isNowKnown = false
    const isBusy = this.#frames >= BUSY_FRAMES
    this.#frames = 0
    if (!isBusy) this.flush()
    else if (this.#waiting.length > 0 && !this.#isFlushDeferred) {
      this.#isFlushDeferred = true
      this.runtime.afterReading(this.#flushDeferred)
    }
  }

  readonly #flushDeferred = (): void => {
    this.#isFlushDeferred = false
    this.flush()
  }
}
