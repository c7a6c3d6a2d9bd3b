// What generated code reads messages with, beside protobufjs's own functions for numbers: the bounds and depth of
// messages within messages, what they take in memory, 64-bit integers, strict strings, copied bytes, and fields that are
// not known.
import { copyBytes } from './byte-copy.ts'
import { tooLarge, words, wordsBeside } from './decoded-size.ts'
import { signedOf, unsignedOf } from './integer64.ts'
import { isDeclared } from './message-checks.ts'
import { DEPTH_MAX } from './message-writer.ts'
import { InPlaceReader } from './protobuf-io.ts'

/** Added to an end tag to make the end of a group: beyond every position. */
const GROUP = 2 ** 32
const END_GROUP = 4
/** Strings up to this length are read character by character, bytes. */
const SHORT_STRING = 24
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NO_BYTES = new Uint8Array(0)
/** Up to here V8 gives a map room for its indexes that costs no more than a table does. */
const DENSE_INDEX = 8
/** From here on it keeps them in a table. */
const SPARSE_INDEX = 6_000
/** An index that is too large for anything but a table. */
const LAST_INDEX = 2 ** 32 - 2
const REPLACEMENT = '\ufffd'

/** Reads the fields of messages. Everything that it returns is a copy. */
export class MessageReader extends InPlaceReader {
  /** All empty byte fields. */
  readonly noBytes: Uint8Array<ArrayBuffer> = NO_BYTES
  #depth = 0
  #low = 0
  #high = 0
  /** Words of memory that the message may still take (decoded-size.ts). */
  #left = 0
  #length = 0
  #maxDecodedBytes: number | undefined

  /** As in `InPlaceReader`. `maxDecodedBytes`: what the message may take in memory, when not the default. */
  override begin(bytes: Buffer, start: number, end: number, isOwned = false, maxDecodedBytes?: number): void {
    super.begin(bytes, start, end, isOwned)
    this.#depth = 0
    this.#length = end - start
    this.#maxDecodedBytes = maxDecodedBytes
    this.#left = wordsBeside(end - start, maxDecodedBytes)
  }

  #take(count: number): void {
    this.#left -= count
    if (this.#left < 0) throw tooLarge(this.#length, this.#maxDecodedBytes)
  }

  /** Reads the length of what follows and returns where it ends, for `close`. */
  open(): number {
    const length = this.size()
    const end = this.pos + length
    if (end > this.len) throw new RangeError(`a field of ${length} bytes where ${this.len - this.pos} are left`)
    if (++this.#depth > DEPTH_MAX) throw new RangeError(`messages are nested deeper than ${DEPTH_MAX}`)
    return end
  }

  /** As `open`, for a group: everything up to its end tag. */
  openGroup(endTag: number): number {
    if (++this.#depth > DEPTH_MAX) throw new RangeError(`messages are nested deeper than ${DEPTH_MAX}`)
    return GROUP + endTag
  }

  /** As `open`, for a message that is not on the wire. */
  openEmpty(): number {
    this.#depth++
    return this.pos
  }

  /** The error for a required field that was not there. Returned, to be thrown. */
  missing(path: string): RangeError {
    return new RangeError(`required field ${path} is missing`)
  }

  /** A 64-bit integer as a number. Throws RangeError, naming `path`, beyond 2^53 - 1, where it would be another one. */
  safeInteger(value: bigint, path: string): number {
    const number = Number(value)
    if (!Number.isSafeInteger(number))
      throw new RangeError(`${path}: ${value} is beyond what a number holds exactly (2^53 - 1)`)
    return number
  }

  /** Throws RangeError unless exactly what `open` began has been read. */
  close(end: number): void {
    if (this.pos !== end) throw new RangeError(`a field goes ${this.pos - end} bytes beyond its message`)
    this.#depth--
  }

  /** As `close`, for a message that has been read: counts what it takes in memory, by what it consists of. */
  finish(end: number, fields: number, lists = 0, maps = 0): void {
    this.close(end)
    this.#take(words.message + words.field * fields + words.list * lists + words.map * maps)
  }

  /** The list, to be added to. */
  list<Item>(items: Item[]): Item[] {
    if (items.length === 0) this.#take(words.firstElements)
    return items
  }

  /**
   * The map, to get an entry for `key`. Keys that read as array indexes make V8 reserve room for all below them: 12 kB for
   * a single `1000`. Where that one's neighbour is missing, a table takes its place.
   */
  map<Key extends string | number, Value>(entries: { [key in Key]: Value }, key: Key): { [key in Key]: Value } {
    this.#take(words.mapEntry)
    const index = typeof key === 'number' ? key : indexOf(key)
    if (index >= DENSE_INDEX && index <= SPARSE_INDEX && !(index - 1 in entries)) useTable(entries)
    return entries
  }

  /**
   * Skips a field that is not known and returns where the message ends: `end`, or here when the tag is the end of the
   * group that `end` stands for.
   */
  skipField(tag: number, end: number): number {
    if ((tag & 7) === END_GROUP && end === GROUP + tag) return this.pos
    this.skipType(tag & 7, this.#depth, tag >>> 3)
    return end
  }

  readString(): string {
    const length = this.size()
    const start = this.pos
    const end = start + length
    if (end > this.len) throw new RangeError(`a string of ${length} bytes where ${this.len - start} are left`)
    this.pos = end
    const { buf } = this
    if (length <= SHORT_STRING) {
      const text = readASCII(buf, start, end)
      if (text !== undefined) return text
    }
    const text = (buf as Buffer).toString('utf8', start, end)
    // The decoder that refuses nothing is much faster; what it can not decode it replaces.
    return text.includes(REPLACEMENT) ? strict.decode(buf.subarray(start, end)) : text
  }

  readBytes(): Uint8Array<ArrayBuffer> {
    const length = this.size()
    const start = this.pos
    const end = start + length
    if (end > this.len) throw new RangeError(`a field of ${length} bytes where ${this.len - start} are left`)
    this.pos = end
    if (length === 0) return NO_BYTES
    this.#take(words.bytes)
    const { buf } = this
    if (this.mayKeep(length)) return new Uint8Array(buf.buffer as ArrayBuffer, buf.byteOffset + start, length)
    return copyBytes(buf as Buffer, start, end)
  }

  readInt64(): bigint {
    this.#readVarint64()
    return signedOf(this.#low, this.#high)
  }

  readUint64(): bigint {
    this.#readVarint64()
    return unsignedOf(this.#low, this.#high)
  }

  readSint64(): bigint {
    this.#readVarint64()
    const low = this.#low
    const high = this.#high
    const sign = -(low & 1)
    return signedOf(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign)
  }

  readFixed64(): bigint {
    const low = this.fixed32()
    return unsignedOf(low, this.fixed32())
  }

  readSfixed64(): bigint {
    const low = this.fixed32()
    return signedOf(low, this.fixed32())
  }

  // protobufjs's own read all but the smallest integers by a call.

  override int32s(values: number[] = []): number[] {
    return this.#readVarints(values, false)
  }

  override uint32s(values: number[] = []): number[] {
    return this.#readVarints(values, true)
  }

  /** Reads integers up to three bytes here, and the rest by the functions for single ones. One that is cut ends beyond the list. */
  #readVarints(values: number[], isUnsigned: boolean): number[] {
    const { len, buf } = this
    const end = this.size() + this.pos
    if (end > len) throw new RangeError(`a list of ${end - this.pos} bytes where ${len - this.pos} are left`)
    this.len = end
    let { pos } = this
    while (pos < end) {
      const first = buf[pos]!
      const second = buf[pos + 1]!
      const third = buf[pos + 2]!
      if (first < 128) {
        values.push(first)
        pos++
      } else if (second < 128) {
        values.push((first & 127) | (second << 7))
        pos += 2
      } else if (third < 128) {
        values.push((first & 127) | ((second & 127) << 7) | (third << 14))
        pos += 3
      } else {
        this.pos = pos
        values.push(isUnsigned ? this.uint32() : this.int32())
        pos = this.pos
      }
    }
    this.pos = pos
    if (pos !== end) throw new RangeError(`a list goes ${pos - end} bytes beyond its end`)
    this.len = len
    return values
  }

  /** The value of a closed enum, or undefined when the enum does not have it. */
  readClosedEnum<Value extends number>(values: Readonly<Record<string, Value>>): Value | undefined {
    const value = this.int32()
    return isDeclared(value, values) ? (value as Value) : undefined
  }

  #readVarint64(): void {
    this.#take(words.bigint)
    const { buf, len } = this
    let { pos } = this
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= len) throw new RangeError('an integer is cut')
      const byte = buf[pos++]!
      const bits = byte & 127
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 128) {
        this.pos = pos
        this.#low = low >>> 0
        this.#high = high >>> 0
        return
      }
    }
    throw new RangeError('an integer has more than ten bytes')
  }
}

/** The array index that a key may be, else -1. */
function indexOf(key: string): number {
  // A digit first, and no more of them than a small index has.
  return key.length <= 4 && key < ':' && key >= '0' ? Number(key) : -1
}

/** Makes V8 keep the indexes of an object in a table, for good: by one that it could not keep otherwise. */
function useTable(entries: object): void {
  const indexed = entries as { [index: number]: unknown }
  if (LAST_INDEX in indexed) return
  indexed[LAST_INDEX] = undefined
  delete indexed[LAST_INDEX]
}

/** A short string, unless it has other characters than ASCII. */
function readASCII(buf: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  let at = start
  for (; at + 8 <= end; at += 8) {
    const a = buf[at]!
    const b = buf[at + 1]!
    const c = buf[at + 2]!
    const d = buf[at + 3]!
    const e = buf[at + 4]!
    const f = buf[at + 5]!
    const g = buf[at + 6]!
    const h = buf[at + 7]!
    if ((a | b | c | d | e | f | g | h) > 127) return undefined
    text += String.fromCharCode(a, b, c, d, e, f, g, h)
  }
  if (at + 4 <= end) {
    const a = buf[at]!
    const b = buf[at + 1]!
    const c = buf[at + 2]!
    const d = buf[at + 3]!
    if ((a | b | c | d) > 127) return undefined
    text += String.fromCharCode(a, b, c, d)
    at += 4
  }
  for (; at < end; at++) {
    const code = buf[at]!
    if (code > 127) return undefined
    text += String.fromCharCode(code)
  }
  return text
}
