// One turn of the event loop, as all connections of one owner share it: the clock is read once, and what was sent is
// written when the turn ends, one write per connection.

import type { Runtime } from './runtime.ts'

/** Whatever has bytes to write at the end of the turn. */
export interface Flushable {
  flush(): void
}

export class Turn {
  readonly runtime: Runtime
  #now = 0
  #isNowKnown = false
  #waiting: Flushable[] = []
  #isArmed = false

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
  }

  /** Has `flushable` flushed at the end of this turn. Once per turn is for the caller to see to. */
  flushLater(flushable: Flushable): void {
    this.#waiting.push(flushable)
    this.#arm()
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
    this.flush()
  }
}
