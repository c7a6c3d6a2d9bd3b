// The check that a MessagePack payload passes before anything is built from it: one linear pass without recursion and
// without allocation. It bounds depth and decoded size, and lets through exactly one value made of the types that the
// codec knows. What it accepts the decoder can build. It does not build values, and it does not know the wire's frames.
import { isUtf8 } from 'node:buffer'

/** What a payload may hold. */
export interface MsgpackLimits {
  /** Arrays and maps inside one another. */
  readonly maxDepth: number
  /** The total weight of all values (`weight`). */
  readonly maxValues: number
  /** By extension type (0–127): whether the codec has it. */
  readonly extensions: readonly boolean[]
}

/**
 * What a value weighs. One unit stands for up to 32 bytes of heap, measured on Node 20 (64-bit, kept alive, per value):
 * number or short string 8–32, array 40, map 64 plus up to 110 for a key never seen before, byte field 185–216,
 * Date 120. The text of a long string and the content of a byte field come on top, byte for byte.
 */
export const weight = { value: 1, array: 2, map: 4, key: 2, bytes: 12, extension: 8, indexKey: 12 } as const

/**
 * Keys that read as array indexes make V8 reserve places for all that might stand between: `{ 1000: null }` is five bytes on the
 * wire and 12 KiB on the heap. It makes no room for an index so far beyond the places that there are, and keeps all in a table from
 * there on, which takes less than `weight.indexKey` for each.
 */
const GAP_MAX = 1_024
/** Up to so many places it does not ask how many of them are used… */
const UNCHECKED_PLACES = 5_000
/** …but makes a table of more, when they are more than so many for each key. (Up to three times as many: they fit its weight.) */
const PLACES_PER_KEY = 9
/** Places of eight bytes that one unit stands for. */
const PLACES_PER_UNIT = 4
/** What V8 has beside the places, in places. */
const BESIDE = 8

/** The places of a map when a key is added above those that it has: `used` with this one. */
export function placesWith(index: number, places: number, used: number): number {
  if (index < places || index - places >= GAP_MAX) return places
  const enlarged = placesFor(index)
  return enlarged > UNCHECKED_PLACES && enlarged > used * PLACES_PER_KEY ? places : enlarged
}

/** The most places that a map of so many keys up to `index` may have, in whatever order they come. */
function placesAtMost(index: number, used: number): number {
  return Math.min(placesFor(index), Math.max(UNCHECKED_PLACES, used * PLACES_PER_KEY))
}

function placesFor(index: number): number {
  return Math.floor((index + 1) * 1.5) + 16
}

/** What places weigh beyond the weights of the keys, `used` of them, that have them. */
export function weightOfPlaces(places: number, used: number): number {
  return Math.max(0, Math.ceil((places + BESIDE) / PLACES_PER_UNIT) - weight.indexKey * used)
}

/** What has more digits than this is taken for no index: the highest of V8's is below 2^32. */
const INDEX_MAX = 9_999_999_999

/** Map keys that the codec refuses in both directions: assigning to it would change the object's prototype. */
export const FORBIDDEN_KEY = '__proto__'

/** The deepest nesting that can be configured: what builds the value is recursive. */
export const DEPTH_LIMIT = 1_000

/** The extension type of timestamps, as an unsigned byte. */
const TIMESTAMP = 0xff
/** Below this many bytes a loop checks UTF-8 faster than the call into the runtime. */
const NATIVE_UTF8_LENGTH = 48

// The containers that are open, outermost first: values still to come; for a map (else -1) how many of its keys so far read as
// indexes, the highest, whether they came in order, the places that they have, and what those weigh. The scan runs no foreign
// code, so that these stacks serve all codecs.
const left = new Float64Array(DEPTH_LIMIT + 1)
const indexKeys = new Float64Array(DEPTH_LIMIT + 1)
const lastIndex = new Float64Array(DEPTH_LIMIT + 1)
const isOrdered = new Uint8Array(DEPTH_LIMIT + 1)
const places = new Float64Array(DEPTH_LIMIT + 1)
const reserved = new Float64Array(DEPTH_LIMIT + 1)

/** Throws unless `bytes[start, end)` is exactly one value within the limits. Offsets in messages count from `start`. */
export function scan(bytes: Buffer, start: number, end: number, limits: MsgpackLimits): void {
  const { maxDepth, maxValues } = limits
  let position = start
  let depth = 0
  let weighed = 0
  /** Values that open containers still have to get: each takes a byte at least. */
  let owed = 1
  left[0] = 1
  indexKeys[0] = -1

  for (;;) {
    while (left[depth] === 0) {
      if (depth === 0) {
        if (position !== end) throw malformed(position - start, `${end - position} bytes follow the value`)
        return
      }
      depth--
    }
    // A map's values to come are even in number before a key.
    const isKey = (indexKeys[depth] as number) >= 0 && (left[depth] as number) % 2 === 0
    left[depth] = (left[depth] as number) - 1
    owed--
    if (position >= end) throw malformed(position - start, 'the payload ends inside a value')

    const at = position
    const token = bytes[position++] as number
    let length = -1 // of a string
    let children = -1 // of an array or a map
    let isMap = false
    let index = -1 // what an integer key reads as
    let units: number = weight.value

    if (token < 0x80) {
      index = token
    } else if (token < 0x90) {
      isMap = true
      children = token & 0x0f
    } else if (token < 0xa0) {
      children = token & 0x0f
    } else if (token < 0xc0) {
      length = token & 0x1f
    } else if (token < 0xe0) {
      const fixed = FIXED_BYTES[token - 0xc0] as number
      if (fixed < 0) throw malformed(at - start, `0x${token.toString(16)} starts no value`)
      if (fixed > end - position) throw malformed(at - start, 'the payload ends inside a value')
      position += fixed
      switch (token) {
        case 0xc4:
        case 0xc5:
        case 0xc6: {
          const size = unsigned(bytes, position, fixed)
          if (isKey) throw malformed(at - start, 'a map key is neither a string nor an integer')
          if (size > end - position) throw tooLong(at - start, size, end - position)
          position += size
          units = weight.bytes
          break
        }
        case 0xc7:
        case 0xc8:
        case 0xc9: // extension: a length of one, two or four bytes, the type
        case 0xd4:
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8: {
          // fixext: the type alone
          const size = token < 0xd4 ? unsigned(bytes, position - 1, fixed - 1) : 1 << (token - 0xd4)
          if (isKey) throw malformed(at - start, 'a map key is neither a string nor an integer')
          if (size > end - position) throw tooLong(at - start, size, end - position)
          checkExtension(bytes, at, position, size, start, limits)
          position += size
          units = weight.extension
          break
        }
        case 0xd9:
        case 0xda:
        case 0xdb:
          length = unsigned(bytes, position, fixed)
          break
        case 0xdc:
        case 0xdd:
          children = unsigned(bytes, position, fixed)
          break
        case 0xde:
        case 0xdf:
          isMap = true
          children = unsigned(bytes, position, fixed)
          break
        case 0xcc:
        case 0xcd:
        case 0xce:
          index = unsigned(bytes, position, fixed)
          break
        case 0xcf:
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3:
          // A signed or 64-bit token may hold a small number as well.
          if (isKey) index = wideIndex(bytes, position, fixed, token !== 0xcf)
          break
        default: // nil, false, true, float
          if (isKey) throw malformed(at - start, 'a map key is neither a string nor an integer')
      }
    }

    if (children >= 0) {
      if (isKey) throw malformed(at - start, 'a map key is neither a string nor an integer')
      if (depth >= maxDepth) throw new RangeError(`msgpack: nested deeper than ${maxDepth} at offset ${at - start}`)
      const count = isMap ? 2 * children : children
      if (owed + count > end - position) throw tooLong(at - start, owed + count, end - position)
      weighed += isMap ? weight.map : weight.array
      // What it holds weighs one each at least: said now, so that a bomb is refused at its head.
      if (weighed + owed + count > maxValues) throw tooMany(at - start, maxValues)
      owed += count
      depth++
      left[depth] = count
      indexKeys[depth] = isMap ? 0 : -1
      lastIndex[depth] = -1
      isOrdered[depth] = 1
      places[depth] = 0
      reserved[depth] = 0
      continue
    }
    if (length >= 0) {
      if (length > end - position) throw tooLong(at - start, length, end - position)
      if (!wellFormed(bytes, position, position + length)) throw malformed(at - start, 'a string is not valid UTF-8')
      if (isKey) {
        if (isForbidden(bytes, position, length)) throw malformed(at - start, 'a map key is __proto__')
        index = textIndex(bytes, position, length)
      }
      position += length
    }
    if (isKey) units = index >= 0 ? weight.indexKey + moreReserved(depth, index) : weight.key
    weighed += units
    if (weighed > maxValues) throw tooMany(at - start, maxValues)
  }
}

/**
 * What an index key of the map at this depth reserves beyond those before it. When the value is written again its keys come
 * in order, each once; so keys out of order weigh what the same ones in order may weigh at most: no map weighs more as it
 * goes than as it came.
 */
function moreReserved(depth: number, index: number): number {
  const last = lastIndex[depth] as number
  if (index === last) return 0
  const used = ++indexKeys[depth]!
  if (index > last) lastIndex[depth] = index
  else isOrdered[depth] = 0
  let needed: number
  if (isOrdered[depth] === 1) {
    places[depth] = placesWith(index, places[depth] as number, used)
    needed = weightOfPlaces(places[depth] as number, used)
  } else needed = weightOfPlaces(placesAtMost(lastIndex[depth] as number, used), 1)
  const more = needed - (reserved[depth] as number)
  if (more <= 0) return 0
  reserved[depth]! += more
  return more
}

/** By token from 0xc0 on: how many bytes of known number follow it (a number, a length, a length and a type). */
const FIXED_BYTES = [
  ...[0, -1, 0, 0], // nil, never used, false, true
  ...[1, 2, 4], // byte fields
  ...[2, 3, 5], // extensions: length and type
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8], // floats, unsigned, signed
  ...[1, 1, 1, 1, 1], // extensions of fixed length: the type
  ...[1, 2, 4], // strings
  ...[2, 4, 2, 4], // arrays, maps
] as const

/** The unsigned number in the `size` bytes before `end`. */
function unsigned(bytes: Buffer, end: number, size: number): number {
  let value = 0
  for (let i = end - size; i < end; i++) value = value * 256 + (bytes[i] as number)
  return value
}

/** The number of a 64-bit or signed token, in the `size` bytes before `end`, when it is one that could be an array index, else -1. */
function wideIndex(bytes: Buffer, end: number, size: number, isSigned: boolean): number {
  if (isSigned && (bytes[end - size] as number) >= 0x80) return -1
  const value = unsigned(bytes, end, size)
  return value <= INDEX_MAX ? value : -1
}

/** Looks at the `size` bytes of data at `position`, whose type stands before them. */
function checkExtension(
  bytes: Buffer,
  at: number,
  position: number,
  size: number,
  start: number,
  limits: MsgpackLimits,
): void {
  const type = bytes[position - 1] as number
  if (type === TIMESTAMP) {
    if (size === 1 || size === 4 || size === 8 || size === 12) return
    throw malformed(at - start, `a timestamp of ${size} bytes`)
  }
  if (type === 0) {
    if (bytes[at] === 0xd4 && bytes[position] === 0) return
    throw malformed(at - start, 'an extension of type 0 that is not undefined')
  }
  if (limits.extensions[type] !== true) {
    throw malformed(at - start, `an extension of type ${type < 0x80 ? type : type - 0x100}, which is not configured`)
  }
}

/** Whether a key is the one that objects can not take. */
function isForbidden(bytes: Buffer, position: number, length: number): boolean {
  if (length !== FORBIDDEN_KEY.length || bytes[position] !== 0x5f) return false
  for (let i = 1; i < length; i++) if (bytes[position + i] !== FORBIDDEN_KEY.charCodeAt(i)) return false
  return true
}

/** The array index that a text is, else -1: with a leading zero it is none. */
function textIndex(bytes: Buffer, position: number, length: number): number {
  if (length === 0 || length > 10 || (length > 1 && bytes[position] === 0x30)) return -1
  let value = 0
  for (let i = 0; i < length; i++) {
    const digit = (bytes[position + i] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Whether the bytes are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
function wellFormed(bytes: Buffer, start: number, end: number): boolean {
  if (end - start >= NATIVE_UTF8_LENGTH) return isUtf8(bytes.subarray(start, end))
  let i = start
  while (i < end) {
    const first = bytes[i++] as number
    if (first < 0x80) continue
    if (first < 0xc2 || first > 0xf4) return false
    const tail = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
    if (tail > end - i) return false
    const second = bytes[i] as number
    if (first === 0xe0 && second < 0xa0) return false
    if (first === 0xed && second > 0x9f) return false
    if (first === 0xf0 && second < 0x90) return false
    if (first === 0xf4 && second > 0x8f) return false
    for (let k = 0; k < tail; k++) if (((bytes[i++] as number) & 0xc0) !== 0x80) return false
  }
  return true
}

function malformed(offset: number, what: string): Error {
  return new Error(`msgpack: ${what} at offset ${offset}`)
}

function tooLong(offset: number, declared: number, remaining: number): Error {
  return new RangeError(`msgpack: ${declared} declared at offset ${offset}, ${remaining} bytes remain`)
}

function tooMany(offset: number, maxValues: number): Error {
  return new RangeError(`msgpack: more than ${maxValues} values at offset ${offset}`)
}
