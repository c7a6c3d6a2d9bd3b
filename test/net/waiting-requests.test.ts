// Requests that wait behind a handler are kept as they came: what they decode to may take a hundred times as much.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Codec, rpc, service } from 'gorums'
import { encodeMetadata, TIMEOUT_BYTES, writeTimeout } from '../../src/wire/call-header.ts'
import { decodeStatus, type Status } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind } from '../../src/wire/frame.ts'
import { Echo, HI, methodID } from './echo-service.ts'
import type { ReceivedFrame } from './raw-peer.ts'
import { type ServedPeer, servePeer } from './served-peer.ts'

interface HeldLane extends ServedPeer {
  /** Sends a request that is this text. */
  readonly take: (msgID: number, text: string) => void
  /** The method that it calls. */
  readonly takeID: number
  /** The lengths of what has been decoded, in order. */
  readonly decoded: number[]
}

/** A server whose lane is held, and a method whose codec tells what it is given. It refuses what begins with `!`. */
async function holdLane(t: TestContext): Promise<HeldLane> {
  const served = await servePeer(t)
  const decoded: number[] = []
  const codec: Codec<string> = {
    name: 'text',
    encode(value, target) {
      const bytes = Buffer.from(value, 'latin1')
      target.buffer = Buffer.concat([target.buffer.subarray(0, target.position), bytes])
      target.position += bytes.length
    },
    decode(bytes, start, end) {
      decoded.push(end - start)
      const text = bytes.toString('latin1', start, end)
      if (text.startsWith('!')) throw new RangeError('no text')
      return text
    },
  }
  const Text = service('test.Text', { take: rpc({ request: codec, reply: codec }) })
  served.server.handle(Text, { take: (text) => text })
  const takeID = Text.bound.get('take')!.methodID
  const { peer } = served
  peer.send({ kind: Kind.request, methodID: methodID('hold'), msgID: 1, payload: HI })
  const take = (msgID: number, text: string): void =>
    peer.send({ kind: Kind.request, methodID: takeID, msgID, payload: Buffer.from(text, 'latin1') })
  return { ...served, take, takeID, decoded }
}

function statusOf({ payload }: ReceivedFrame): Status {
  return decodeStatus(new FieldReader(payload, 0, payload.length))
}

test('a request that waits is decoded when its turn comes, whatever its size', async (t) => {
  const { peer, take, letGo, decoded } = await holdLane(t)
  const sizes = [5, 257, 3_000, 0, 100_000, 256, 16_384, ...Array<number>(100).fill(200), 7]
  const texts = sizes.map((length, index) => String.fromCharCode(0x61 + (index % 26)).repeat(length))
  texts.forEach((text, index) => {
    take(index + 2, text)
  })
  await peer.settled()
  assert.deepEqual(decoded, [])
  letGo()
  assert.equal((await peer.next(Kind.reply)).msgID, 1)
  for (const text of texts) assert.equal((await peer.next(Kind.reply)).payload.toString('latin1'), text)
  assert.deepEqual(
    decoded,
    texts.map(({ length }) => length),
  )
})

test('a request that is cancelled while it waits is never decoded', async (t) => {
  const { peer, take, takeID, letGo, decoded } = await holdLane(t)
  take(2, 'two')
  take(3, 'three')
  peer.send({ kind: Kind.cancel, msgID: 2, methodID: takeID })
  assert.equal((await peer.next(Kind.error)).msgID, 2)
  letGo()
  await peer.next(Kind.reply)
  assert.equal((await peer.next(Kind.reply)).msgID, 3)
  assert.deepEqual(decoded, [5])
})

test('one that can not be decoded is refused in its turn, and gives its room back', async (t) => {
  const { peer, take, letGo } = await holdLane(t)
  take(2, '!'.repeat(500_000))
  take(3, 'three')
  await peer.settled()
  assert.deepEqual(
    peer.frames.filter(({ kind }) => kind === Kind.error),
    [],
  )
  letGo()
  assert.equal((await peer.next(Kind.reply)).msgID, 1)
  assert.equal((await peer.next(Kind.error)).msgID, 2)
  assert.equal((await peer.next(Kind.reply)).msgID, 3)
  peer.sendAck()
  await peer.settled()
  assert.equal(peer.isClosed, false)
})

test('one whose deadline passes while it waits is refused in its turn, not decoded, and said not to have run', async (t) => {
  const { runtime, peer, takeID, take, letGo, decoded } = await holdLane(t)
  const header = Buffer.alloc(TIMEOUT_BYTES)
  writeTimeout(header, 0, 50)
  peer.send({ kind: Kind.request, msgID: 2, methodID: takeID, header, payload: Buffer.from('late') })
  take(3, 'three')
  await runtime.advance(51)
  letGo()
  const answer = await peer.next(Kind.error)
  assert.equal(answer.msgID, 2)
  const { code, notExecuted, message } = statusOf(answer)
  assert.deepEqual([code, notExecuted], ['deadline_exceeded', true])
  assert.match(message, /the deadline passed while the request waited in its lane/)
  await peer.settled()
  assert.deepEqual(decoded, [5])
})

test('what travels with one that waits, and the time that it has left, reach its handler', async (t) => {
  const served = await holdLane(t)
  const seen: unknown[] = []
  const Told = service('test.Told', { tell: rpc<string, string>() })
  served.server.handle(Told, {
    tell: (text, { metadata, remainingMs }) => {
      seen.push({ ...metadata }, remainingMs)
      return text
    },
  })
  const timeout = Buffer.alloc(TIMEOUT_BYTES)
  writeTimeout(timeout, 0, 1_000)
  const header = Buffer.concat([timeout, encodeMetadata({ trace: 'abc' })])
  const request = { kind: Kind.request, methodID: Told.bound.get('tell')!.methodID, payload: HI }
  served.peer.send({ ...request, msgID: 2, header })
  served.peer.send({ ...request, msgID: 3 })
  await served.runtime.advance(300)
  served.letGo()
  await served.peer.next(Kind.reply)
  assert.equal((await served.peer.next(Kind.reply)).msgID, 2)
  assert.equal((await served.peer.next(Kind.reply)).msgID, 3)
  assert.deepEqual(seen, [{ trace: 'abc' }, 700, {}, Infinity])
})

test('a server that drains is done when the last request that waits is cancelled', async (t) => {
  const { runtime, server, peer, serverEnd, take, letGo, decoded } = await holdLane(t)
  // What is answered is not taken, and so at some point nothing more starts.
  serverEnd.isTaking = false
  for (let msgID = 2; msgID <= 6; msgID++) take(msgID, 'x'.repeat(2_500_000))
  await runtime.settle()
  letGo()
  await runtime.settle()
  const waiting = [2, 3, 4, 5, 6].slice(decoded.length)
  assert.ok(waiting.length > 0)
  let isClosed = false
  const closing = server.close({ drainTimeoutMs: 60_000 }).then(() => {
    isClosed = true
  })
  await runtime.settle()
  for (const msgID of waiting) peer.send({ kind: Kind.cancel, msgID })
  await runtime.settle()
  serverEnd.isTaking = true
  serverEnd.take(Infinity)
  await runtime.advance(5_000)
  assert.deepEqual(
    peer.frames.filter(({ kind }) => kind === Kind.error).map(({ msgID }) => msgID),
    waiting,
  )
  assert.equal(isClosed, true)
  await closing
})

test('a call that runs out of time says how many requests wait here, without those that have been cancelled', async (t) => {
  const { runtime, server, stranger } = await servePeer(t)
  const peer = stranger()
  await peer.handshake({ incarnation: Buffer.alloc(16, 9), servesCalls: true })
  for (let msgID = 1; msgID <= 4; msgID++)
    peer.send({ kind: Kind.request, methodID: methodID('hold'), msgID, payload: HI })
  peer.send({ kind: Kind.cancel, msgID: 3 })
  await runtime.settle()
  const [client] = server.clients.nodes.slice(-1)
  const failure = client!.client(Echo).echo('hi', { timeoutMs: 100 }).then(assert.fail, String)
  await runtime.advance(100)
  assert.match(await failure, /within 100 ms \(1 unreleased handler here, 2 requests waiting\)/)
})
