// What is said about values that a message can not carry: the field, what it takes, what it was given. Only reached when
// something is wrong, so that the writer's own functions stay short.

/** What a field takes, in words. */
export type Expectation = keyof typeof WORDS

const WORDS = {
  string: 'a string',
  bytes: 'a Uint8Array',
  bool: 'a boolean',
  number: 'a number',
  float: 'a number that a float can hold (up to 3.4028234663852886e+38)',
  int32: 'an integer from -2147483648 to 2147483647',
  uint32: 'an integer from 0 to 4294967295',
  int64: 'an integer from -9223372036854775808 to 9223372036854775807 (bigint)',
  uint64: 'an integer from 0 to 18446744073709551615 (bigint)',
  message: 'an object',
  list: 'an array',
  map: 'a plain object',
  oneof: 'an object with one of its cases and a value',
  date: 'a valid Date',
} as const

/** What a wrong value of the right type must be of, per expectation; others have no range. */
const TYPES: Partial<Record<Expectation, readonly string[]>> = {
  float: ['number'],
  int32: ['number'],
  uint32: ['number'],
  int64: ['bigint', 'number', 'string'],
  uint64: ['bigint', 'number', 'string'],
}

/** The error for `value` at `path`: RangeError when only its size is wrong, otherwise TypeError. Returned, to be thrown. */
export function refusal(path: string, expected: Expectation, value: unknown): TypeError | RangeError {
  const text = `${path}: expected ${WORDS[expected]}, got ${describe(value)}`
  return TYPES[expected]?.includes(typeof value) || isInvalidDate(value) ? new RangeError(text) : new TypeError(text)
}

/** As `refusal`, for a value that a closed enum does not have. */
export function undeclared(path: string, values: Readonly<Record<string, number>>, value: unknown): Error {
  if (typeof value !== 'number') return refusal(path, 'int32', value)
  return new RangeError(`${path}: ${value} is not one of the enum's values, ${Object.values(values).join(', ')}`)
}

/** A value in a few words, never its contents beyond a number. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined'
    case 'bigint':
      return `${shorten(String(value))}n`
    case 'number':
    case 'boolean':
      return String(value)
    case 'string':
      return `a string of ${value.length} characters`
    case 'object':
      if (value === null) return 'null'
      if (isInvalidDate(value)) return 'an invalid Date'
      return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'without prototype'})`
    default:
      return `a ${typeof value}`
  }
}

function shorten(digits: string): string {
  return digits.length <= 40 ? digits : `${digits.slice(0, 20)}… (${digits.length} digits)`
}

function isInvalidDate(value: unknown): boolean {
  return value instanceof Date && Number.isNaN(value.getTime())
}
