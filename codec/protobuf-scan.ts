// The look at a message before protobufjs decodes it, for types that can be reflected: what its objects would take in
// memory, by the type's fields. It builds nothing and refuses nothing else: bytes that are wrong it leaves to the decoder,
// which ends where this does.
import { words } from './decoded-size.ts'

/** A type, as far as memory goes. */
interface Shape {
  /** What an empty message takes, in words of eight bytes. */
  words: number
  /** By their numbers. */
  readonly fields: FieldShape[]
}

interface FieldShape {
  readonly value: 'message' | 'bytes' | 'int64' | 'fixed64' | 'other'
  /** Of a message. */
  readonly shape: Shape | undefined
  readonly isList: boolean
  /** Of a map: how its keys are written. */
  readonly key: 'varint' | 'zigzag' | 'fixed' | 'text' | undefined
}

/** What is read of protobufjs's reflection. */
interface ReflectedType {
  readonly fieldsArray: readonly object[]
}
interface ReflectedField {
  readonly id: number
  readonly type: string
  readonly repeated: boolean
  readonly keyType?: string
  readonly resolvedType: ReflectedType | object | null
  resolve(): unknown
}

// Words of protobufjs's objects, where they are others than ours: fields that are not set take none, maps are plain objects.
const OBJECT_WORDS = 12
const LIST_WORDS = 5
const MAP_WORDS = 8
const LONG_WORDS = 6
const BYTES_WORDS = 14
/** The deepest that protobufjs reads. */
const DEPTH_MAX = 100
const DELIMITED = 2
const END_GROUP = 4

/** V8 makes no room for an index so far beyond what there is: it keeps them in a table from there on. */
const GAP_MAX = 1_024
/** Up to so many places it does not ask how many of them are used. */
const UNCHECKED_PLACES = 5_000
/** What an index takes in a table, in places. */
const TABLE_PLACES = 9

const shapes = new WeakMap<object, Shape>()

/** The shape of a reflected type. */
export function shapeOf(type: ReflectedType): Shape {
  const known = shapes.get(type)
  if (known !== undefined) return known
  const shape: Shape = { words: OBJECT_WORDS, fields: [] }
  shapes.set(type, shape)
  for (const field of type.fieldsArray as readonly ReflectedField[]) {
    field.resolve()
    const key = field.keyType === undefined ? undefined : keyOf(field.keyType)
    shape.words += key !== undefined ? MAP_WORDS : field.repeated ? LIST_WORDS : 0
    shape.fields[field.id] = { ...kindOf(field), isList: field.repeated && key === undefined, key }
  }
  return shape
}

function kindOf({ type, resolvedType }: ReflectedField): Pick<FieldShape, 'value' | 'shape'> {
  if (resolvedType !== null && 'fieldsArray' in resolvedType) return { value: 'message', shape: shapeOf(resolvedType) }
  const isFixed64 = type === 'fixed64' || type === 'sfixed64'
  const value = type === 'bytes' ? type : isFixed64 ? 'fixed64' : type.endsWith('int64') ? 'int64' : 'other'
  return { value, shape: undefined }
}

function keyOf(type: string): FieldShape['key'] {
  if (type === 'string') return 'text'
  return type.startsWith('sint') ? 'zigzag' : type.includes('fixed') ? 'fixed' : 'varint'
}

/** The room that V8 makes for an index, at most, when there was none. */
const ROOM_WORDS = GAP_MAX * 1.5 + 16
/** A list's or an empty message's tag and length. */
const FIELD_BYTES = 2
/** The same of an entry, and a key that makes V8 reserve room for more than a few. */
const KEYED_ENTRY_BYTES = 4

/** The most words that any byte of a message of this type can take. */
export function mostPerByte(type: ReflectedType): number {
  const seen = new Set<Shape>()
  let most = 0
  const visit = (shape: Shape): void => {
    if (seen.has(shape)) return
    seen.add(shape)
    most = Math.max(most, (shape.words + words.firstElements) / FIELD_BYTES)
    for (const { key, shape: inner } of Object.values(shape.fields)) {
      if (key !== undefined) most = Math.max(most, (words.mapEntry + ROOM_WORDS) / KEYED_ENTRY_BYTES)
      if (key !== undefined) most = Math.max(most, (words.mapEntry + (inner?.words ?? 0)) / FIELD_BYTES)
      if (inner !== undefined) visit(inner)
    }
  }
  visit(shapeOf(type))
  return most
}

/** Whether the message in `bytes[start, end)` takes no more than `most` words beside those of its bytes. */
export function takesAtMost(most: number, shape: Shape, bytes: Buffer, start: number, end: number): boolean {
  const scan = new Scan(bytes, most)
  scan.message(shape, start, end, 0)
  return scan.left >= 0
}

/** There is no use in going on. */
const STOP = -1

/** What goes through a message. Its functions return where they have come to, or STOP. */
class Scan {
  /** Words that are left. */
  left: number
  readonly #bytes: Buffer
  /** The last integer that was read. */
  #integer = 0

  constructor(bytes: Buffer, left: number) {
    this.#bytes = bytes
    this.left = left
  }

  /** All fields up to `end`, or to the end of a group. */
  message(shape: Shape | undefined, start: number, end: number, depth: number): number {
    if (depth > DEPTH_MAX) return STOP
    const bytes = this.#bytes
    // Lists and maps are written in one go: one that is come back to counts again.
    let last: FieldShape | undefined
    let indexes: Indexes | undefined
    let at = start
    while (at < end) {
      let tag = bytes[at]!
      if (tag < 128) at++
      else {
        at = this.#varint(at)
        tag = this.#integer
      }
      const field = shape?.fields[tag >>> 3]
      if (field !== last) {
        last = field
        if (field?.isList === true) this.left -= words.firstElements
        if (field?.key !== undefined) indexes = new Indexes()
      }
      const wireType = tag & 7
      if (wireType === END_GROUP) return at
      if (wireType === DELIMITED && field?.key !== undefined) at = this.#entry(field, at, end, depth, indexes!)
      else at = this.#value(wireType, field, at, end, depth)
      if (at < 0 || this.left < 0) return STOP
    }
    return at === end ? at : STOP
  }

  #value(wireType: number, field: FieldShape | undefined, at: number, end: number, depth: number): number {
    switch (wireType) {
      case 0:
        if (field?.value === 'int64') this.left -= LONG_WORDS
        return this.#endOfVarint(at)
      case 1:
        if (field?.value === 'fixed64') this.left -= LONG_WORDS
        return at + 8
      case DELIMITED: {
        const length = this.#bytes[at]!
        const start = length < 128 ? at + 1 : this.#varint(at)
        const stop = start + (length < 128 ? length : this.#integer)
        return stop > end ? STOP : this.#delimited(field, start, stop, depth)
      }
      case 3:
        this.left -= field?.shape?.words ?? 0
        return this.message(field?.shape, at, end, depth + 1)
      case 5:
        return at + 4
      default:
        return STOP
    }
  }

  #delimited(field: FieldShape | undefined, start: number, end: number, depth: number): number {
    switch (field?.value) {
      case 'message':
        this.left -= field.shape!.words
        return this.message(field.shape, start, end, depth + 1)
      case 'bytes':
        if (end > start) this.left -= BYTES_WORDS
        break
      case 'int64': // a packed list: every integer has one last byte
        for (let at = start; at < end; at++) if (this.#bytes[at]! < 128) this.left -= LONG_WORDS
        break
      case 'fixed64':
        this.left -= ((end - start) >>> 3) * LONG_WORDS
        break
    }
    return end
  }

  /** An entry of a map: a message whose field 1 is the key, and field 2 the value. */
  #entry(field: FieldShape, start: number, outerEnd: number, depth: number, indexes: Indexes): number {
    let at = this.#varint(start)
    const end = at + this.#integer
    if (end > outerEnd) return STOP
    this.left -= words.mapEntry
    let index = 0
    let hasMessage = false
    while (at < end) {
      at = this.#varint(at)
      const tag = this.#integer
      const isValue = tag >>> 3 === 2
      if (isValue) hasMessage ||= (tag & 7) === DELIMITED
      else if (tag >>> 3 === 1) index = this.#indexAt(at, field, tag & 7)
      at = this.#value(tag & 7, isValue ? field : undefined, at, end, depth)
      if (at < 0) return STOP
    }
    // Without one it is an empty one.
    if (!hasMessage) this.left -= field.shape?.words ?? 0
    this.left -= indexes.add(index)
    return at === end ? at : STOP
  }

  /** The array index that a key is, or something that is none. */
  #indexAt(at: number, { key }: FieldShape, wireType: number): number {
    const bytes = this.#bytes
    if (key === 'fixed') return bytes.length - at < 4 ? -1 : bytes.readUInt32LE(at)
    const start = this.#varint(at)
    const number = this.#integer
    if (wireType === DELIMITED) return number <= 4 ? Number(bytes.toString('latin1', start, start + number)) : -1
    return key !== 'zigzag' ? number : number % 2 === 0 ? number / 2 : -1
  }

  /** Where an integer ends: protobufjs skips those of any length. */
  #endOfVarint(start: number): number {
    let at = start
    while (this.#bytes[at]! >= 128) at++
    return at + 1
  }

  /** Reads an integer, and returns where it ends. */
  #varint(start: number): number {
    const bytes = this.#bytes
    let at = start
    let unit = 1
    this.#integer = 0
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++]
      if (byte === undefined) break
      this.#integer += (byte & 127) * unit
      if (byte < 128) break
      unit *= 128
    }
    return at
  }
}

/** The room that V8 makes for the keys of a map that are array indexes. */
class Indexes {
  #places = 0
  #used = 0

  /** The places added for this one. */
  add(index: number): number {
    this.#used++
    if (!(index >= this.#places && index - this.#places < GAP_MAX)) return 0
    const places = Math.ceil(index * 1.5) + 16
    if (places > UNCHECKED_PLACES && places > this.#used * TABLE_PLACES) return 0
    const more = places - this.#places
    this.#places = places
    return more
  }
}
