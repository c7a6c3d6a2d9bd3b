// 64-bit integers as two halves: how bigints (and safe numbers and decimal strings) become the 32-bit words that are on
// the wire, and back. One scratch word serves all; nothing is kept in it between two calls.

const signed = new BigInt64Array(1)
const unsigned = new BigUint64Array(signed.buffer)
const halves = new Uint32Array(signed.buffer)
/** Where the low half is: the order differs on big-endian machines. */
unsigned[0] = 1n
const LOW = halves[0] === 1 ? 0 : 1
const HIGH = 1 - LOW

const DECIMAL = /^-?[0-9]{1,20}$/

/** The low 32 bits of what was loaded last. */
export function lowHalf(): number {
  return halves[LOW]!
}

/** The high 32 bits of what was loaded last. */
export function highHalf(): number {
  return halves[HIGH]!
}

/** Loads a signed integer, and says whether it is one of 64 bits. */
export function loadSigned(value: unknown): boolean {
  const integer = typeof value === 'bigint' ? value : parse(value)
  if (integer === undefined) return false
  signed[0] = integer
  return signed[0] === integer
}

/** As `loadSigned`, for an unsigned integer. */
export function loadUnsigned(value: unknown): boolean {
  const integer = typeof value === 'bigint' ? value : parse(value)
  if (integer === undefined) return false
  unsigned[0] = integer
  return unsigned[0] === integer
}

/** The signed integer of two halves. */
export function signedOf(low: number, high: number): bigint {
  halves[LOW] = low
  halves[HIGH] = high
  return signed[0]!
}

/** The unsigned integer of two halves. */
export function unsignedOf(low: number, high: number): bigint {
  halves[LOW] = low
  halves[HIGH] = high
  return unsigned[0]!
}

/** An integer that was not given as a bigint: a safe number or decimal digits. */
function parse(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : undefined
}
