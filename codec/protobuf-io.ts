// protobufjs's Writer and Reader made to work in place: the writer continues in a buffer that it is given, grows it once
// and nearly exactly, and refuses what protobufjs would write as something else; the reader copies byte fields. This file
// knows protobufjs's inner fields (`buf`, `pos`, `view`, `states`, `_reserve`) and checks at startup that they still hold.
import { BufferReader, BufferWriter } from 'protobufjs/minimal.js'
import type { EncodeTarget } from './codec.ts'

const NOTHING = Buffer.alloc(0)
/** A buffer that is not larger, and what it is a part of, is let go of with the next message only, bytes: most lie in the one that the last lay in. */
const KEPT_BYTES = 64 * 1024
/** All empty byte fields. */
const EMPTY = Buffer.alloc(0)
/** Room beyond what is needed: for a short string's worst case and for the lengths of the messages around it. */
const SLACK = 1_024
/** Byte fields up to this are copied byte by byte: a call costs more. */
const SHORT = 32
/** How many values of a message are looked at when its size is estimated. */
const ESTIMATE_VALUES = 100_000
/** A 64-bit value as protobufjs takes it. */
type Integer64 = Parameters<BufferWriter['uint64']>[0]

/** A writer that continues in a target's buffer. */
export class InPlaceWriter extends BufferWriter {
  #message: unknown
  #start = 0
  #estimated = false

  /** Starts a message at the target's position. */
  begin(target: EncodeTarget, message: unknown): void {
    if (this.buf !== target.buffer) this.buf = target.buffer
    this.pos = this.#start = target.position
    this.view = null
    this.states = null
    this.#message = message
    this.#estimated = false
  }

  /** Hands buffer and position back to the target. */
  commit(target: EncodeTarget): void {
    if (target.buffer !== this.buf) target.buffer = this.buf as Buffer
    target.position = this.pos
  }

  /** Lets go of the message, and of a large buffer, also after an error. */
  end(): void {
    if (this.buf.length > KEPT_BYTES) this.buf = NOTHING
    this.pos = 0
    this.view = null
    this.states = null
    this.#message = undefined
  }

  /**
   * Called by all of protobufjs's write methods. Where theirs doubles, this grows the first time to what the whole
   * message is likely to take, so that a large one costs one allocation of about its size.
   */
  _reserve(length: number): void {
    const needed = this.pos + length
    if (needed <= this.buf.length) return
    let size = needed + SLACK
    if (this.#estimated) {
      size = Math.max(size, this.buf.length + (this.buf.length >>> 1))
    } else {
      this.#estimated = true
      size = Math.max(size, this.#start + estimate(this.#message, 0, { values: ESTIMATE_VALUES }) + SLACK)
    }
    const larger = Buffer.allocUnsafeSlow(size)
    larger.set(this.buf.subarray(0, this.pos))
    this.buf = larger
    this.view = null
  }

  // protobufjs writes a lone surrogate as bytes that the receiver refuses.
  override string(value: string): this {
    if (!isWellFormed(value)) throw new TypeError('protobuf: a string with a lone surrogate can not be encoded')
    return super.string(value) as this
  }

  // protobufjs writes every bigint as 0.
  override uint64(value: Integer64): this {
    return super.uint64(not64(value)) as this
  }
  override int64(value: Integer64): this {
    return super.int64(not64(value)) as this
  }
  override sint64(value: Integer64): this {
    return super.sint64(not64(value)) as this
  }
  override fixed64(value: Integer64): this {
    return super.fixed64(not64(value)) as this
  }
  override sfixed64(value: Integer64): this {
    return super.sfixed64(not64(value)) as this
  }
  override uint64s(values: Integer64[]): this {
    return super.uint64s(none64(values)) as this
  }
  override int64s(values: Integer64[]): this {
    return super.int64s(none64(values)) as this
  }
  override sint64s(values: Integer64[]): this {
    return super.sint64s(none64(values)) as this
  }
  override fixed64s(values: Integer64[]): this {
    return super.fixed64s(none64(values)) as this
  }
  override sfixed64s(values: Integer64[]): this {
    return super.sfixed64s(none64(values)) as this
  }
}

/** A field is worth keeping the buffer that it came in when it is this much of it. */
const KEPT_SHARE = 0.5

/** A reader over a part of a buffer whose byte fields are copies; large ones are not when the buffer is nobody else's. */
export class InPlaceReader extends BufferReader {
  protected isOwned = false

  constructor() {
    super(NOTHING)
  }

  /** Starts at `start`; nothing from `end` on is read. */
  begin(bytes: Buffer, start: number, end: number, isOwned = false): void {
    this.isOwned = isOwned
    if (this.buf !== bytes) this.buf = bytes
    this.pos = start
    this.len = end
    this.view = null
  }

  /** Whether a field of this length may go on referring to the buffer. */
  protected mayKeep(length: number): boolean {
    return this.isOwned && length >= this.buf.length * KEPT_SHARE
  }

  /** Lets go of a large buffer. */
  end(): void {
    if (this.buf.length > KEPT_BYTES) this.buf = NOTHING
    this.view = null
  }

  /** All byte fields, and unknown fields when they are kept, come through here. */
  override raw(start: number, end: number): Buffer {
    // An object each would be a hundred bytes of heap per byte on the wire.
    const length = end - start
    if (length === 0) return EMPTY
    if (this.mayKeep(length)) return (this.buf as Buffer).subarray(start, end)
    // Out of Buffer's pool: memory of its own for each field would take three times as long.
    const copy = Buffer.allocUnsafe(length)
    const bytes = this.buf
    if (length > SHORT) (bytes as Buffer).copy(copy, 0, start, end)
    else for (let i = 0; i < length; i++) copy[i] = bytes[start + i]!
    return copy
  }
}

/**
 * Whether a writer does what this file relies on: it continues behind the bytes that are there, keeps them when it grows,
 * and leaves its position behind its last byte.
 */
export function writesInPlace(create: () => InPlaceWriter): boolean {
  try {
    const numbers = Array.from({ length: 20 }, (_, i) => i / 4)
    const write = (writer: BufferWriter): BufferWriter =>
      writer
        .uint32(8)
        .int32(-1)
        .uint32(18)
        .fork()
        .string('é'.repeat(70))
        .bytes(Buffer.alloc(200, 7))
        .ldelim()
        .uint64(300)
        .doubles(numbers) as BufferWriter
    const expected = write(new BufferWriter()).finish()
    for (const capacity of [64, 2_048]) {
      const before = Buffer.alloc(16, 0xa5)
      const target: EncodeTarget = { buffer: Buffer.concat([before], capacity), position: 16 }
      const original = target.buffer
      const writer = create()
      writer.begin(target, undefined)
      write(writer)
      writer.commit(target)
      if ((target.buffer === original) !== capacity > 16 + expected.length) return false
      if (target.position !== 16 + expected.length) return false
      if (!target.buffer.subarray(0, target.position).equals(Buffer.concat([before, expected]))) return false
    }
    return true
  } catch {
    return false
  }
}

/** Roughly the bytes that a message takes: exact where it matters, in strings and byte fields. */
function estimate(value: unknown, depth: number, budget: { values: number }): number {
  if (--budget.values < 0 || depth > 100) return 0
  if (typeof value === 'string') return 5 + Buffer.byteLength(value)
  if (typeof value !== 'object' || value === null) return 5
  if (ArrayBuffer.isView(value)) return 5 + value.byteLength
  let sum = 5
  if (Array.isArray(value)) {
    // Numbers are packed, and reserved all at once.
    if (typeof value[0] === 'number' || typeof value[0] === 'boolean') return sum
    for (let i = 0; i < value.length && budget.values > 0; i++) sum += 2 + estimate(value[i], depth + 1, budget)
    return sum
  }
  for (const key of Object.keys(value)) sum += estimate((value as Record<string, unknown>)[key], depth + 1, budget)
  return sum
}

function not64(value: Integer64): Integer64 {
  if (typeof value === 'bigint') {
    throw new TypeError('protobuf: a bigint can not be encoded, use a Long, a number or a decimal string')
  }
  return value
}

function none64(values: Integer64[]): Integer64[] {
  for (let i = 0; i < values.length; i++) not64(values[i] as Integer64)
  return values
}

/** Whether a string has no lone surrogate. (The runtime has it; the library types of this language level do not.) */
export function isWellFormed(value: string): boolean {
  return (value as string & { isWellFormed(): boolean }).isWellFormed()
}
