// Latencies, counted in buckets whose width is at most 1/128 of their value: recording costs a few instructions and
// allocates nothing, so that it does not weigh on what is measured. The idea is that of HdrHistogram (Gil Tene).

/** One unit of a recorded value, ms. */
const UNIT_MS = 1e-4
const PER_MS = 1 / UNIT_MS
const PRECISION_BITS = 7
const SUB_BUCKETS = 1 << PRECISION_BITS
/** Values below are counted exactly; the largest is 2^31 units, more than three minutes. */
const EXACT = SUB_BUCKETS * 2
const BUCKETS = EXACT + (31 - PRECISION_BITS - 1) * SUB_BUCKETS
const VALUE_MAX = 0x7fffffff

/** A histogram as it travels between processes and into reports. */
export interface HistogramData {
  readonly count: number
  readonly minMs: number
  readonly maxMs: number
  readonly sumMs: number
  readonly sumOfSquares: number
  /** Pairs of bucket and count, for the buckets that are not empty. */
  readonly buckets: readonly (readonly [number, number])[]
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #count = 0
  #minMs = Number.POSITIVE_INFINITY
  #maxMs = 0
  #sumMs = 0
  #sumOfSquares = 0

  get count(): number {
    return this.#count
  }

  /** The largest value, exactly; 0 when there is none. */
  get maxMs(): number {
    return this.#maxMs
  }

  /** The smallest value, exactly; 0 when there is none. */
  get minMs(): number {
    return this.#count === 0 ? 0 : this.#minMs
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count
  }

  /** The standard deviation. */
  get deviationMs(): number {
    if (this.#count === 0) return 0
    return Math.sqrt(Math.max(0, this.#sumOfSquares / this.#count - this.meanMs ** 2))
  }

  /** Counts one value, ms. Negative ones count as 0. */
  record(valueMs: number): void {
    const value = valueMs > 0 ? valueMs : 0
    this.#count++
    this.#sumMs += value
    this.#sumOfSquares += value * value
    if (value > this.#maxMs) this.#maxMs = value
    if (value < this.#minMs) this.#minMs = value
    const bucket = bucketOf(value * PER_MS)
    this.#counts[bucket] = this.#counts[bucket]! + 1
  }

  /** The value that `share` of all are not above, ms: the upper end of its bucket, and never more than the largest. 0 ≤ share ≤ 1. */
  quantile(share: number): number {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`a share is between 0 and 1, not ${share}`)
    if (this.#count === 0) return 0
    const rank = Math.max(1, Math.ceil(share * this.#count))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return Math.min(this.#maxMs, upperEnd(bucket) * UNIT_MS)
    }
    return this.#maxMs
  }

  /** Adds all that another has counted. */
  add(data: HistogramData): void {
    for (const [bucket, count] of data.buckets) this.#counts[bucket] = this.#counts[bucket]! + count
    this.#count += data.count
    this.#sumMs += data.sumMs
    this.#sumOfSquares += data.sumOfSquares
    if (data.count === 0) return
    this.#maxMs = Math.max(this.#maxMs, data.maxMs)
    this.#minMs = Math.min(this.#minMs, data.minMs)
  }

  reset(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#minMs = Number.POSITIVE_INFINITY
    this.#maxMs = 0
    this.#sumMs = 0
    this.#sumOfSquares = 0
  }

  /** Points of the cumulative distribution, one for each bucket that is not empty: value in ms, and the share not above it. */
  distribution(): [number, number][] {
    const points: [number, number][] = []
    let seen = 0
    this.#counts.forEach((count, bucket) => {
      if (count === 0) return
      seen += count
      points.push([Math.min(this.#maxMs, upperEnd(bucket) * UNIT_MS), seen / this.#count])
    })
    return points
  }

  toData(): HistogramData {
    const buckets: [number, number][] = []
    this.#counts.forEach((count, bucket) => {
      if (count > 0) buckets.push([bucket, count])
    })
    return {
      count: this.#count,
      minMs: this.minMs,
      maxMs: this.#maxMs,
      sumMs: this.#sumMs,
      sumOfSquares: this.#sumOfSquares,
      buckets,
    }
  }

  static from(...parts: readonly HistogramData[]): Histogram {
    const histogram = new Histogram()
    for (const part of parts) histogram.add(part)
    return histogram
  }
}

function bucketOf(units: number): number {
  const value = units >= VALUE_MAX ? VALUE_MAX : units | 0
  if (value < EXACT) return value
  const shift = 31 - Math.clz32(value) - PRECISION_BITS
  return shift * SUB_BUCKETS + (value >>> shift)
}

/** The end of a bucket, in units: no value in it is as large. */
function upperEnd(bucket: number): number {
  if (bucket < EXACT) return bucket + 1
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1
  return (bucket - shift * SUB_BUCKETS + 1) * 2 ** shift
}
