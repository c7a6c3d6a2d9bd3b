// What a server counts of one-way messages.

import { Histogram } from '../measure/histogram.ts'
import type { Received } from './target.ts'

export class ReceivedCounter {
  #count = 0
  #firstAt = 0
  #lastAt = 0
  readonly #latency = new Histogram()

  /** Counts messages that have arrived together. */
  add(count: number): void {
    this.#look(count)
  }

  /**
   * Counts a message that may carry when it was sent, by the wall clock, ms; 0 if it does not. Then the clock is not looked
   * at either: the last message of a burst carries it.
   */
  addOne(sentAt: number): void {
    if (sentAt > 0) this.#latency.record(this.#look(1) - sentAt)
    else if (this.#count === 0) this.#look(1)
    else this.#count++
  }

  #look(count: number): number {
    const now = wallClock()
    if (this.#count === 0) this.#firstAt = now
    this.#count += count
    this.#lastAt = now
    return now
  }

  /** What has been counted, which starts anew. */
  take(): Received {
    const received: Received = {
      count: this.#count,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      latency: this.#latency.toData(),
    }
    this.#count = 0
    this.#latency.reset()
    return received
  }
}

/** The wall clock with the resolution of the monotonic one, ms. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now()
}
