// What breaks the protocol after the handshake, over real sockets: GOAWAY says why, that connection alone is closed, no
// byte behind the bad one is interpreted, and an honest client of the same server goes on as if nothing had happened.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect, createServer, type ServerOptions } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { encodeHello } from '../../src/wire/control.ts'
import { Kind } from '../../src/wire/frame.ts'
import { countedRuntime } from './counted-runtime.ts'
import { Echo, HI, methodID, text } from './echo-service.ts'
import { EventLog } from './event-log.ts'
import { helloWith, RawPeer } from './raw-peer.ts'

const KIB = 1024
const ECHO = { kind: Kind.request, methodID: methodID('echo'), payload: HI } as const
const HOLD = { kind: Kind.request, methodID: methodID('hold'), payload: HI } as const
const NOTE = { kind: Kind.oneway, methodID: methodID('note'), payload: HI } as const
const TIMEOUT = { timeout: 10_000 }

interface Row {
  readonly what: string
  readonly act: (peer: RawPeer) => void | Promise<void>
  readonly says: RegExp
  readonly options?: ServerOptions
}

async function checkRow(t: TestContext, { act, says, options }: Row): Promise<void> {
  const log = new EventLog()
  const server = createServer({ nodeID: 'a', logger: log.logger, ...options })
  const held: (() => void)[] = []
  const notes: string[] = []
  server.handle(Echo, {
    echo: (request) => request,
    hold: () => new Promise<string>(() => {}),
    linger: () => new Promise<string>((resolve) => held.push(() => resolve('held'))),
    note: (request) => notes.push(request),
  })
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const counted = countedRuntime()
  const honest = await connect({ a: `${host}:${port}` }, { runtime: counted.runtime })
  t.after(() => honest.close())
  const client = honest.node('a').client(Echo)
  const inFlight = client.linger('honest')
  assert.equal(await client.echo('before'), 'before')

  const peer = new RawPeer(nodeRuntime.dial(host, port, undefined))
  t.after(() => peer.close())
  await peer.handshake()
  await act(peer)
  // Were a byte behind the violation interpreted, this would reach a handler.
  peer.send({ ...NOTE, msgID: 0x7000 })
  const { why } = await peer.goAway()
  assert.equal(why.notExecuted, false)
  assert.match(why.message, says)
  assert.match(await log.until(says), /^127\.0\.0\.1:\d+ broke the protocol/)

  assert.equal(await client.echo('after'), 'after')
  held.shift()!()
  assert.equal(await inFlight, 'held')
  assert.equal(honest.node('a').state, 'up')
  assert.deepEqual(counted.dials, [`${host}:${port}`])
  assert.deepEqual(notes, [])
}

const rows: readonly Row[] = [
  { what: 'a length of 0', act: (peer) => peer.send({ ...ECHO, msgID: 1, length: 0 }), says: /length 0 is below/ },
  { what: 'a length below the head', act: (peer) => peer.send({ ...ECHO, msgID: 1, length: 11 }), says: /length 11 / },
  ...[0x400000 + 1, 0x7fffffff, 0x80000000, 0xffffffff].map((length) => ({
    what: `a length of ${length}, of which nothing follows`,
    act: (peer: RawPeer): void => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(length)
      peer.send(bytes)
    },
    says: new RegExp(`frame length ${length} exceeds the limit of 4194304`),
  })),
  {
    what: 'a header that is longer than its frame',
    act: (peer) => peer.send({ ...ECHO, msgID: 1, headerBytes: 4 }),
    says: /header of 4 bytes does not fit/,
  },
  { what: 'flags that no feature defines', act: (peer) => peer.send({ ...ECHO, msgID: 1, flags: 1 }), says: /flags 1/ },
  { what: 'flags on a control frame', act: (peer) => peer.send({ kind: Kind.ping, flags: 0x80 }), says: /flags 128/ },
  { what: 'kind 0x00', act: (peer) => peer.send({ kind: 0, msgID: 1 }), says: /0x00/ },
  { what: 'kind 0xbf', act: (peer) => peer.send({ kind: 0xbf }), says: /0xbf/ },
  { what: 'a second preface', act: (peer) => peer.sendHello(), says: /exceeds the limit/ },
  {
    what: 'a second HELLO',
    act: (peer) => peer.send({ kind: Kind.hello, payload: encodeHello(helloWith()) }),
    says: /HELLO after the handshake/,
  },
  { what: 'HELLO_OK', act: (peer) => peer.send({ kind: Kind.helloOk }), says: /HELLO_?OK/ },
  { what: 'REJECT', act: (peer) => peer.send({ kind: Kind.reject }), says: /REJECT/ },
  { what: 'REQUEST with msgID 0', act: (peer) => peer.send({ ...ECHO, msgID: 0 }), says: /REQUEST with msgID 0/ },
  { what: 'ONEWAY with msgID 0', act: (peer) => peer.send({ ...NOTE, msgID: 0 }), says: /ONEWAY with msgID 0/ },
  { what: 'REPLY with msgID 0', act: (peer) => peer.send({ kind: Kind.reply }), says: /REPLY with msgID 0/ },
  { what: 'CANCEL with msgID 0', act: (peer) => peer.send({ kind: Kind.cancel }), says: /CANCEL with msgID 0/ },
  {
    what: 'CANCEL with a payload',
    act: (peer) => peer.send({ kind: Kind.cancel, msgID: 1, payload: HI }),
    says: /CANCEL with a header or a payload/,
  },
  {
    what: 'REQUEST with the msgID of one that is running',
    act: (peer) => peer.send({ ...HOLD, msgID: 5 }, { ...ECHO, msgID: 5 }),
    says: /reuses msgID 5/,
  },
  {
    what: 'REQUEST with the msgID of one that waits in the lane',
    act: (peer) => peer.send({ ...HOLD, msgID: 5 }, { ...ECHO, msgID: 6 }, { ...ECHO, msgID: 6 }),
    says: /reuses msgID 6/,
  },
  {
    what: 'REQUEST with the msgID of one that was cancelled and has not ended',
    act: (peer) =>
      peer.send({ ...HOLD, msgID: 5 }, { kind: Kind.cancel, msgID: 5, methodID: HOLD.methodID }, { ...ECHO, msgID: 5 }),
    says: /reuses msgID 5/,
  },
  {
    what: 'an ACK of more frames than were sent',
    act: (peer) => peer.sendAck({ receivedFrames: 1 }),
    says: /acknowledges frame 1, outside of 0 to 0/,
  },
  {
    what: 'an ACK that takes back an earlier one',
    act: async (peer) => {
      peer.send({ ...ECHO, msgID: 1 })
      await peer.next(Kind.reply)
      peer.sendAck()
      peer.sendAck({ receivedFrames: 0 })
    },
    says: /acknowledges frame 0, outside of 1 to 1/,
  },
  {
    what: 'an ACK with too few sent frames',
    act: (peer) => {
      peer.send({ ...NOTE, msgID: 1, methodID: 1 })
      peer.sendAck({ sentFrames: 0 })
    },
    says: /0 frames were sent, 1 have arrived/,
  },
  {
    what: 'an ACK with too many sent frames',
    act: (peer) => peer.sendAck({ sentFrames: 3 }),
    says: /3 frames were sent, 0 have arrived/,
  },
  {
    what: 'an ACK that takes back request bytes',
    act: (peer) => peer.sendAck({ requestBytesAllowed: 1 }),
    says: /takes back request bytes/,
  },
  {
    what: 'an ACK that is no message',
    act: (peer) => peer.send({ kind: Kind.ack, payload: Buffer.from('ff', 'hex') }),
    says: /message ends/,
  },
  {
    what: 'an ACK with a msgID',
    act: (peer) => peer.send({ kind: Kind.ack, msgID: 1, payload: peer.ackPayload() }),
    says: /ACK/,
  },
  {
    what: 'an ACK with a header',
    act: (peer) => peer.send({ kind: Kind.ack, header: HI, payload: peer.ackPayload() }),
    says: /ACK/,
  },
  {
    what: 'an ACK with a methodID',
    act: (peer) => peer.send({ kind: Kind.ack, methodID: 1, payload: peer.ackPayload() }),
    says: /ACK/,
  },
  {
    what: 'an ACK above 16 KiB',
    act: (peer) => {
      const unknownField = Buffer.alloc(17 * KIB)
      unknownField.set([0x82, 0x7d, 0xfb, 0x87, 0x01])
      peer.send({ kind: Kind.ack, payload: Buffer.concat([peer.ackPayload(), unknownField]) })
    },
    says: /exceeds|16384/,
  },
  {
    what: 'a GOAWAY that is no message',
    act: (peer) => peer.send({ kind: Kind.goaway, payload: Buffer.from('0a', 'hex') }),
    says: /message/,
  },
  {
    what: 'SKIP with a methodID',
    act: (peer) => peer.send({ kind: Kind.skip, msgID: 1, methodID: 7 }),
    says: /SKIP/,
  },
  {
    what: 'requests beyond the bytes that it was allowed',
    act: (peer) => {
      peer.send({ ...HOLD, msgID: 1 })
      for (let msgID = 2; msgID < 100; msgID++) peer.send({ ...ECHO, msgID, payload: text(KIB) })
    },
    says: /request bytes|allowed/,
    options: { limits: { frameMaxBytes: 16 * KIB, requestWindowBytes: 32 * KIB } },
  },
]

for (const row of rows)
  test(`${row.what} ends that connection only`, TIMEOUT, async (t) => {
    await checkRow(t, row)
  })
