// One turn of the event loop, as all connections of one owner share it: the clock is read once, and what was sent is
// written when the turn ends, one write per connection. Under load the writes wait until everything that has arrived on
// any connection has been read: what the answers of several nodes bring about leaves in one write per node. Whoever has much
// to do does a slice of it at a time, and others are served in between.

import type { Runtime } from './runtime.ts'

/** A turn that has read so many frames is followed by others: its writes wait for the end of reading. */
const BUSY_FRAMES = 8

/** Whoever has much to do goes on for so long, ms; what has arrived on other connections is read before it goes on. */
const SLICE_MS = 0.1
/**
 * When to look at the clock: after the first message of a turn, and then when a quarter of a slice has passed, by what as
 * many bytes took before; at the latest after so many. A message counts as some more than it has.
 */
const LOOK_BYTES = 512
const MESSAGE_COSTS_BYTES = 16

/** Whatever has bytes to write at the end of the turn. */
export interface Flushable {
  flush(): void
}

/** Whatever has more to do than fits a slice. */
export interface Laborious {
  /** Goes on for a slice; returns whether there is more. */
  goOn(): boolean
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
  /** Bytes of messages since the last look at the clock, and how many there may be until the next. */
  #unlooked = 0
  #unlookedMax = 0
  /** When that was, ms since `#now`. */
  #lookedAfterMs = 0
  /** Who has more to do: in order, one at a time. */
  readonly #behind: Laborious[] = []
  /** One of them goes on when reading is over, or does so at this moment. */
  #isGoingOn = false

  constructor(runtime: Runtime) {
    this.runtime = runtime
  }

  /** The time of this turn, ms: read at most once from the clock while the turn lasts. */
  now(): number {
    if (!this.#isNowKnown) {
      this.#now = this.runtime.now()
      this.#isNowKnown = true
      this.#unlooked = 0
      this.#unlookedMax = 0
      this.#lookedAfterMs = 0
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

  /** A message of so many bytes has been dealt with: whether whoever does that has gone on long enough, and others may wait. */
  isSliceOver(bytes: number): boolean {
    const startedAt = this.now()
    this.#unlooked += bytes + MESSAGE_COSTS_BYTES
    if (this.#unlooked < this.#unlookedMax) return false
    const elapsedMs = this.runtime.now() - startedAt
    // What a message costs can not be told by its bytes: among dear ones it is looked at behind each.
    this.#unlookedMax = Math.min((this.#unlooked * SLICE_MS) / 4 / (elapsedMs - this.#lookedAfterMs), LOOK_BYTES)
    this.#lookedAfterMs = elapsedMs
    this.#unlooked = 0
    return elapsedMs >= SLICE_MS
  }

  /** Has `laborious` go on when what has arrived for others has been read. All that are behind share one slice per turn. */
  goOnLater(laborious: Laborious): void {
    this.#behind.push(laborious)
    if (this.#isGoingOn) return
    this.#isGoingOn = true
    this.runtime.afterReading(this.#readFirst)
  }

  /** What arrived during the slice that has brought this about has not been read when this round of reading is over. */
  readonly #readFirst = (): void => this.runtime.afterReading(this.#goOn)

  readonly #goOn = (): void => {
    const laborious = this.#behind.shift()!
    this.begin()
    this.now()
    try {
      if (laborious.goOn()) this.#behind.push(laborious)
    } finally {
      this.#isGoingOn = this.#behind.length > 0
      if (this.#isGoingOn) this.runtime.afterReading(this.#goOn)
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
