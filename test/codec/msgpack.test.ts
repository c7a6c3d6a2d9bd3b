// The MessagePack codec's own promises: what it encodes to, what it refuses on either side, and that hostile payloads are
// refused before anything is built from them. What all codecs share is in contract.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import type { Codec } from '../../codec/codec.ts'
import { type MsgpackExtension, type MsgpackOptions, msgpack } from '../../codec/msgpack.ts'
import { bytesOf } from './contract.ts'
import { msgpackValues, plainMsgpack } from './values.ts'

const codec = msgpack()

function decode(bytes: Uint8Array | number[], using: Codec<unknown> = codec): unknown {
  return using.decode(Buffer.from(bytes), 0, bytes.length)
}

function roundTrip(value: unknown, using: Codec<unknown> = codec): unknown {
  return decode(bytesOf(using, value), using)
}

/** `count` items behind the head of an array with 32-bit length. */
function arrayOf(count: number, item: number[]): Buffer {
  const head = Buffer.from([0xdd, 0, 0, 0, 0])
  head.writeUInt32BE(count, 1)
  return Buffer.concat([head, Buffer.alloc(count * item.length, Buffer.from(item))])
}

const ERROR = /^(Error: |RangeError: )?msgpack: /

describe('msgpack encodes', () => {
  it('the bytes that msgpackr writes for the same value', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: false })
    const negativeZero = (value: unknown): boolean =>
      typeof value === 'object' && value !== null ? Object.values(value).some(negativeZero) : Object.is(value, -0)
    fc.assert(
      fc.property(msgpackValues, (value) => {
        fc.pre(!negativeZero(value)) // which msgpackr loses
        assert.deepEqual(bytesOf(codec, value), Buffer.from(packr.pack(value)))
      }),
      { numRuns: 500 },
    )
  })

  it('primitives on their own', () => {
    for (const value of [null, undefined, true, false, 0, -0, 1.5, Number.NaN, '', 'text', 2n ** 63n]) {
      assert.ok(Object.is(roundTrip(value), value), String(value))
    }
  })

  it('dates to the millisecond, on both sides of 1970 and of 32 bits of seconds', () => {
    const times = [0, 1, 999, -1, -999, -1_000, 2 ** 32 * 1_000 - 1, 2 ** 32 * 1_000, 8.64e15, -8.64e15, Number.NaN]
    for (const time of times) assert.ok(Object.is((roundTrip(new Date(time)) as Date).getTime(), time), String(time))
  })

  it('a small bigint as what comes back as a number, and a large one as a bigint', () => {
    assert.equal(roundTrip(5n), 5)
    assert.equal(roundTrip(-(2n ** 63n)), -(2n ** 63n))
    assert.equal(roundTrip(2n ** 64n - 1n), 2n ** 64n - 1n)
  })

  it('an instance of a class by its own fields, without calling toJSON', () => {
    class Point {
      readonly x = 1
      readonly #y = 2
      toJSON(): unknown {
        return this.#y
      }
    }
    assert.deepEqual(roundTrip(new Point()), { x: 1 })
    assert.deepEqual(roundTrip(Object.assign(Object.create(null), { a: 1 })), { a: 1 })
  })

  it('nothing that would come back as something else', () => {
    const cyclic: unknown[] = []
    cyclic.push({ cyclic })
    const shared: unknown[] = Array.from({ length: 60 })
    shared.forEach((_, i) => {
      shared[i] = [shared[i - 1], shared[i - 1]]
    })
    const refused: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [() => 1, TypeError, /function/],
      [Symbol('s'), TypeError, /symbol/],
      [new Map([[1, 2]]), TypeError, /Map/],
      [new Set([1]), TypeError, /Set/],
      [new Error('no'), TypeError, /Error/],
      [/no/, TypeError, /RegExp/],
      [new Float64Array(2), TypeError, /Float64Array/],
      [new ArrayBuffer(2), TypeError, /ArrayBuffer/],
      [Promise.resolve(1), TypeError, /Promise/],
      [JSON.parse('{"__proto__":1}'), TypeError, /__proto__/],
      ['\ud800', TypeError, /lone surrogate/],
      ['\udc00\ud800', TypeError, /lone surrogate/],
      ['\udc00\udc00', TypeError, /lone surrogate/],
      ['\ud800\ud800', TypeError, /lone surrogate/],
      [`${'long '.repeat(30)}\udc00`, TypeError, /lone surrogate/],
      [{ 'key\ud800': 1 }, TypeError, /lone surrogate/],
      [2n ** 64n, RangeError, /64 bits/],
      [-(2n ** 63n) - 1n, RangeError, /64 bits/],
      [cyclic, RangeError, /cyclic/],
      [shared[59], RangeError, /values/],
      [Array.from({ length: 1_000_001 }, () => 0), RangeError, /values/],
    ]
    for (const [value, kind, message] of refused) {
      for (const nested of [value, [value], { field: value }]) {
        assert.throws(
          () => bytesOf(codec, nested),
          (error) => error instanceof kind && ERROR.test(error.message) && message.test(error.message),
        )
      }
    }
  })
})

describe('msgpack decodes', () => {
  it('what scans well and nothing else, however a payload has been changed', () => {
    fc.assert(
      fc.property(
        msgpackValues,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (value, changes) => {
          const bytes = bytesOf(codec, value)
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          try {
            decode(bytes)
          } catch (error) {
            // An error of msgpackr itself would mean that the scan had let something through.
            assert.match((error as Error).message, ERROR)
          }
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it('no payload that is cut short, at any byte', () => {
    const value = { a: [1, 300, 70_000, -5, 1.5, 2n ** 60n], b: 'é'.repeat(40), c: new Uint8Array(300), d: new Date(1) }
    const bytes = bytesOf(codec, value)
    const cut = /the payload ends inside a value|declared at offset/
    for (let end = 0; end < bytes.length; end++) assert.throws(() => codec.decode(bytes, 0, end), cut)
    assert.deepEqual(plainMsgpack(codec.decode(bytes, 0, bytes.length)), plainMsgpack(value))
  })

  it('integer keys of other implementations as the strings that they are in an object', () => {
    assert.deepEqual(decode([0x84, 5, 1, 0xff, 2, 0xcd, 1, 0, 3, 0xd3, 0, 0, 0, 0, 0, 0, 0, 7, 4]), {
      5: 1,
      '-1': 2,
      256: 3,
      7: 4,
    })
  })

  it('no malformed payload, and says where it is', () => {
    const text = (value: string): number[] => [0xa0 + value.length, ...Buffer.from(value)]
    const malformed: [string, number[], RegExp][] = [
      ['nothing', [], /offset 0/],
      ['bytes behind the value', [0xc0, 0xc0], /1 bytes follow the value at offset 1/],
      ['the byte that is never used', [0x91, 0xc1], /0xc1 starts no value at offset 1/],
      ['a record definition', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1], /extension of type 114/],
      ['a two-byte record definition', [0xd5, 0x72, 0x40, 1, 0x91, 0xa1, 0x61, 1], /extension of type 114/],
      ['an Error', [0xd4, 0x65, 0, 0x93, ...text('Error'), ...text('x'), 0xc0], /extension of type 101/],
      ['a RegExp', [0xd4, 0x78, 0, 0x92, ...text('a+'), ...text('')], /extension of type 120/],
      ['a Set', [0xd4, 0x73, 0, 0x90], /extension of type 115/],
      ['a typed array', [0xc7, 2, 0x74, 1, 1], /extension of type 116/],
      ['a pointer', [0xd6, 0x70, 0, 0, 0, 1], /extension of type 112/],
      ['a bundle of strings', [0xd6, 0x62, 0, 0, 0, 1], /extension of type 98/],
      ['a bigint beyond 64 bits', [0xc7, 9, 0x42, 1, 0, 0, 0, 0, 0, 0, 0, 0], /extension of type 66/],
      ['an unknown negative extension', [0xd4, 0xfe, 0], /extension of type -2/],
      ['another extension 0', [0xd5, 0, 0, 0], /type 0/],
      ['a timestamp of two bytes', [0xd5, 0xff, 0, 0], /timestamp of 2 bytes/],
      ['a timestamp of no bytes', [0xc7, 0, 0xff], /timestamp of 0 bytes/],
      ['a key __proto__', [0x81, ...text('__proto__'), 0x80], /map key is __proto__ at offset 1/],
      ['a long key __proto__', [0x81, 0xd9, 9, ...Buffer.from('__proto__'), 0x80], /map key is __proto__/],
      ['a key that is nil', [0x81, 0xc0, 0xc0], /map key/],
      ['a key that is true', [0x81, 0xc3, 0xc0], /map key/],
      ['a key that is a float', [0x81, 0xca, 0, 0, 0, 0, 0xc0], /map key/],
      ['a key that is an array', [0x81, 0x90, 0xc0], /map key/],
      ['a key that is a map', [0x81, 0x80, 0xc0], /map key/],
      ['a key that is bytes', [0x81, 0xc4, 0, 0xc0], /map key/],
      ['a key that is a date', [0x81, 0xd6, 0xff, 0, 0, 0, 0, 0xc0], /map key/],
      ['a lone surrogate', [0xa3, 0xed, 0xa0, 0x80], /UTF-8/],
      ['an overlong form', [0xa2, 0xc0, 0xaf], /UTF-8/],
      ['a cut character', [0xa2, 0xe2, 0x82], /UTF-8/],
      ['a character that goes on behind its string', [0x92, 0xa2, 0xe2, 0x82, 0x80], /UTF-8/],
      ['bad text in a long string', [0xd9, 60, ...Buffer.alloc(59, 0x61), 0xff], /UTF-8/],
      ['bad text in a key', [0x81, 0xa1, 0xff, 0xc0], /UTF-8/],
    ]
    for (const [what, bytes, message] of malformed) {
      assert.throws(
        () => decode(bytes),
        (error) => error instanceof Error && ERROR.test(error.message) && message.test(error.message),
        what,
      )
    }
  })

  it('no length or number that the bytes left can not hold', () => {
    const heads = [[0xc6], [0xdb], [0xdd], [0xdf], [0xc9]]
    for (const head of heads) {
      for (const length of [100, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
        const bytes = Buffer.alloc(20, 0xc0)
        bytes[0] = head[0] as number
        bytes.writeUInt32BE(length, 1)
        assert.throws(() => decode(bytes), /declared at offset 0, \d+ bytes remain/)
      }
    }
  })

  it('no arrays inside one another that together announce more than the payload holds', () => {
    // 23 heads of 65 535 values each, in 70 kB: every one alone could be satisfied.
    const bomb = Buffer.alloc(70_000, 0xc0)
    for (let i = 0; i < 23; i++) bomb.set([0xdc, 0xff, 0xff], i * 3)
    assert.throws(() => decode(bomb), /declared at offset 3/)
    assert.throws(() => decode(Buffer.alloc(1 << 20, 0x9f)), RangeError)
  })

  it('nothing nested deeper than the limit, however deep', () => {
    const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([0xc0])])
    assert.ok(Array.isArray(decode(nested(64))))
    for (const depth of [65, 200_000]) assert.throws(() => decode(nested(depth)), /deeper than 64 at offset 64/)
    const maps = Buffer.concat([Buffer.alloc(3 * 100_000, Buffer.from([0x81, 0xa1, 0x61])), Buffer.from([0xc0])])
    assert.throws(() => decode(maps), /deeper than 64 at offset 192/)
  })

  it('no megabyte of values that would take many megabytes of heap', () => {
    const bombs: [string, number[], number][] = [
      ['empty maps', [0x80], 1],
      ['empty byte fields', [0xc4, 0], 1],
      ['maps with an index key', [0x81, 0, 0xc0], 1],
      ['maps with a key that reserves slots', [0x81, 0xcd, 0x03, 0xe8, 0xc0], 1 / 16],
      ['maps with such a key as text', [0x81, 0xa4, 0x31, 0x30, 0x30, 0x30, 0xc0], 1 / 16],
      ['maps with such a key as a signed number', [0x81, 0xd2, 0, 0, 0x03, 0xe8, 0xc0], 1 / 16],
    ]
    for (const [what, item, megabytes] of bombs) {
      const count = Math.floor((megabytes * 1_048_571) / item.length)
      assert.throws(() => decode(arrayOf(count, item)), /more than 1000000 values/, what)
    }
  })

  it('a large but honest payload', () => {
    const numbers = Array.from({ length: 466_000 }, (_, i) => i + 0.5)
    assert.deepEqual(roundTrip(numbers), numbers)
    const indexed = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [i, i]))
    assert.deepEqual(roundTrip(indexed), indexed)
  })
})

describe('msgpack options', () => {
  it('say how deep values may be nested, for the sender and the receiver', () => {
    const shallow = msgpack({ maxDepth: 2 })
    assert.deepEqual(roundTrip([{ a: 1 }], shallow), [{ a: 1 }])
    assert.throws(() => bytesOf(shallow, [[[]]]), RangeError)
    assert.throws(() => decode([0x91, 0x91, 0x90], shallow), RangeError)
    let deep: unknown = null
    for (let i = 0; i < 1_000; i++) deep = [deep]
    assert.deepEqual(roundTrip(deep, msgpack({ maxDepth: 1_000 })), deep)
  })

  it('say how many values a message may hold, the same for the sender and the receiver', () => {
    const samples: [unknown, number][] = [
      ...[null, true, 1, 1.5, 2n ** 60n, 'x', 'x'.repeat(300)].map((value): [unknown, number] => [value, 1]),
      [undefined, 8],
      [new Date(1), 8],
      [new Uint8Array(3), 12],
      [[], 2],
      [[1, [2]], 6],
      [{}, 4],
      [{ a: 1, b: [] }, 4 + 2 + 1 + 2 + 2],
      [{ 3: 1 }, 4 + 12 + 1],
      [{ 1000: 1 }, 4 + 382 + 1],
      [{ 1023: 1 }, 4 + 390 + 1],
      [{ 1024: 1 }, 4 + 12 + 1],
      [{ 1000: 1, 2400: 1 }, 4 + 907 + 2],
      [{ 1000: 1, 2400: 1, 4500: 1 }, 4 + 907 + 12 + 3],
      [{ 100000: 1 }, 4 + 12 + 1],
    ]
    const open = msgpack()
    for (const [value, weight] of samples) {
      const bytes = bytesOf(open, value)
      const exact = msgpack({ maxValues: weight })
      assert.deepEqual(bytesOf(exact, value), bytes)
      assert.deepEqual(plainMsgpack(decode(bytes, exact)), plainMsgpack(value))
      if (weight === 1) continue
      const short = msgpack({ maxValues: weight - 1 })
      assert.throws(() => bytesOf(short, value), RangeError)
      assert.throws(() => decode(bytes, short), RangeError)
    }
  })

  it('carry classes as extensions, whose bytes are their own', () => {
    class Id {
      readonly bytes: Uint8Array
      constructor(bytes: Uint8Array) {
        this.bytes = bytes
      }
    }
    const id: MsgpackExtension<Id> = { type: 7, class: Id, pack: (it) => it.bytes, unpack: (bytes) => new Id(bytes) }
    const withIds = msgpack<unknown>({ extensions: [id] })
    for (const length of [0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 70_000]) {
      const value = { id: new Id(Buffer.alloc(length, 9)), list: [new Id(new Uint8Array([length & 0xff]))] }
      const bytes = bytesOf(withIds, value)
      const result = withIds.decode(bytes, 0, bytes.length) as typeof value
      bytes.fill(0xee)
      assert.ok(result.id instanceof Id)
      assert.deepEqual(new Uint8Array(result.id.bytes), new Uint8Array(length).fill(9))
      assert.deepEqual(result.list[0]?.bytes, new Uint8Array([length & 0xff]))
    }
    assert.throws(
      () => decode(bytesOf(withIds, new Id(new Uint8Array(3)))),
      /extension of type 7, which is not configured/,
    )
  })

  it('let an extension use the codec itself', () => {
    class Wrapped {
      readonly value: unknown
      constructor(value: unknown) {
        this.value = value
      }
    }
    const wrapping: Codec<unknown> = msgpack({
      extensions: [
        {
          type: 8,
          class: Wrapped,
          pack: (it) => bytesOf(wrapping, (it as Wrapped).value),
          unpack: (bytes) => {
            assert.equal(roundTrip('y'.repeat(100)), 'y'.repeat(100))
            return new Wrapped(decode(bytes, wrapping))
          },
        },
      ],
    })
    const short = [new Wrapped({ a: [1, new Wrapped('two')] }), 'after', new Wrapped(3), 'end']
    assert.deepEqual(roundTrip(short, wrapping), short)
    const long = [...short, new Wrapped('x'.repeat(300)), 'end']
    assert.deepEqual(roundTrip(long, wrapping), long)
  })

  it('are refused when they make no sense', () => {
    const extension = (type: number): MsgpackExtension => ({
      type,
      class: URL,
      pack: () => Buffer.alloc(0),
      unpack: () => new URL('about:blank'),
    })
    const senseless: MsgpackOptions[] = [
      { maxDepth: 0 },
      { maxDepth: 1_001 },
      { maxDepth: 1.5 },
      { maxValues: 0 },
      { maxValues: Number.NaN },
      { extensions: [extension(0)] },
      { extensions: [extension(128)] },
      { extensions: [extension(0x72)] },
      { extensions: [extension(9), extension(9)] },
      { extensions: [extension(9)] }, // taken by the other one in this process
    ]
    for (const options of senseless) assert.throws(() => msgpack(options), RangeError, JSON.stringify(options))
  })

  it('may be left out: then it is the same codec each time', () => {
    assert.equal(msgpack(), msgpack<string>())
    assert.equal(msgpack().name, 'msgpack')
  })
})
