// Heads as bytes, the names of kinds, and what strangers look like from their first bytes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeStranger, kindName, readU32, writeHead, writeU32 } from '../../src/wire/frame.ts'
import { methodIDOf } from '../../src/wire/method-id.ts'
import { rawFrame } from './raw-frame.ts'

test('a head is written as the picture says, over whatever was there', () => {
  const word = fc.nat(2 ** 32 - 1)
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.nat(300),
      fc.nat(300),
      word,
      word,
      fc.nat(50),
      (kind, header, payload, msgID, methodID, offset) => {
        const end = offset + 16 + header + payload
        const buffer = Buffer.alloc(end + 10, 0xee)
        writeHead(buffer, offset, end, kind, header, msgID, methodID)
        const frame = rawFrame({ kind, msgID, methodID, header: Buffer.alloc(header), payload: Buffer.alloc(payload) })
        assert.deepEqual(buffer.subarray(offset, offset + 16), frame.subarray(0, 16))
        const rest = Buffer.concat([buffer.subarray(0, offset), buffer.subarray(offset + 16)])
        assert.deepEqual(rest, Buffer.alloc(rest.length, 0xee))
      },
    ),
  )
})

test('32-bit numbers are written and read without a sign', () => {
  const buffer = Buffer.alloc(6)
  for (const value of [0, 1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    writeU32(buffer, 1, value)
    assert.equal(buffer.readUInt32BE(1), value)
    assert.equal(readU32(buffer, 1), value)
  }
})

test('kinds have the names of the protocol, unknown ones their number', () => {
  assert.deepEqual([0x01, 0x06, 0x80, 0x86, 0x00, 0x09, 0xff].map(kindName), [
    'REQUEST',
    'ERROR',
    'HELLO',
    'GOAWAY',
    '0x00',
    '0x09',
    '0xff',
  ])
})

test('the id of a method is unsigned, and that of its name in UTF-8', () => {
  // echo -n <name> | sha256sum | cut -c 1-8
  assert.equal(methodIDOf('a'), 0xca978112)
  assert.equal(methodIDOf('ä'), 0x33e6d73f)
})

for (const [first, seen] of [
  ['16030100f5010000', 'TLS ClientHello'],
  ['16', 'TLS ClientHello'],
  ['15030100020246', 'TLS alert'],
  [Buffer.from('GET / HTTP/1.1').toString('hex'), 'HTTP'],
  [Buffer.from('POST /x').toString('hex'), 'HTTP'],
  [Buffer.from('OPTIONS * HTTP/1.1').toString('hex'), 'HTTP'],
  [Buffer.from('PRI * HTTP/2.0').toString('hex'), 'HTTP'],
  [Buffer.from('HTTP/1.1 400').toString('hex'), 'HTTP'],
  [Buffer.from('SSH-2.0-OpenSSH').toString('hex'), 'SSH'],
  ['8947524d0a1a01', '8947524d0a1a01'],
  ['00', '00'],
] as const) {
  test(`first bytes ${first.slice(0, 16)} are called ${seen}`, () => {
    assert.match(describeStranger(Buffer.from(first, 'hex')), new RegExp(seen))
  })
}

test('any first bytes have a description, without their control characters', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      assert.match(describeStranger(Buffer.from(bytes)), /^[ -~]+$/)
    }),
  )
})
