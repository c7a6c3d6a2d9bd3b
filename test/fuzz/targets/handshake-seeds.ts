// Conversations to begin with, as either end would send them, and the frames that they are made of.

import {
  controlFrame,
  encodeAck,
  encodeGoAway,
  encodeHello,
  encodeHelloOk,
  encodeReject,
  encodeStatus,
} from '../../../src/wire/control.ts'
import { Kind, PREFACE } from '../../../src/wire/frame.ts'
import { methodIDOf } from '../../../src/wire/method-id.ts'
import { HI, methodID, text } from '../../net/echo-service.ts'
import { helloWith } from '../../net/raw-peer.ts'
import { rawFrame } from '../../wire/raw-frame.ts'

const MIB = 1024 * 1024
/** What the n-th draw of random bytes gives: the acceptor's session is its second (virtual-runtime.ts). */
const SESSION_ID = Buffer.from('00000000000000000000000000000002', 'hex')
const INCARNATION = Buffer.alloc(16, 0xab)

const echo = (msgID: number): Buffer => rawFrame({ kind: Kind.request, msgID, methodID: methodID('echo'), payload: HI })
const request = (method: 'hold' | 'linger' | 'echoAll', msgID: number): Buffer =>
  rawFrame({ kind: Kind.request, msgID, methodID: methodID(method), payload: HI })
const note = (msgID: number): Buffer => rawFrame({ kind: Kind.oneway, msgID, methodID: methodID('note'), payload: HI })
const count = (msgID: number): Buffer => rawFrame({ kind: Kind.request, msgID, methodID: COUNT, payload: HI })
const cancel = (msgID: number): Buffer => rawFrame({ kind: Kind.cancel, msgID, methodID: methodID('hold') })
const ack = (receivedFrames: number, sentFrames: number): Buffer =>
  controlFrame(Kind.ack, encodeAck({ receivedFrames, sentFrames, requestBytesAllowed: 16 * MIB }))
const goAway = (lastFrame: number, notExecuted: boolean): Buffer =>
  controlFrame(Kind.goaway, encodeGoAway({ lastFrame, why: { ...STATUS, notExecuted } }))
const reply = (msgID: number, method: Parameters<typeof methodID>[0]): Buffer =>
  rawFrame({ kind: Kind.reply, msgID, methodID: methodID(method), payload: HI })
const failure = (msgID: number, method: Parameters<typeof methodID>[0]): Buffer =>
  rawFrame({ kind: Kind.error, msgID, methodID: methodID(method), payload: encodeStatus(STATUS) })

const STATUS = { code: 'unavailable', message: 'why not', metadata: { key: 'value' }, notExecuted: true } as const
/** A method that the service of other tests does not have. */
const COUNT = methodIDOf('test.Echo/count+msgpack')
const ping = rawFrame({ kind: Kind.ping, payload: Buffer.from('12345678') })
const pong = rawFrame({ kind: Kind.pong, payload: Buffer.from('12345678') })
const skip = rawFrame({ kind: Kind.skip, msgID: 9 })
const late = rawFrame({ kind: 0xc5, payload: Buffer.from('from a later version') })
const withHeader = rawFrame({
  kind: Kind.request,
  msgID: 21,
  methodID: methodID('echo'),
  header: Buffer.from('0de803000012060a016b120176', 'hex'),
  payload: HI,
})
const hello = (changes: Parameters<typeof helloWith>[0]): Buffer =>
  controlFrame(Kind.hello, encodeHello(helloWith({ incarnation: INCARNATION, ...changes })))
const helloOk = (isSession: boolean, resumed = false, receivedFrames = 0): Buffer =>
  controlFrame(
    Kind.helloOk,
    encodeHelloOk({
      version: 1,
      nodeID: 'a',
      incarnation: Buffer.alloc(16, 0xac),
      frameMaxBytes: 4 * MIB,
      servesCalls: true,
      metadata: {},
      sessionID: isSession ? SESSION_ID : Buffer.alloc(0),
      resumed,
      receivedFrames,
      sessionTtlMs: isSession ? 30_000 : 0,
      requestBytesAllowed: 16 * MIB,
      features: 0,
    }),
  )
const reject = (retry: boolean): Buffer =>
  controlFrame(Kind.reject, encodeReject({ why: STATUS, versionMin: 1, versionMax: 1, retry }))

/** What a dialler sends. The first byte: see `settingOf`. */
const DIALLED: readonly (readonly Buffer[])[] = [
  [hello({}), ack(0, 0), echo(1), echo(2), note(3), ack(2, 3)],
  [
    hello({ wantsSession: true }),
    ack(0, 0),
    request('hold', 1),
    echo(2),
    cancel(1),
    cancel(2),
    echo(3),
    ping,
    ack(1, 5),
  ],
  [hello({ nodeID: 'b', servesCalls: true }), ack(0, 0), request('linger', 1), count(2), withHeader, skip, late],
  [hello({ wantsSession: true, sessionID: SESSION_ID, receivedFrames: 3 }), ack(0, 0), echo(7), goAway(0, true)],
  [hello({ versionMin: 2, versionMax: 3 })],
  [hello({ clusterID: 'other' })],
  [hello({ expectedNodeID: 'b', metadata: { a: 'b' } })],
  [hello({ nodeID: 'a' })],
  [hello({}), goAway(0, false)],
  [hello({}), ack(0, 0), echo(1), echo(1), request('hold', 5), request('hold', 5), pong],
  [
    ...[hello({ wantsSession: true }), ack(0, 0), request('hold', 1), echo(2), note(3), PREFACE],
    ...[
      hello({ wantsSession: true, sessionID: SESSION_ID, attachEpoch: 2, receivedFrames: 0 }),
      ack(0, 3),
      cancel(1),
      PREFACE,
    ],
    ...[hello({ wantsSession: true, sessionID: SESSION_ID, attachEpoch: 3, receivedFrames: 2 }), ack(2, 4), echo(5)],
  ],
  [
    ...[hello({ nodeID: 'b' }), ack(0, 0), request('hold', 1), PREFACE],
    ...[hello({ nodeID: 'b', incarnation: Buffer.alloc(16, 0xad) }), ack(0, 0), echo(2)],
  ],
  [
    hello({}),
    ack(0, 0),
    rawFrame({ kind: Kind.request, msgID: 3, methodID: 77, payload: text(50) }),
    late,
    goAway(1, false),
  ],
]

/** What an acceptor sends to a client with calls 1 to 5. */
const ACCEPTED: readonly (readonly Buffer[])[] = [
  [helloOk(false), ack(0, 0), reply(1, 'echo'), failure(2, 'hold'), reply(4, 'echoAll'), ack(5, 3)],
  [helloOk(true), ack(0, 0), ack(5, 0), reply(1, 'echo'), reply(2, 'hold'), reply(4, 'echoAll'), reply(4, 'echoAll')],
  [
    helloOk(true),
    ...[1, 2].map(() => rawFrame({ kind: Kind.item, msgID: 5, methodID: COUNT, payload: HI })),
    rawFrame({ kind: Kind.end, msgID: 5, methodID: COUNT }),
    ping,
    goAway(3, true),
  ],
  [helloOk(true), request('linger', 1), echo(2), note(3), skip, late, goAway(1, false)],
  [helloOk(true), ack(2, 0), PREFACE, helloOk(true, true, 3), ack(5, 0), reply(1, 'echo'), reply(2, 'hold')],
  [helloOk(true), reply(1, 'echo'), PREFACE, reject(true), PREFACE, helloOk(true, false, 0), ack(1, 0)],
  [reject(true)],
  [reject(false)],
  [helloOk(false), goAway(0, true), helloOk(false)],
]

export function sessionSeeds(): Buffer[] {
  const conversations = [
    ...DIALLED.map((frames) => ({ side: 0, frames })),
    ...ACCEPTED.map((frames) => ({ side: 1, frames })),
  ]
  const seeds = conversations.map(({ side, frames }, index) =>
    Buffer.concat([Buffer.of(side | ((index % 8) << 1)), PREFACE, ...frames]),
  )
  const strangers = ['160301020001', '1503010002', '474554202f20485454502f312e31', '5353482d322e30', '89474e'].map(
    (hex) => Buffer.from(`00${hex}`, 'hex'),
  )
  return [...seeds, ...strangers]
}

/** Frames, and payloads of frames. The first is a request that would run. */
export function sessionDictionary(): Buffer[] {
  const frames = [
    ...[note(99), echo(1), echo(31), request('hold', 1), request('linger', 2), count(4), cancel(1), cancel(31), skip],
    ...[ping, pong, late, ack(0, 0), ack(1, 1), ack(3, 2), goAway(0, false), goAway(1, true), reject(true), withHeader],
    ...[
      hello({}),
      hello({ wantsSession: true, attachEpoch: 2 }),
      helloOk(true),
      helloOk(false),
      helloOk(true, true, 2),
    ],
    hello({ wantsSession: true, sessionID: SESSION_ID, attachEpoch: 2, receivedFrames: 1 }),
    ...[reply(1, 'echo'), reply(2, 'hold'), failure(1, 'echo'), failure(5, 'echoAll'), reply(4, 'echoAll')],
  ]
  return [...frames, PREFACE, ...frames.map((frame) => frame.subarray(16)).filter((payload) => payload.length > 0)]
}
