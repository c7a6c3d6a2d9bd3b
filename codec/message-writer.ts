// What generated code writes messages with: one function per kind of field, each of which checks its value, and writes
// tag and value in place. protobufjs's writer below it owns the buffer, its growth, and lists of numbers.
import type { EncodeTarget } from './codec.ts'
import { highHalf, loadSigned, loadUnsigned, lowHalf } from './integer64.ts'
import { checkList, checkMap, isDeclared, isFloat } from './message-checks.ts'
import { ListWriter } from './message-lists.ts'
import { type Expectation, refusal, undeclared } from './message-refusal.ts'
import { isWellFormed } from './protobuf-io.ts'
import { putFixed32, putVarint, putVarint64, putZigzag64, SCALAR_BYTES, varintBytes } from './varint.ts'

/** How deep messages may contain each other. */
export const DEPTH_MAX = 100
/** Strings up to this length are written character by character, characters. */
const SHORT_STRING = 32
/** Strings up to this length are given room for the worst case, characters. */
const MEDIUM_STRING = 1_024
/** Byte fields up to this length are copied byte by byte. */
const SHORT_BYTES = 24
const NO_LIST: readonly unknown[] = []

/** Writes the fields of messages. `tag` is a field's number and wire type, `path` its name for error messages. */
export class MessageWriter extends ListWriter {
  #depth = 0
  /** By depth, the list whose elements are being written, or were last, and its path. */
  readonly #lists: (readonly unknown[])[] = []
  readonly #listPaths: string[] = []

  override begin(target: EncodeTarget, message: unknown): void {
    super.begin(target, message)
    this.#depth = 0
  }

  override end(): void {
    super.end()
    const lists = this.#lists
    for (let depth = 0; depth < lists.length; depth++) lists[depth] = NO_LIST
  }

  /** The error for a value; for an element of a list, with its place. */
  #refusal(path: string, expected: Expectation, value: unknown): Error {
    return refusal(this.#placeOf(path, value), expected, value)
  }

  /** Looked for only now: the first element that is the value, as one before it would have been refused before it. */
  #placeOf(path: string, value: unknown): string {
    if (this.#listPaths[this.#depth] !== path) return path
    return `${path}[${this.#lists[this.#depth]!.findIndex((each) => Object.is(each, value))}]`
  }

  /**
   * Begins a message within the message and returns where its length goes, for `close`. Throws TypeError when `value`
   * is not an object, RangeError when it is nested deeper than 100.
   */
  open(tag: number, value: object, path: string): number {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#refusal(path, 'message', value)
    if (++this.#depth > DEPTH_MAX) throw new RangeError(`${path}: messages are nested deeper than ${DEPTH_MAX}`)
    this._reserve(SCALAR_BYTES)
    const at = putVarint(this.buf, this.pos, tag)
    this.pos = at + 1
    return at
  }

  /** Ends the message that `open` began at `at`. */
  close(at: number): void {
    this.#depth--
    const length = this.pos - at - 1
    if (length < 128) this.buf[at] = length
    else this.#closeLong(at, length)
  }

  #closeLong(at: number, length: number): void {
    const more = varintBytes(length) - 1
    this._reserve(more)
    this.buf.copyWithin(at + 1 + more, at + 1, this.pos)
    putVarint(this.buf, at, length)
    this.pos += more
  }

  /** As `open`, for a message between a start tag and an end tag, which `closeGroup` writes. */
  openGroup(tag: number, value: object, path: string): void {
    this.open(tag, value, path)
    this.pos--
  }

  closeGroup(endTag: number): void {
    this.#depth--
    this._reserve(SCALAR_BYTES)
    this.pos = putVarint(this.buf, this.pos, endTag)
  }

  /** Begins an entry of a map. */
  openEntry(tag: number): number {
    this.#depth++
    this._reserve(SCALAR_BYTES)
    const at = putVarint(this.buf, this.pos, tag)
    this.pos = at + 1
    return at
  }

  /** The elements of a list. */
  list<T>(values: readonly T[], path: string): readonly T[] {
    checkList(values, path)
    this.#lists[this.#depth] = values
    this.#listPaths[this.#depth] = path
    return values
  }

  /** The entries of a map. */
  entries<T>(map: { readonly [key: string]: T } | { readonly [key: number]: T }, path: string): [string, T][] {
    checkMap(map, path)
    return Object.entries(map)
  }

  /** A key of a map whose keys are 32-bit integers. */
  integerKey(key: string, path: string): number {
    const integer = Number(key)
    if (String(integer) !== key) throw new TypeError(`${path}: the key ${JSON.stringify(key)} is not an integer`)
    return integer
  }

  /** A key of a map whose keys are booleans. */
  booleanKey(key: string, path: string): boolean {
    if (key !== 'true' && key !== 'false') {
      throw new TypeError(`${path}: the key ${JSON.stringify(key)} is neither "true" nor "false"`)
    }
    return key === 'true'
  }

  /** Called with a oneof that has none of its cases: throws TypeError unless it is absent. */
  noCase(value: undefined, path: string): void {
    if (value !== undefined) throw refusal(path, 'oneof', value)
  }

  writeString(tag: number, value: string, path: string): void {
    if (typeof value !== 'string') throw this.#refusal(path, 'string', value)
    const { length } = value
    if (length > SHORT_STRING) return this.#writeLongString(tag, value, path)
    this._reserve(3 * SHORT_STRING + SCALAR_BYTES)
    const { buf } = this
    const at = putVarint(buf, this.pos, tag)
    let next = at + 1
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 127) return this.#writeLongString(tag, value, path)
      buf[next++] = code
    }
    buf[at] = length
    this.pos = next
  }

  #writeLongString(tag: number, value: string, path: string): void {
    const { length } = value
    // Beyond a medium length, three bytes for every character would be a waste.
    const most = length > MEDIUM_STRING ? Buffer.byteLength(value) : 3 * length
    this._reserve(most + SCALAR_BYTES)
    const buf = this.buf as Buffer
    const at = putVarint(buf, this.pos, tag)
    const guess = varintBytes(length > MEDIUM_STRING ? most : length)
    const bytes = buf.write(value, at + guess, 'utf8')
    if (bytes !== length && !isWellFormed(value)) {
      throw new TypeError(`${this.#placeOf(path, value)}: a string with a lone surrogate can not be encoded`)
    }
    const actual = varintBytes(bytes)
    if (actual !== guess) buf.copyWithin(at + actual, at + guess, at + guess + bytes)
    this.pos = putVarint(buf, at, bytes) + bytes
  }

  writeBytes(tag: number, value: Uint8Array, path: string): void {
    if (!(value instanceof Uint8Array)) throw this.#refusal(path, 'bytes', value)
    const { length } = value
    this._reserve(length + SCALAR_BYTES)
    const { buf } = this
    let at = putVarint(buf, putVarint(buf, this.pos, tag), length)
    if (length > SHORT_BYTES) buf.set(value, at)
    else for (let i = 0; i < length; i++) buf[at + i] = value[i]!
    at += length
    this.pos = at
  }

  /** As `writeBytes`, but writes nothing when there are none. */
  writeSomeBytes(tag: number, value: Uint8Array, path: string): void {
    if (!(value instanceof Uint8Array)) throw this.#refusal(path, 'bytes', value)
    if (value.length > 0) this.writeBytes(tag, value, path)
  }

  writeBool(tag: number, value: boolean, path: string): void {
    if (typeof value !== 'boolean') throw this.#refusal(path, 'bool', value)
    this._reserve(SCALAR_BYTES)
    const at = putVarint(this.buf, this.pos, tag)
    this.buf[at] = value ? 1 : 0
    this.pos = at + 1
  }

  writeUint32(tag: number, value: number, path: string): void {
    if (typeof value !== 'number' || value >>> 0 !== value) throw this.#refusal(path, 'uint32', value)
    this._reserve(SCALAR_BYTES)
    const { buf } = this
    this.pos = putVarint(buf, putVarint(buf, this.pos, tag), value)
  }

  writeInt32(tag: number, value: number, path: string): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw this.#refusal(path, 'int32', value)
    this._reserve(SCALAR_BYTES)
    const { buf } = this
    const at = putVarint(buf, this.pos, tag)
    this.pos = value >= 0 ? putVarint(buf, at, value) : putVarint64(buf, at, value >>> 0, 0xffff_ffff)
  }

  writeSint32(tag: number, value: number, path: string): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw this.#refusal(path, 'int32', value)
    this._reserve(SCALAR_BYTES)
    const { buf } = this
    this.pos = putVarint(buf, putVarint(buf, this.pos, tag), ((value << 1) ^ (value >> 31)) >>> 0)
  }

  writeFixed32(tag: number, value: number, path: string): void {
    if (typeof value !== 'number' || value >>> 0 !== value) throw this.#refusal(path, 'uint32', value)
    this._reserve(SCALAR_BYTES)
    this.pos = putFixed32(this.buf, putVarint(this.buf, this.pos, tag), value)
  }

  writeSfixed32(tag: number, value: number, path: string): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw this.#refusal(path, 'int32', value)
    this._reserve(SCALAR_BYTES)
    this.pos = putFixed32(this.buf, putVarint(this.buf, this.pos, tag), value)
  }

  writeFloat(tag: number, value: number, path: string): void {
    if (!isFloat(value)) throw this.#refusal(path, 'float', value)
    this.uint32(tag)
    this.float(value)
  }

  writeDouble(tag: number, value: number, path: string): void {
    if (typeof value !== 'number') throw this.#refusal(path, 'number', value)
    this.uint32(tag)
    this.double(value)
  }

  // 64-bit integers are bigints, safe numbers or decimal strings: what generated types say is one of them.

  writeInt64(tag: number, value: bigint | number | string, path: string): void {
    if (!loadSigned(value)) throw this.#refusal(path, 'int64', value)
    this.#writeVarint64(tag)
  }

  writeUint64(tag: number, value: bigint | number | string, path: string): void {
    if (!loadUnsigned(value)) throw this.#refusal(path, 'uint64', value)
    this.#writeVarint64(tag)
  }

  #writeVarint64(tag: number): void {
    this._reserve(SCALAR_BYTES)
    const { buf } = this
    this.pos = putVarint64(buf, putVarint(buf, this.pos, tag), lowHalf(), highHalf())
  }

  writeSint64(tag: number, value: bigint | number | string, path: string): void {
    if (!loadSigned(value)) throw this.#refusal(path, 'int64', value)
    this._reserve(SCALAR_BYTES)
    this.pos = putZigzag64(this.buf, putVarint(this.buf, this.pos, tag), lowHalf(), highHalf())
  }

  writeFixed64(tag: number, value: bigint | number | string, path: string): void {
    if (!loadUnsigned(value)) throw this.#refusal(path, 'uint64', value)
    this.#writeFixed64(tag)
  }

  writeSfixed64(tag: number, value: bigint | number | string, path: string): void {
    if (!loadSigned(value)) throw this.#refusal(path, 'int64', value)
    this.#writeFixed64(tag)
  }

  #writeFixed64(tag: number): void {
    this._reserve(SCALAR_BYTES)
    const { buf } = this
    this.pos = putFixed32(buf, putFixed32(buf, putVarint(buf, this.pos, tag), lowHalf()), highHalf())
  }

  /** A value of an enum that takes any number. */
  writeEnum(tag: number, value: number, path: string): void {
    this.writeInt32(tag, value, path)
  }

  /** A value of an enum that takes no numbers but those in `values`; throws RangeError for another. */
  writeClosedEnum(tag: number, value: number, values: Readonly<Record<string, number>>, path: string): void {
    if (!isDeclared(value, values)) throw undeclared(this.#placeOf(path, value), values, value)
    this.writeInt32(tag, value, path)
  }
}
