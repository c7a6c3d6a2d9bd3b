// All attackers at once, in a process of their own, so that the honest client's times are not theirs. Each begins again when
// it is cut. It attacks the port that it is given, with the deeds that it is given or with all, until its parent tells it to
// stop, and then says what it has done.

import { randomBytes } from 'node:crypto'
import type net from 'node:net'
import { decodedBytesMax } from '../../codec/decoded-size.ts'
import { controlFrame, decodeHelloOk, encodeHello, type Hello } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { frameOf, helloWith, type RawPeer } from '../net/raw-peer.ts'
import { closedBy, connectRaw, flood, framesOf, isGone, openNonReader, openSocket, shakeHands } from './attackers.ts'
import { giveWay } from './cores.ts'
import { request } from './row.ts'
import { messageLimits, methodID, strictness, type TargetKey } from './target-service.ts'

/** What the attackers have done so far, by name. */
export type Deeds = Readonly<Record<string, number>>

const port = Number(process.argv[2])
const chosen = process.argv.slice(3)
const deeds: Record<string, number> = {}
let isOver = false

function count(deed: string, times = 1): void {
  deeds[deed] = (deeds[deed] ?? 0) + times
}

/** Does something again and again until all is over; what fails is begun again. */
async function keepOn(deed: string, act: () => Promise<unknown>): Promise<void> {
  while (!isOver && (chosen.length === 0 || chosen.includes(deed))) {
    try {
      await act()
      count(deed)
    } catch {
      count(`${deed}, refused`)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

const PAUSE_MS = 10
const HELLO = Buffer.concat([PREFACE, controlFrame(Kind.hello, encodeHello(helloWith()))])

/** 950 sockets that say nothing or half a HELLO; those that are cut come back. */
async function silent(): Promise<void> {
  const socket = await openSocket(port)
  if (Math.random() < 0.5) socket.write(HELLO.subarray(0, Math.floor(Math.random() * HELLO.length)))
  await closedBy(socket)
}

async function withPeer(act: (peer: RawPeer) => Promise<unknown>): Promise<void> {
  const peer = await shakeHands(port, { incarnation: randomBytes(16) })
  try {
    await act(peer)
  } finally {
    peer.close()
  }
}

async function nonReader(method: 'big' | 'gush', payload: Buffer): Promise<void> {
  const socket: net.Socket = await openNonReader(port, { incarnation: randomBytes(16) })
  socket.write(framesOf(1_000, 1, request(method, 1, { payload })))
  for (let round = 0; round < 200 && !isGone(socket) && !isOver; round++) {
    socket.write(frameOf({ kind: 0xff }))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  socket.destroy()
}

function arrays(items: number, byte: number): Buffer {
  const payload = Buffer.alloc(5 + items, byte)
  payload[0] = 0xdd
  payload.writeUInt32BE(items, 1)
  return payload
}

/** As many of `part` as fit so many bytes. */
function repeated(bytes: number, part: string): Buffer {
  const one = Buffer.from(part, 'hex')
  return Buffer.concat(Array(Math.floor(bytes / one.length)).fill(one))
}

const { frameMaxBytes, maxValues, maxDecodedBytes } = messageLimits[strictness]
/** An eighth of what a frame may have, for "big" to answer with: a number in MessagePack. */
const SIZE = Buffer.from([0xce, 0, 0, 0, 0])
SIZE.writeUInt32BE(frameMaxBytes / 8, 1)
const MOST_BYTES = frameMaxBytes - 64
/** By what counts: a map four values, an array two. */
const BOMBS = [
  arrays(0.96 * (maxValues / 4), 0x80),
  arrays(0.98 * (maxValues / 2), 0x90),
  repeated(Math.min(69_000, MOST_BYTES), 'dcffff'),
]
/** What one may take in memory, beside the usual. */
const MEMORY = decodedBytesMax(0, maxDecodedBytes) / decodedBytesMax(0, undefined)
/** By method: as much as is let through, and what is refused on the way. */
const PROTOBUF_BOMBS = [
  ['echoTree', repeated(270_000 * MEMORY, '1200')],
  ['echoTree', repeated(MOST_BYTES, '1200')],
  ['echoSample', repeated(75_000 * MEMORY, '8a0100')],
  ['echoSample', repeated(MOST_BYTES, '8a0100')],
  // Maps with a key that makes V8 reserve room for a thousand.
  ['echoSample', repeated(119_997 * MEMORY, '8a0106c2010308e807')],
  ['echoTree', repeated(25_000 * MEMORY, '12081a060a0431303030')],
] as const
/** A session that comes back brings so many requests more, up to ten times. */
const KEPT_EACH = 6_000
/** Where messages must be smaller, so many more of them are sent at once. */
const SALVO = messageLimits.usual.frameMaxBytes / frameMaxBytes

function bombs(method: TargetKey, payload: Buffer, count: number): Promise<void> {
  return withPeer(async (peer) => {
    for (let msgID = 1; msgID <= count; msgID++) peer.send(request(method, msgID, { payload }))
    for (let answers = 0; answers < count; answers++) await peer.next(Kind.reply, Kind.error)
  })
}

/** The next of those that a deed sends in turn. */
function nextOf<T>(deed: string, items: readonly T[]): T {
  return items[(deeds[deed] ?? 0) % items.length]!
}

const LENGTHS = ['00000000', '0000000b', '7fffffff', '80000000', 'ffffffff'].map((hex) => Buffer.from(hex, 'hex'))

/** Has answers kept for it, acknowledges none, and comes back for all of them again and again. */
async function returning(): Promise<void> {
  const incarnation = randomBytes(16)
  const hello: Partial<Hello> & { sessionID: Buffer } = { incarnation, wantsSession: true, sessionID: Buffer.alloc(0) }
  let sentFrames = 0
  for (let attachEpoch = 1; attachEpoch <= 20 && !isOver; attachEpoch++) {
    const peer = connectRaw(port)
    await peer.opened
    peer.sendHello({ ...hello, attachEpoch })
    const { payload } = await peer.next(Kind.helloOk)
    hello.sessionID = decodeHelloOk(new FieldReader(payload, 0, payload.length)).sessionID
    peer.sendAck({ receivedFrames: 0, sentFrames })
    if (attachEpoch <= 10) {
      await flood(peer, framesOf(KEPT_EACH, sentFrames + 1, request('echo', 1, { payload: Buffer.from([0xc0]) })), 1)
      sentFrames += KEPT_EACH
    }
    while (peer.receivedFrames < sentFrames && !peer.isClosed && !isOver) await peer.next(Kind.reply)
    peer.close()
    count('returning sessions')
  }
}

giveWay()

const attackers: Promise<void>[] = [
  ...Array.from({ length: 950 }, () => keepOn('silent sockets', silent)),
  ...Array.from({ length: 4 }, () => keepOn('non-readers', () => nonReader('big', SIZE))),
  ...Array.from({ length: 2 }, () => keepOn('unread streams', () => nonReader('gush', Buffer.from([0xc0])))),
  keepOn('wrong lengths', () =>
    withPeer(async (peer) => {
      peer.send(LENGTHS[(deeds['wrong lengths'] ?? 0) % LENGTHS.length]!)
      await peer.closed
    }),
  ),
  keepOn('bombs', () => bombs('fail', nextOf('bombs', BOMBS), 1)),
  keepOn('salvos', () => bombs('fail', nextOf('salvos', BOMBS), SALVO)),
  keepOn('protobuf bombs', () => {
    const [method, payload] = nextOf('protobuf bombs', PROTOBUF_BOMBS)
    return bombs(method, payload, 1)
  }),
  keepOn('protobuf salvos', () => {
    const [method, payload] = nextOf('protobuf salvos', PROTOBUF_BOMBS)
    return bombs(method, payload, SALVO)
  }),
  keepOn('full windows', () =>
    withPeer(async (peer) => {
      peer.send(request('hold', 1))
      await flood(peer, framesOf(65_000, 2, request('echo', 2, { payload: Buffer.from([0xc0]) })), 1)
    }),
  ),
  keepOn('cancelled windows', () =>
    withPeer(async (peer) => {
      peer.send(request('hold', 1))
      await flood(peer, framesOf(65_000, 2, request('echo', 2, { payload: Buffer.from([0xc0]) })), 1)
      const cancels = Array.from({ length: 65_000 }, (_, index) =>
        // In no order: 7 919 and 65 000 have no common factor.
        frameOf({ kind: Kind.cancel, methodID: methodID('echo'), msgID: 2 + ((index * 7_919) % 65_000) }),
      )
      await flood(peer, Buffer.concat(cancels), 1)
    }),
  ),
  keepOn('returning sessions', returning),
  keepOn('rapid resets', () =>
    withPeer(async (peer) => {
      const pairs = Array.from({ length: 2_000 }, (_, index) => [
        frameOf(request('linger', index + 1)),
        frameOf({ kind: Kind.cancel, methodID: methodID('linger'), msgID: index + 1 }),
      ])
      await flood(peer, Buffer.concat(pairs.flat()), 1)
    }),
  ),
  keepOn('PING floods', () =>
    withPeer(async (peer) => {
      peer.send(Buffer.concat(Array(1_000).fill(frameOf({ kind: Kind.ping, payload: Buffer.alloc(8) }))))
      await peer.closed
    }),
  ),
  keepOn('bad requests', () =>
    withPeer((peer) => flood(peer, framesOf(5_000, 1, { kind: Kind.request, methodID: 77 }), 1)),
  ),
  keepOn('noise', async () => {
    const socket = await openSocket(port)
    socket.write(randomBytes(1_000))
    await closedBy(socket)
  }),
]

process.on('message', () => {
  isOver = true
  process.send?.(deeds, () => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
process.send?.('attacking')
await Promise.all(attackers)
