// C3, C4, A1, A2 and the lessons of HTTP/2: much of what is allowed. What it costs is bounded, and others are served.

import assert from 'node:assert/strict'
import type net from 'node:net'
import { encodeAck } from '../../src/wire/control.ts'
import { Kind } from '../../src/wire/frame.ts'
import { frameOf } from '../net/raw-peer.ts'
import { closedBy, flood, framesOf, isGone, openNonReader, turn } from './attackers.ts'
import { HonestClient } from './honest-client.ts'
import { expectGoAway, expectServed, inMiB, type Row, request, type Scene, within } from './row.ts'
import type { Health } from './target.ts'
import { LIMITS, methodID, Target } from './target-service.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** `n` as the request of `big`: that many bytes are answered. */
function size(n: number): Buffer {
  const payload = Buffer.alloc(5, 0xce)
  payload.writeUInt32BE(n, 1)
  return payload
}

function grownBy(before: Health, now: Health): number {
  return now.heapBytes + now.bufferBytes - before.heapBytes - before.bufferBytes
}

/** Non-readers that ask for answers, until they are cut, or for `forMs`; returns the most that the server has held for them. */
async function askWithoutReading(
  scene: Scene,
  count: number,
  requests: Buffer,
  forMs = Infinity,
): Promise<{ most: number; ms: number }> {
  const before = await scene.target.health()
  const start = performance.now()
  const sockets: net.Socket[] = []
  for (let index = 0; index < count; index++) sockets.push(scene.track(await openNonReader(scene.port)))
  for (const socket of sockets) socket.write(requests)
  let most = 0
  for (;;) {
    const health = await scene.target.health()
    if (health.clients === 1 || performance.now() - start > forMs) break
    most = Math.max(most, grownBy(before, health))
    // They show signs of life.
    for (const socket of sockets) if (!isGone(socket)) socket.write(frameOf({ kind: 0xff }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (performance.now() - start > 15_000) throw new Error('not all were cut')
  }
  return { most, ms: performance.now() - start }
}

async function nonReaders(scene: Scene): Promise<string> {
  const count = 8
  const requests = framesOf(1_000, 1, request('big', 1, { payload: size(128 * KIB) }))
  const { most, ms } = await askWithoutReading(scene, count, requests)
  const bound = count * (LIMITS.sessionLogMaxBytes + 2 * 128 * KIB)
  assert.ok(most <= bound, `${inMiB(most)} are held, the bound is ${inMiB(bound)}`)
  return `${count} ask for ${inMiB(count * 1_000 * 128 * KIB)}: ${inMiB(most)} held, bound ${inMiB(bound)}; cut after ${Math.round(ms)} ms`
}

async function refusedNonReaders(scene: Scene): Promise<string> {
  const count = 4
  const { most } = await askWithoutReading(
    scene,
    count,
    framesOf(60_000, 1, { kind: Kind.request, methodID: 77 }),
    1_000,
  )
  const bound = count * (LIMITS.sessionLogMaxBytes + 2 * LIMITS.queueMaxBytes)
  assert.ok(most <= bound, `${inMiB(most)} are held, the bound is ${inMiB(bound)}`)
  return `${count} × 60 000 refusals: ${inMiB(most)} held, bound ${inMiB(bound)}`
}

async function readsWithoutAcks(scene: Scene): Promise<string> {
  const before = await scene.target.health()
  const peer = await scene.peer()
  await flood(peer, framesOf(40_000, 1, request('echo', 1, { payload: Buffer.from([0xc0]) })), 1)
  while (peer.receivedFrames < 40_000 && !peer.isClosed) await turn()
  const grown = grownBy(before, await scene.target.health())
  const bound = 20 * 17 * peer.receivedFrames
  assert.ok(grown <= bound, `${inMiB(grown)} are held, the bound is ${inMiB(bound)}`)
  return `${peer.receivedFrames} answers of 17 bytes never acknowledged: ${inMiB(grown)} held, ${(grown / 17 / peer.receivedFrames).toFixed(0)} bytes per byte of sessionLogMaxBytes`
}

async function fullWindow(scene: Scene): Promise<string> {
  const notes: string[] = []
  const empty = Buffer.alloc(250_000, 0x80)
  empty[0] = 0xdd
  empty.writeUInt32BE(empty.length - 5, 1)
  const messages = Buffer.alloc(250_000, '1200', 'hex')
  const rows: readonly (readonly [string, number, Buffer, number])[] = [
    ['the smallest requests', 8, framesOf(65_000, 2, request('echo', 2, { payload: Buffer.from([0xc0]) })), 4],
    // Decoded they would take fifty times as much, and more.
    ['empty maps', 1, framesOf(4, 2, request('echo', 2, { payload: empty })), 3],
    ['empty messages', 1, framesOf(4, 2, request('echoTree', 2, { payload: messages })), 3],
  ]
  for (const [what, count, requests, perByte] of rows) {
    const before = await scene.target.health()
    const peers = await Promise.all(Array.from({ length: count }, () => scene.peer()))
    for (const peer of peers) {
      peer.send(request('hold', 1))
      await flood(peer, requests, 1)
      // Frames are taken in order: when this is answered, all before it are held.
      peer.send({ kind: Kind.ping, payload: Buffer.alloc(8) })
      await peer.next(Kind.pong)
    }
    const held = grownBy(before, await scene.target.health())
    const bytes = count * requests.length
    assert.ok(held <= perByte * bytes, `${what}: ${inMiB(held)} are held for ${inMiB(bytes)}`)
    notes.push(`${what}: ${inMiB(held)} for ${inMiB(bytes)}, ${(held / bytes).toFixed(1)} bytes per byte`)
    for (const peer of peers) peer.close()
    await scene.target.until(({ clients }) => clients === 1, 'the peers are gone')
  }
  return notes.join('; ')
}

async function beyondWindow(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  peer.send(request('hold', 1))
  await flood(peer, framesOf(80_000, 2, request('echo', 2, { payload: Buffer.from([0xc0]) })), 1)
  await expectGoAway(peer, /bytes of requests were sent, \d+ were allowed/)
  return 'GOAWAY'
}

async function honestFlood(scene: Scene): Promise<string> {
  const client = scene.honest.config.node('target').client(Target)
  const text = 'x'.repeat(4_000)
  const start = performance.now()
  const count = 3_000
  await Promise.all(
    Array.from({ length: count }, async (_, index) => assert.equal(await client.echo(index + text), index + text)),
  )
  return `${inMiB(count * 4_000)} of honest calls at once through a window of ${inMiB(LIMITS.requestWindowBytes)}: ${Math.round(performance.now() - start)} ms`
}

async function honestCancels(scene: Scene): Promise<string> {
  // A client of its own: beyond handlersMax its other calls are refused as well, while cancelled handlers have not finished.
  const own = await HonestClient.connect(scene.target.address)
  scene.after(() => own.close())
  const client = own.config.node('target').client(Target)
  const controller = new AbortController()
  const count = 10_000
  const calls = Array.from({ length: count }, () =>
    client.linger('hi', { signal: controller.signal }).then(
      () => assert.fail('nobody answers'),
      (error: { code: string }) => error.code,
    ),
  )
  await turn()
  controller.abort()
  const codes = new Set(await Promise.all(calls))
  for (const code of codes) assert.ok(code === 'cancelled' || code === 'resource_exhausted', code)
  // Cancelled handlers keep their places until they have finished.
  await scene.target.until(({ running }) => (running.linger ?? 0) === 0, 'the cancelled handlers have finished')
  assert.equal(await client.echo('still here'), 'still here')
  assert.equal(own.figures().reconnects, 0)
  return `${count} calls cancelled at once, no reconnect`
}

async function rapidReset(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const method = methodID('linger')
  const rounds = 20
  const pairs = 2_000
  const bytes = Buffer.concat(
    Array.from({ length: pairs }, (_, index) => [
      frameOf(request('linger', index + 1)),
      frameOf({ kind: Kind.cancel, methodID: method, msgID: index + 1 }),
    ]).flat(),
  )
  let most = 0
  const start = performance.now()
  for (let round = 1; round <= rounds; round++) {
    await flood(peer, bytes, 1)
    most = Math.max(most, (await scene.target.health()).running.linger ?? 0)
    while (peer.receivedFrames < round * pairs && !peer.isClosed) await turn()
    peer.sentFrames = round * pairs * 2
    peer.sendAck({ requestBytesAllowed: 2 ** 40 })
    peer.frames.length = 0
  }
  assert.equal(peer.receivedFrames, rounds * pairs, 'each is answered, once')
  assert.ok(most <= LIMITS.handlersMax)
  return `${rounds * pairs} pairs in ${Math.round(performance.now() - start)} ms; at most ${most} handlers at once`
}

async function reconnectingResets(scene: Scene): Promise<string> {
  const rounds = 20
  for (let round = 1; round <= rounds; round++) {
    const peer = await scene.peer()
    const before = (await scene.target.health()).started.linger ?? 0
    await flood(peer, framesOf(LIMITS.handlersMax, 1, request('linger', 1)), 1)
    await scene.target.until(({ started }) => (started.linger ?? 0) >= before + LIMITS.handlersMax, 'all have started')
    peer.close()
  }
  const after = await scene.target.until(({ running }) => running.linger === 0, 'the signals have fired')
  assert.equal(after.running.linger, 0)
  return `${rounds} × ${LIMITS.handlersMax} handlers abandoned by reconnecting: their signals fire. Handlers that do not listen are not bounded across sessions`
}

async function pings(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  for (let count = 0; count < 1_000; count++) peer.send({ kind: Kind.ping, payload: Buffer.alloc(8) })
  await expectGoAway(peer, /more PINGs than one a second/)
  const pongs = peer.frames.filter(({ kind }) => kind === Kind.pong).length
  assert.ok(pongs <= 10, `${pongs} PONGs`)
  const unasked = await scene.peer()
  unasked.send({ kind: Kind.pong, payload: Buffer.alloc(8) })
  await expectGoAway(unasked, /PONG without a PING/)
  return `${pongs} PONGs to 1 000 PINGs`
}

async function idleFrames(scene: Scene): Promise<string> {
  const skipped = await scene.peer()
  await flood(skipped, Buffer.concat(Array(5_000).fill(frameOf({ kind: 0xff }))), 1)
  await expectGoAway(skipped, /more frames without effect/)
  // An ACK is looked at by every stream that waits for room.
  const streams = 400
  const socket = scene.track(await openNonReader(scene.port))
  socket.write(framesOf(streams, 1, request('gush', 1)))
  // As many as start before their own items fill what may wait for a peer that does not read.
  const { running } = await scene.target.until(({ running }) => (running.gush ?? 0) > 0, 'streams run')
  const ack = encodeAck({ receivedFrames: 0, sentFrames: streams, requestBytesAllowed: 16 * MIB })
  const start = performance.now()
  await flood(socket, Buffer.concat(Array(20_000).fill(frameOf({ kind: Kind.ack, payload: ack }))), 1)
  socket.resume()
  await within(10_000, 'it is cut', closedBy(socket))
  return `cut after ${Math.round(performance.now() - start)} ms of ACKs with ${running.gush} stalled streams`
}

async function emptyOneWays(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const before = await scene.target.health()
  const rounds = 5
  const batch = framesOf(10_000, 1, { kind: Kind.oneway, methodID: methodID('note'), payload: Buffer.from([0xc0]) })
  for (let round = 1; round <= rounds; round++) {
    await flood(peer, batch, 1)
    await scene.target.until(
      ({ started }) => (started.note ?? 0) >= (before.started.note ?? 0) + round * 10_000,
      'all have run',
    )
  }
  await expectServed(peer, 1)
  return `${rounds * 10_000} are run in turn, within the window`
}

async function badOneWays(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const before = await scene.target.health()
  await flood(peer, framesOf(20_000, 1, { kind: Kind.oneway, methodID: 77 }), 1)
  await expectServed(peer, 1)
  const after = await scene.target.health()
  return `20 000 bad one-way requests: ${after.logLines - before.logLines} lines in the log`
}

async function stalledStreams(scene: Scene): Promise<string> {
  const requests = framesOf(LIMITS.handlersMax, 1, request('gush', 1))
  const { most, ms } = await askWithoutReading(scene, 4, requests)
  const bound = 4 * (LIMITS.sessionLogMaxBytes + LIMITS.handlersMax * 10 * KIB)
  assert.ok(most <= bound, `${inMiB(most)} are held, the bound is ${inMiB(bound)}`)
  return `4 × ${LIMITS.handlersMax} endless streams that nobody reads: ${inMiB(most)} held; cut after ${Math.round(ms)} ms`
}

async function oneFloods(scene: Scene): Promise<string> {
  scene.honest.start()
  while (scene.honest.figures().calls < 200) await turn()
  const before = await scene.honest.stop()
  scene.honest.start()
  const peer = await scene.peer()
  const batch = framesOf(2_000, 1, request('echo', 1))
  for (let round = 1; round <= 40 && !peer.isClosed; round++) {
    await flood(peer, batch, 1)
    while (peer.receivedFrames < round * 2_000 && !peer.isClosed) await turn()
    peer.sentFrames = round * 2_000
    peer.sendAck({ requestBytesAllowed: 2 ** 40 })
    peer.frames.length = 0
  }
  assert.equal(peer.isClosed, false)
  const during = scene.honest.figures()
  return `honest p99 ${before.p99Ms.toFixed(1)} ms before, ${during.p99Ms.toFixed(1)} ms beside 80 000 calls (attacker and honest client share a thread)`
}

export const floodRows: readonly Row[] = [
  {
    id: 'C3',
    what: 'peers that ask for 1 GiB and never read (A1)',
    expected: 'answers stop at queueMaxBytes or sessionLogMaxBytes; cut at stallTimeoutMs',
    run: nonReaders,
  },
  {
    id: 'C3',
    what: 'peers whose bad requests are refused and who never read',
    expected: 'the window stops them; cut at twice queueMaxBytes',
    run: refusedNonReaders,
  },
  {
    id: 'C3',
    what: 'endless streams that nobody reads',
    expected: 'generators stop; cut at stallTimeoutMs',
    run: stalledStreams,
  },
  {
    id: 'C3',
    what: 'a peer that reads and never acknowledges',
    expected: 'answers stop at sessionLogMaxBytes',
    run: readsWithoutAcks,
  },
  {
    id: 'C4',
    what: 'requests behind a handler that holds its lane, to the end of the window',
    expected: 'they wait, in bounded memory',
    run: fullWindow,
  },
  { id: 'C4', what: 'requests beyond the window', expected: 'GOAWAY', run: beyondWindow },
  {
    id: 'C4',
    what: 'an honest client with more at once than the window takes',
    expected: 'every call succeeds',
    run: honestFlood,
  },
  { id: 'R2', what: '10 000 honest calls cancelled at once', expected: 'nobody is disconnected', run: honestCancels },
  {
    id: 'R2',
    what: 'rapid reset: 40 000 pairs of REQUEST and CANCEL',
    expected: 'one answer each, handlersMax holds',
    run: rapidReset,
  },
  {
    id: 'R2',
    what: 'rapid reset by reconnecting',
    expected: 'the signals of all abandoned handlers fire',
    run: reconnectingResets,
  },
  { id: 'R3', what: 'PING flood, PONG that nobody asked for', expected: 'GOAWAY', run: pings },
  { id: 'R3', what: 'floods of frames to be skipped and of ACKs', expected: 'GOAWAY', run: idleFrames },
  { id: 'R3', what: '50 000 empty one-way requests', expected: 'run in turn', run: emptyOneWays },
  {
    id: 'R3',
    what: '20 000 one-way requests for an unknown method',
    expected: 'dropped; the connection lives',
    run: badOneWays,
  },
  {
    id: 'A2',
    what: 'one client floods with honest calls',
    expected: "the others' calls succeed; a figure of how long they take",
    run: oneFloods,
  },
]
