// What a stranger may cost before it has said HELLO, and what a peer may cost that stops in the middle of a frame or
// reads nothing: time and memory are bounded, exactly, on a clock that is moved by hand.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'gorums'
import { controlFrame, encodeHello } from '../../src/wire/control.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { Echo, HI, methodID, text } from './echo-service.ts'
import { frameOf, helloWith, RawPeer } from './raw-peer.ts'
import { servePeer } from './served-peer.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

const KIB = 1024
const ECHO = { kind: Kind.request, methodID: methodID('echo'), payload: HI } as const

test('a silent stranger is cut handshakeTimeoutMs after it was accepted, to the millisecond', async (t) => {
  const { runtime, peer, stranger, log } = await servePeer(t, { handshakeTimeoutMs: 2_000 })
  const silent = stranger()
  await runtime.advance(1_999)
  assert.equal(silent.isClosed, false)
  await runtime.advance(1)
  assert.equal(silent.isClosed, true)
  assert.match(log.lines.join('\n'), /127\.0\.0\.1:50000 did not complete the handshake within 2000 ms/)
  assert.equal(peer.isClosed, false)
})

test('a stranger that sends a byte now and then is cut at the same moment as a silent one', async (t) => {
  const { runtime, stranger } = await servePeer(t)
  const slow = stranger()
  const bytes = Buffer.concat([PREFACE, controlFrame(Kind.hello, encodeHello(helloWith()))])
  for (let sent = 0; sent < 4; sent++) {
    await runtime.advance(1_000)
    slow.send(bytes.subarray(sent, sent + 1))
  }
  await runtime.advance(999)
  assert.equal(slow.isClosed, false)
  await runtime.advance(1)
  assert.equal(slow.isClosed, true)
})

test('half a HELLO does not hold a connection beyond the deadline', async (t) => {
  const { runtime, stranger } = await servePeer(t)
  const half = stranger()
  await half.opened
  half.send(PREFACE, controlFrame(Kind.hello, encodeHello(helloWith())).subarray(0, 20))
  await runtime.advance(5_000)
  assert.equal(half.isClosed, true)
})

test('a dialler that never answers HELLO_OK is cut at the deadline and never becomes a client', async (t) => {
  const { runtime, server, stranger } = await servePeer(t)
  const mute = stranger()
  await mute.opened
  mute.sendHello({ nodeID: 'mute' })
  await mute.next(Kind.helloOk)
  assert.deepEqual(server.clients.nodeIDs.includes('mute'), false)
  await runtime.advance(5_000)
  assert.equal(mute.isClosed, true)
  assert.deepEqual(server.clients.nodeIDs.includes('mute'), false)
})

test('PINGs before HELLO do not keep a stranger beyond the deadline', async (t) => {
  const { runtime, stranger } = await servePeer(t)
  const pinging = stranger()
  await pinging.opened
  pinging.send(PREFACE)
  for (let count = 0; count < 5 && !pinging.isClosed; count++) {
    pinging.send({ kind: Kind.ping, payload: Buffer.alloc(8) })
    await runtime.advance(1_000)
  }
  assert.equal(pinging.isClosed, true)
})

test('strangers beyond handshakesMax are cut at once; those connected already are not, and a place that falls free is given away', async (t) => {
  const { runtime, peer, stranger, log, handled } = await servePeer(t, { limits: { handshakesMax: 3 } })
  const silent = [stranger(), stranger(), stranger()]
  const excess = stranger()
  await runtime.settle()
  assert.deepEqual(
    [...silent, excess].map((each) => each.isClosed),
    [false, false, false, true],
  )
  assert.match(log.lines.join('\n'), /more than 3 connections have not said HELLO/)
  peer.send({ ...ECHO, msgID: 1 })
  await peer.next(Kind.reply)
  assert.deepEqual(handled, ['hi'])

  silent[0]!.close()
  await runtime.settle()
  const late = stranger()
  await late.handshake()
  late.send({ ...ECHO, msgID: 1 })
  await late.next(Kind.reply)
})

test('a finished handshake gives its place away: as many clients as like may connect', async (t) => {
  const { runtime, stranger, server } = await servePeer(t, { limits: { handshakesMax: 1 } })
  const peers: RawPeer[] = []
  for (let count = 0; count < 20; count++) {
    const peer = stranger()
    peers.push(peer)
    await peer.handshake()
    await runtime.settle()
  }
  assert.equal(peers.filter((peer) => peer.isClosed).length, 0)
  assert.equal(server.clients.size, 21)
})

test('a dialler gives up an attempt after handshakeTimeoutMs, whatever the other end has said so far', async (t) => {
  for (const play of [
    () => {},
    (node: RawPeer) => node.send(PREFACE.subarray(0, 5)),
    (node: RawPeer) => node.send(PREFACE, frameOf({ kind: Kind.helloOk, payload: HI }).subarray(0, 17)),
  ]) {
    const runtime = new VirtualRuntime()
    const config = await connect({ a: 'a.example:1' }, { runtime, waitFor: 'none', handshakeTimeoutMs: 700 })
    const node = new RawPeer(runtime.dials[0]!.accept(), () => runtime.settle())
    await node.opened
    play(node)
    await runtime.advance(699)
    assert.equal(node.isClosed, false)
    await runtime.advance(1)
    assert.equal(node.isClosed, true)
    assert.equal(config.node('a').state, 'down')
    assert.match(config.node('a').lastError!.message, /a\.example:1 did not complete the handshake within 700 ms/)
    await config.close()
  }
  t.diagnostic('silent, half a preface, half a HELLO_OK')
})

test('half a frame is a violation frameTimeoutMs after it began, though its bytes keep coming', async (t) => {
  const { runtime, peer, log } = await servePeer(t, { frameTimeoutMs: 30_000, pingIntervalMs: 1_000 })
  const frame = frameOf({ ...ECHO, msgID: 1, payload: text(10_000) })
  for (let second = 0; second < 29; second++) {
    peer.send(frame.subarray(second * 10, second * 10 + 10))
    await runtime.advance(1_000)
  }
  assert.equal(peer.isClosed, false)
  for (let second = 29; second < 32; second++) {
    peer.send(frame.subarray(second * 10, second * 10 + 10))
    await runtime.advance(1_000)
  }
  assert.match((await peer.goAway()).why.message, /a frame was not complete after 30000 ms/)
  assert.match(log.lines.join('\n'), /broke the protocol: a frame was not complete/)
})

test('frameTimeoutMs holds though no heartbeat falls due before it', async (t) => {
  const { runtime, peer } = await servePeer(t, { frameTimeoutMs: 3_000, pingIntervalMs: 60_000 })
  peer.send(frameOf({ ...ECHO, msgID: 1 }).subarray(0, 18))
  await runtime.advance(2_900)
  assert.equal(peer.isClosed, false)
  await runtime.advance(200)
  assert.equal(peer.isClosed, true)
})

test('a large frame that takes long but less than frameTimeoutMs arrives, and so do those behind it', async (t) => {
  const { runtime, peer, handled } = await servePeer(t)
  const frames = Buffer.concat([1, 2, 3, 4].map((msgID) => frameOf({ ...ECHO, msgID, payload: text(25_000) })))
  // No frame ends where a chunk ends: there is always one that has begun.
  for (let offset = 0; offset < frames.length; offset += 1_000) {
    peer.send(frames.subarray(offset, offset + 1_000))
    await runtime.advance(1_000)
  }
  peer.sentFrames += 4
  assert.equal(handled.length, 4)
  assert.equal(peer.isClosed, false)
})

test('a peer that reads nothing is cut stallTimeoutMs after the last byte that it took', async (t) => {
  const { runtime, peer, serverEnd, log } = await servePeer(t, { stallTimeoutMs: 10_000 })
  serverEnd.isTaking = false
  peer.send({ ...ECHO, msgID: 1, payload: text(100_000) })
  await runtime.settle()
  for (let second = 0; second < 10; second++) {
    assert.equal(peer.isClosed, false, `after ${second} s`)
    peer.send({ kind: 0xff })
    await runtime.advance(1_000)
  }
  assert.equal(peer.isClosed, true)
  assert.match(log.lines.join('\n'), /took no bytes for 10000 ms while \d+ waited/)
})

test('stallTimeoutMs holds though no heartbeat falls due before it', async (t) => {
  const { runtime, peer, serverEnd } = await servePeer(t, { stallTimeoutMs: 3_000, pingIntervalMs: 60_000 })
  serverEnd.isTaking = false
  peer.send({ ...ECHO, msgID: 1, payload: text(100_000) })
  await runtime.advance(2_999)
  assert.equal(peer.isClosed, false)
  await runtime.advance(100)
  assert.equal(peer.isClosed, true)
})

test('for a peer that reads nothing no more is kept than queueMaxBytes and one answer', async (t) => {
  const queueMaxBytes = 64 * KIB
  const { runtime, peer, serverEnd, handled } = await servePeer(t, { limits: { queueMaxBytes } })
  serverEnd.isTaking = false
  const payload = text(10 * KIB)
  for (let msgID = 1; msgID <= 1_000; msgID++) peer.send({ ...ECHO, msgID, payload })
  await runtime.settle()
  assert.ok(serverEnd.bufferedBytes <= queueMaxBytes + 11 * KIB, `${serverEnd.bufferedBytes} bytes wait`)
  assert.ok(handled.length < 10, `${handled.length} handlers ran`)
})

test('for a peer that reads nothing no refusals pile up either', async (t) => {
  const queueMaxBytes = 64 * KIB
  const { runtime, peer, serverEnd } = await servePeer(t, { limits: { queueMaxBytes } })
  serverEnd.isTaking = false
  const requests = Buffer.concat(
    Array.from({ length: 1_000 }, (_, index) => frameOf({ kind: Kind.request, methodID: 1, msgID: index + 1 })),
  )
  for (let batch = 0; batch < 20; batch++) {
    peer.send(requests)
    await runtime.settle()
  }
  assert.ok(serverEnd.bufferedBytes <= 2 * queueMaxBytes + KIB, `${serverEnd.bufferedBytes} bytes wait`)
})

test('a client keeps no more than queueMaxBytes for a node that reads nothing, and fails the rest at once', async (t) => {
  const runtime = new VirtualRuntime()
  const queueMaxBytes = 64 * KIB
  const config = await connect({ a: 'a.example:1' }, { runtime, waitFor: 'none', limits: { queueMaxBytes } })
  t.after(() => config.close())
  const dial = runtime.dials[0]!
  const node = new RawPeer(dial.accept(), () => runtime.settle())
  await node.welcome()
  await runtime.settle()
  dial.stream.isTaking = false
  const echo = config.node('a').client(Echo).echo
  const outcomes: string[] = []
  for (let count = 0; count < 1_000; count++)
    echo('x'.repeat(1_000)).catch((error: { code: string; executed: string }) =>
      outcomes.push(`${error.code} ${error.executed}`),
    )
  await runtime.settle()
  assert.ok(outcomes.length > 500)
  assert.deepEqual(new Set(outcomes), new Set(['resource_exhausted no']))
  assert.ok(dial.stream.bufferedBytes <= 257 * KIB, `${dial.stream.bufferedBytes} bytes written`)
})

for (const [kibibytes, calls] of [
  [64, 1_024],
  [256, 2_048],
]) {
  test(`of small calls no more than ${calls} wait for a node when queueMaxBytes is ${kibibytes} KiB`, async (t) => {
    const runtime = new VirtualRuntime()
    const limits = { queueMaxBytes: kibibytes! * KIB }
    const config = await connect({ a: 'a.example:1' }, { runtime, waitFor: 'none', limits })
    t.after(() => config.close())
    const echo = config.node('a').client(Echo).echo
    const refused: string[] = []
    for (let count = 0; count < calls! + 10; count++) echo('').catch(({ message }: Error) => refused.push(message))
    await runtime.settle()
    assert.equal(refused.length, 10)
    assert.match(refused[0]!, new RegExp(`queue is full \\(\\d+ bytes of ${calls} calls wait, .* queueMaxBytes is`))
  })
}
