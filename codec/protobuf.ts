// The protobuf codec over message types made by protobufjs. It owns the checks before writing and after reading, and the
// one writer and reader that all types share. How these work in place is in protobuf-io.ts; schemas are not its business.

/**
 * The protobuf codec, over message types of protobufjs.
 *
 * @module gorums/codec/protobuf
 */
import type { Reader, Writer } from 'protobufjs/minimal.js'
import type { Codec, EncodeTarget } from './codec.ts'
import { requireLimit, safeBytes, tooLarge, wordsBeside } from './decoded-size.ts'
import { InPlaceReader, InPlaceWriter, writesInPlace } from './protobuf-io.ts'
import { mostPerByte, shapeOf, takesAtMost } from './protobuf-scan.ts'

/** A message type as protobufjs makes them: a class of a static module, or a reflected `Type` (see `protobuf`). */
export interface ProtobufType<In, Out = In> {
  /** For error messages. */
  readonly name?: string
  /** Writes a message to the writer that is given. */
  encode(message: In, writer?: Writer): Writer
  /** Reads a message of `length` bytes from where the reader stands. */
  decode(reader: Reader | Uint8Array, length?: number): Out
  /** Says what is wrong with a message, or null. Called before each `encode`. */
  verify?(message: object): string | null
}

/** A reflected type: its own TypeScript type says nothing about its fields. */
export interface ProtobufReflectedType {
  /** For error messages. */
  readonly name: string
  /** Present on reflected types only. */
  readonly fieldsArray: readonly object[]
  /** Writes a message to the writer that is given. */
  encode(message: object, writer?: Writer): Writer
  /** Reads a message of `length` bytes from where the reader stands. */
  decode(reader: Reader | Uint8Array, length?: number): object
  /** Says what is wrong with a message, or null. Called before each `encode`. */
  verify(message: object): string | null
}

/** How to make a codec of a reflected type. */
export interface ProtobufOptions {
  /**
   * What one message may take in bytes of memory when it is decoded, of which each byte that it came in counts for 16: more
   * is a RangeError, before it is decoded. Default: 32 MiB, or 48 times the bytes that it came in, whichever is more. What is
   * no positive integer is a RangeError, any value for a static class a TypeError.
   */
  readonly maxDecodedBytes?: number
}

/**
 * A codec for one message type: `protobuf(Request)` with a class of a static module, `protobuf<Request>(root.lookupType(…))`
 * with a reflected type, whose TypeScript type is for the caller to say.
 *
 * A message that the type's `verify` finds fault with is a TypeError, so is a string with a lone surrogate and a bigint
 * (64-bit fields take Long, number and decimal string, and come back as Long). Integers beyond a 32-bit field's range are
 * not noticed: protobufjs cuts them. `verify` walks the message a second time; types without it skip that.
 *
 * Decoding refuses bytes that are not the type, nested deeper than 100, or not used up; fields that the type does not know
 * are skipped. Byte fields are Buffers of their own. Map fields are plain objects, as protobufjs makes them. What a message
 * takes in memory is bounded by `options` for reflected types. A static class does not show what its fields are: for those
 * nothing bounds it but the length of messages.
 */
export function protobuf<In, Out = In>(type: ProtobufType<In, Out>): Codec<In, Out>
export function protobuf<In extends object, Out = In>(
  type: ProtobufReflectedType,
  options?: ProtobufOptions,
): Codec<In, Out>
export function protobuf<In, Out>(
  type: ProtobufType<In, Out> | ProtobufReflectedType,
  { maxDecodedBytes }: ProtobufOptions = {},
): Codec<In, Out> {
  for (const method of ['encode', 'decode'] as const) {
    if (typeof type?.[method] !== 'function')
      throw new TypeError(`protobuf: the message type has no ${method} function`)
  }
  requireLimit(maxDecodedBytes)
  if (maxDecodedBytes !== undefined && !isReflected(type))
    throw new TypeError(`protobuf: ${title(type)}: maxDecodedBytes is for reflected types, not for static classes`)
  return new ProtobufCodec(type as ProtobufType<In, Out>, maxDecodedBytes)
}

const inPlace = writesInPlace(() => new InPlaceWriter())
const sharedWriter = new InPlaceWriter()
const sharedReader = new InPlaceReader()
// In use: a getter of a message that is being encoded, or the constructor of one being decoded, runs a codec itself.
let writing = false
let reading = false

class ProtobufCodec<In, Out> implements Codec<In, Out> {
  readonly name = 'protobuf'
  readonly #type: ProtobufType<In, Out>
  /** The same, when it shows its fields. */
  readonly #reflected: ProtobufReflectedType | undefined
  readonly #maxDecodedBytes: number | undefined
  /**
   * Messages of up to this length are decoded without a look: they can not take too much, or nothing is known of the type.
   * -1: not worked out yet, as types may refer to later ones.
   */
  #safeBytes: number
  /** The type was made by another copy of protobufjs than the one that this package uses. Known when it has refused our reader. */
  #isOfOtherCopy = false

  constructor(type: ProtobufType<In, Out>, maxDecodedBytes: number | undefined) {
    this.#type = type
    this.#maxDecodedBytes = maxDecodedBytes
    this.#reflected = isReflected(type) ? type : undefined
    this.#safeBytes = this.#reflected === undefined ? Infinity : -1
  }

  encode(value: In, target: EncodeTarget): void {
    const type = this.#type
    if (typeof value !== 'object' || value === null) throw new TypeError(`protobuf: ${title(type)}: object expected`)
    const fault = type.verify?.(value)
    if (typeof fault === 'string') throw new TypeError(`protobuf: ${title(type)}: ${fault}`)
    const nested = writing
    const writer = nested ? new InPlaceWriter() : sharedWriter
    writing = true
    try {
      writer.begin(target, value)
      const result = inPlace ? type.encode(value, writer) : type.encode(value)
      if (result === writer) writer.commit(target)
      else append(result.finish(), target)
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error
      throw new RangeError(`protobuf: ${title(type)}: the message can not be encoded`, { cause: error })
    } finally {
      writer.end()
      writing = nested
    }
  }

  decode(bytes: Buffer, start: number, end: number, isOwned = false): Out {
    if (end - start > this.#safeBytes) this.#checkSize(bytes, start, end)
    const nested = reading
    const reader = nested ? new InPlaceReader() : sharedReader
    reading = true
    try {
      if (this.#isOfOtherCopy) return this.#decodeCopy(bytes, start, end)
      reader.begin(bytes, start, end, isOwned)
      const message = this.#type.decode(reader, end - start)
      if (reader.pos !== end) throw new RangeError(`protobuf: ${end - reader.pos} bytes follow the message`)
      return message
    } catch (error) {
      if (!this.#isOfOtherCopy && reader.pos === start && isOtherReader(error)) {
        this.#isOfOtherCopy = true
        return this.decode(bytes, start, end)
      }
      // protobufjs attaches what it has read so far to the error for a missing field: it must not get into logs.
      if (error instanceof Error && 'instance' in error) throw new Error(`protobuf: ${error.message}`)
      throw error
    } finally {
      reader.end()
      reading = nested
    }
  }

  /** For a type that knows no reader of ours. Its byte fields are views of what it is given: of memory that is the message's own. */
  #decodeCopy(bytes: Buffer, start: number, end: number): Out {
    return this.#type.decode(Buffer.from(bytes.subarray(start, end)))
  }

  /** Throws RangeError for a message that would take too much memory. */
  #checkSize(bytes: Buffer, start: number, end: number): void {
    const type = this.#reflected!
    const length = end - start
    const limit = this.#maxDecodedBytes
    if (this.#safeBytes < 0) this.#safeBytes = safeBytes(mostPerByte(type), limit)
    if (length <= this.#safeBytes || takesAtMost(wordsBeside(length, limit), shapeOf(type), bytes, start, end)) return
    throw new RangeError(`protobuf: ${title(type)}: ${tooLarge(length, limit).message}`)
  }
}

/** What a type says to a reader that is not of its own copy of protobufjs, before it has read anything. */
function isOtherReader(error: unknown): boolean {
  return error instanceof Error && error.message === 'illegal buffer'
}

function isReflected(type: object): type is ProtobufReflectedType {
  return 'fieldsArray' in type
}

/** Copies finished bytes to where a writer that works in place would have put them. */
function append(message: Uint8Array, target: EncodeTarget): void {
  const end = target.position + message.length
  if (end > target.buffer.length) {
    const larger = Buffer.allocUnsafeSlow(end)
    target.buffer.copy(larger, 0, 0, target.position)
    target.buffer = larger
  }
  target.buffer.set(message, target.position)
  target.position = end
}

function title(type: { readonly name?: string }): string {
  return type.name ?? 'message'
}
