// What several rounds say together: the median, and how far apart they are.

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  /** (max − min) / median: 0 when all rounds agree. */
  readonly spread: number
}

/** The middle value; of an even number of values, the mean of the two in the middle. RangeError when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of no values')
  const sorted = [...values].sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Median, extremes and spread. RangeError when there is no value. */
export function summarize(values: readonly number[]): Summary {
  const middle = median(values)
  const min = Math.min(...values)
  const max = Math.max(...values)
  return { median: middle, min, max, spread: middle === 0 ? 0 : (max - min) / middle }
}
