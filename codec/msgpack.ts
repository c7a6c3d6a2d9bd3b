// The MessagePack codec: values as they are, without a schema. It owns the options, what is checked before a payload is
// decoded, and the use of msgpackr to decode. Writing is in msgpack-write.ts, the check of payloads in msgpack-scan.ts.

/**
 * The MessagePack codec: values as they are. The default of `service` in gorums.
 *
 * @module gorums/codec/msgpack
 */
import type * as msgpackr from 'msgpackr'
// Without msgpackr's native part, which reads payloads itself and keeps a whole payload's text alive for one long string.
import { addExtension, Unpackr } from 'msgpackr/unpack'
import type { Codec } from './codec.ts'
import { DEPTH_LIMIT, type MsgpackLimits, scan } from './msgpack-scan.ts'
import { type MsgpackExtension, MsgpackWriter } from './msgpack-write.ts'

export type { MsgpackExtension } from './msgpack-write.ts'

/** How to make a MessagePack codec. All nodes need the same. */
export interface MsgpackOptions {
  /** How many arrays and maps may be inside one another: 1 to 1 000, default 64. */
  readonly maxDepth?: number
  /**
   * How many values a message may hold, default 1 000 000; more is a RangeError for the sender and fails that call on
   * the receiver. Numbers, strings, booleans and null count one, arrays and map keys two, maps four, dates, extensions
   * and undefined eight, byte fields and map keys that are array indexes twelve and more. Decoding allocates at most 32
   * bytes per unit, plus the text of long strings and the content of byte fields: 32 MB with the default.
   */
  readonly maxValues?: number
  /** Classes that travel as extensions. Their `unpack` is registered with msgpackr, whose table is process-wide. */
  readonly extensions?: readonly MsgpackExtension[]
}

/**
 * A codec that takes values as they are. Without options it is always the same one, for any type.
 *
 * What comes back equal: null, undefined, booleans, numbers (also NaN, infinities and -0), strings, Uint8Array, Date,
 * arrays, and objects with string keys made of these. What comes back as something else: a bigint from -2^53 to 2^53 as a
 * number, a Buffer and a Uint8Array as a Uint8Array of their own bytes, holes of an array as undefined, an instance of a
 * class as a plain object with its own enumerable fields (`toJSON` is not called, keys that are symbols are left out).
 *
 * What is refused: TypeError for functions, symbols, Map, Set, Error, RegExp, ArrayBuffer, typed arrays other than
 * Uint8Array and all other built-in objects, for strings with a lone surrogate and for the key `__proto__`; RangeError
 * for a bigint beyond 64 bits, for a value that is nested too deep, cyclic, or too large. undefined is written as the
 * extension 0 that msgpackr and others use for it.
 */
export function msgpack<In = unknown, Out = In>(options?: MsgpackOptions): Codec<In, Out> {
  return (options === undefined ? shared : new MsgpackCodec(options)) as Codec<unknown, unknown> as Codec<In, Out>
}

/** Options for msgpackr: plain objects, no records, no types of its own. `auto` is missing in its types. */
const DECODER_OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  bundleStrings: false,
  copyBuffers: true,
  int64AsType: 'auto' as 'bigint',
}
const decoder: msgpackr.Unpackr = new Unpackr(DECODER_OPTIONS)

/** msgpackr decodes strings faster when the payload ends below this offset of its buffer: short ones are copied there. */
const SHORT_PAYLOAD = 140
const short = Buffer.alloc(SHORT_PAYLOAD)
const range = { start: 0, end: 0 }
/** Decoding is going on: a second one comes from an extension's `unpack` and leaves `short` and `range` alone. */
let decoding = false

class MsgpackCodec implements Codec<unknown, unknown> {
  readonly name = 'msgpack'
  readonly #limits: MsgpackLimits
  readonly #extensions: readonly MsgpackExtension[]
  readonly #writer: MsgpackWriter
  #encoding = false

  constructor(options: MsgpackOptions) {
    const { maxDepth = 64, maxValues = 1_000_000, extensions = [] } = options
    requireInteger('maxDepth', maxDepth, 1, DEPTH_LIMIT)
    requireInteger('maxValues', maxValues, 1, Number.MAX_SAFE_INTEGER)
    const types: boolean[] = new Array(256).fill(false)
    for (const extension of extensions) {
      if (types[extension.type]) throw new RangeError(`msgpack: two extensions of type ${extension.type}`)
      register(extension)
      types[extension.type] = true
    }
    this.#limits = { maxDepth, maxValues, extensions: types }
    this.#extensions = [...extensions]
    this.#writer = new MsgpackWriter(this.#limits, this.#extensions)
  }

  encode(value: unknown, target: { buffer: Buffer; position: number }): void {
    if (this.#encoding) {
      // A getter, or an extension's `pack`, that encodes something itself.
      new MsgpackWriter(this.#limits, this.#extensions).encode(value, target)
      return
    }
    this.#encoding = true
    try {
      this.#writer.encode(value, target)
    } finally {
      this.#encoding = false
    }
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    scan(bytes, start, end, this.#limits)
    if (decoding) return decoder.unpack(bytes, { start, end })
    decoding = true
    try {
      if (end - start > SHORT_PAYLOAD) {
        range.start = start
        range.end = end
        return decoder.unpack(bytes, range)
      }
      range.start = 0
      range.end = bytes.copy(short, 0, start, end)
      return decoder.unpack(short, range)
    } finally {
      decoding = false
    }
  }
}

/** Extensions given to msgpackr so far, by type. */
const registered = new Map<number, MsgpackExtension['unpack']>()
/** Types that msgpackr uses itself: B b e i p r s t x. */
const RESERVED_TYPES = [0x42, 0x62, 0x65, 0x69, 0x70, 0x72, 0x73, 0x74, 0x78]

function register(extension: MsgpackExtension): void {
  const { type, unpack } = extension
  requireInteger('extension type', type, 1, 127)
  if (RESERVED_TYPES.includes(type)) throw new RangeError(`msgpack: the extension type ${type} belongs to msgpackr`)
  const known = registered.get(type)
  if (known !== undefined) {
    if (known !== unpack) throw new RangeError(`msgpack: the extension type ${type} is in use in this process`)
    return
  }
  registered.set(type, unpack)
  // The bytes are a view of the payload's buffer: hand on a copy.
  addExtension({ type, unpack: (bytes: Uint8Array) => extension.unpack(new Uint8Array(bytes)) })
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw new RangeError(`msgpack: ${name} is ${value}, not an integer from ${least} to ${most}`)
}

const shared = new MsgpackCodec({})
