// E: a server that attacks its client. Every client here has a second, honest node: its calls must not notice.

import assert from 'node:assert/strict'
import { type Configuration, type ConnectOptions, connect, type RpcError } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { controlFrame, encodeGoAway, encodeStatus, type HelloOk } from '../../src/wire/control.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { type FrameParts, frameOf, RawPeer, type ReceivedFrame } from '../net/raw-peer.ts'
import { flood, turn } from './attackers.ts'
import { type Row, type Scene, within } from './row.ts'
import { HI, methodID, Target } from './target-service.ts'

const MIB = 1024 * 1024
const WHY = { code: 'unavailable', message: 'bye', metadata: {}, notExecuted: true } as const

interface Evil {
  readonly config: Configuration
  /** The evil end of the client's connection. */
  readonly peer: RawPeer
  readonly client: ReturnType<typeof clientOf>
}

function clientOf(config: Configuration, node: string) {
  return config.node(node).client(Target)
}

/** Listens, and plays the acceptor's part on every connection. Returns where, and resolves with the first connection. */
async function listen(
  scene: Scene,
  play: (peer: RawPeer) => void,
): Promise<{ address: string; first: Promise<RawPeer> }> {
  let onFirst: (peer: RawPeer) => void = () => {}
  const first = new Promise<RawPeer>((resolve) => {
    onFirst = resolve
  })
  const port = await nodeRuntime.listen({}, undefined, {
    onStream: (stream) => {
      const peer = scene.track(new RawPeer(stream))
      play(peer)
      onFirst(peer)
    },
    onError: () => {},
  })
  scene.after(() => port.close())
  return { address: `${port.host}:${port.port}`, first }
}

/** A client that has connected to an evil node and to an honest one. */
async function connectBoth(scene: Scene, options: ConnectOptions = {}, changes: Partial<HelloOk> = {}): Promise<Evil> {
  const { address, first } = await listen(scene, (peer) => {
    peer.welcome(changes).catch(() => {})
  })
  const config = await connect(
    { evil: address, target: scene.target.address },
    { waitFor: 'all', sessions: false, callTimeoutMs: 5_000, backoff: { minMs: 60_000, maxMs: 60_000 }, ...options },
  )
  scene.after(() => config.close())
  return { config, peer: await first, client: clientOf(config, 'evil') }
}

/** The honest node's calls succeed. */
async function expectHonest({ config }: Evil): Promise<void> {
  assert.equal(await clientOf(config, 'target').echo('honest'), 'honest')
}

/** Answers the next request in some way, and returns what became of the call. */
async function outcomeOf(
  evil: Evil,
  answer: (request: ReceivedFrame) => readonly (FrameParts | Buffer)[],
): Promise<string> {
  const call = evil.client.echo('hi').then(
    (value) => `value ${JSON.stringify(value)}`,
    (error: RpcError) => `${error.code} ${error.executed}`,
  )
  const request = await within(5_000, 'the request', evil.peer.next(Kind.request))
  evil.peer.send(...answer(request))
  return within(6_000, 'the end of the call', call)
}

const reply = ({ msgID, methodID: id }: ReceivedFrame, parts: Partial<FrameParts> = {}): FrameParts => ({
  kind: Kind.reply,
  msgID,
  methodID: id,
  payload: HI,
  ...parts,
})

async function wrongAnswers(scene: Scene): Promise<string> {
  const evil = await connectBoth(scene)
  const garbage = Buffer.from('ff', 'hex')
  const rows: readonly (readonly [string, (request: ReceivedFrame) => readonly FrameParts[], string])[] = [
    ['the reply of another method', (r) => [reply(r, { methodID: methodID('big') })], 'internal unknown'],
    ['an item for a call of one reply', (r) => [reply(r, { kind: Kind.item }), reply(r)], 'internal unknown'],
    [
      'an end for a call of one reply',
      (r) => [reply(r, { kind: Kind.end, payload: Buffer.alloc(0) })],
      'internal unknown',
    ],
    ['a reply that can not be decoded', (r) => [reply(r, { payload: Buffer.from('c1', 'hex') })], 'internal yes'],
    ['a reply whose header can not be decoded', (r) => [reply(r, { header: garbage })], 'internal yes'],
    ['an ERROR that is no Status', (r) => [reply(r, { kind: Kind.error, payload: garbage })], 'internal unknown'],
    ['an ERROR that says OK', (r) => [reply(r, { kind: Kind.error, payload: Buffer.from('0800', 'hex') })], ''],
    [
      'an ERROR of a code that nobody knows',
      (r) => [reply(r, { kind: Kind.error, payload: Buffer.from('08e807', 'hex') })],
      'unknown yes',
    ],
    ['a second final reply', (r) => [reply(r), reply(r, { payload: Buffer.from('a26e6f', 'hex') })], 'value "hi"'],
    [
      'an ERROR behind the reply',
      (r) => [reply(r), reply(r, { kind: Kind.error, payload: encodeStatus(WHY) })],
      'value "hi"',
    ],
  ]
  const seen: string[] = []
  for (const [what, answer, expected] of rows) {
    const outcome = await outcomeOf(evil, answer)
    if (expected !== '') assert.equal(outcome, expected, what)
    assert.equal(evil.config.node('evil').state, 'up', what)
    seen.push(outcome)
    assert.equal(await outcomeOf(evil, (r) => [reply(r)]), 'value "hi"', `behind ${what}`)
  }
  await expectHonest(evil)
  return `${rows.length} ways; an ERROR with code 0 is: ${seen[6]}`
}

async function wrongStreams(scene: Scene): Promise<string> {
  const evil = await connectBoth(scene)
  const item = (request: ReceivedFrame, value: number): FrameParts =>
    reply(request, { kind: Kind.item, payload: Buffer.from([value]) })
  const end = (request: ReceivedFrame): FrameParts => reply(request, { kind: Kind.end, payload: Buffer.alloc(0) })
  const read = async (answer: (request: ReceivedFrame) => readonly FrameParts[]): Promise<string> => {
    const only = evil.config.subset(['evil']).client(Target)
    const seen: string[] = []
    const reading = (async () => {
      for await (const { value, error } of only.count(9)) seen.push(error === undefined ? String(value) : error.code)
    })()
    const request = await within(5_000, 'the request', evil.peer.next(Kind.request))
    evil.peer.send(...answer(request))
    await within(6_000, 'the end of the stream', reading)
    return seen.join(' ')
  }
  assert.equal(await read((r) => [item(r, 1), end(r), item(r, 2), item(r, 3)]), '1', 'items behind END')
  assert.equal(await read((r) => [item(r, 1), end(r), end(r)]), '1', 'END twice')
  assert.equal(await read((r) => [item(r, 1), reply(r)]), '1 internal', 'a reply within a stream')
  assert.equal(
    await read((r) => [item(r, 1), { ...item(r, 2), methodID: 1 }, end(r)]),
    '1 internal',
    'an item of another method',
  )
  assert.equal(evil.config.node('evil').state, 'up')
  await expectHonest(evil)
  return 'items behind END are dropped; what is no item fails that stream only'
}

async function itemFlood(scene: Scene): Promise<string> {
  const evil = await connectBoth(scene, { limits: { itemsMax: 1_000 } })
  const call = evil.config.subset(['evil']).client(Target).count(9)
  const request = await within(5_000, 'the request', evil.peer.next(Kind.request))
  const item = frameOf(reply(request, { kind: Kind.item, payload: Buffer.from([1]) }))
  await flood(evil.peer, Buffer.concat(Array(10_000).fill(item)), 5)
  const cancel = await within(5_000, 'CANCEL', evil.peer.next(Kind.cancel))
  assert.equal(cancel.msgID, request.msgID)
  evil.peer.sentFrames += 50_000
  evil.peer.send(reply(request, { kind: Kind.end, payload: Buffer.alloc(0) }))
  const codes: string[] = []
  for await (const { error } of call) if (error !== undefined) codes.push(error.code)
  assert.deepEqual(codes, ['resource_exhausted'])
  await expectHonest(evil)
  return '50 000 items that nobody takes: CANCEL, resource_exhausted at itemsMax 1 000'
}

async function violations(scene: Scene): Promise<string> {
  const ack = (peer: RawPeer, changes: Parameters<RawPeer['ackPayload']>[0]): FrameParts => ({
    kind: Kind.ack,
    payload: peer.ackPayload(changes),
  })
  const goAway = { kind: Kind.goaway, payload: encodeGoAway({ lastFrame: 0, why: WHY }) }
  const rows: readonly (readonly [string, (peer: RawPeer) => readonly (FrameParts | Buffer)[], RegExp])[] = [
    ['the window taken back', (peer) => [ack(peer, { requestBytesAllowed: 1 })], /takes back request bytes/],
    ['an ACK out of range', (peer) => [ack(peer, { receivedFrames: 1_000 })], /acknowledges frame 1000/],
    ['an ACK that says more was sent', (peer) => [ack(peer, { sentFrames: 1_000 })], /says 1000 frames were sent/],
    ['HELLO_OK twice', () => [{ kind: Kind.helloOk }], /HELLO_?OK after the handshake/],
    ['REJECT after HELLO_OK', () => [{ kind: Kind.reject }], /REJECT after the handshake/],
    ['a PING flood', () => Array(50).fill({ kind: Kind.ping, payload: Buffer.alloc(8) }), /more PINGs/],
    ['a PONG that nobody asked for', () => [{ kind: Kind.pong, payload: Buffer.alloc(8) }], /PONG without a PING/],
    ['a GOAWAY flood', () => Array(50).fill(goAway), /more than 10 GOAWAYs/],
    ['a flood of frames to be skipped', () => Array(3_000).fill({ kind: 0xff }), /without effect/],
    ['a frame of 4 GiB', () => [Buffer.from('ffffffff', 'hex')], /frame length 4294967295/],
    ['a frame kind that nobody knows', () => [{ kind: 0x42 }], /0x42/],
    [
      'a GOAWAY beyond what was sent',
      () => [{ kind: Kind.goaway, payload: encodeGoAway({ lastFrame: 99, why: WHY }) }],
      /99 was the last/,
    ],
  ]
  for (const [what, deed, says] of rows) {
    const evil = await connectBoth(scene)
    const inFlight = evil.client.linger('in flight').then(
      () => assert.fail(`${what}: answered`),
      (error: RpcError) => error,
    )
    await within(5_000, 'the request', evil.peer.next(Kind.request))
    evil.peer.send(...deed(evil.peer))
    const { why } = await within(5_000, `GOAWAY after ${what}`, evil.peer.goAway())
    assert.match(why.message, says, what)
    const error = await within(5_000, what, inFlight)
    assert.equal(error.code, 'unavailable', what)
    await expectHonest(evil)
    await evil.config.close()
  }
  return `${rows.length} kinds: GOAWAY, calls in flight are unavailable`
}

async function badHandshakes(scene: Scene): Promise<string> {
  const helloOk = (changes: Partial<HelloOk>) => (peer: RawPeer) => peer.sendHelloOk(changes)
  const raw =
    (...bytes: readonly Buffer[]) =>
    (peer: RawPeer) =>
      peer.send(...bytes)
  const rows: readonly (readonly [string, (peer: RawPeer) => void])[] = [
    ['a HELLO_OK that is no message', raw(PREFACE, controlFrame(Kind.helloOk, Buffer.from('ff', 'hex')))],
    ['an empty HELLO_OK', raw(PREFACE, controlFrame(Kind.helloOk, Buffer.alloc(0)))],
    ['a HELLO_OK above 16 KiB', raw(PREFACE, frameOf({ kind: Kind.helloOk, payload: Buffer.alloc(17_000) }))],
    ['a REJECT that is no message', raw(PREFACE, controlFrame(Kind.reject, Buffer.from('ff', 'hex')))],
    ['an empty REJECT', raw(PREFACE, controlFrame(Kind.reject, Buffer.alloc(0)))],
    ['a reply in place of HELLO_OK', raw(PREFACE, frameOf({ kind: Kind.reply, msgID: 1 }))],
    ['a GOAWAY that is no message', raw(PREFACE, controlFrame(Kind.goaway, Buffer.from('0a', 'hex')))],
    ['another version', helloOk({ version: 7 })],
    ['another node', helloOk({ nodeID: 'somebody else' })],
    ['a session that nobody wanted', helloOk({ sessionID: Buffer.alloc(16, 1), resumed: true, receivedFrames: 7 })],
    ['resumed, without a session', helloOk({ resumed: true })],
    ['frames that were never sent', helloOk({ receivedFrames: 1_000 })],
    ['100 kB of noise', raw(Buffer.alloc(100_000, 0x41))],
    ['the preface again and again', raw(...Array(100).fill(PREFACE))],
  ]
  const said: string[] = []
  for (const [what, play] of rows) {
    const { address } = await listen(scene, (peer) => {
      peer.next(Kind.hello).then(
        () => play(peer),
        () => {},
      )
    })
    const config = await connect(
      { evil: address },
      { waitFor: 'none', handshakeTimeoutMs: 1_000, backoff: { minMs: 60_000, maxMs: 60_000 } },
    )
    const node = config.node('evil')
    await within(
      5_000,
      what,
      config.waitFor(() => node.lastError !== undefined || node.state === 'up'),
    )
    if (node.state === 'up') said.push(what)
    await config.close()
  }
  assert.deepEqual(said, [])
  return `${rows.length} kinds, none of them makes the node count as up`
}

async function noWindow(scene: Scene): Promise<string> {
  const evil = await connectBoth(
    scene,
    { limits: { queueMaxBytes: MIB }, callTimeoutMs: 500 },
    { requestBytesAllowed: 4 * MIB },
  )
  const payload = 'x'.repeat(60_000)
  const before = process.memoryUsage()
  const codes = new Map<string, number>()
  const calls = Array.from({ length: 500 }, () =>
    evil.client.echo(payload).then(
      () => assert.fail('answered'),
      (error: RpcError) =>
        codes.set(`${error.code} ${error.executed}`, (codes.get(`${error.code} ${error.executed}`) ?? 0) + 1),
    ),
  )
  await Promise.all(calls)
  const { external } = process.memoryUsage()
  assert.ok(external - before.external < 64 * MIB)
  assert.ok([...codes.keys()].every((code) => /^(resource_exhausted no|deadline_exceeded (no|unknown))$/.test(code)))
  await expectHonest(evil)
  return [...codes].map(([code, count]) => `${count} × ${code}`).join(', ')
}

async function callsBack(scene: Scene): Promise<string> {
  const evil = await connectBoth(scene)
  const count = 20_000
  const request = frameOf({ kind: Kind.request, methodID: methodID('echo'), msgID: 1, payload: HI })
  await flood(evil.peer, Buffer.concat(Array(1_000).fill(request)), count / 1_000)
  while (evil.peer.receivedFrames < count && !evil.peer.isClosed) await turn()
  const errors = evil.peer.frames.filter(({ kind }) => kind === Kind.error).length
  assert.equal(errors, count)
  await expectHonest(evil)
  return `${count} requests to a client that serves nothing: unimplemented each`
}

export const evilServerRows: readonly Row[] = [
  {
    id: 'E1',
    what: 'answers of another method, kind, or that can not be decoded; a second final answer (F7)',
    expected: 'that call fails; the next succeeds',
    run: wrongAnswers,
  },
  { id: 'E1', what: 'items behind END, a reply within a stream', expected: 'that stream fails', run: wrongStreams },
  { id: 'E2', what: 'items that nobody takes', expected: 'CANCEL and resource_exhausted', run: itemFlood },
  {
    id: 'E3',
    what: 'a window taken back, ACKs out of range, floods of PING and GOAWAY',
    expected: 'GOAWAY; calls in flight are unavailable',
    run: violations,
  },
  { id: 'E4', what: 'HELLO_OK and REJECT that are garbage or lie', expected: 'never up', run: badHandshakes },
  {
    id: 'E5',
    what: 'a server that takes requests and answers nothing',
    expected: 'deadlines hold, the queue is bounded',
    run: noWindow,
  },
  { id: 'E6', what: 'a server that floods its client with requests', expected: 'unimplemented each', run: callsBack },
]
