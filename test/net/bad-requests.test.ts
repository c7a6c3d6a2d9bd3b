// Requests that can not be served, from a peer that keeps to the protocol: each is answered with ERROR, says that nothing
// ran, and disturbs no other request of the same connection.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from 'gorums'
import { decodeStatus, type Status } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID } from './echo-service.ts'
import { type FrameParts, frameOf, type ReceivedFrame } from './raw-peer.ts'
import { servePeer } from './served-peer.ts'

const ECHO = { kind: Kind.request, methodID: methodID('echo'), payload: HI } as const

function statusOf(frame: ReceivedFrame): Status {
  return decodeStatus(new FieldReader(frame.payload, 0, frame.payload.length))
}

/** One metadata entry `key: text` as field 2 of a CallHeader. */
function entry(key: Buffer, value: Buffer): Buffer {
  const field = (tag: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes])
  return field(0x12, Buffer.concat([field(0x0a, key), field(0x12, value)]))
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

const key = (name: string): Buffer => entry(Buffer.from(name), Buffer.from('hi'))

const rows: readonly [string, Partial<FrameParts>, ErrorCode, RegExp][] = [
  ['a method that nobody declared', { methodID: 0x01020304 }, 'unimplemented', /0x01020304/],
  ['a method without a handler', { methodID: methodID('whoAmI') }, 'unimplemented', /test\.Echo\/whoAmI\+msgpack/],
  ['a method that is one-way', { methodID: methodID('note') }, 'invalid_argument', /is one-way/],
  ['an empty payload', { payload: Buffer.alloc(0) }, 'invalid_argument', /can not be decoded/],
  ['a payload cut short', { payload: HI.subarray(0, 2) }, 'invalid_argument', /can not be decoded/],
  ['a payload with bytes behind it', { payload: Buffer.concat([HI, HI]) }, 'invalid_argument', /can not be decoded/],
  [
    'a payload of a byte that MessagePack does not use',
    { payload: Buffer.from('c1', 'hex') },
    'invalid_argument',
    /decoded/,
  ],
  [
    'a payload that declares more than is there',
    { payload: Buffer.from('ddffffffff', 'hex') },
    'invalid_argument',
    /decoded/,
  ],
  ['a header that is no message', { header: Buffer.from('ff', 'hex') }, 'invalid_argument', /message ends/],
  ['a header with field number 0', { header: Buffer.from('0200', 'hex') }, 'invalid_argument', /field numbered 0/],
  ['a header whose time is cut short', { header: Buffer.from('0d0000', 'hex') }, 'invalid_argument', /message ends/],
  ['a header above 8 KiB', { header: bigHeader() }, 'invalid_argument', /8192/],
  ['65 metadata entries', { header: Buffer.concat(keys(65)) }, 'invalid_argument', /more than 64 entries/],
  ['a metadata key twice', { header: Buffer.concat([key('k'), key('k')]) }, 'invalid_argument', /"k" is there twice/],
  ['an empty metadata key', { header: key('') }, 'invalid_argument', /metadata key ""/],
  ['a metadata key in upper case', { header: key('Key') }, 'invalid_argument', /metadata key "Key"/],
  ['a metadata key with NUL', { header: key('k\0') }, 'invalid_argument', /metadata key/],
  ['a metadata key of 65 bytes', { header: key('k'.repeat(65)) }, 'invalid_argument', /metadata key/],
  ['the metadata key __proto__', { header: key('__proto__') }, 'invalid_argument', /__proto__/],
  [
    'a metadata text that is no UTF-8',
    { header: entry(Buffer.from('k'), Buffer.from('ff', 'hex')) },
    'invalid_argument',
    /UTF-8/,
  ],
]

function keys(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => key(`key-${index}`))
}

function bigHeader(): Buffer {
  return entry(Buffer.from('k'), Buffer.alloc(8_200, 'x'))
}

for (const [what, parts, code, message] of rows) {
  test(`${what} is answered with ${code}, not executed, and the connection lives`, async (t) => {
    const { peer, handled } = await servePeer(t)
    peer.send({ ...ECHO, msgID: 1 }, { ...ECHO, ...parts, msgID: 2 }, { ...ECHO, msgID: 3 })
    assert.equal((await peer.next(Kind.reply)).msgID, 1)
    const answer = await peer.next(Kind.error)
    assert.equal(answer.msgID, 2)
    assert.equal(answer.methodID, parts.methodID ?? ECHO.methodID)
    const status = statusOf(answer)
    assert.equal(status.code, code)
    assert.equal(status.notExecuted, true)
    assert.match(status.message, message)
    assert.equal((await peer.next(Kind.reply)).msgID, 3)
    assert.deepEqual(handled, ['hi', 'hi'])
    peer.sendAck()
    await peer.settled()
    assert.equal(peer.isClosed, false)
  })
}

test('64 metadata entries and 8 KiB of header are allowed', async (t) => {
  const { peer } = await servePeer(t)
  peer.send({ ...ECHO, msgID: 1, header: Buffer.concat(keys(64)) })
  await peer.next(Kind.reply)
  const header = entry(Buffer.from('k'), Buffer.alloc(8_000, 'x'))
  peer.send({
    ...ECHO,
    msgID: 2,
    header: Buffer.concat([header, entry(Buffer.from('l'), Buffer.alloc(8_192 - header.length - 12, 'x'))]),
  })
  assert.equal((await peer.next(Kind.reply, Kind.error)).kind, Kind.reply)
})

test('a bad request does not wedge the lane: what waits behind it is served in order', async (t) => {
  const { peer, letGo } = await servePeer(t)
  peer.send({ ...ECHO, methodID: methodID('hold'), msgID: 1 })
  peer.send({ ...ECHO, msgID: 2, payload: Buffer.from('c1', 'hex') }, { ...ECHO, msgID: 3 })
  await peer.settled()
  letGo()
  assert.equal((await peer.next(Kind.reply)).msgID, 1)
  assert.equal((await peer.next(Kind.error)).msgID, 2)
  assert.equal((await peer.next(Kind.reply)).msgID, 3)
})

test('a one-way request that can not be served is dropped with a line in the log', async (t) => {
  const { peer, log, handled } = await servePeer(t)
  peer.send({ kind: Kind.oneway, msgID: 1, methodID: 0x01020304 })
  peer.send({ kind: Kind.oneway, msgID: 2, methodID: methodID('note'), payload: Buffer.from('c1', 'hex') })
  peer.send({ kind: Kind.oneway, msgID: 3, methodID: methodID('note'), payload: HI })
  await peer.settled()
  assert.deepEqual(handled, ['hi'])
  assert.equal(log.lines.filter((line) => /one-way request of .* was dropped/.test(line)).length, 2)
  assert.equal(peer.isClosed, false)
})

test('20 000 requests for an unknown method in a row are answered one by one', async (t) => {
  const { peer } = await servePeer(t)
  const batch = 1_000
  const requests = Buffer.concat(
    Array.from({ length: batch }, (_, index) => frameOf({ ...ECHO, methodID: 1, msgID: index + 1 })),
  )
  for (let sent = 0; sent < 20_000; sent += batch) {
    peer.send(requests)
    peer.sentFrames += batch
    await peer.settled()
    peer.sendAck()
    await peer.settled()
  }
  assert.equal(peer.receivedFrames, 20_000)
  assert.equal(peer.isClosed, false)
})
