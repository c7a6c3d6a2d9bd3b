// Writes values as MessagePack straight into the caller's buffer. Strict: what would not come back as it was is refused
// here, on the sender's side, with the rules that the receiver's scan applies. It shares no state with the msgpackr
// library, whose encoder has one process-wide buffer, grows it fourfold and turns functions and Sets into something else.
import type { EncodeTarget } from './codec.ts'
import { measure } from './msgpack-measure.ts'
import { FORBIDDEN_KEY, type MsgpackLimits, placesWith, weight, weightOfPlaces } from './msgpack-scan.ts'

/** How one class of objects travels as a MessagePack extension. */
export interface MsgpackExtension<T extends object = object> {
  /** Its number: 1 to 127, the same on all nodes. */
  readonly type: number
  /** Instances of this class are written by `pack`. */
  readonly class: abstract new (
    ...args: never[]
  ) => T
  /** An instance as bytes. */
  pack(instance: T): Uint8Array
  /** The instance back from bytes, which are its own to keep. */
  unpack(bytes: Uint8Array): T
}

const NOTHING = Buffer.alloc(0)
/** Room beyond the exact size: the most that a check asks for ahead of a number or a short string. */
const SLACK = 256
/** Shorter strings are written by a loop, longer ones by the runtime. */
const SHORT_STRING = 48

/** Writes one value at a time. It can be used again after it threw, but not from within itself (a getter that encodes). */
export class MsgpackWriter {
  readonly #limits: MsgpackLimits
  readonly #extensions: readonly MsgpackExtension[]
  #buffer: Buffer = NOTHING
  #position = 0
  #start = 0
  #weighed = 0
  #root: unknown
  #measured = false

  constructor(limits: MsgpackLimits, extensions: readonly MsgpackExtension[]) {
    this.#limits = limits
    this.#extensions = extensions
  }

  /** Writes `value` at the target's position. A target is changed only when this returns. */
  encode(value: unknown, target: EncodeTarget): void {
    this.#buffer = target.buffer
    this.#position = this.#start = target.position
    this.#weighed = 0
    this.#root = value
    this.#measured = false
    try {
      this.#value(value, 0)
      target.buffer = this.#buffer
      target.position = this.#position
    } finally {
      this.#buffer = NOTHING
      this.#root = undefined
    }
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.#weigh(weight.value)
        this.#string(value)
        return
      case 'number':
        this.#weigh(weight.value)
        this.#number(value)
        return
      case 'boolean':
        this.#weigh(weight.value)
        this.#reserve(1)
        this.#buffer[this.#position++] = value ? 0xc3 : 0xc2
        return
      case 'undefined':
        this.#weigh(weight.extension)
        this.#reserve(3)
        this.#buffer[this.#position++] = 0xd4
        this.#buffer[this.#position++] = 0
        this.#buffer[this.#position++] = 0
        return
      case 'bigint':
        this.#weigh(weight.value)
        this.#bigint(value)
        return
      case 'object':
        if (value === null) {
          this.#weigh(weight.value)
          this.#reserve(1)
          this.#buffer[this.#position++] = 0xc0
        } else this.#object(value, depth)
        return
      default:
        throw new TypeError(`msgpack: a ${typeof value} can not be encoded`)
    }
  }

  #number(value: number): void {
    this.#reserve(9)
    const buffer = this.#buffer
    let position = this.#position
    if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) {
      if (value < 0x80) {
        buffer[position++] = value
      } else if (value < 0x100) {
        buffer[position++] = 0xcc
        buffer[position++] = value
      } else if (value < 0x10000) {
        buffer[position++] = 0xcd
        position = buffer.writeUInt16BE(value, position)
      } else {
        buffer[position++] = 0xce
        position = buffer.writeUInt32BE(value, position)
      }
    } else if (value >> 0 === value && value !== 0) {
      if (value >= -0x20) {
        buffer[position++] = value + 0x100
      } else if (value >= -0x80) {
        buffer[position++] = 0xd0
        buffer[position++] = value + 0x100
      } else if (value >= -0x8000) {
        buffer[position++] = 0xd1
        position = buffer.writeInt16BE(value, position)
      } else {
        buffer[position++] = 0xd2
        position = buffer.writeInt32BE(value, position)
      }
    } else {
      buffer[position++] = 0xcb
      position = buffer.writeDoubleBE(value, position)
    }
    this.#position = position
  }

  #bigint(value: bigint): void {
    if (value < -0x8000000000000000n || value > 0xffffffffffffffffn) {
      throw new RangeError('msgpack: a bigint does not fit 64 bits')
    }
    this.#reserve(9)
    if (value > 0x7fffffffffffffffn) {
      this.#buffer[this.#position] = 0xcf
      this.#position = this.#buffer.writeBigUInt64BE(value, this.#position + 1)
    } else {
      this.#buffer[this.#position] = 0xd3
      this.#position = this.#buffer.writeBigInt64BE(value, this.#position + 1)
    }
  }

  #string(value: string): void {
    const units = value.length
    if (units >= SHORT_STRING) {
      if (!isWellFormed(value)) throw loneSurrogate()
      const length = Buffer.byteLength(value)
      this.#reserve(5 + length)
      this.#head(length, 0xa0, 0x1f, 0xd9)
      this.#buffer.write(value, this.#position, length, length === units ? 'latin1' : 'utf8')
      this.#position += length
      return
    }
    this.#reserve(3 * units + 2)
    const buffer = this.#buffer
    const start = this.#position
    let position = start + (units < 0x20 ? 1 : 2)
    const content = position
    for (let i = 0; i < units; i++) {
      let code = value.charCodeAt(i)
      if (code < 0x80) {
        buffer[position++] = code
      } else if (code < 0x800) {
        buffer[position++] = (code >> 6) | 0xc0
        buffer[position++] = (code & 0x3f) | 0x80
      } else if (code < 0xd800 || code > 0xdfff) {
        buffer[position++] = (code >> 12) | 0xe0
        buffer[position++] = ((code >> 6) & 0x3f) | 0x80
        buffer[position++] = (code & 0x3f) | 0x80
      } else {
        const low = value.charCodeAt(++i) // NaN at the end
        if (code > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) throw loneSurrogate()
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
        buffer[position++] = (code >> 18) | 0xf0
        buffer[position++] = ((code >> 12) & 0x3f) | 0x80
        buffer[position++] = ((code >> 6) & 0x3f) | 0x80
        buffer[position++] = (code & 0x3f) | 0x80
      }
    }
    const length = position - content
    if (length < 0x20) {
      buffer[start] = 0xa0 | length
    } else {
      if (content - start === 1) {
        buffer.copyWithin(start + 2, content, position)
        position++
      }
      buffer[start] = 0xd9
      buffer[start + 1] = length
    }
    this.#position = position
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) {
      this.#enter(depth, weight.array)
      this.#reserve(5)
      const length = value.length
      this.#head(length, 0x90, 0x0f, 0xdb)
      for (let i = 0; i < length; i++) this.#value(value[i], depth + 1)
      return
    }
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null && this.#special(value)) return
    this.#enter(depth, weight.map)
    const keys = Object.keys(value)
    this.#reserve(5)
    this.#head(keys.length, 0x80, 0x0f, 0xdd)
    let places = 0
    let reserved = 0
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const index = indexOf(key)
      if (index < 0) {
        if (key === FORBIDDEN_KEY) throw new TypeError(`msgpack: the key ${key} can not be encoded`)
        this.#weigh(weight.key)
      } else {
        // Objects have these first, in order.
        places = placesWith(index, places, i + 1)
        const more = Math.max(0, weightOfPlaces(places, i + 1) - reserved)
        reserved += more
        this.#weigh(weight.indexKey + more)
      }
      this.#string(key)
      this.#value((value as Record<string, unknown>)[key], depth + 1)
    }
  }

  /** Writes what is neither an array nor a plain object; false for an instance of a class that goes by its fields. */
  #special(value: object): boolean {
    for (const extension of this.#extensions) {
      if (value instanceof extension.class) {
        const data: unknown = extension.pack(value)
        if (!(data instanceof Uint8Array)) {
          throw new TypeError(`msgpack: pack of the extension ${extension.type} gave no Uint8Array`)
        }
        this.#extension(extension.type, data)
        return true
      }
    }
    if (value instanceof Uint8Array) {
      this.#weigh(weight.bytes)
      this.#reserve(5 + value.length)
      if (value.length < 0x100) {
        this.#buffer[this.#position++] = 0xc4
        this.#buffer[this.#position++] = value.length
      } else this.#head(value.length, 0, -1, 0xc4)
      this.#buffer.set(value, this.#position)
      this.#position += value.length
      return true
    }
    if (value instanceof Date) {
      this.#extension(0xff, timestamp(value))
      return true
    }
    const kind = Object.prototype.toString.call(value)
    if (kind !== '[object Object]') throw new TypeError(`msgpack: a ${kind.slice(8, -1)} can not be encoded`)
    return false
  }

  #extension(type: number, data: Uint8Array): void {
    this.#weigh(weight.extension)
    const length = data.length
    this.#reserve(6 + length)
    const fixed = [1, 2, 4, 8, 16].indexOf(length)
    if (fixed >= 0) this.#buffer[this.#position++] = 0xd4 + fixed
    else if (length < 0x100) {
      this.#buffer[this.#position++] = 0xc7
      this.#buffer[this.#position++] = length
    } else this.#head(length, 0, -1, 0xc7)
    this.#buffer[this.#position++] = type
    this.#buffer.set(data, this.#position)
    this.#position += length
  }

  /** A length: within the token up to `most`, else behind `wide` (8 bits: strings only), `wide + 1` or `wide + 2`. */
  #head(length: number, token: number, most: number, wide: number): void {
    const buffer = this.#buffer
    if (length <= most) {
      buffer[this.#position++] = token | length
    } else if (wide === 0xd9 && length < 0x100) {
      buffer[this.#position++] = wide
      buffer[this.#position++] = length
    } else if (length < 0x10000) {
      buffer[this.#position++] = wide + 1
      this.#position = buffer.writeUInt16BE(length, this.#position)
    } else {
      buffer[this.#position++] = wide + 2
      this.#position = buffer.writeUInt32BE(length, this.#position)
    }
  }

  #enter(depth: number, units: number): void {
    if (depth >= this.#limits.maxDepth) {
      throw new RangeError(`msgpack: nested deeper than ${this.#limits.maxDepth}, or cyclic`)
    }
    this.#weigh(units)
  }

  #weigh(units: number): void {
    this.#weighed += units
    if (this.#weighed > this.#limits.maxValues) {
      throw new RangeError(`msgpack: more than ${this.#limits.maxValues} values`)
    }
  }

  #reserve(length: number): void {
    if (this.#position + length > this.#buffer.length) this.#grow(this.#position + length)
  }

  /** The first time in a message: exactly what the whole message takes. (Extensions are not measured: they grow it again.) */
  #grow(needed: number): void {
    let size = Math.max(needed, this.#buffer.length + (this.#buffer.length >>> 1))
    if (!this.#measured) {
      this.#measured = true
      const budget = { values: this.#limits.maxValues }
      size = Math.max(needed, this.#start + measure(this.#root, this.#limits.maxDepth, budget) + SLACK)
    }
    const larger = Buffer.allocUnsafeSlow(size)
    this.#buffer.copy(larger, 0, 0, this.#position)
    this.#buffer = larger
  }
}

/** The array index that a key is, else -1. */
function indexOf(key: string): number {
  const first = key.charCodeAt(0)
  if (!(first >= 0x30 && first <= 0x39) || key.length > 10 || (first === 0x30 && key.length > 1)) return -1
  const index = Number(key)
  return Number.isInteger(index) ? index : -1
}

/** A Date as the data of the timestamp extension; an invalid one as a single byte. */
function timestamp(date: Date): Buffer {
  const time = date.getTime()
  if (Number.isNaN(time)) return Buffer.of(0xff)
  const seconds = Math.floor(time / 1000)
  const nanoseconds = (time - seconds * 1000) * 1_000_000
  if (seconds >= 0 && seconds <= 0xffffffff) {
    if (nanoseconds === 0) {
      const data = Buffer.allocUnsafe(4)
      data.writeUInt32BE(seconds)
      return data
    }
    const data = Buffer.allocUnsafe(8)
    data.writeUInt32BE(nanoseconds * 4)
    data.writeUInt32BE(seconds, 4)
    return data
  }
  const data = Buffer.allocUnsafe(12)
  data.writeUInt32BE(nanoseconds)
  data.writeBigInt64BE(BigInt(seconds), 4)
  return data
}

/** Whether a string has no lone surrogate. (The runtime has it; the library types of this language level do not.) */
function isWellFormed(value: string): boolean {
  return (value as string & { isWellFormed(): boolean }).isWellFormed()
}

function loneSurrogate(): TypeError {
  return new TypeError('msgpack: a string with a lone surrogate can not be encoded')
}
