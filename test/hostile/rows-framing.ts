// F1 to F4, F6: frames that are wrong, cut short, cut into pieces, or of the wrong kind.

import assert from 'node:assert/strict'
import { controlFrame, encodeAck, encodeGoAway, encodeHello } from '../../src/wire/control.ts'
import { Kind, kindName, PREFACE } from '../../src/wire/frame.ts'
import { type FrameParts, frameOf, helloWith, type RawPeer } from '../net/raw-peer.ts'
import { connectRaw, openSocket, shakeHands, turn } from './attackers.ts'
import { expectGoAway, expectServed, inMiB, type Row, request, type Scene, within } from './row.ts'
import { HI, LIMITS, methodID } from './target-service.ts'

const KIB = 1024
const WHY = { code: 'unavailable', message: 'bye', metadata: {}, notExecuted: true } as const
const ACK = encodeAck({ receivedFrames: 0, sentFrames: 0, requestBytesAllowed: 16 * KIB * KIB })

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** One frame of every kind that a client may send, with a request that must not run when it is incomplete. */
const FRAMES: readonly FrameParts[] = [
  request('fail', 1),
  { kind: Kind.oneway, methodID: methodID('note'), msgID: 2, payload: HI },
  { kind: Kind.reply, methodID: 1, msgID: 3, payload: HI },
  { kind: Kind.item, methodID: 1, msgID: 3, payload: HI },
  { kind: Kind.end, methodID: 1, msgID: 3 },
  { kind: Kind.error, methodID: 1, msgID: 3, payload: Buffer.from('0801', 'hex') },
  { kind: Kind.cancel, methodID: 1, msgID: 4 },
  { kind: Kind.skip, msgID: 5 },
  { kind: Kind.ping, payload: Buffer.alloc(8) },
  { kind: Kind.ack, payload: ACK },
  { kind: Kind.goaway, payload: encodeGoAway({ lastFrame: 0, why: WHY }) },
  { kind: 0xff, payload: HI },
]

async function wrongLengths(scene: Scene): Promise<string> {
  const lengths = [0, 11, LIMITS.frameMaxBytes + 1, 0x7fffffff, 0x80000000, 0xffffffff]
  for (const length of lengths) {
    const peer = await scene.peer()
    peer.send(u32(length))
    await expectGoAway(peer, new RegExp(`frame length ${length} (is below|exceeds)`))
  }
  const peer = await scene.peer()
  peer.send(request('echo', 1, { headerBytes: 4 }))
  await expectGoAway(peer, /header of 4 bytes does not fit/)
  return `${lengths.length} lengths`
}

async function declaredOnly(scene: Scene): Promise<string> {
  const before = await scene.target.health()
  const peers: RawPeer[] = []
  for (let count = 0; count < 100; count++) peers.push(await scene.peer())
  for (const peer of peers) peer.send(u32(LIMITS.frameMaxBytes))
  await Promise.all(peers.map((peer) => peer.send({ kind: 0xff })))
  const during = await scene.target.health()
  const perPeer = (during.bufferBytes + during.heapBytes - before.bufferBytes - before.heapBytes) / peers.length
  assert.ok(perPeer <= 96 * KIB, `${Math.round(perPeer / KIB)} KiB for each declared frame`)
  for (const peer of peers) assert.match((await within(8_000, 'GOAWAY', peer.goAway())).why.message, /not complete/)
  return `${Math.round(perPeer / KIB)} KiB for each of 100 peers that declare ${inMiB(LIMITS.frameMaxBytes)}`
}

async function truncated(scene: Scene): Promise<string> {
  const before = await scene.target.health()
  let count = 0
  for (const parts of FRAMES) {
    const frame = frameOf(parts)
    for (let end = 1; end < frame.length; end++) {
      const peer = await shakeHands(scene.port)
      peer.send(frame.subarray(0, end))
      if (count++ % 2 === 0) {
        peer.stream.end()
        await within(5_000, `${kindName(parts.kind)} cut at ${end}`, peer.closed)
      } else peer.close()
    }
  }
  const hello = Buffer.concat([PREFACE, controlFrame(Kind.hello, encodeHello(helloWith()))])
  for (let end = 1; end < hello.length; end++, count++) {
    const peer = connectRaw(scene.port)
    await peer.opened
    peer.send(hello.subarray(0, end))
    if (count % 2 === 0) peer.stream.end()
    else peer.close()
    await within(5_000, `HELLO cut at ${end}`, peer.closed)
  }
  const after = await scene.target.until((health) => health.clients === 1, 'only the honest client is left')
  assert.equal(after.started.fail ?? 0, before.started.fail ?? 0)
  assert.equal(after.started.note ?? 0, before.started.note ?? 0)
  return `${count} cuts, FIN and RST in turn, no handler ran`
}

async function cutAndSilent(scene: Scene): Promise<string> {
  const peers: RawPeer[] = []
  const add = async (): Promise<RawPeer> => {
    const peer = await scene.peer()
    // A PONG would stand in the middle of the frame that is not complete.
    peer.answersPings = false
    peers.push(peer)
    return peer
  }
  for (const parts of FRAMES) (await add()).send(frameOf(parts).subarray(0, 15))
  const dripping = await add()
  const frame = frameOf(request('fail', 1, { payload: Buffer.alloc(1_000) }))
  let sent = 0
  const timer = setInterval(() => dripping.stream.write([frame.subarray(sent, ++sent)]), 100)
  scene.after(() => clearInterval(timer))
  for (const peer of peers) assert.match((await within(8_000, 'GOAWAY', peer.goAway())).why.message, /not complete/)
  return `${FRAMES.length} silent peers, and one with a byte every 100 ms: cut after ${sent} bytes`
}

/** A conversation whose answers tell whether every frame was read as it was meant. */
function conversation(): Buffer {
  const frames: FrameParts[] = [
    request('echo', 1),
    { kind: 0xc0, payload: Buffer.alloc(70) },
    { kind: Kind.oneway, methodID: methodID('note'), msgID: 2, payload: HI },
    { kind: Kind.ping, payload: Buffer.from('12345678') },
    request('count', 3, { payload: Buffer.from([2]) }),
    { kind: Kind.skip, msgID: 4 },
    { kind: Kind.cancel, methodID: 1, msgID: 99 },
    request('echo', 5, { methodID: 77 }),
    request('echo', 6, { payload: Buffer.from('c1', 'hex') }),
    { kind: Kind.reply, methodID: 1, msgID: 98, payload: HI },
    request('echo', 7, { header: Buffer.from('0d10270000', 'hex') }),
  ]
  return Buffer.concat(frames.map(frameOf))
}

async function converse(scene: Scene, pieces: readonly Buffer[]): Promise<string> {
  const peer = await shakeHands(scene.port)
  for (const piece of pieces) {
    peer.stream.write([piece])
    await turn()
  }
  const answers: string[] = []
  while (answers.length < 8) {
    const { kind, msgID, payload } = await within(5_000, 'an answer', peer.next(...EVERY_ANSWER))
    answers.push(`${kindName(kind)} ${msgID} ${payload.toString('hex')}`)
  }
  peer.close()
  return answers.sort().join('\n')
}

const EVERY_ANSWER = [Kind.reply, Kind.item, Kind.end, Kind.error, Kind.pong]

async function splits(scene: Scene): Promise<string> {
  const bytes = conversation()
  const whole = await converse(scene, [bytes])
  for (let at = 1; at < bytes.length; at++)
    assert.equal(await converse(scene, [bytes.subarray(0, at), bytes.subarray(at)]), whole, `split at ${at}`)
  assert.equal(await converse(scene, inPieces(bytes, 1)), whole)
  return `${bytes.length - 1} splits and byte by byte`
}

async function manyPieces(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const payload = Buffer.alloc(LIMITS.frameMaxBytes - 12, 'x')
  payload[0] = 0xdb
  payload.writeUInt32BE(payload.length - 5, 1)
  const pieces = inPieces(frameOf(request('echo', 1, { payload })), 64)
  const start = performance.now()
  for (const piece of pieces) peer.stream.write([piece])
  const reply = await within(20_000, 'the reply', peer.next(Kind.reply, Kind.error))
  assert.ok(reply.payload.equals(payload))
  return `1 MiB in ${pieces.length} writes there and back in ${Math.round(performance.now() - start)} ms`
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

async function kinds(scene: Scene): Promise<string> {
  const defined = new Set<number>(Object.values(Kind))
  let count = 0
  for (let kind = 0; kind < 0xc0; kind++) {
    if (defined.has(kind)) continue
    const peer = await scene.peer()
    peer.send({ kind, msgID: 1 })
    await expectGoAway(peer, new RegExp(kindName(kind)))
    peer.close()
    count++
  }
  for (let bit = 0; bit < 8; bit++) {
    const peer = await scene.peer()
    peer.send(request('echo', 1, { flags: 1 << bit }))
    await expectGoAway(peer, /has flags/)
  }
  for (const kind of [Kind.hello, Kind.helloOk, Kind.reject]) {
    const peer = await scene.peer()
    peer.send({ kind })
    await expectGoAway(peer, /after the handshake/)
  }
  return `${count} kinds, 8 flags, 3 kinds in the wrong state`
}

async function badControl(scene: Scene): Promise<string> {
  const large = Buffer.concat([ACK, Buffer.from('827dfb8701', 'hex'), Buffer.alloc(17_403)])
  const bad: readonly (readonly [FrameParts, RegExp])[] = [
    [{ kind: Kind.ack, payload: Buffer.from('ff', 'hex') }, /message/],
    [{ kind: Kind.ack, payload: large }, /exceeds the 16384/],
    [{ kind: Kind.ack, payload: ACK, msgID: 1 }, /with an id or a header/],
    [{ kind: Kind.ack, payload: ackOf(99, 0) }, /acknowledges frame 99/],
    [{ kind: Kind.ack, payload: ackOf(0, 99) }, /says 99 frames were sent/],
    [
      { kind: Kind.ack, payload: encodeAck({ receivedFrames: 0, sentFrames: 0, requestBytesAllowed: 1 }) },
      /takes back/,
    ],
    [{ kind: Kind.ping, payload: Buffer.alloc(7) }, /PING with 7 bytes/],
    [{ kind: Kind.pong, payload: Buffer.alloc(8) }, /PONG/],
    [{ kind: Kind.goaway, payload: Buffer.from('0a', 'hex') }, /message/],
    [{ kind: Kind.goaway, payload: encodeGoAway({ lastFrame: 9, why: WHY }) }, /frame 9 was the last/],
    [{ kind: Kind.skip, msgID: 1, methodID: 7 }, /SKIP with a methodID/],
    [{ kind: Kind.cancel, msgID: 1, payload: HI }, /CANCEL with a header or a payload/],
    [{ kind: Kind.end, msgID: 1, payload: HI }, /END with a payload/],
  ]
  for (const [parts, says] of bad) {
    const peer = await scene.peer()
    peer.send(frameOf(parts))
    await expectGoAway(peer, says)
  }
  return `${bad.length} frames`
}

function ackOf(receivedFrames: number, sentFrames: number): Buffer {
  return encodeAck({ receivedFrames, sentFrames, requestBytesAllowed: 16 * KIB * KIB })
}

async function reusedIDs(scene: Scene): Promise<string> {
  const rows: readonly (readonly [readonly FrameParts[], RegExp])[] = [
    [[request('linger', 5), request('echo', 5)], /reuses msgID 5/],
    [[request('hold', 5), request('echo', 6), request('echo', 6)], /reuses msgID 6/],
    [[request('stubborn', 7), { kind: Kind.cancel, msgID: 7 }, request('echo', 7)], /reuses msgID 7/],
    [[request('echo', 0)], /REQUEST with msgID 0/],
    [[{ kind: Kind.reply, msgID: 0 }], /REPLY with msgID 0/],
  ]
  for (const [frames, says] of rows) {
    const peer = await scene.peer()
    peer.send(...frames)
    await expectGoAway(peer, says)
  }
  await scene.target.letGo()
  const peer = await scene.peer()
  for (const msgID of [9, 3, 0xffff_ffff, 3]) await expectServed(peer, msgID)
  return 'ids that go down or wrap are no fault'
}

async function lostAndReset(scene: Scene): Promise<string> {
  for (let count = 0; count < 200; count++) {
    const socket = await openSocket(scene.port)
    if (count % 3 === 1) socket.write(PREFACE)
    if (count % 3 === 2) socket.write(Buffer.concat([PREFACE, controlFrame(Kind.hello, encodeHello(helloWith()))]))
    socket.resetAndDestroy()
  }
  return '200 resets: at once, after the preface, after HELLO'
}

export const framingRows: readonly Row[] = [
  {
    id: 'F1',
    what: 'a length below a head, above the limit, or negative as a signed number',
    expected: 'GOAWAY, no byte behind it is read',
    run: wrongLengths,
  },
  {
    id: 'F1',
    what: 'the largest allowed length, and nothing behind it',
    expected: '64 KiB at most are set aside; cut at frameTimeoutMs',
    run: declaredOnly,
  },
  {
    id: 'F2',
    what: 'every frame cut at every byte, then FIN or RST',
    expected: 'dropped, no handler runs, nothing is left',
    run: truncated,
  },
  {
    id: 'F2',
    what: 'every frame cut in its head, then silence or a byte now and then (C2)',
    expected: 'GOAWAY at frameTimeoutMs',
    run: cutAndSilent,
  },
  {
    id: 'F3',
    what: 'a conversation split at every byte, and byte by byte',
    expected: 'the same answers as in one piece',
    run: splits,
  },
  { id: 'F3', what: 'a frame of 1 MiB in writes of 64 bytes', expected: 'answered, in linear time', run: manyPieces },
  { id: 'F4', what: 'unknown kinds, unknown flags, kinds in the wrong state', expected: 'GOAWAY', run: kinds },
  {
    id: 'F4',
    what: 'control frames that are malformed, too large, or say what can not be',
    expected: 'GOAWAY',
    run: badControl,
  },
  {
    id: 'F6',
    what: 'a msgID that is in flight, waits, or was cancelled and runs on; msgID 0',
    expected: 'GOAWAY',
    run: reusedIDs,
  },
  {
    id: 'F12',
    what: 'a compression bomb',
    expected: 'a limit while inflating',
    why: 'no feature bit is defined and nothing is ever inflated: there is no compression',
  },
  { id: 'C17', what: 'resets in every state of the handshake', expected: 'no exception escapes', run: lostAndReset },
]
