// Requests that wait behind a handler are kept as they came: what they decode to may take a hundred times as much.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Codec, rpc, service } from 'gorums'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID } from './echo-service.ts'
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
