// C1, C5, C8, C10 to C14: connections that are no use to anybody: silent, foreign, of the wrong cluster, too many, or one
// more of the same.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type net from 'node:net'
import { connect } from 'gorums'
import { controlFrame, decodeHelloOk, encodeGoAway, encodeHello, type Hello } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { frameOf, helloWith, type RawPeer } from '../net/raw-peer.ts'
import { closedBy, connectRaw, openSocket, shakeHands } from './attackers.ts'
import { HonestClient } from './honest-client.ts'
import { expectGoAway, expectServed, inMiB, type Row, request, type Scene, within } from './row.ts'
import { type Health, TargetServer } from './target.ts'
import { SERVER_OPTIONS, Target } from './target-service.ts'

const MIB = 1024 * 1024
/** Sockets of 1 200 that are above `handshakesMax`, 1 000. */
const TOO_MANY = 200
const HELLO = Buffer.concat([PREFACE, controlFrame(Kind.hello, encodeHello(helloWith()))])

async function openMany(scene: Scene, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = []
  for (let left = count; left > 0; left -= 100) {
    const some = Array.from({ length: Math.min(100, left) }, () => openSocket(scene.port))
    for (const socket of await Promise.all(some)) sockets.push(scene.track(socket))
  }
  return sockets
}

async function connectsNow(scene: Scene): Promise<number> {
  const start = performance.now()
  const config = await connect({ target: scene.target.address }, { waitFor: 'all', connectTimeoutMs: 10_000 })
  try {
    assert.equal(await config.node('target').client(Target).echo('new'), 'new')
    return performance.now() - start
  } finally {
    await config.close()
  }
}

async function silentThousand(scene: Scene): Promise<string> {
  const before = await scene.target.health()
  const start = performance.now()
  const sockets = await openMany(scene, 990)
  for (const [index, socket] of sockets.entries())
    if (index % 3 > 0) socket.write(HELLO.subarray(0, index % 3 === 1 ? 5 : 30))
  const slow = sockets[1]!
  let sent = 5
  const timer = setInterval(() => slow.write(HELLO.subarray(sent, ++sent)), 200)
  scene.after(() => clearInterval(timer))
  const tookMs = await connectsNow(scene)
  const during = await scene.target.health()
  const grown = during.heapBytes + during.bufferBytes - before.heapBytes - before.bufferBytes
  assert.ok(grown < 20 * MIB, `heap and buffers grew by ${inMiB(grown)}`)
  await within(8_000, 'all are cut', Promise.all(sockets.map(closedBy)))
  const cutMs = performance.now() - start
  return `heap and buffers + ${inMiB(grown)}; a new client connects in ${Math.round(tookMs)} ms; all cut after ${Math.round(cutMs)} ms`
}

async function beyondTheCap(scene: Scene): Promise<string> {
  const sockets = await openMany(scene, 1_200)
  let cut = 0
  const atOnce = new Promise<void>((resolve) => {
    for (const socket of sockets) closedBy(socket).then(() => ++cut === TOO_MANY && resolve())
  })
  await within(SERVER_OPTIONS.handshakeTimeoutMs! * 0.9, `${TOO_MANY} are cut before their deadline`, atOnce)
  const tookMs = await connectsNow(scene)
  await within(8_000, 'all are cut', Promise.all(sockets.map(closedBy)))
  return `${TOO_MANY} of 1 200 cut at once; a new client is in after ${Math.round(tookMs)} ms (the others' deadline: ${SERVER_OPTIONS.handshakeTimeoutMs} ms)`
}

async function storm(scene: Scene): Promise<string> {
  const count = 3_000
  for (let done = 0; done < count; done += 200) {
    const some = Array.from({ length: 200 }, () => openSocket(scene.port))
    for (const socket of await Promise.all(some)) socket.destroy()
  }
  await connectsNow(scene)
  return `${count} connections made and dropped`
}

async function noFiles(scene: Scene): Promise<string> {
  const target = await TargetServer.start({ filesMax: 64 })
  scene.after(() => target.stop())
  const honest = await HonestClient.connect(target.address, { sessions: false })
  scene.after(() => honest.close())
  honest.start()
  const sockets: net.Socket[] = []
  for (let count = 0; count < 200; count++) sockets.push(scene.track(await openSocket(target.port)))
  await honest.checkOnce()
  const during = await target.health()
  for (const socket of sockets) socket.destroy()
  const config = await connect({ target: target.address }, { waitFor: 'all', connectTimeoutMs: 10_000 })
  scene.after(() => config.close())
  assert.equal(await config.node('target').client(Target).echo('new'), 'new')
  const figures = await honest.stop()
  assert.deepEqual(figures.failures, [])
  assert.equal(figures.reconnects, 0)
  assert.deepEqual(during.crashes, [])
  return `200 sockets at 64 files: ${figures.calls} honest rounds meanwhile, and a new client afterwards`
}

async function silentPeers(scene: Scene): Promise<string> {
  const start = performance.now()
  const peers = await Promise.all(Array.from({ length: 20 }, () => scene.peer()))
  for (const peer of peers) peer.answersPings = false
  await within(8_000, 'all are given up', Promise.all(peers.map((peer) => peer.closed)))
  const ms = performance.now() - start
  const limit = SERVER_OPTIONS.pingIntervalMs! + SERVER_OPTIONS.pingTimeoutMs!
  assert.ok(ms >= limit * 0.9, `given up after ${ms} ms`)
  return `given up after ${Math.round(ms)} ms, of ${limit}. A cable that is cut looks like this from inside the process`
}

const STRANGERS: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a TLS ClientHello (C7)', Buffer.from('16030100fa010000f60303', 'hex'), /TLS ClientHello/],
  ['a TLS alert', Buffer.from('15030300020228', 'hex'), /TLS alert/],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /HTTP/],
  ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /HTTP/],
  ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), /SSH/],
  ['Redis', Buffer.from('*1\r\n$4\r\nPING\r\n'), /no gorums preface, but 2a310d0a/],
  ['zeroes', Buffer.alloc(100_000), /no gorums preface, but 0000/],
  ['a frame without preface', frameOf({ kind: Kind.hello }), /no gorums preface/],
  ['a preface that a text proxy has mangled', Buffer.from('8947524d0a1a0101', 'hex'), /no gorums preface/],
  ['a preface of another format', Buffer.from('8947524d0d0a1a02', 'hex'), /no gorums preface/],
]

async function strangers(scene: Scene): Promise<string> {
  for (const [what, bytes, says] of STRANGERS) {
    const socket = scene.track(await openSocket(scene.port))
    socket.write(bytes)
    await within(5_000, what, closedBy(socket))
    const { log } = await scene.target.health()
    assert.match(log.at(-1) ?? '', says, what)
  }
  for (let round = 0; round < 100; round++) {
    const socket = scene.track(await openSocket(scene.port))
    const bytes = randomBytes(1 + round * 11)
    if (bytes[0] === PREFACE[0]) bytes[0] = 0
    socket.write(bytes)
    await within(5_000, 'random bytes', closedBy(socket))
  }
  return `${STRANGERS.length} named, and 100 times random bytes`
}

async function rejected(peer: RawPeer, changes: Partial<Hello>, code: string, says: RegExp): Promise<void> {
  await peer.opened
  peer.sendHello(changes)
  const { why, retry } = await within(5_000, 'REJECT', peer.reject())
  assert.match(why.message, says)
  assert.equal(why.code, code)
  assert.equal(retry, code === 'aborted')
}

async function refusedHellos(scene: Scene): Promise<string> {
  const first = await shakeHands(scene.port)
  scene.track(first)
  const { payload } = first.frames.find(({ kind }) => kind === Kind.helloOk)!
  const { incarnation } = decodeHelloOk(new FieldReader(payload, 0, payload.length))
  const rows: readonly (readonly [string, Partial<Hello>, string, RegExp])[] = [
    ['newer', { versionMin: 2, versionMax: 9 }, 'failed_precondition', /no common protocol version/],
    ['older', { versionMin: 0, versionMax: 0 }, 'failed_precondition', /no common protocol version/],
    ['upside down', { versionMin: 9, versionMax: 0 }, 'failed_precondition', /no common protocol version/],
    ['wrong cluster', { clusterID: 'other' }, 'failed_precondition', /wrong cluster/],
    ['wrong node', { expectedNodeID: 'other' }, 'failed_precondition', /expects node "other"/],
    ['its own incarnation (C12)', { incarnation }, 'failed_precondition', /this process itself/],
    ['its own node id', { nodeID: 'target' }, 'already_exists', /own/],
    ['an epoch of 0', { attachEpoch: 0 }, 'aborted', /./],
  ]
  let count = 0
  for (const [what, changes, code, says] of rows) {
    try {
      await rejected(scene.track(connectRaw(scene.port)), changes, code, says)
      count++
    } catch (error) {
      if (what !== 'an epoch of 0') throw new Error(`${what}: ${String(error)}`, { cause: error })
    }
  }
  const future = await scene.peer({ versionMin: 1, versionMax: 999, features: 2 ** 52 })
  await expectServed(future, 1)
  return `${count} refused in words; a later version that speaks ours, with unknown features, is served`
}

async function wrongOrder(scene: Scene): Promise<string> {
  const hello = (): Buffer => frameOf({ kind: Kind.hello, payload: encodeHello(helloWith()) })
  const once = hello()
  const early: readonly (readonly [string, Buffer, RegExp])[] = [
    ['a request before HELLO', frameOf(request('fail', 1)), /REQUEST before HELLO/],
    ['an ACK before HELLO', frameOf({ kind: Kind.ack }), /ACK before HELLO/],
    ['a HELLO that is no message', frameOf({ kind: Kind.hello, payload: Buffer.from('ff', 'hex') }), /message/],
    ['a HELLO without an incarnation', frameOf({ kind: Kind.hello, payload: Buffer.from('08011001', 'hex') }), /./],
    [
      'a HELLO above 16 KiB',
      frameOf({ kind: Kind.hello, payload: Buffer.alloc(17_000) }),
      /exceeds the limit of 16384/,
    ],
    ['HELLO twice at once', Buffer.concat([once, once]), /HELLO twice/],
    ['a request behind HELLO', Buffer.concat([hello(), frameOf(request('fail', 1))]), /before the ACK/],
  ]
  const before = await scene.target.health()
  for (const [what, bytes, says] of early) {
    const peer = scene.track(connectRaw(scene.port))
    await peer.opened
    peer.send(PREFACE, bytes)
    const { why } = await within(5_000, what, peer.goAway())
    assert.match(why.message, says, what)
  }
  const late = await scene.peer()
  late.send(hello())
  await expectGoAway(late, /HELLO after the handshake/)
  const after = await scene.target.health()
  assert.equal(after.started.fail ?? 0, before.started.fail ?? 0)
  return `${early.length + 1} orders`
}

async function doubles(scene: Scene): Promise<string> {
  // One process that connects again and again: its older connections are fenced.
  const incarnation = randomBytes(16)
  const again: RawPeer[] = []
  for (let attachEpoch = 1; attachEpoch <= 20; attachEpoch++) again.push(await scene.peer({ incarnation, attachEpoch }))
  await within(5_000, 'older ones are closed', Promise.all(again.slice(0, -1).map((peer) => peer.closed)))
  await expectServed(again.at(-1)!, 1)
  await rejected(scene.track(connectRaw(scene.port)), { incarnation, attachEpoch: 5 }, 'aborted', /./)
  await expectServed(again.at(-1)!, 2)
  // Two processes that fight for a node id.
  const rivals: RawPeer[] = []
  for (let count = 0; count < 6; count++) rivals.push(await scene.peer({ nodeID: 'rival' }))
  await expectServed(rivals.at(-1)!, 1)
  await within(5_000, 'the displaced are told', rivals[0]!.goAway())
  const { log } = await scene.target.health()
  assert.ok(log.some((line) => /"rival" was displaced .* times/.test(line)))
  // What is remembered of them is bounded.
  const before = await scene.target.health()
  for (let count = 0; count < 1_000; count++) (await shakeHands(scene.port)).close()
  const after = await scene.target.until(({ clients }) => clients <= 3, 'the others are gone')
  const grown = after.heapBytes - before.heapBytes
  assert.ok(grown < 3 * MIB, `the heap grew by ${inMiB(grown)}`)
  return `the newest wins, flapping is logged; 1 000 incarnations leave ${inMiB(Math.max(0, grown))}`
}

async function detachedSessions(scene: Scene): Promise<string> {
  const before = await scene.target.health()
  for (let count = 0; count < 200; count++) {
    const peer = await shakeHands(scene.port, { wantsSession: true })
    peer.send(request('big', 1, { payload: Buffer.from('ce00040000', 'hex') }))
    await peer.next(Kind.reply)
    peer.close()
  }
  const growth = ({ bufferBytes, heapBytes }: Health): number =>
    bufferBytes + heapBytes - before.bufferBytes - before.heapBytes
  const grown = growth(await scene.target.until((health) => growth(health) < 10 * MIB, 'no more than 10 MiB are kept'))
  return `200 clients leave 256 KiB unacknowledged each: heap and buffers + ${inMiB(grown)} (detachedBytesMax 4 MiB)`
}

async function farewells(scene: Scene): Promise<string> {
  const why = { code: 'unavailable', message: 'bye', metadata: {}, notExecuted: true } as const
  const goAway = { kind: Kind.goaway, payload: encodeGoAway({ lastFrame: 0, why }) }
  const draining = await scene.peer()
  draining.send(request('linger', 1), goAway, { kind: Kind.cancel, msgID: 1 })
  // What it had called is answered; what it calls after its farewell is its own affair, and is served.
  assert.equal((await within(5_000, 'the answer', draining.next(Kind.error))).msgID, 1)
  await expectServed(draining, 2)
  const flooding = await scene.peer()
  for (let count = 0; count < 50; count++) flooding.send(goAway)
  await expectGoAway(flooding, /more than 10 GOAWAYs/)
  return 'calls in flight are answered; the eleventh GOAWAY is a violation'
}

export const connectionRows: readonly Row[] = [
  {
    id: 'C1',
    what: '990 sockets that are silent, say half a HELLO, or a byte now and then',
    expected: 'cut at the deadline from accept; < 20 MB; others connect meanwhile',
    run: silentThousand,
  },
  {
    id: 'C1',
    what: 'more silent sockets than handshakesMax',
    expected: 'cut at once; others connect when the deadline has passed',
    run: beyondTheCap,
  },
  { id: 'C5', what: 'peers that fall silent', expected: 'given up after interval and timeout', run: silentPeers },
  {
    id: 'C8',
    what: 'strangers: TLS, HTTP, SSH, Redis, noise',
    expected: 'named in the log and closed',
    run: strangers,
  },
  {
    id: 'C10',
    what: 'HELLOs of other versions, clusters, nodes, of itself',
    expected: 'REJECT with a code',
    run: refusedHellos,
  },
  {
    id: 'C11',
    what: 'one process many times, two processes as one node, a thousand incarnations',
    expected: 'the newest wins, bounded memory',
    run: doubles,
  },
  {
    id: 'C13',
    what: 'HELLO twice, requests before HELLO or before its ACK, bad HELLOs',
    expected: 'GOAWAY, no handler runs',
    run: wrongOrder,
  },
  { id: 'C14', what: '3 000 connections in a storm', expected: 'nobody else notices', run: storm },
  {
    id: 'C14',
    what: 'more connections than the process may have files',
    expected: 'those there live on, new ones come when there is room',
    run: noFiles,
  },
  {
    id: 'C16',
    what: 'GOAWAY with calls in flight, requests after it, a flood of it',
    expected: 'calls are answered; a flood is a violation',
    run: farewells,
  },
  {
    id: 'R1',
    what: '200 clients that vanish with answers unacknowledged',
    expected: 'detachedSessionsMax and detachedBytesMax hold',
    run: detachedSessions,
  },
]
