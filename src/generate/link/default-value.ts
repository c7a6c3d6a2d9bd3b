// What `[default = …]` says, as the type of its field has it.

import type { ScalarType } from '../model.ts'
import type { OptionValue } from '../read/declarations.ts'

/** The value, or what is wrong with it. */
export type DefaultValue =
  | { readonly value: string | number | boolean; readonly problem?: undefined }
  | { readonly problem: string }

const RANGES: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
}

/** Of a scalar: text for strings (of bytes: one character per byte) and 64-bit integers. */
export function scalarDefault(scalar: ScalarType, { kind, text }: OptionValue): DefaultValue {
  const problem = `"${text.slice(0, 40)}" is no ${scalar}`
  if (scalar === 'bytes') return kind === 'string' ? { value: text } : { problem: `${problem}: write it in quotes` }
  if (scalar === 'string')
    return kind === 'string'
      ? { value: Buffer.from(text, 'latin1').toString('utf8') }
      : { problem: `${problem}: write it in quotes` }
  if (kind === 'message') return { problem: `"{}" is no ${scalar}` }
  if (kind === 'string') return { problem: `${problem}: write it without quotes` }
  if (scalar === 'bool')
    return text === 'true' || text === 'false'
      ? { value: text === 'true' }
      : { problem: `${problem}: write true or false` }
  if (scalar === 'float' || scalar === 'double') {
    const value = floatOf(text)
    if (value === undefined) return { problem }
    return { value: scalar === 'float' ? Math.fround(value) : value }
  }
  const value = integerOf(text)
  const [least, most] = RANGES[scalar]!
  if (value === undefined) return { problem: `${problem}: write a whole number` }
  if (least === 0n && text.startsWith('-')) return { problem: `${text} is negative: write a number from 0 to ${most}` }
  if (value < least || value > most) return { problem: `${text} is out of the range of ${scalar}: ${least} to ${most}` }
  return { value: scalar.endsWith('64') ? String(value) : Number(value) }
}

/** `12`, `-0x1f`, `017`. */
function integerOf(text: string): bigint | undefined {
  const isNegative = text.startsWith('-')
  const digits = isNegative ? text.slice(1) : text
  if (!/^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.test(digits)) return undefined
  const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  return isNegative ? -value : value
}

function floatOf(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1
  const rest = sign < 0 ? text.slice(1) : text
  if (rest === 'inf') return sign * Number.POSITIVE_INFINITY
  if (rest === 'nan') return Number.NaN
  const integer = integerOf(rest)
  if (integer !== undefined) return sign * Number(integer)
  return /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(rest) ? sign * Number(rest) : undefined
}
