// What is known of a node's latency: an exponentially weighted mean and percentiles of its answered calls.

const EWMA_WEIGHT = 0.2
/** Buckets grow by 2^(1/4): a percentile is right to within 19 %. */
const BUCKETS_PER_DOUBLING = 4
const BUCKETS = 96
const SMALLEST_MS = 0.001
/** Counts are halved at this many samples, so that the percentiles follow the node as it is now. */
const SAMPLES_MAX = 1024

/** A node's latency, ms; NaN until the first answer. */
export interface Latency {
  /** Exponentially weighted moving average, weight 0.2 for the newest. */
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** How many answers it has seen. */
  readonly samples: number
}

export class LatencyRecorder {
  #mean = Number.NaN
  #samples = 0
  #inBuckets = 0
  readonly #buckets = new Uint32Array(BUCKETS)
  /** The turn of the newest sample. */
  #turn = 0

  /** Records one sample per turn: the others of that turn differ by nothing. */
  recordIn(turn: number, ms: number): void {
    if (this.#turn === turn) return
    this.#turn = turn
    this.record(ms)
  }

  record(ms: number): void {
    this.#mean = this.#samples === 0 ? ms : this.#mean + EWMA_WEIGHT * (ms - this.#mean)
    this.#samples++
    const bucket = Math.log2(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) * BUCKETS_PER_DOUBLING
    const index = Math.min(BUCKETS - 1, Math.floor(bucket))
    this.#buckets[index] = this.#buckets[index]! + 1
    if (++this.#inBuckets >= SAMPLES_MAX) this.#halve()
  }

  read(): Latency {
    return { meanMs: this.#mean, p50Ms: this.#percentile(0.5), p99Ms: this.#percentile(0.99), samples: this.#samples }
  }

  #percentile(share: number): number {
    let left = Math.ceil(this.#inBuckets * share)
    if (left === 0) return Number.NaN
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#buckets[index]!
      if (left <= 0) return SMALLEST_MS * 2 ** ((index + 0.5) / BUCKETS_PER_DOUBLING)
    }
    return Number.NaN
  }

  #halve(): void {
    this.#inBuckets = 0
    for (let index = 0; index < BUCKETS; index++) {
      this.#buckets[index] = this.#buckets[index]! >>> 1
      this.#inBuckets += this.#buckets[index]!
    }
  }
}
