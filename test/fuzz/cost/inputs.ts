// Inputs for the search of what costs most: a short unit, repeated until a size is reached, in one of the wrappings that make
// it one payload. What is searched for is the unit and the wrapping.

import type { Random } from '../../../src/testing/simulation/random.ts'
import { rawFrame } from '../../wire/raw-frame.ts'
import { havoc } from '../engine/havoc.ts'

const KIB = 1024
const SIZES = [64 * KIB, 256 * KIB, 1024 * KIB, 4096 * KIB] as const
const CHUNKS = [1, 2, 16, 100, 1460, 16 * KIB, 64 * KIB] as const
const UNIT_BYTES_MAX = 300

/** `protobuf` is a reflected type, `generated` the same type in generated code. */
export const COST_TARGETS = ['decoder', 'msgpack', 'protobuf', 'generated'] as const
export type CostTarget = (typeof COST_TARGETS)[number]

/** How a unit becomes a payload: as it is, or each under a key of its own. */
type Wrapping = 'plain' | 'keyed' | 'text-keyed'

export interface Genome {
  readonly unit: Buffer
  readonly size: number
  readonly wrapping: Wrapping
  /** Decoder only: what arrives at once. */
  readonly chunkBytes: number
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

// Scalars that are overwritten, packed ones, empty and nested messages, empty byte fields, map entries, one of them sparse.
const PROTOBUF_UNITS = [
  ...['1801', '9201030102', '8a0100', '820100', '8a0106c2010308e807'],
  ...['8a01028a0100', '9a0100', 'b20100', 'b2010101', 'a00101', 'ba010612021800', 'd2010161', 'f8ffffff0f01'],
].map(hex)

const UNITS: Readonly<Record<CostTarget, readonly Buffer[]>> = {
  decoder: [
    rawFrame({ kind: 7 }),
    rawFrame({ kind: 1, msgID: 1, payload: Buffer.alloc(40) }),
    hex('003ffff0010000000000000100000000'),
    hex('0000ffff01000000'),
  ],
  // nil, numbers, empty and nested containers, one-entry maps, byte fields, dates, undefined, text.
  msgpack: [
    ...['c0', '01', 'cb3ff8000000000000', '80', '90', '9190', '8101c0', '81a16101', '81a431303030c0'],
    ...['c400', 'c40101', 'd6ff00000001', 'd40000', 'a0', 'a161', 'a3e282ac', 'cf0020000000000001', '919191919191c0'],
  ].map(hex),
  protobuf: PROTOBUF_UNITS,
  generated: PROTOBUF_UNITS,
}

const PROTOBUF_DICTIONARY = [
  ...PROTOBUF_UNITS,
  ...['820102', '8a0104', 'ba0104', 'c20104', '0a0161', '120161', '00', 'e80301'].map(hex),
]

const DICTIONARY: Readonly<Record<CostTarget, readonly Buffer[]>> = {
  decoder: UNITS.decoder,
  msgpack: [
    ...UNITS.msgpack,
    ...['91', '92', '81', '82', '83', 'a16b', 'a26b6b', '7f', 'd1ffff', 'c3', 'dc0001'].map(hex),
  ],
  protobuf: PROTOBUF_DICTIONARY,
  generated: PROTOBUF_DICTIONARY,
}

export function firstGenomes(target: CostTarget): Genome[] {
  const wrappings: readonly Wrapping[] = target === 'decoder' ? ['plain'] : ['plain', 'keyed', 'text-keyed']
  const chunks = target === 'decoder' ? CHUNKS : [0]
  return UNITS[target].flatMap((unit) =>
    wrappings.flatMap((wrapping) => chunks.map((chunkBytes) => ({ unit, wrapping, chunkBytes, size: SIZES[1] }))),
  )
}

export function mutateGenome(target: CostTarget, genome: Genome, random: Random): Genome {
  const gene = random.int(0, 9)
  if (gene === 0) return { ...genome, size: random.pick(SIZES) }
  if (gene === 1 && target === 'decoder') return { ...genome, chunkBytes: random.pick(CHUNKS) }
  if (gene === 1) return { ...genome, wrapping: random.pick(['plain', 'keyed', 'text-keyed'] as const) }
  const dictionary = DICTIONARY[target]
  const unit = havoc(genome.unit, random, dictionary, random.pick(dictionary), UNIT_BYTES_MAX)
  return { ...genome, unit: unit.length > 0 ? unit : genome.unit }
}

/** The payload, or stream, that a genome stands for: about `size` bytes. */
export function build(target: CostTarget, { unit, size, wrapping }: Genome): Buffer {
  const isProtobuf = target === 'protobuf' || target === 'generated'
  if (target === 'decoder' || (isProtobuf && wrapping === 'plain'))
    return Buffer.concat(Array(Math.ceil(size / unit.length)).fill(unit))
  if (isProtobuf) return keyedFields(unit, size)
  const keyBytes = wrapping === 'plain' ? 0 : 5
  const count = Math.ceil(size / (unit.length + keyBytes))
  const pieces: Buffer[] = [Buffer.of(wrapping === 'plain' ? 0xdd : 0xdf, 0, 0, 0, 0)]
  pieces[0]!.writeUInt32BE(count, 1)
  for (let index = 0; index < count; index++) {
    if (wrapping !== 'plain') pieces.push(keyOf(index, wrapping))
    pieces.push(unit)
  }
  return Buffer.concat(pieces)
}

/** A map key of five bytes: a number, or a text. */
function keyOf(index: number, wrapping: Wrapping): Buffer {
  const key = Buffer.of(0xce, 0, 0, 0, 0)
  if (wrapping === 'keyed') key.writeUInt32BE(0x80000000 + index * 7, 1)
  else key.write(`\xa4${index.toString(36).padStart(4, '_')}`, 'latin1')
  return key
}

/** Entries of the map field `named`, each with a text of its own as key and the unit as its message. */
function keyedFields(unit: Buffer, size: number): Buffer {
  const pieces: Buffer[] = []
  const message = unit.subarray(0, 100)
  for (let bytes = 0; bytes < size; bytes += message.length + 11) {
    const key = Buffer.from(bytes.toString(36).padStart(4, '_').slice(-4))
    pieces.push(Buffer.of(0xba, 0x01, 8 + message.length, 0x0a, 4), key, Buffer.of(0x12, message.length), message)
  }
  return Buffer.concat(pieces)
}
