// What HELLO must say, and when: every way of getting it wrong is answered with REJECT or GOAWAY that names it, over real
// sockets, and what comes before its time reaches no handler.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createServer } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import type { ByteStream } from '../../src/net/runtime.ts'
import { controlFrame, encodeHello, encodeReject, type Hello } from '../../src/wire/control.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { Echo, HI, methodID } from '../net/echo-service.ts'
import { EventLog } from '../net/event-log.ts'
import { frameOf, helloWith, RawPeer } from '../net/raw-peer.ts'
import { assertCanNotConnect, assertRejected, startClient, startServer, TIMEOUT } from './two-sides.ts'

const ECHO = { kind: Kind.request, msgID: 1, methodID: methodID('echo'), payload: HI } as const

interface Setup {
  readonly peer: RawPeer
  readonly log: EventLog
  readonly handled: string[]
}

/** A raw peer that has connected to a server of cluster `one` and said nothing. */
async function setUp(t: TestContext): Promise<Setup> {
  const log = new EventLog()
  const handled: string[] = []
  const server = createServer({ nodeID: 'a', clusterID: 'one', logger: log.logger })
  server.handle(Echo, { echo: (request) => void handled.push(request) as never })
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const peer = new RawPeer(nodeRuntime.dial(host, port, undefined))
  t.after(() => peer.close())
  await peer.opened
  return { peer, log, handled }
}

/** A HELLO frame for that server. */
function hello(changes: Partial<Hello> = {}): Buffer {
  return controlFrame(Kind.hello, encodeHello(helloWith({ clusterID: 'one', ...changes })))
}

const refused: readonly [string, Partial<Hello>, string, RegExp][] = [
  [
    'of another cluster',
    { clusterID: 'two' },
    'failed_precondition',
    /wrong cluster: the client wants "two", this is "one"/,
  ],
  ['of no cluster', { clusterID: '' }, 'failed_precondition', /wrong cluster: the client wants "", this is "one"/],
  ['that expects another node', { expectedNodeID: 'b' }, 'failed_precondition', /expects node "b", this is "a"/],
  ['with the node id of the server', { nodeID: 'a' }, 'already_exists', /node id "a" is this server's own/],
  [
    'of a later version',
    { versionMin: 2, versionMax: 3 },
    'failed_precondition',
    /the client speaks 2 to 3, the server 1 to 1/,
  ],
  ['without a version', { versionMin: 0, versionMax: 0 }, 'failed_precondition', /the client speaks 0 to 0/],
]

for (const [what, changes, code, message] of refused) {
  test(
    `a HELLO ${what} is answered with REJECT, for good, and the versions that are spoken here`,
    TIMEOUT,
    async (t) => {
      const { peer, log } = await setUp(t)
      peer.send(PREFACE, hello(changes))
      const reject = await peer.reject()
      assert.equal(reject.why.code, code)
      assert.match(reject.why.message, message)
      assert.deepEqual([reject.versionMin, reject.versionMax, reject.retry], [1, 1, false])
      assert.ok(peer.firstBytes.subarray(0, 8).equals(PREFACE))
      assert.match(await log.until(message), /^127\.0\.0\.1:\d+ was rejected/)
    },
  )
}

test('a HELLO of a range of versions that reaches ours is accepted with ours', TIMEOUT, async (t) => {
  const { peer } = await setUp(t)
  const helloOk = await peer.handshake({ clusterID: 'one', versionMin: 0, versionMax: 9 })
  assert.deepEqual([...helloOk.payload.subarray(0, 2)], [0x08, 0x01])
})

test('an attach epoch of 0 is answered with REJECT that may be retried', TIMEOUT, async (t) => {
  const { peer } = await setUp(t)
  peer.send(PREFACE, hello({ attachEpoch: 0 }))
  const reject = await peer.reject()
  assert.deepEqual([reject.why.code, reject.retry], ['aborted', true])
})

const violations: readonly [string, (peer: RawPeer) => void, RegExp][] = [
  ['HELLO twice', (peer) => peer.send(PREFACE, hello(), hello()), /HELLO twice/],
  ['REQUEST before HELLO', (peer) => peer.send(PREFACE, ECHO, hello()), /REQUEST before HELLO/],
  ['ONEWAY before HELLO', (peer) => peer.send(PREFACE, { ...ECHO, kind: Kind.oneway }), /ONEWAY before HELLO/],
  ['ACK before HELLO', (peer) => peer.send(PREFACE, { kind: Kind.ack }), /ACK before HELLO/],
  ['GOAWAY before HELLO', (peer) => peer.send(PREFACE, { kind: Kind.goaway }), /GOAWAY before HELLO/],
  ['HELLO_OK before HELLO', (peer) => peer.send(PREFACE, { kind: Kind.helloOk }), /HELLO_?OK before HELLO/],
  [
    'PING before HELLO',
    (peer) => peer.send(PREFACE, { kind: Kind.ping, payload: Buffer.alloc(8) }),
    /PING before HELLO/,
  ],
  ['kind 0xC0 before HELLO', (peer) => peer.send(PREFACE, { kind: 0xc0 }), /0xc0 before HELLO/],
  ['a HELLO with a msgID', (peer) => peer.send(PREFACE, withHead({ msgID: 1 })), /HELLO/],
  ['a HELLO with a methodID', (peer) => peer.send(PREFACE, withHead({ methodID: 1 })), /HELLO/],
  ['a HELLO with a header', (peer) => peer.send(PREFACE, withHead({ header: HI })), /HELLO/],
  ['a HELLO with flags', (peer) => peer.send(PREFACE, withHead({ flags: 1 })), /HELLO has flags 1/],
  ['an empty HELLO', (peer) => peer.send(PREFACE, { kind: Kind.hello }), /incarnation has 0 bytes, not 16/],
  [
    'an incarnation of 15 bytes',
    (peer) => peer.send(PREFACE, hello({ incarnation: Buffer.alloc(15) })),
    /15 bytes, not 16/,
  ],
  [
    'an incarnation of 17 bytes',
    (peer) => peer.send(PREFACE, hello({ incarnation: Buffer.alloc(17) })),
    /17 bytes, not 16/,
  ],
  [
    'a session id of 3 bytes',
    (peer) => peer.send(PREFACE, hello({ sessionID: Buffer.alloc(3) })),
    /session id has 3 bytes/,
  ],
  ['a node id of 257 bytes', (peer) => peer.send(PREFACE, hello({ nodeID: 'x'.repeat(257) })), /node.?id/i],
  ['the node id __proto__', (peer) => peer.send(PREFACE, hello({ nodeID: '__proto__' })), /node.?id/i],
  [
    'an expected node id of 257 bytes',
    (peer) => peer.send(PREFACE, hello({ expectedNodeID: 'x'.repeat(257) })),
    /node.?id/i,
  ],
  [
    'a frame limit below that of control frames',
    (peer) => peer.send(PREFACE, hello({ frameMaxBytes: 16_383 })),
    /frame_max_bytes 16383/,
  ],
  ['a HELLO that is no message', (peer) => peer.send(PREFACE, { kind: Kind.hello, payload: HI }), /message/],
  [
    'a HELLO above 16 KiB',
    (peer) => peer.send(PREFACE, { kind: Kind.hello, payload: Buffer.alloc(17_000) }),
    /exceeds the limit of 16\d{3}/,
  ],
]

function withHead(changes: { msgID?: number; methodID?: number; header?: Buffer; flags?: number }): Buffer {
  const payload = encodeHello(helloWith({ clusterID: 'one' }))
  return frameOf({ kind: Kind.hello, payload, ...changes })
}

for (const [what, act, named] of violations) {
  test(`${what} is answered with GOAWAY that names it, and runs nothing`, TIMEOUT, async (t) => {
    const { peer, log, handled } = await setUp(t)
    act(peer)
    assert.match((await peer.goAway()).why.message, named)
    assert.ok(peer.firstBytes.subarray(0, 8).equals(PREFACE), 'the preface comes first')
    assert.match(await log.until(named), /^127\.0\.0\.1:\d+ broke the protocol/)
    assert.deepEqual(handled, [])
  })
}

test('a HELLO whose texts are as long as a control frame allows does not bring the server down', TIMEOUT, async (t) => {
  for (const changes of [
    { clusterID: 'x'.repeat(16_000) },
    { clusterID: 'one', expectedNodeID: 'é'.repeat(120) },
    { clusterID: '\u0001'.repeat(16_000) },
  ]) {
    const { peer } = await setUp(t)
    peer.send(PREFACE, hello(changes))
    await peer.next(Kind.reject, Kind.goaway)
    await peer.closed
  }
})

test('a metadata key as long as a control frame does not bring the server down', TIMEOUT, async (t) => {
  const { peer, log } = await setUp(t)
  const key = Buffer.alloc(16_001, 1)
  const payload = Buffer.concat([Buffer.from('4a847d0a817d', 'hex'), key])
  peer.send(PREFACE, { kind: Kind.hello, payload })
  await peer.goAway()
  await log.until(/broke the protocol: metadata key/)
})

test('a client of a server of another cluster is rejected, with an event that names both', TIMEOUT, async (t) => {
  const { address } = await startServer(t, { clusterID: 'one' })
  const client = await startClient(t, address, { clusterID: 'two' })
  await assertRejected(
    client,
    'failed_precondition',
    new RegExp(`^${address} rejected the connection: wrong cluster: the client wants "two", this is "one"`),
  )
})

test(
  'a client whose node has another id than it expects is rejected, with an event that names both',
  TIMEOUT,
  async (t) => {
    const { address } = await startServer(t, { nodeID: 'z' })
    await assertRejected(await startClient(t, address), 'failed_precondition', /expects node "a", this is "z"/)
  },
)

test('a server without an id is whoever it is expected to be', TIMEOUT, async (t) => {
  const { address } = await startServer(t, { nodeID: '' })
  const { config } = await startClient(t, address)
  await config.waitFor(({ connected }) => connected.size === 1)
  assert.equal(await config.node('a').client(Echo).echo('hi'), 'hi')
})

/** A server that is not ours: plays its part on every connection. Resolves with its address. */
async function otherServer(t: TestContext, play: (peer: RawPeer) => Promise<unknown>): Promise<string> {
  const peers: RawPeer[] = []
  const port = await nodeRuntime.listen({}, undefined, {
    onStream: (stream: ByteStream) => {
      const peer = new RawPeer(stream)
      peers.push(peer)
      peer
        .next(Kind.hello)
        .then(() => play(peer))
        .catch(() => {})
    },
    onError: assert.fail,
  })
  t.after(() => {
    for (const peer of peers) peer.close()
    return port.close()
  })
  return `${port.host}:${port.port}`
}

test('a client of a server of other versions learns which it speaks', TIMEOUT, async (t) => {
  const why = {
    code: 'failed_precondition',
    message: 'no common protocol version',
    metadata: {},
    notExecuted: true,
  } as const
  const address = await otherServer(t, async (peer) => {
    peer.send(PREFACE, controlFrame(Kind.reject, encodeReject({ why, versionMin: 7, versionMax: 9, retry: false })))
    peer.stream.end()
  })
  const client = await startClient(t, address)
  await assertRejected(client, 'failed_precondition', /no common protocol version.*versions 7 to 9/)
})

test('a client refuses a HELLO_OK of a version that it does not speak, with GOAWAY', TIMEOUT, async (t) => {
  let seen: Promise<unknown> = Promise.resolve()
  const address = await otherServer(t, async (peer) => {
    peer.sendHelloOk({ version: 2 })
    seen = peer.goAway()
    await seen
  })
  const client = await startClient(t, address)
  await assertRejected(client, 'failed_precondition', /speaks protocol version 2, this side 1 to 1/)
  await seen
})

test('a client refuses a HELLO_OK of a node that it does not expect, with GOAWAY', TIMEOUT, async (t) => {
  const address = await otherServer(t, async (peer) => peer.sendHelloOk({ nodeID: 'z' }))
  await assertRejected(await startClient(t, address), 'failed_precondition', /is node "z", not the expected "a"/)
})

for (const [what, play] of [
  ['a HELLO_OK with a bad incarnation', (peer: RawPeer) => peer.sendHelloOk({ incarnation: Buffer.alloc(3) })],
  ['a REPLY in place of HELLO_OK', (peer: RawPeer) => peer.send(PREFACE, { kind: Kind.reply, msgID: 1 })],
  ['a PING in place of HELLO_OK', (peer: RawPeer) => peer.send(PREFACE, { kind: Kind.ping, payload: Buffer.alloc(8) })],
] as const) {
  test(`a client that is answered with ${what} hangs up, says why, and waits longer each time`, TIMEOUT, async (t) => {
    const address = await otherServer(t, async (peer) => play(peer))
    await assertCanNotConnect(await startClient(t, address), new RegExp(`^${address} broke the protocol`))
  })
}

test('two HELLO_OK end the connection, and the calls on it say that they may have run', TIMEOUT, async (t) => {
  const address = await otherServer(t, async (peer) => {
    peer.sendHelloOk()
    const request = await peer.next(Kind.request)
    assert.equal(request.payload.toString('hex'), HI.toString('hex'))
    peer.send(controlFrame(Kind.helloOk, Buffer.alloc(0)))
  })
  const { config } = await startClient(t, address)
  await config.waitFor(({ connected }) => connected.size === 1)
  await assert.rejects(config.node('a').client(Echo).echo('hi'), { code: 'unavailable', executed: 'unknown' })
})
