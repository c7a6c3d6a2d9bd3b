// How many bytes a value takes as MessagePack, so that a buffer which proves too small is replaced once, by one that fits.
// Extensions are not asked for their bytes. It judges no value: that is the writer's part.

/**
 * The number of bytes that a value takes, looking at no more than `budget.values` values and `depth` levels: where it
 * stops the writer throws.
 */
export function measure(value: unknown, depth: number, budget: { values: number }): number {
  if (--budget.values < 0) return 0
  if (typeof value === 'string') return measureString(value)
  if (typeof value === 'number') return measureNumber(value)
  if (typeof value === 'bigint') return 9
  if (typeof value !== 'object' || value === null) return value === undefined ? 3 : 1
  if (value instanceof Uint8Array) return value.length + (value.length < 0x100 ? 2 : value.length < 0x10000 ? 3 : 5)
  if (depth === 0) return 0
  if (Array.isArray(value)) {
    let sum = measureHead(value.length)
    for (let i = 0; i < value.length && budget.values >= 0; i++) sum += measure(value[i], depth - 1, budget)
    return sum
  }
  const keys = Object.keys(value)
  let sum = measureHead(keys.length)
  for (const key of keys) {
    sum += measureString(key) + measure((value as Record<string, unknown>)[key], depth - 1, budget)
  }
  return sum
}

function measureNumber(value: number): number {
  if (value >>> 0 === value) {
    if (value === 0 && 1 / value < 0) return 9
    return value < 0x80 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : 5
  }
  if (value >> 0 === value) return value >= -0x20 ? 1 : value >= -0x80 ? 2 : value >= -0x8000 ? 3 : 5
  return 9
}

function measureString(value: string): number {
  const length = Buffer.byteLength(value)
  return length + (length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5)
}

function measureHead(length: number): number {
  return length < 0x10 ? 1 : length < 0x10000 ? 3 : 5
}
