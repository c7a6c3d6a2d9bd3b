// Signs of life: when a silent peer is asked for one, when it is given up, and what counts as life. All times are exact,
// on a clock that stands still until it is moved.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'gorums'
import { Kind } from '../../src/wire/frame.ts'
import { Echo, HI, methodID, text } from './echo-service.ts'
import { type FrameParts, RawPeer } from './raw-peer.ts'
import { servePeer } from './served-peer.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

const PONG: FrameParts = { kind: Kind.pong, payload: Buffer.alloc(8) }

function pingsOf(peer: RawPeer): number {
  return peer.frames.filter((frame) => frame.kind === Kind.ping).length
}

test('a silent peer is pinged after pingIntervalMs and given up pingTimeoutMs later, to the millisecond', async (t) => {
  const { runtime, peer, log } = await servePeer(t, { pingIntervalMs: 5_000, pingTimeoutMs: 3_000 })
  peer.answersPings = false
  await runtime.advance(4_999)
  assert.equal(pingsOf(peer), 0)
  await runtime.advance(1)
  assert.equal(pingsOf(peer), 1)
  await runtime.advance(2_999)
  assert.equal(peer.isClosed, false)
  await runtime.advance(1)
  assert.equal(peer.isClosed, true)
  assert.equal(pingsOf(peer), 1)
  assert.match(log.lines.join('\n'), /gave no sign of life for 8000 ms/)
})

test('a node that stops answering is found lost by its client after interval and timeout, and its calls fail', async (t) => {
  const runtime = new VirtualRuntime()
  const config = await connect({ a: 'a.example:1' }, { runtime, waitFor: 'none', callTimeoutMs: Infinity })
  t.after(() => config.close())
  const node = new RawPeer(runtime.dials[0]!.accept(), () => runtime.settle())
  node.answersPings = false
  await node.welcome()
  await runtime.settle()
  assert.equal(config.node('a').state, 'up')
  const failure = assert.rejects(config.node('a').client(Echo).echo('hi'), {
    code: 'unavailable',
    nodeID: 'a',
    executed: 'unknown',
    message: /a\.example:1 gave no sign of life for 10000 ms/,
  })
  await runtime.advance(9_999)
  assert.equal(config.node('a').state, 'up')
  await runtime.advance(1)
  assert.notEqual(config.node('a').state, 'up')
  await failure
})

test('a node that takes bytes and answers none is found lost in time while calls are written to it', async (t) => {
  const runtime = new VirtualRuntime()
  const config = await connect({ a: 'a.example:1' }, { runtime, waitFor: 'none', callTimeoutMs: Infinity })
  t.after(() => config.close())
  const node = new RawPeer(runtime.dials[0]!.accept(), () => runtime.settle())
  node.answersPings = false
  await node.welcome()
  await runtime.settle()
  const echo = config.node('a').client(Echo).echo
  for (let second = 0; second < 10; second++) {
    echo('x'.repeat(20_000)).catch(() => {})
    await runtime.advance(1_000)
  }
  assert.notEqual(config.node('a').state, 'up')
})

test('a peer that answers PINGs lives as long as it likes, with one PING per interval', async (t) => {
  const { runtime, peer } = await servePeer(t)
  await runtime.advance(600_000)
  assert.equal(peer.isClosed, false)
  assert.equal(pingsOf(peer), 120)
})

test('any received byte is life: a peer that sends is not asked for a sign of it', async (t) => {
  const { runtime, peer } = await servePeer(t)
  peer.answersPings = false
  for (let sent = 0; sent < 20; sent++) {
    await runtime.advance(4_000)
    peer.sendAck()
  }
  await runtime.settle()
  assert.equal(peer.isClosed, false)
  assert.equal(pingsOf(peer), 0)
})

test('a byte that arrives while a PING is out saves the connection', async (t) => {
  const { runtime, peer } = await servePeer(t)
  peer.answersPings = false
  await runtime.advance(9_999)
  peer.sendAck()
  await runtime.advance(1)
  assert.equal(peer.isClosed, false)
})

test('after a pause of its own process what has arrived is read before anyone is given up', async (t) => {
  const { runtime, peer } = await servePeer(t)
  peer.answersPings = false
  await runtime.advance(5_000)
  const ping = await peer.next(Kind.ping)
  peer.send({ kind: Kind.pong, payload: ping.payload })
  await runtime.pause(60_000)
  assert.equal(peer.isClosed, false)
  await runtime.settle()
  assert.equal(peer.isClosed, false)
})

test('a pause of its own process alone kills no idle connection: the peer is asked first', async (t) => {
  const { runtime, peer } = await servePeer(t)
  await runtime.pause(3_600_000)
  assert.equal(peer.isClosed, false)
  assert.equal(pingsOf(peer), 1)
  await runtime.advance(10_000)
  assert.equal(peer.isClosed, false)
})

test('a peer that takes bytes slowly but always is not cut, however much more waits for it', async (t) => {
  const { runtime, peer, serverEnd, handled, log } = await servePeer(t, { limits: { queueMaxBytes: 64 * 1024 * 1024 } })
  serverEnd.isTaking = false
  const payload = text(100_000)
  for (let second = 0; second < 60 && !peer.isClosed; second++) {
    peer.send({ kind: Kind.request, msgID: second + 1, methodID: methodID('echo'), payload })
    await runtime.settle()
    serverEnd.take(50_000)
    await runtime.advance(1_000)
  }
  assert.deepEqual(log.lines, [])
  assert.equal(peer.isClosed, false)
  assert.equal(handled.length, 60)
})

test('one PING a second is answered for ever, each PONG with the bytes of its PING', async (t) => {
  const { runtime, peer } = await servePeer(t)
  for (let count = 0; count < 60; count++) {
    const payload = Buffer.alloc(8, count)
    peer.send({ kind: Kind.ping, payload })
    assert.deepEqual((await peer.next(Kind.pong)).payload, payload)
    await runtime.advance(1_000)
  }
  assert.equal(peer.isClosed, false)
})

test('a burst of PINGs is answered, a flood of them ends the connection with GOAWAY', async (t) => {
  const { peer } = await servePeer(t)
  for (let count = 0; count < 100; count++) peer.send({ kind: Kind.ping, payload: Buffer.alloc(8, count) })
  const goAway = await peer.goAway()
  assert.match(goAway.why.message, /more PINGs than one a second/)
  const pongs = peer.frames.filter((frame) => frame.kind === Kind.pong).length
  assert.ok(pongs >= 2 && pongs <= 20, `${pongs} PONGs`)
})

test('a PONG that nobody asked for ends the connection with GOAWAY', async (t) => {
  const { peer } = await servePeer(t)
  peer.send(PONG)
  assert.match((await peer.goAway()).why.message, /PONG without a PING/)
})

test('a second PONG to one PING ends the connection with GOAWAY', async (t) => {
  const { runtime, peer } = await servePeer(t)
  await runtime.advance(5_000)
  const { payload } = await peer.next(Kind.ping)
  peer.send({ kind: Kind.pong, payload })
  assert.match((await peer.goAway()).why.message, /PONG without a PING/)
})

test('a PONG with other bytes than its PING ends the connection with GOAWAY', async (t) => {
  const { runtime, peer } = await servePeer(t)
  peer.answersPings = false
  await runtime.advance(5_000)
  await peer.next(Kind.ping)
  peer.send({ kind: Kind.pong, payload: Buffer.alloc(8, 0xff) })
  assert.match((await peer.goAway()).why.message, /PONG/)
})

for (const [what, ping] of [
  ['7 bytes', { kind: Kind.ping, payload: Buffer.alloc(7) }],
  ['9 bytes', { kind: Kind.ping, payload: Buffer.alloc(9) }],
  ['a header', { kind: Kind.ping, header: Buffer.alloc(1), payload: Buffer.alloc(8) }],
  ['a msgID', { kind: Kind.ping, msgID: 1, payload: Buffer.alloc(8) }],
  ['a methodID', { kind: Kind.ping, methodID: 1, payload: Buffer.alloc(8) }],
] as const) {
  test(`a PING with ${what} ends the connection with GOAWAY`, async (t) => {
    const { peer } = await servePeer(t)
    peer.send(ping)
    assert.match((await peer.goAway()).why.message, /PING/)
  })
}

test('a closed server and a closed client leave no timer behind', async (t) => {
  const { runtime, server, port, peer } = await servePeer(t)
  const config = await connect([`127.0.0.1:${port}`], { runtime })
  assert.equal(config.status.connected.size, 1)
  peer.send({ kind: Kind.request, msgID: 1, methodID: methodID('echo'), payload: HI })
  await peer.next(Kind.reply)
  await config.close()
  await server.close({ drainTimeoutMs: 0 })
  await runtime.settle()
  assert.equal(runtime.timerCount, 0)
})
