// Large byte fields refer to the buffer that they came in when nobody else has it, and are copies otherwise.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protobuf } from 'gorums/codec/protobuf'
import protobufjs from 'protobufjs'
import { BytesValue } from '../../src/runtime.ts'
import { collectGarbage } from '../wire/garbage.ts'

const reflected = protobuf<{ value: Uint8Array }, { value: Uint8Array }>(
  protobufjs.parse('syntax = "proto3"; message M { bytes value = 1; }').root.lookupType('M'),
)
const large = new Uint8Array(100_000).fill(7)
const small = new Uint8Array(100).fill(7)

for (const [what, codec] of [
  ['a generated message', BytesValue],
  ['a reflected type', reflected],
] as const) {
  const encoded = (value: Uint8Array): Buffer => {
    const target = { buffer: Buffer.alloc(value.length + 16), position: 16 }
    codec.encode({ value }, target)
    return target.buffer.subarray(0, target.position)
  }

  test(`${what}: a large field keeps a buffer that is nobody else's, and copies one that is`, () => {
    const bytes = encoded(large)
    const kept = codec.decode(bytes, 16, bytes.length, true)
    const copied = codec.decode(bytes, 16, bytes.length)
    assert.equal(kept.value.buffer, bytes.buffer)
    assert.notEqual(copied.value.buffer, bytes.buffer)
    bytes.fill(9)
    assert.deepEqual(copied.value.subarray(0, 3), codec === BytesValue ? large.slice(0, 3) : Buffer.alloc(3, 7))
    assert.equal(kept.value[0], 9)
  })

  test(`${what}: a field that is a small part of its buffer is copied in any case`, () => {
    const message = encoded(small)
    const bytes = Buffer.alloc(message.length + 1_000)
    bytes.set(message)
    const { value } = codec.decode(bytes, 16, message.length, true)
    assert.notEqual(value.buffer, bytes.buffer)
  })

  test(`${what}: a large buffer is let go of when it has been encoded to, and decoded`, async () => {
    const use = (): WeakRef<ArrayBufferLike> => {
      const bytes = encoded(large)
      codec.decode(bytes, 16, bytes.length)
      return new WeakRef(bytes.buffer)
    }
    const buffer = use()
    // What a WeakRef was made for lives until the turn is over.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    assert.equal(buffer.deref(), undefined)
  })
}
