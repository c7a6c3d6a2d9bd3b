// Every frame kind that nobody defined: 0xC0 to 0xFF are skipped unread, all others end the connection. And answers that
// nobody waits for, which are none of the peer's faults.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID } from './echo-service.ts'
import { servePeer } from './served-peer.ts'

const ECHO = { kind: Kind.request, methodID: methodID('echo'), payload: HI } as const
const DEFINED = new Set<number>(Object.values(Kind))

test('kinds 0xC0 to 0xFF are skipped, whatever they carry, and are not counted', async (t) => {
  const { peer, handled } = await servePeer(t)
  for (let kind = 0xc0; kind <= 0xff; kind++)
    peer.send({ kind, msgID: kind, methodID: kind, header: HI, payload: Buffer.alloc(300, kind) })
  peer.sendAck()
  peer.send({ ...ECHO, msgID: 1 })
  assert.deepEqual((await peer.next(Kind.reply)).payload, HI)
  assert.deepEqual(handled, ['hi'])
  assert.equal(peer.isClosed, false)
})

test('every other kind that nobody defined ends the connection with GOAWAY', async (t) => {
  let count = 0
  for (let kind = 0; kind < 0xc0; kind++) {
    if (DEFINED.has(kind)) continue
    const { peer, server, handled } = await servePeer(t)
    peer.send({ kind, msgID: 1 }, { ...ECHO, msgID: 1 })
    assert.match((await peer.goAway()).why.message, new RegExp(`0x${kind.toString(16).padStart(2, '0')}`))
    assert.deepEqual(handled, [])
    await server.close({ drainTimeoutMs: 0 })
    count++
  }
  assert.equal(count, 192 - DEFINED.size)
})

for (const kind of [Kind.reply, Kind.item, Kind.end, Kind.error]) {
  test(`an answer of kind ${kind} to a call that nobody made is counted and dropped`, async (t) => {
    const { peer } = await servePeer(t)
    peer.send({ kind, msgID: 12_345, methodID: ECHO.methodID })
    peer.sendAck()
    peer.send({ ...ECHO, msgID: 1 })
    await peer.next(Kind.reply)
    assert.equal(peer.isClosed, false)
  })
}

test('CANCEL of a call that is unknown or has been answered is ignored', async (t) => {
  const { peer, handled } = await servePeer(t)
  peer.send({ kind: Kind.cancel, msgID: 9, methodID: ECHO.methodID })
  peer.send({ ...ECHO, msgID: 1 })
  await peer.next(Kind.reply)
  peer.send({ kind: Kind.cancel, msgID: 1, methodID: ECHO.methodID })
  peer.send({ ...ECHO, msgID: 2 })
  await peer.next(Kind.reply)
  assert.deepEqual(handled, ['hi', 'hi'])
})

test('a msgID may be used again once its call has been answered', async (t) => {
  const { peer, letGo } = await servePeer(t)
  const hold = { ...ECHO, methodID: methodID('hold'), msgID: 7 }
  for (let round = 0; round < 3; round++) {
    peer.send(hold)
    await peer.settled()
    letGo()
    assert.equal((await peer.next(Kind.reply)).msgID, 7)
  }
})
