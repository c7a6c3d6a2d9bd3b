// Map keys that read as array indexes: V8 reserves places for all that might stand between them, or makes a table. What a map
// weighs is at least what it takes, the same however its keys are encoded, and no more as it goes than as it came.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { msgpack } from '../../codec/msgpack.ts'
import { bytesOf } from './contract.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

type Key = string | number
const UNIT_BYTES = 32
const COPIES = 150
/** Rounds of measuring, the first of which warm up: code that is compiled meanwhile is on the heap as well. */
const ROUNDS = 11
const WARM_UP = 2

/** A map with these keys, each as often as it is named, all of them to nothing. */
function mapOf(keys: readonly Key[]): Buffer {
  const head = Buffer.from([0xde, keys.length >> 8, keys.length & 0xff])
  return Buffer.concat([head, ...keys.map((key) => Buffer.from([...encoded(key), 0xc0]))])
}

/** A number by its shortest token of those that maps are read from; `wide`: of 64 bits. */
function encoded(key: Key, wide?: 0xcf | 0xd3): number[] {
  if (typeof key === 'string') return [0xa0 | key.length, ...Buffer.from(key)]
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(key))
  if (wide !== undefined) return [wide, ...bytes]
  if (key < 128) return [key]
  return key < 0x10000 ? [0xcd, ...bytes.subarray(6)] : [0xce, ...bytes.subarray(4)]
}

function decode(payload: Buffer, maxValues?: number): unknown {
  return msgpack(maxValues === undefined ? undefined : { maxValues }).decode(payload, 0, payload.length)
}

function isAccepted(payload: Buffer, maxValues: number): boolean {
  try {
    decode(payload, maxValues)
    return true
  } catch {
    return false
  }
}

/** The least `maxValues` with which a payload is let through. */
function weightOf(payload: Buffer): number {
  let [least, most] = [0, 10_000_000]
  while (most - least > 1) {
    const middle = (least + most) >> 1
    if (isAccepted(payload, middle)) most = middle
    else least = middle
  }
  return most
}

const every = (step: number, count: number): number[] => Array.from({ length: count }, (_, index) => index * step)

describe('a map of msgpack', () => {
  const shapes: Readonly<Record<string, readonly number[]>> = {
    'the first index': [0],
    'one below the gap': [1_023],
    'one beyond the gap': [1_024],
    'steps below the gap': [1_000, 2_400],
    'steps that end in a table': [1_000, 2_400, 4_500],
    'the other way round': [4_500, 2_400, 1_000],
    'a table that gets lower keys': [2_500, 1_000, 1_001],
    'all to a hundred': every(1, 100),
    'every third': every(3, 1_000),
    'every eighth': every(8, 900),
    'every eighth, the last first': every(8, 900).reverse(),
    'every tenth': every(10, 2_000),
    'every twentieth': every(20, 2_000),
    'every hundredth': every(100, 300),
  }
  for (const [what, keys] of Object.entries(shapes)) {
    it(`weighs at least what it takes: ${what}`, () => {
      const payload = mapOf(keys)
      const allowed = weightOf(payload) * UNIT_BYTES
      const taken = takenByEach(payload)
      assert.ok(taken > 0 && taken <= allowed, `${taken} bytes of ${allowed} that it weighs`)
    })
  }

  it('is let through to be sent when it was let through as it came, whatever keys it names, how often, and in which order', () => {
    const near = fc.oneof(fc.nat(12), fc.nat(400), fc.constantFrom('a', 'b', '007', '12', '300'))
    const far = fc.oneof(near, fc.nat(8_000), fc.nat(200_000), fc.constantFrom('1023', '1024', '5000', '99999'))
    const keys = fc.oneof(fc.array(near, { maxLength: 60 }), fc.array(far, { maxLength: 60 }))
    fc.assert(
      fc.property(keys, (keys) => {
        const payload = mapOf(keys)
        const codec = msgpack({ maxValues: weightOf(payload) })
        assert.ok(bytesOf(codec, codec.decode(payload, 0, payload.length)).length > 0)
      }),
      { numRuns: 2_000, examples: [[[...Array(39).fill('a'), 100]], [[...Array(20).fill(3), 60]], [[2_500, 1_000]]] },
    )
  })

  it('weighs the same however its keys are encoded', () => {
    for (const key of [5, 1_000, 1_023, 1_024, 5_000, 40_000, 4_000_000_000]) {
      const weight = weightOf(mapOf([key]))
      assert.equal(weightOf(mapOf([String(key)])), weight, `${key} as text`)
      for (const token of [0xcf, 0xd3] as const) {
        const payload = Buffer.from([0x81, ...encoded(key, token), 0xc0])
        assert.equal(weightOf(payload), weight, `${key} with 64 bits, ${token.toString(16)}`)
      }
    }
  })

  it('may have ids for keys: what V8 keeps in a table is nothing much', () => {
    const maps = Array.from({ length: 20_000 }, (_, index) => ({
      [1_024 + (index % 2_000)]: 'x',
      [900_000 + index]: 'y',
    }))
    const codec = msgpack()
    const bytes = bytesOf(codec, maps)
    assert.deepEqual(codec.decode(bytes, 0, bytes.length), maps)
  })
})

/** What a copy takes of the heap, bytes: the median of some rounds, as other things come and go meanwhile. */
function takenByEach(payload: Buffer): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const kept: unknown[] = Array(COPIES)
    const before = heapBytes()
    for (let copy = 0; copy < COPIES; copy++) kept[copy] = decode(payload)
    return Math.round((heapBytes() - before) / kept.length)
  })
  const counted = rounds.slice(WARM_UP).sort((one, other) => one - other)
  return counted[counted.length >> 1]!
}

function heapBytes(): number {
  // What the first collection finds unreachable may hold what the second one frees.
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}
