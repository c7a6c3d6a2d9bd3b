// For whom a server that drains waits: for everybody who may count on it, connected or not, and for nobody else. All times
// are exact, on a clock that stands still until it is moved.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { controlFrame, decodeHelloOk, decodeReject, encodeGoAway, type HelloOk } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID } from './echo-service.ts'
import type { RawPeer, ReceivedFrame } from './raw-peer.ts'
import { type ServedPeer, servePeer } from './served-peer.ts'

const TTL_MS = 30_000
const DRAIN_MS = 5_000
const GOODBYE = controlFrame(
  Kind.goaway,
  encodeGoAway({ lastFrame: 0, why: { code: 'cancelled', message: 'bye', metadata: {}, notExecuted: false } }),
)
const WITH_SESSION = { wantsSession: true, incarnation: Buffer.alloc(16, 7), attachEpoch: 1 }

/** A server whose first peer is connected; `isClosed` says whether its `close` has resolved. */
async function drainable(t: TestContext) {
  const served = await servePeer(t, { sessionTtlMs: TTL_MS })
  const closing = { isClosed: false }
  const close = async (): Promise<void> => {
    // Whoever else is there is no matter of these tests.
    served.peer.close()
    await served.runtime.settle()
    void served.server.close({ drainTimeoutMs: DRAIN_MS }).then(() => {
      closing.isClosed = true
    })
    await served.runtime.settle()
  }
  return { ...served, closing, close }
}

/** One more peer that has been told HELLO_OK and has said nothing since. */
async function greeted({ stranger }: ServedPeer, hello = {}): Promise<{ peer: RawPeer; helloOk: HelloOk }> {
  const peer = stranger()
  await peer.opened
  peer.sendHello(hello)
  return { peer, helloOk: helloOkOf(await peer.next(Kind.helloOk)) }
}

function helloOkOf(frame: ReceivedFrame): HelloOk {
  return decodeHelloOk(reader(frame))
}

function reader({ payload }: ReceivedFrame): FieldReader {
  return new FieldReader(payload, 0, payload.length)
}

test('nobody who is gone for good is waited for', async (t) => {
  const { close, closing } = await drainable(t)
  await close()
  assert.equal(closing.isClosed, true)
})

test('who was cut off is waited for until it has come back for its answers', async (t) => {
  const served = await drainable(t)
  const { peer, helloOk } = await greeted(served, WITH_SESSION)
  peer.sendAck()
  peer.send({ kind: Kind.request, msgID: 1, methodID: methodID('hold'), payload: HI })
  await served.runtime.settle()
  peer.close()
  await served.close()
  served.letGo()
  await served.runtime.advance(DRAIN_MS - 1)
  assert.equal(served.closing.isClosed, false)
  const again = await greeted(served, { ...WITH_SESSION, attachEpoch: 2, sessionID: helloOk.sessionID })
  assert.equal(again.helloOk.resumed, true)
  again.peer.sendAck({ sentFrames: 1 })
  await again.peer.next(Kind.goaway)
  await again.peer.next(Kind.reply)
  again.peer.sendAck({ sentFrames: 1 })
  await served.runtime.settle()
  assert.equal(served.closing.isClosed, true)
})

test('who does not come back is waited for no longer than drainTimeoutMs, and no longer than its session lives', async (t) => {
  const served = await drainable(t)
  const { peer } = await greeted(served, WITH_SESSION)
  peer.sendAck()
  await served.runtime.settle()
  peer.close()
  await served.runtime.advance(TTL_MS - 2_000)
  await served.close()
  await served.runtime.advance(1_999)
  assert.equal(served.closing.isClosed, false)
  await served.runtime.advance(1)
  assert.equal(served.closing.isClosed, true)
})

for (const [who, hello] of [
  ['with a session', WITH_SESSION],
  ['without one', {}],
] as const) {
  test(`who has been let in, ${who}, and may have sent requests behind that, is waited for`, async (t) => {
    const served = await drainable(t)
    const { peer } = await greeted(served, hello)
    await served.close()
    assert.equal(served.closing.isClosed, false)
    peer.sendAck()
    peer.send({ kind: Kind.request, msgID: 1, methodID: methodID('echo'), payload: HI })
    const { payload } = await peer.next(Kind.goaway)
    assert.match(payload.toString(), /the server is shutting down/)
    // It was never accepted, and says so.
    await peer.next(Kind.error)
    assert.deepEqual(served.handled, [])
    peer.sendAck()
    await served.runtime.settle()
    assert.equal(served.closing.isClosed, true)
  })
}

test('who has been let in to a session and was cut off before it could say so may come back', async (t) => {
  const served = await drainable(t)
  const { peer, helloOk } = await greeted(served, WITH_SESSION)
  peer.close()
  await served.close()
  assert.equal(served.closing.isClosed, false)
  const again = await greeted(served, { ...WITH_SESSION, attachEpoch: 2, sessionID: helloOk.sessionID })
  assert.equal(again.helloOk.resumed, true)
  again.peer.sendAck()
  await again.peer.next(Kind.goaway)
  await served.runtime.settle()
  assert.equal(served.closing.isClosed, true)
})

test('who has been let in to a session and asks for a new one has not heard of it, and is not waited for', async (t) => {
  const served = await drainable(t)
  const { peer } = await greeted(served, WITH_SESSION)
  peer.close()
  await served.close()
  const late = served.stranger()
  await late.opened
  late.sendHello(WITH_SESSION)
  const { why } = decodeReject(reader(await late.next(Kind.reject)))
  assert.equal(why.code, 'aborted')
  await served.runtime.settle()
  assert.equal(served.closing.isClosed, false, 'a HELLO that was late says nothing')
  const again = served.stranger()
  await again.opened
  again.sendHello({ ...WITH_SESSION, attachEpoch: 2 })
  const refusal = decodeReject(reader(await again.next(Kind.reject)))
  assert.equal(refusal.why.code, 'unavailable')
  await served.runtime.settle()
  assert.equal(served.closing.isClosed, true)
})

test('who has been let in is not waited for once it has left, was cut off without a session, or has none any more', async (t) => {
  for (const end of ['leaves', 'is cut off', 'is forgotten'] as const) {
    const served = await drainable(t)
    const { peer } = await greeted(served, end === 'is cut off' ? {} : WITH_SESSION)
    if (end === 'leaves') peer.send(GOODBYE)
    await served.runtime.settle()
    peer.close()
    await served.runtime.settle()
    if (end === 'is forgotten') await served.runtime.advance(TTL_MS)
    await served.close()
    assert.equal(served.closing.isClosed, true, end)
  }
})

test('who was cut off before it could say so is waited for no longer than its session may live', async (t) => {
  const served = await drainable(t)
  const { peer } = await greeted(served, WITH_SESSION)
  peer.close()
  await served.runtime.advance(TTL_MS - 2_000)
  await served.close()
  await served.runtime.advance(1_999)
  assert.equal(served.closing.isClosed, false)
  await served.runtime.advance(1)
  assert.equal(served.closing.isClosed, true)
})
