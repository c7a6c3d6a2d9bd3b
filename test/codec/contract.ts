// What every codec has to keep, as tests to be run over each of them. It owns no codec and no case that is particular to one.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Codec, EncodeTarget } from '../../codec/codec.ts'

/** A codec under test, with values that it can carry. */
export interface ContractSubject<T> {
  readonly codec: Codec<T>
  /** Any value of the codec's domain. */
  readonly values: fc.Arbitrary<T>
  /** A value as `deepEqual` is to compare it. */
  plain(value: T): unknown
  /** A value with these byte fields in all places that can hold them. */
  withBytes(chunks: Uint8Array[]): T
  /** A value with this text. */
  withText(text: string): T
  /** A value whose getter runs `effect` in the midst of encoding. */
  withGetter(effect: () => void): T
  /** A value that can not be encoded, after a good deal of it has been. */
  readonly unencodable: T
}

/** A value's bytes, encoded into a buffer of its own. */
export function bytesOf<T>(codec: Codec<T>, value: T): Buffer {
  const target: EncodeTarget = { buffer: Buffer.alloc(64), position: 0 }
  codec.encode(value, target)
  return Buffer.from(target.buffer.subarray(0, target.position))
}

/** Declares the tests. */
export function contract<T>(title: string, subject: ContractSubject<T>): void {
  const { codec, values, plain } = subject

  describe(`${title} keeps the contract`, () => {
    it('gives back what it was given, wherever in a buffer it stands', () => {
      fc.assert(
        fc.property(values, fc.nat(300), fc.nat(40), (value, before, after) => {
          const target: EncodeTarget = { buffer: Buffer.alloc(before + 4096, 0xa5), position: before }
          codec.encode(value, target)
          const end = target.position
          const bytes = Buffer.concat([target.buffer.subarray(0, end), Buffer.alloc(after, 0xc1)])
          assert.deepEqual(plain(codec.decode(bytes, before, end)), plain(value))
        }),
      )
    })

    it('writes the same bytes into any room, and keeps those before the position', () => {
      fc.assert(
        fc.property(values, fc.nat(100), fc.nat(600), (value, before, room) => {
          const expected = bytesOf(codec, value)
          const target: EncodeTarget = { buffer: Buffer.alloc(before + room, 0xa5), position: before }
          codec.encode(value, target)
          assert.equal(target.position, before + expected.length)
          assert.ok(target.buffer.length >= target.position)
          assert.deepEqual(target.buffer.subarray(0, before), Buffer.alloc(before, 0xa5))
          assert.deepEqual(target.buffer.subarray(before, target.position), expected)
        }),
      )
    })

    it('keeps the buffer when there is room', () => {
      const target: EncodeTarget = { buffer: Buffer.alloc(65_536), position: 1_000 }
      const { buffer } = target
      codec.encode(subject.withText('some text'), target)
      assert.equal(target.buffer, buffer)
    })

    const MiB = 1 << 20
    const large: [string, () => T][] = [
      ['one byte field', () => subject.withBytes([Buffer.alloc(MiB, 7)])],
      ['many byte fields', () => subject.withBytes(Array.from({ length: 64 }, () => Buffer.alloc(MiB / 64, 7)))],
      ['text', () => subject.withText('x'.repeat(MiB))],
      ['text beyond ASCII', () => subject.withText('é'.repeat(MiB / 2))],
    ]
    for (const [kind, make] of large) {
      it(`allocates less than 1.3 MiB for 1 MiB of ${kind} behind a nearly full arena`, (t) => {
        const value = make()
        const target: EncodeTarget = { buffer: Buffer.alloc(65_536, 0xa5), position: 63_000 }
        let allocated = 0
        for (const name of ['allocUnsafeSlow', 'allocUnsafe', 'alloc'] as const) {
          const original = Buffer[name]
          t.mock.method(Buffer, name, (size: number) => {
            allocated += size
            return original.call(Buffer, size)
          })
        }
        codec.encode(value, target)
        t.mock.restoreAll()
        assert.ok(allocated >= MiB, `only ${allocated} bytes counted`)
        assert.ok(allocated < 1.3 * MiB, `${allocated} bytes`)
        assert.ok(target.buffer.length < 1.3 * MiB, `a buffer of ${target.buffer.length} bytes`)
        assert.deepEqual(target.buffer.subarray(0, 63_000), Buffer.alloc(63_000, 0xa5))
        assert.deepEqual(plain(codec.decode(target.buffer, 63_000, target.position)), plain(value))
      })
    }

    it('gives results that do not change with the buffer', () => {
      fc.assert(
        fc.property(
          fc.array(fc.uint8Array({ minLength: 1, maxLength: 300, size: 'max' }), { minLength: 1, maxLength: 5 }),
          (chunks) => {
            const value = subject.withBytes(chunks)
            const bytes = bytesOf(codec, value)
            const result = codec.decode(bytes, 0, bytes.length)
            bytes.fill(0xee)
            // Nor with what is decoded next, in case that the codec has a buffer of its own.
            const other = bytesOf(
              codec,
              subject.withBytes(chunks.map((chunk) => new Uint8Array(chunk.length).fill(0xee))),
            )
            codec.decode(other, 0, other.length)
            assert.deepEqual(plain(result), plain(value))
          },
        ),
      )
    })

    it('leaves the target alone when it throws, and works afterwards', () => {
      const target: EncodeTarget = { buffer: Buffer.alloc(40), position: 7 }
      const { buffer } = target
      assert.throws(
        () => codec.encode(subject.unencodable, target),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
      assert.equal(target.buffer, buffer)
      assert.equal(target.position, 7)
      const value = subject.withText('after')
      codec.encode(value, target)
      assert.deepEqual(plain(codec.decode(target.buffer, 7, target.position)), plain(value))
    })

    it('encodes a message whose getter encodes another one', () => {
      const inner = subject.withText('inner '.repeat(30))
      const seen: Buffer[] = []
      const bytes = bytesOf(
        codec,
        subject.withGetter(() => seen.push(bytesOf(codec, inner))),
      )
      assert.deepEqual(
        bytes,
        bytesOf(
          codec,
          subject.withGetter(() => {}),
        ),
      )
      assert.ok(seen.length > 0)
      for (const other of seen) assert.deepEqual(other, bytesOf(codec, inner))
    })

    it('never reads beyond the end, nor accepts bytes behind the value', () => {
      fc.assert(
        fc.property(values, (value) => {
          const bytes = bytesOf(codec, value)
          for (let end = 0; end < bytes.length; end++) {
            // The rest of the value stands behind the end: whoever reads on would succeed.
            const inPlace = outcome(() => plain(codec.decode(bytes, 0, end)))
            const alone = outcome(() => plain(codec.decode(Buffer.from(bytes.subarray(0, end)), 0, end)))
            assert.equal(inPlace.threw, alone.threw)
            assert.deepEqual(inPlace.result, alone.result)
          }
        }),
        { numRuns: 10 },
      )
    })

    it('throws an Error or decodes, whatever the bytes are, and still works', () => {
      const value = subject.withText('still here')
      const good = bytesOf(codec, value)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
          outcome(() => codec.decode(Buffer.from(noise), 0, noise.length))
          assert.deepEqual(plain(codec.decode(good, 0, good.length)), plain(value))
        }),
        { numRuns: 1_000 },
      )
    })
  })
}

/** What a decode led to. Anything but an Error that is thrown fails the test. */
export function outcome(run: () => unknown): { threw: boolean; result?: unknown } {
  try {
    return { threw: false, result: run() }
  } catch (error) {
    assert.ok(error instanceof Error)
    return { threw: true }
  }
}
