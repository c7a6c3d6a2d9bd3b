// What a connection writes at the end of a turn: all bytes, in order, in few pieces, and the large ones without a copy.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WriteBatch } from '../../src/wire/write-batch.ts'

const KIB = 1024

/** A buffer whose bytes can be told apart. */
function numbered(bytes: number, from = 0): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => (from + index) % 251))
}

/** Whether a piece is a view of a buffer and no copy. */
function isViewOf(piece: Buffer, buffer: Buffer): boolean {
  return piece.buffer === buffer.buffer
}

/** A buffer that shares its memory with nothing else. */
function ownBuffer(bytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  numbered(bytes).copy(buffer)
  return buffer
}

test('whatever ranges are added come out in order, each byte once', () => {
  const range = fc.record({
    buffer: fc.nat(2),
    start: fc.nat(40 * KIB),
    size: fc.oneof(fc.nat(50), fc.nat(20 * KIB)),
    isNext: fc.boolean(),
  })
  const buffers = [numbered(60 * KIB), numbered(60 * KIB, 83), numbered(60 * KIB, 166)]
  fc.assert(
    fc.property(fc.array(fc.array(range, { maxLength: 12 }), { maxLength: 3 }), (turns) => {
      const batch = new WriteBatch()
      for (const ranges of turns) {
        const expected: Buffer[] = []
        let last: { buffer: Buffer; end: number } | undefined
        for (const { buffer: which, start: anyStart, size, isNext } of ranges) {
          const buffer = isNext && last !== undefined ? last.buffer : buffers[which]!
          const start = isNext && last !== undefined ? last.end : anyStart
          const end = Math.min(start + size, buffer.length)
          batch.add(buffer, start, end)
          expected.push(buffer.subarray(start, end))
          last = { buffer, end }
        }
        const bytes = Buffer.concat(expected)
        assert.equal(batch.bytes, bytes.length)
        assert.deepEqual(Buffer.concat(batch.take()), bytes)
        assert.equal(batch.bytes, 0)
        assert.deepEqual(batch.take(), [])
      }
    }),
  )
})

test('neighbouring ranges of one buffer become one piece, without a copy, however small they are', () => {
  const buffer = ownBuffer(KIB)
  const batch = new WriteBatch()
  for (let start = 100; start < 900; start += 40) batch.add(buffer, start, start + 40)
  const pieces = batch.take()
  assert.equal(pieces.length, 1)
  assert.deepEqual(pieces[0], buffer.subarray(100, 900))
  assert.ok(isViewOf(pieces[0]!, buffer))
})

test('a whole buffer comes out as it went in', () => {
  const buffer = ownBuffer(100)
  const batch = new WriteBatch()
  batch.add(buffer, 0, 60)
  batch.add(buffer, 60, 100)
  assert.equal(batch.take()[0], buffer)
})

test('small ranges that are no neighbours are copied into one piece', () => {
  const one = ownBuffer(KIB)
  const other = ownBuffer(KIB)
  const batch = new WriteBatch()
  batch.add(one, 0, 100)
  batch.add(one, 200, 300)
  batch.add(other, 300, 400)
  batch.add(one, 300, 400)
  const pieces = batch.take()
  assert.equal(pieces.length, 1)
  assert.ok(!isViewOf(pieces[0]!, one) && !isViewOf(pieces[0]!, other))
})

test('ranges that follow one another by their numbers, but in two buffers, are no neighbours', () => {
  const one = ownBuffer(200)
  const other = Buffer.from(one).fill(0xee)
  const batch = new WriteBatch()
  batch.add(one, 0, 100)
  batch.add(other, 100, 200)
  assert.deepEqual(Buffer.concat(batch.take()), Buffer.concat([one.subarray(0, 100), other.subarray(100)]))
})

test('a large range goes by reference between small ones that are copied together', () => {
  const small = ownBuffer(KIB)
  const large = ownBuffer(100 * KIB)
  const batch = new WriteBatch()
  batch.add(small, 0, 10)
  batch.add(small, 20, 30)
  batch.add(large, 5, 100 * KIB)
  batch.add(small, 40, 50)
  batch.add(small, 60, 70)
  const pieces = batch.take()
  assert.deepEqual(
    pieces.map((piece) => [piece.length, isViewOf(piece, large), isViewOf(piece, small)]),
    [
      [20, false, false],
      [100 * KIB - 5, true, false],
      [20, false, false],
    ],
  )
})

test('neighbours that are large only together go by reference', () => {
  const buffer = ownBuffer(40 * KIB)
  const other = ownBuffer(100)
  const batch = new WriteBatch()
  batch.add(other, 0, 100)
  for (let start = 0; start < 40 * KIB; start += KIB) batch.add(buffer, start, start + KIB)
  batch.add(other, 0, 100)
  assert.deepEqual(
    batch.take().map((piece) => isViewOf(piece, buffer)),
    [false, true, false],
  )
})

test('a copy holds the bytes of the moment at which it was taken', () => {
  const one = ownBuffer(50)
  const batch = new WriteBatch()
  batch.add(one, 0, 10)
  batch.add(one, 20, 30)
  const [piece] = batch.take()
  const bytes = Buffer.from(piece!)
  batch.add(one, 30, 50)
  batch.add(one, 0, 5)
  batch.take()
  assert.deepEqual(piece, bytes)
})
