// The reader and the writer of protocol-buffer fields: whatever is malformed is a violation, whatever is unknown is
// passed over, numbers and text survive.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProtocolViolation } from '../../src/errors.ts'
import { FieldReader, FieldWriter } from '../../src/wire/fields.ts'

function readerOf(hex: string): FieldReader {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return new FieldReader(bytes, 0, bytes.length)
}

function written(write: (writer: FieldWriter) => void): Buffer {
  const writer = new FieldWriter()
  write(writer)
  return writer.finish()
}

/** Reads every field of a message and leaves it. */
function skipAll(reader: FieldReader): number[] {
  const fields: number[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    fields.push(field)
    reader.skip()
  }
  return fields
}

const MALFORMED = `
  00                                  | a field numbered 0
  02 01 00                            | a field numbered 0 with a length
  80 80 80 80 10 01                   | a field numbered 2^29
  80 80 00                            | a field numbered 0 in a longer tag
  08                                  | a number without a byte
  08 80                               | a number that goes on behind the end
  80                                  | a tag that goes on behind the end
  08 80 80 80 80 80 80 80 80 80 80 00 | a number of eleven bytes
  08 ff ff ff ff ff ff ff ff ff 7f    | a number of 70 bits
  08 ff ff ff ff ff ff ff ff ff 01    | a number of 64 bits
  08 80 80 80 80 80 80 80 10          | 2^53
  ff ff ff ff ff ff ff ff ff 7f       | a tag of 70 bits
  0d 01 02 03                         | four bytes of which three are there
  09 01 02 03 04 05 06 07             | eight bytes of which seven are there
  0a 01                               | one byte of which none is there
  0a 05 01 02 03 04                   | five bytes of which four are there
  0a ff ff ff ff 0f                   | 4 GiB of which none is there
  0a ff ff ff ff ff ff ff 0f          | 2^53 - 1 bytes of which none is there
  0b 0c                               | a group
  0c                                  | the end of a group
  0e 00                               | wire type 6
  0f 00                               | wire type 7
`

for (const line of MALFORMED.trim().split('\n')) {
  const [hex, what] = line.split('|').map((part) => part.trim())
  test(`${what} is a violation, also in a field that nobody reads`, () => {
    assert.throws(() => skipAll(readerOf(hex!)), ProtocolViolation)
  })
}

test('fields of every wire type can be left unread', () => {
  const reader = readerOf(
    '08 96 01  11 01 02 03 04 05 06 07 08  1a 03 61 62 63  25 01 02 03 04  f8 ff ff ff 0f 00  2a 00',
  )
  assert.deepEqual(skipAll(reader), [1, 2, 3, 4, 2 ** 29 - 1, 5])
})

const READS: Readonly<Record<string, (reader: FieldReader) => unknown>> = {
  uint: (reader) => reader.uint(),
  uint32: (reader) => reader.uint32(),
  bool: (reader) => reader.bool(),
  fixed32: (reader) => reader.fixed32(),
  text: (reader) => reader.text(),
  bytes: (reader) => reader.bytes(),
  message: (reader) => reader.message(),
}
const FITTING: Readonly<Record<number, readonly string[]>> = {
  0: ['uint', 'uint32', 'bool'],
  1: [],
  2: ['text', 'bytes', 'message'],
  5: ['fixed32'],
}
const FIELDS: Readonly<Record<number, string>> = {
  0: '08 01',
  1: '09 0102030405060708',
  2: '0a 01 61',
  5: '0d 01020304',
}

for (const [wireType, fitting] of Object.entries(FITTING)) {
  test(`a field of wire type ${wireType} is read as ${fitting.join(', ') || 'nothing'}; as anything else it is a violation`, () => {
    for (const [name, read] of Object.entries(READS)) {
      const reader = readerOf(FIELDS[Number(wireType)]!)
      assert.equal(reader.next(), 1)
      if (fitting.includes(name)) assert.doesNotThrow(() => read(reader), name)
      else assert.throws(() => read(reader), ProtocolViolation, name)
    }
  })
}

test('a number in more bytes than it needs, up to ten, is that number', () => {
  for (const [hex, value] of [
    ['08 00', 0],
    ['08 80 00', 0],
    ['08 80 80 80 80 80 80 80 80 80 00', 0],
    ['08 ac 82 80 80 80 80 80 80 80 00', 300],
    ['08 ff ff ff ff ff ff ff 0f', 2 ** 53 - 1],
  ] as const) {
    const reader = readerOf(hex)
    reader.next()
    assert.equal(reader.uint(), value)
    assert.equal(reader.next(), 0)
  }
})

test('32 bits are the most for a 32-bit field', () => {
  const read = (value: number): number => {
    const bytes = written((writer) => writer.uint(1, value))
    const reader = new FieldReader(bytes, 0, bytes.length)
    reader.next()
    return reader.uint32()
  }
  assert.equal(read(2 ** 32 - 1), 2 ** 32 - 1)
  assert.throws(() => read(2 ** 32), ProtocolViolation)
})

test('numbers from 1 to 2^53 - 1 survive, as protobuf writes them', () => {
  const twin = (value: bigint): string => {
    const bytes: number[] = [0x08]
    let rest = value
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
    bytes.push(Number(rest))
    return Buffer.from(bytes).toString('hex')
  }
  const anyNumber = fc.oneof(
    fc.maxSafeNat().filter((value) => value > 0),
    fc.nat(52).map((bits) => 2 ** bits),
    fc.integer({ min: 1, max: 53 }).map((bits) => 2 ** bits - 1),
  )
  fc.assert(
    fc.property(anyNumber, (value) => {
      const bytes = written((writer) => writer.uint(1, value))
      assert.equal(bytes.toString('hex'), twin(BigInt(value)))
      const reader = new FieldReader(bytes, 0, bytes.length)
      assert.equal(reader.next(), 1)
      assert.equal(reader.uint(), value)
      assert.equal(reader.next(), 0)
    }),
  )
})

test('what a writer writes a reader reads, whatever the sizes', () => {
  const field = fc.integer({ min: 1, max: 2000 })
  const anything = fc.oneof(
    fc.record({ type: fc.constant('uint' as const), field, value: fc.maxSafeNat() }),
    fc.record({ type: fc.constant('fixed32' as const), field, value: fc.nat(2 ** 32 - 1) }),
    fc.record({ type: fc.constant('bool' as const), field, value: fc.boolean() }),
    fc.record({ type: fc.constant('text' as const), field, value: fc.string({ unit: 'binary', maxLength: 90 }) }),
    fc.record({ type: fc.constant('bytes' as const), field, value: fc.uint8Array({ maxLength: 90 }) }),
    fc.record({ type: fc.constant('present' as const), field, value: fc.uint8Array({ maxLength: 3 }) }),
  )
  const isDefault = (value: number | boolean | string | Uint8Array): boolean =>
    value === 0 || value === false || ((typeof value === 'object' || typeof value === 'string') && value.length === 0)
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 8 }), (parts) => {
      const bytes = written((writer) => {
        for (const part of parts) {
          if (part.type === 'uint') writer.uint(part.field, part.value)
          else if (part.type === 'fixed32') writer.fixed32(part.field, part.value)
          else if (part.type === 'bool') writer.bool(part.field, part.value)
          else if (part.type === 'text') writer.text(part.field, part.value)
          else writer[part.type](part.field, part.value)
        }
      })
      const reader = new FieldReader(bytes, 0, bytes.length)
      for (const part of parts) {
        if (part.type !== 'present' && isDefault(part.value)) continue
        assert.equal(reader.next(), part.field)
        const read = READS[part.type === 'present' ? 'bytes' : part.type]!(reader)
        assert.deepEqual(read instanceof Buffer ? new Uint8Array(read) : read, part.value)
      }
      assert.equal(reader.next(), 0)
    }),
  )
})

test('text that begins with a byte order mark keeps it', () => {
  const reader = readerOf('0a 06 ef bb bf 61 62 63')
  reader.next()
  assert.equal(reader.text(), '\ufeffabc')
})

for (const [hex, what] of [
  ['0a 01 ff', 'a byte that is never in UTF-8'],
  ['0a 02 c0 80', 'an overlong form'],
  ['0a 03 ed a0 80', 'a surrogate'],
  ['0a 04 f4 90 80 80', 'a character above U+10FFFF'],
  ['0a 02 e2 82', 'half a character'],
] as const) {
  test(`text with ${what} is a violation`, () => {
    const reader = readerOf(hex)
    reader.next()
    assert.throws(() => reader.text(), ProtocolViolation)
  })
}

test('an embedded message ends where its field says, not where the outer one does', () => {
  const reader = readerOf('0a 02 08 01 10 02')
  assert.equal(reader.next(), 1)
  const inner = reader.message()
  assert.deepEqual(skipAll(inner), [1])
  assert.equal(reader.next(), 2)
  const cut = readerOf('0a 01 08 01')
  cut.next()
  assert.throws(() => skipAll(cut.message()), ProtocolViolation)
})

test('a reader keeps to its range of a larger buffer', () => {
  const bytes = Buffer.from('ffff08010aff', 'hex')
  const reader = new FieldReader(bytes, 2, 4)
  assert.equal(reader.next(), 1)
  assert.equal(reader.uint(), 1)
  assert.equal(reader.next(), 0)
  for (const hex of ['0a03616263', '0d01020304', '0801']) {
    const longer = Buffer.from(`${hex}ffff`, 'hex')
    const cut = new FieldReader(longer, 0, hex.length / 2 - 1)
    assert.throws(() => skipAll(cut), ProtocolViolation, hex)
  }
  const short = new FieldReader(bytes, 2, 3)
  assert.equal(short.next(), 1)
  assert.throws(() => short.uint(), ProtocolViolation)
})

test('bytes that were read are a copy', () => {
  const bytes = Buffer.from('0a03616263', 'hex')
  const reader = new FieldReader(bytes, 0, bytes.length)
  reader.next()
  const copy = reader.bytes()
  bytes.fill(0)
  assert.equal(copy.toString(), 'abc')
})
