// Fuzzes the protobuf codec: it takes the bytes that protobufjs takes, reads in them what protobufjs reads, and writes what
// protobufjs writes, at any place in any buffer. What it counts of a message's memory is at least what a look at the decoded
// one counts, and what it refuses for that would have been a message.
//
// An input's first byte says where in a buffer the message stands; the rest is the message.

import { isDeepStrictEqual } from 'node:util'
import protobufjs from 'protobufjs'
import type { EncodeTarget } from '../../../codec/codec.ts'
import type * as protobufModule from '../../../codec/protobuf.ts'
import type * as scanModule from '../../../codec/protobuf-scan.ts'
import { importVariant, type Variant } from '../engine/edges.ts'
import { Features, Mismatch, type Target } from '../engine/target.ts'
import { SAMPLE_PROTO } from './sample-proto.ts'

const { root } = protobufjs.parse(SAMPLE_PROTO)
const type = root.lookupType('Sample')

/** Which fields were there, and what refusals say: the code that protobufjs makes has no counters. */
export const features = new Features()

export async function protobufTarget(variant: Variant = 'counted'): Promise<Target> {
  const { protobuf } = (await importVariant('codec/protobuf.ts', variant)) as typeof protobufModule
  const { shapeOf, takesAtMost } = (await importVariant('codec/protobuf-scan.ts', variant)) as typeof scanModule
  const codec = protobuf<object>(type)
  const narrow = protobuf<object>(type, { maxDecodedBytes: NARROW_BYTES })
  const compareSize = (bytes: Buffer, message: object): void => {
    const least = wordsOf(message) - EMPTY_WORDS
    if (least > 0 && takesAtMost(least - 1, shapeOf(type), bytes, 0, bytes.length))
      throw new Mismatch(`counts less than the ${least} words of ${JSON.stringify(message).slice(0, 200)}`)
    const { error } = outcome(() => narrow.decode(bytes, 0, bytes.length))
    if (error === undefined) return
    features.hit('too much memory')
    if (!/bytes of memory/.test(String(error))) throw new Mismatch(`refuses with ${error} what is a message`)
  }
  const check = (bytes: Buffer, before: number): void => {
    const room = Buffer.concat([Buffer.alloc(before, 0x08), bytes, Buffer.from('1a031b00', 'hex')])
    const ours = outcome(() => codec.decode(room, before, before + bytes.length))
    room.fill(0xee)
    const plain = outcome(() => type.decode(bytes))
    if (ours.error !== undefined || plain.error !== undefined) return compareRefusals(ours, plain)
    const message = ours.value!
    if (!isDeepStrictEqual(fieldsOf(message), fieldsOf(plain.value!)))
      throw new Mismatch(
        `reads ${JSON.stringify(message).slice(0, 200)} for ${JSON.stringify(plain.value).slice(0, 200)}`,
      )
    noteFields(message, '')
    compareSize(bytes, message)
    compareWriting(message, before)
  }
  const compareWriting = (message: object, before: number): void => {
    // What is read may be more than may be written: an enum's number without a name.
    if (type.verify(message) !== null) return features.hit('not to be written')
    const expected = Buffer.from(type.encode(message).finish())
    for (const capacity of [before, before + 30, before + 5000]) {
      const target: EncodeTarget = { buffer: Buffer.alloc(capacity, 0xa5), position: before }
      codec.encode(message, target)
      const isSame = expected.compare(target.buffer, before, target.position) === 0
      const isKept = target.buffer.subarray(0, before).every((byte) => byte === 0xa5)
      if (!isSame || !isKept) throw new Mismatch(`writes other bytes than protobufjs into ${capacity} bytes`)
    }
  }
  return {
    name: 'protobuf',
    variant,
    owns: /^codec\/protobuf[\w-]*\.ts$/,
    maxBytes: 4096,
    seeds: SEEDS,
    dictionary: DICTIONARY,
    run(input) {
      if (input.length >= 1) check(input.subarray(1), input[0]!)
    },
  }
}

/** So little that it counts for messages of a few hundred bytes. */
const NARROW_BYTES = 16 * 1024

// What the objects of a decoded message take at least, in words.
/** An empty message of this type, with its seven lists and three maps. */
const EMPTY_WORDS = 12 + 7 * 5 + 3 * 8
const LIST_WORDS = 19
const ENTRY_WORDS = 20
const LONG_WORDS = 6
const BYTES_WORDS = 14

/** Of a message, or of a value in one. */
function wordsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (value instanceof Uint8Array) return value.length > 0 ? BYTES_WORDS : 0
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + wordsOf(each), value.length > 0 ? LIST_WORDS : 0)
  if ('low' in value) return LONG_WORDS
  const isMessage = value instanceof protobufjs.Message
  return Object.values(value).reduce(
    (sum, each) => sum + wordsOf(each) + (isMessage ? 0 : ENTRY_WORDS),
    isMessage ? EMPTY_WORDS : 0,
  )
}

interface Outcome {
  readonly value?: object
  readonly error?: unknown
}

function outcome(run: () => object): Outcome {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

function compareRefusals(ours: Outcome, plain: Outcome): void {
  const text = ours.error instanceof Error ? ours.error.message : 'none'
  if ((ours.error === undefined) !== (plain.error === undefined))
    throw new Mismatch(`refusal ${text}; protobufjs: ${String(plain.error)}`)
  if (!(ours.error instanceof Error) || 'instance' in ours.error) throw ours.error
  if (/call stack|undefined|is not a function/.test(text)) throw ours.error
  features.hit(text.replace(/\d+/g, ''))
}

/** A message as plain values. */
function fieldsOf(message: object): object {
  return type.toObject(message as protobufjs.Message, { longs: String, bytes: String })
}

function noteFields(message: object, path: string): void {
  for (const [name, value] of Object.entries(message)) {
    features.hit(`${path}${name}`)
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) continue
    if (Array.isArray(value)) features.hit(`${path}${name} ${Math.min(value.length, 4)}`)
    else if (path.length < 20) noteFields(value, `${path}${name}.`)
  }
}

const some = {
  ...{ text: 'héllo', data: Buffer.from('data'), u32: 300, i32: -1, s32: -5, yes: true, f32: 7, sf32: -7, real: 1.5 },
  ...{ wide: 0.1, u64: 2 ** 40, i64: -5, s64: -(2 ** 40), f64: 9, sf64: -9, packed: [1, 300, 2 ** 32 - 1] },
  ...{
    texts: ['', 'x'.repeat(140)],
    longs: [1, -1],
    doubles: [0.5, -0.5],
    blobs: [Buffer.alloc(0), Buffer.alloc(200, 3)],
  },
  ...{ numbered: { 5: 'five' }, wideKeys: { 7: Buffer.of(7) }, left: 'left', color: 300, colors: [0, 1], maybe: 0 },
}
const SEEDS: readonly Buffer[] = [
  some,
  { child: { child: { u32: 1 } }, children: [{}, { yes: true }], named: { a: { u32: 5 }, '': {} }, right: {} },
  ...Object.entries(some).map(([name, value]) => ({ [name]: value })),
].map((message, index) => Buffer.concat([Buffer.of(index), type.encode(type.create(message)).finish()]))

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const DICTIONARY: readonly Buffer[] = [
  // The tag of every field, as it is written and with each other wire type.
  ...Array.from({ length: 31 * 6 }, (_, index) => {
    const tag = ((Math.floor(index / 6) + 1) << 3) | (index % 6)
    return tag < 128 ? Buffer.of(tag) : Buffer.of((tag & 127) | 128, tag >> 7)
  }),
  ...['00', '01', 'ff01', 'ffffffff0f', 'ffffffffffffffffff01', '8080808000', '80808080808080808080', 'ffffffff10'].map(
    hex,
  ),
  ...['82010082010082010082010082010082010082010082010082010082010082010082010082010082010082010082'].map(hex),
  ...['ba0111' + '0a095f5f70726f746f5f5f12041802', 'ba01070a01611202' + '1802', 'c201060805120163'].map(hex),
  ...['920103' + '010203', '0a02c3a9', '0a02c328', '0a03eda080', 'f8ffffff0f01', '0f', '0b0c', '830184' + '01'].map(
    hex,
  ),
]
