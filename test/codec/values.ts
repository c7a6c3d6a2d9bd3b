// Values of the MessagePack codec's domain for property tests, and how they are compared. It owns no test.
import fc from 'fast-check'

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, 0, -0, Number.NaN, 1 / 0, -1 / 0, 127, 128, 255, 256, 65_535, 65_536),
  fc.constantFrom(
    -32,
    -33,
    -128,
    -129,
    -32_768,
    -32_769,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 53,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) - 1n }),
  fc.bigInt({ min: 2n ** 53n + 1n, max: 2n ** 64n - 1n }),
  fc.string({ unit: 'grapheme', maxLength: 80, size: 'max' }),
  fc.nat(300).map((n) => 'é'.repeat(n)),
  fc.nat(300).map((n) => 'x'.repeat(n)),
  fc.uint8Array({ maxLength: 300, size: 'max' }),
  fc.date({ noInvalidDate: false }),
)

const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text !== '__proto__')

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
}))

/** Any value that comes back equal. */
export const msgpackValues: fc.Arbitrary<unknown> = value

/** The same value with all byte fields of one class, and dates by their time: invalid ones are not equal to one another. */
export function plainMsgpack(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return Array.from(value, plainMsgpack)
  if (value instanceof Date) return { date: value.getTime() }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plainMsgpack(field)]))
}
