// What a connection has lost goes over the next one as far as there is room, a slice at a time, in order, and before anything
// new. Whoever comes back for much keeps nobody waiting.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decodeAck, decodeHelloOk, type Hello } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID, text } from './echo-service.ts'
import { RawPeer } from './raw-peer.ts'
import { type ServedPeer, servePeer } from './served-peer.ts'
import type { VirtualStream } from './virtual-runtime.ts'

const KIB = 1024
/** How much a connection is given before it has handed some over, bytes. */
const PIPE_BYTES = 256 * KIB
/** Frames that lie in one buffer go together. */
const BUFFER_BYTES = 64 * KIB
const ANSWERS = 600
const ANSWER = text(1_000)
const CALLER = { wantsSession: true, incarnation: Buffer.alloc(16, 7) }

interface Caller {
  readonly peer: RawPeer
  readonly serverEnd: VirtualStream
}

/** Connects; `isTaken` is whether what the server writes arrives by itself once the handshake is over. */
async function connectAs({ runtime, port }: ServedPeer, hello: Partial<Hello>, isTaken = true): Promise<Caller> {
  const stream = runtime.connect(port)
  const peer = new RawPeer(stream, () => runtime.settle())
  await peer.opened
  peer.sendHello({ ...CALLER, ...hello })
  await runtime.settle()
  stream.other!.isTaking = isTaken
  return { peer, serverEnd: stream.other! }
}

/** Connects again, and says that it has sent all its requests and has `receivedFrames` of the answers. */
async function comeBack(served: ServedPeer, hello: Partial<Hello>, isTaken = true): Promise<Caller> {
  const caller = await connectAs(served, hello, isTaken)
  caller.peer.sentFrames = ANSWERS
  caller.peer.receivedFrames = hello.receivedFrames ?? 0
  caller.peer.sendAck()
  return caller
}

/** A caller that has asked for `ANSWERS` answers, has got none, and has lost its connection: what its next HELLO must say. */
async function cutCaller(served: ServedPeer): Promise<Partial<Hello>> {
  const { peer, serverEnd } = await connectAs(served, { attachEpoch: 1 })
  const { payload } = await peer.next(Kind.helloOk)
  const { sessionID } = decodeHelloOk(new FieldReader(payload, 0, payload.length))
  peer.sendAck()
  await served.runtime.settle()
  serverEnd.isTaking = false
  for (let msgID = 1; msgID <= ANSWERS; msgID++) ask(peer, msgID, ANSWER)
  await served.runtime.settle()
  peer.close()
  await served.runtime.settle()
  return { sessionID, attachEpoch: 2 }
}

function ask(peer: RawPeer, msgID: number, payload: Buffer = HI): void {
  peer.send({ kind: Kind.request, msgID, methodID: methodID('echo'), payload })
}

function replies({ frames }: RawPeer): number[] {
  return frames.flatMap(({ kind, msgID }) => (kind === Kind.reply ? [msgID] : []))
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

async function servedWithSlowClock(t: TestContext): Promise<ServedPeer> {
  const served = await servePeer(t)
  const { runtime } = served
  // Every look at the clock takes a millisecond.
  let passed = 0
  const { now } = runtime
  runtime.now = () => now.call(runtime) + passed++
  t.after(() => {
    runtime.now = now
  })
  return served
}

test('a connection is given what it lacks as far as there is room, and what is new behind it', async (t) => {
  const served = await servePeer(t)
  const { runtime } = served
  const hello = await cutCaller(served)
  const { peer, serverEnd } = await comeBack(served, hello, false)
  await runtime.settle()
  const given = serverEnd.bufferedBytes
  assert.ok(given >= PIPE_BYTES && given < PIPE_BYTES + BUFFER_BYTES, `${given} bytes`)
  ask(peer, ANSWERS + 1)
  await runtime.settle()
  assert.ok(serverEnd.bufferedBytes < given + KIB, 'the answer to a new request waits for its turn')
  serverEnd.isTaking = true
  serverEnd.take(Infinity)
  await runtime.settle()
  assert.deepEqual(replies(peer), numbers(ANSWERS + 1))
})

test('an ACK in between counts what has been sent so far', async (t) => {
  const served = await servePeer(t)
  const { runtime } = served
  const hello = await cutCaller(served)
  const { peer, serverEnd } = await comeBack(served, hello, false)
  await runtime.settle()
  ask(peer, ANSWERS + 1)
  // An acknowledgement of that is due in a while.
  await runtime.advance(100)
  serverEnd.isTaking = true
  serverEnd.take(Infinity)
  await runtime.settle()
  const ack = peer.frames.findIndex(({ kind }) => kind === Kind.ack)
  const before = peer.frames.slice(0, ack).filter(({ kind }) => kind < 0x80).length
  assert.ok(before > 0 && before < ANSWERS, `it comes behind ${before}`)
  const { payload } = peer.frames[ack]!
  const { sentFrames, receivedFrames } = decodeAck(new FieldReader(payload, 0, payload.length))
  assert.deepEqual([sentFrames, receivedFrames], [before, ANSWERS + 1])
  assert.deepEqual(replies(peer), numbers(ANSWERS + 1))
})

test('who comes back for much does not keep another waiting', async (t) => {
  const served = await servedWithSlowClock(t)
  const { runtime } = served
  const hello = await cutCaller(served)
  const other = await connectAs(served, { incarnation: Buffer.alloc(16, 9) })
  other.peer.sendAck()
  await runtime.settle()
  const { peer } = await connectAs(served, hello)
  let seen = 0
  const { onBytes } = other.peer
  other.peer.onBytes = (bytes) => {
    seen = replies(peer).length
    onBytes.call(other.peer, bytes)
  }
  peer.sentFrames = ANSWERS
  peer.sendAck()
  ask(other.peer, 1)
  await runtime.settle()
  assert.ok(seen < ANSWERS / 2, `it was answered behind ${seen} answers`)
  assert.deepEqual(replies(peer), numbers(ANSWERS))
})

test('a connection that is lost while it lacks much is followed by one that goes on where it stood', async (t) => {
  const served = await servePeer(t)
  const { runtime } = served
  const hello = await cutCaller(served)
  const second = await comeBack(served, hello, false)
  await runtime.settle()
  second.serverEnd.take(100 * KIB)
  const { receivedFrames } = second.peer
  assert.ok(receivedFrames > 0 && receivedFrames < 110)
  second.peer.close()
  await runtime.settle()
  const third = await comeBack(served, { ...hello, attachEpoch: 3, receivedFrames })
  await runtime.settle()
  assert.deepEqual([...replies(second.peer), ...replies(third.peer)], numbers(ANSWERS))
})
