// Fuzzes the MessagePack codec: any bytes are refused by its own check or are the value that msgpackr reads in them, which
// our writer writes so that both read it again.
//
// An input's first byte says which limits hold, its second where in a buffer the payload stands; the rest is the payload.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { addExtension, Unpackr } from 'msgpackr/unpack'
import type { Codec } from '../../../codec/codec.ts'
import type * as msgpackModule from '../../../codec/msgpack.ts'
import { bytesOf } from '../../codec/contract.ts'
import { msgpackValues } from '../../codec/values.ts'
import { importVariant, type Variant } from '../engine/edges.ts'
import { Features, Mismatch, type Target } from '../engine/target.ts'

/** A class that travels as an extension. */
class Point {
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

const POINT = {
  type: 7,
  class: Point,
  pack: (point: Point): Uint8Array => point.bytes,
  unpack: (bytes: Uint8Array): Point => new Point(new Uint8Array(bytes)),
} as const
addExtension({ type: POINT.type, unpack: POINT.unpack })

/** msgpackr as the codec uses it, for the same bytes in a buffer of their own. */
const reference = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  bundleStrings: false,
  copyBuffers: true,
  int64AsType: 'auto' as 'bigint',
})

/** What refusals say; branches tell them apart, but not from where in a value. */
export const features = new Features()

export async function msgpackTarget(variant: Variant = 'counted'): Promise<Target> {
  const { msgpack } = (await importVariant('codec/msgpack.ts', variant)) as typeof msgpackModule
  const codecs = [
    msgpack(),
    msgpack({ extensions: [POINT] }),
    msgpack({ maxDepth: 3, maxValues: 60 }),
    msgpack({ maxDepth: 1000, maxValues: 20_000 }),
  ]
  return {
    name: 'msgpack',
    variant,
    owns: /^codec\/msgpack[\w-]*\.ts$/,
    maxBytes: 4096,
    seeds: seedsOf(codecs[0]!),
    dictionary: DICTIONARY,
    run(input) {
      if (input.length >= 2) check(codecs[input[0]! % codecs.length]!, input.subarray(2), input[1]! % 200)
    },
  }
}

function check(codec: Codec<unknown>, payload: Buffer, before: number): void {
  const room = Buffer.concat([Buffer.alloc(before, 0x91), payload, Buffer.alloc(8, 0x00)])
  let value: unknown
  try {
    value = codec.decode(room, before, before + payload.length)
  } catch (error) {
    // The check must have found it: what it lets through can be built.
    if (!(error instanceof Error) || !error.message.startsWith('msgpack: ')) throw error
    features.hit(error.message.replace(/\d+/g, ''))
    return
  }
  room.fill(0xee)
  agree(value, reference.unpack(Buffer.from(payload)), 'the value as msgpackr reads it')
  const bytes = bytesOf(codec, value)
  const target = { buffer: Buffer.alloc(before + 20, 0xa5), position: before }
  codec.encode(value, target)
  if (bytes.compare(target.buffer, before, target.position) !== 0) throw new Mismatch('other bytes at another place')
  agree(codec.decode(bytes, 0, bytes.length), value, 'the value written and read again')
  agree(reference.unpack(bytes), value, 'the value written by ours and read by msgpackr')
}

function agree(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(comparable(actual), comparable(expected))) return
  throw new Mismatch(`${what}: ${show(actual)} instead of ${show(expected)}`)
}

/** Invalid dates are equal to one another here. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return { date: value.getTime() }
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Point) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = comparable((value as Record<string, unknown>)[key])
  return copy
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? `${field}n` : field))?.slice(0, 120) ?? 'undefined'
  )
}

function seedsOf(codec: Codec<unknown>): Buffer[] {
  const values = fc.sample(msgpackValues, { seed: 2, numRuns: 40 })
  const more = [
    'a'.repeat(300),
    'é'.repeat(60),
    Buffer.alloc(300, 1),
    Array(20).fill(1),
    { a: { b: [null, undefined] } },
  ]
  const payloads = [...values, ...more].map((value) => bytesOf(codec, value))
  const extension = Buffer.from('93d40705d50701c7030701020f', 'hex')
  return [...payloads.filter((payload) => payload.length < 2000), extension].map((payload, index) =>
    Buffer.concat([Buffer.of(index), Buffer.of(index * 7), payload]),
  )
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const DICTIONARY: readonly Buffer[] = [
  // Every token that is more than a small number or a short string, alone and with lengths at the edges.
  ...Array.from({ length: 0x20 }, (_, index) => Buffer.of(0xc0 + index)),
  ...['80', '81', '8f', '90', '91', '9f', 'a0', 'a1', 'bf', 'e0', 'ff', '7f'].map(hex),
  ...[
    'c403',
    'c50100',
    'c600010000',
    'd9ff',
    'da0100',
    'db00010000',
    'dc0010',
    'dd00010000',
    'de0010',
    'df00010000',
  ].map(hex),
  ...['dcffff', 'ddffffffff', 'deffff', 'dfffffffff', 'dbffffffff', 'c6ffffffff', 'c9ffffffff07'].map(hex),
  ...['d40000', 'd40701', 'd6ff00000001', 'd7ff0000000100000001', 'c70cff00000001ffffffffffffffff', 'c701ffff'].map(
    hex,
  ),
  ...['d47001', 'd46901', 'd47201', 'd47801', 'd56501', 'c70273', 'c70374', 'd84201'].map(hex),
  ...['cb7ff8000000000000', 'cb8000000000000000', 'cf0020000000000001', 'd38000000000000000', 'cfffffffffffffffff'].map(
    hex,
  ),
  ...['81a95f5f70726f746f5f5f01', '81a131c0', '81a431303030c0', '81cd03e8c0', '81d05fc0', '8100c0', '81ffc0'].map(hex),
  ...['ab636f6e7374727563746f72', 'a9746f537472696e67', 'c3a9e282ac', 'f09f9880', 'eda080', 'c080', 'f4908080'].map(
    hex,
  ),
]
