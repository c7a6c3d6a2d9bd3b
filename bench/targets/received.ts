// What a server counts of one-way messages.

import { Histogram } from '../measure/histogram.ts'
import { wallClock } from './message.ts'
import type { Received } from './target.ts'

export class ReceivedCounter {
  #count = 0
  #firstAt = 0
  #lastAt = 0
  readonly #latency = new Histogram()

  /** Counts messages that have arrived together; `sentAt` is the wall clock's, ms, if they carry it. */
  add(count: number, sentAt?: number): void {
    const now = wallClock()
    if (this.#count === 0) this.#firstAt = now
    this.#count += count
    this.#lastAt = now
    if (sentAt !== undefined) this.#latency.record(now - sentAt)
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
