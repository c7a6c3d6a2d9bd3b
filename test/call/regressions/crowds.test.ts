// Many calls at once, and calls that come late: large answers that finish together, a crowd that is withdrawn, and what a
// handler hears of the time that is left.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type InterceptedCall, type Response, RpcError, rpc, service } from 'gorums'
import { decodeCallHeader } from '../../../src/wire/call-header.ts'
import { encodeStatus } from '../../../src/wire/control.ts'
import { Kind } from '../../../src/wire/frame.ts'
import { Echo, HI, methodID } from '../../net/echo-service.ts'
import { frameOf, RawPeer, type ReceivedFrame } from '../../net/raw-peer.ts'
import { servePeer } from '../../net/served-peer.ts'
import { VirtualRuntime } from '../../net/virtual-runtime.ts'
import { connectCluster, eventually, Gate, LIMIT, startCluster, Tally } from '../cluster.ts'

const Work = service('regressions.Crowds', {
  bytes: rpc<number, Uint8Array>({ concurrent: true }),
  hold: rpc<string, string>(),
})

for (const queueMaxBytes of [undefined, 0]) {
  const limits = queueMaxBytes === undefined ? {} : { queueMaxBytes }
  test(
    `large answers that finish in one turn all arrive, with ${queueMaxBytes ?? 'the default'} as queueMaxBytes of the server`,
    LIMIT,
    async (t) => {
      const COUNT = 20
      const SIZE = 3_500_000
      const arrived = new Tally<number>()
      const go = new Gate()
      const cluster = await startCluster(
        t,
        1,
        (server) =>
          server.handle(Work, {
            bytes: async (size) => {
              arrived.add(size)
              await go.opened
              return Buffer.alloc(size)
            },
          }),
        { server: { limits } },
      )
      const configuration = await cluster.connect()
      const client = configuration.node('a').client(Work)
      const answers = Promise.all(Array.from({ length: COUNT }, () => client.bytes(SIZE)))
      await arrived.reached(COUNT)
      go.open()
      for (const answer of await answers) assert.equal(answer.length, SIZE)
      assert.equal(configuration.node('a').lastError, undefined)
    },
  )
}

test(
  'a crowd of waiting calls that is cancelled leaves its lane: none runs, what came before and after does',
  LIMIT,
  async (t) => {
    const go = new Gate()
    const handled = new Tally()
    const { configuration } = await connectCluster(t, 1, (server) =>
      server.handle(Work, {
        hold: async (what) => {
          handled.add(what)
          if (what === 'first') await go.opened
          return what
        },
      }),
    )
    const client = configuration.node('a').client(Work)
    const first = client.hold('first')
    await handled.reached(1)
    const all = new AbortController()
    const crowd = Array.from({ length: 20_000 }, () => client.hold('crowd', { signal: all.signal }))
    const behind = ['one', 'two', 'three'].map((what) => client.hold(what))
    all.abort()
    const codes = new Set<string>()
    for (const outcome of await Promise.allSettled(crowd))
      codes.add(
        outcome.status === 'rejected' && outcome.reason instanceof RpcError ? outcome.reason.code : outcome.status,
      )
    assert.deepEqual([...codes], ['cancelled'])
    await eventually('the node has answered every cancelled call', () => configuration.node('a').pending === 4)
    go.open()
    assert.deepEqual(await Promise.all([first, ...behind]), ['first', 'one', 'two', 'three'])
    assert.deepEqual(handled.seen, ['first', 'one', 'two', 'three'])
    assert.equal(configuration.node('a').pending, 0)
  },
)

test(
  'requests that are withdrawn while they wait are answered at once, whichever of them, and the rest keeps its order',
  LIMIT,
  async (t) => {
    const { runtime, peer, handled, letGo } = await servePeer(t)
    const COUNT = 5_000
    for (let msgID = 1; msgID <= COUNT; msgID++)
      peer.send(frameOf({ kind: Kind.request, msgID, methodID: methodID('hold'), payload: HI }))
    await runtime.settle()
    for (let msgID = COUNT; msgID > 1; msgID--) if (msgID % 2 === 0) peer.send(frameOf({ kind: Kind.cancel, msgID }))
    await runtime.settle()
    const cancelled = peer.frames.filter(({ kind }) => kind === Kind.error).map(({ msgID }) => msgID)
    assert.deepEqual(
      cancelled,
      Array.from({ length: COUNT / 2 }, (_, i) => COUNT - 2 * i),
    )
    assert.equal(handled.length, 1)
    letGo()
    await runtime.settle()
    letGo()
    await runtime.settle()
    const replies = peer.frames.filter(({ kind }) => kind === Kind.reply).map(({ msgID }) => msgID)
    assert.deepEqual(replies, [1, 3])
    assert.equal(handled.length, 3)
  },
)

/** The remaining time that a request says, ms. */
function timeoutOf({ header }: ReceivedFrame): number {
  return decodeCallHeader(header, 0, header.length).timeoutMs
}

test('a call that waited for its connection says the time that is left', LIMIT, async (t) => {
  const runtime = new VirtualRuntime()
  const configuration = await connect({ a: 'a.example:1' }, { runtime, waitFor: 'none', whenDown: 'wait' })
  t.after(() => configuration.close())
  const answer = configuration.node('a').client(Echo).echo('hi', { timeoutMs: 1_000 })
  await runtime.advance(400)
  const node = new RawPeer(runtime.dials.at(-1)!.accept(), () => runtime.settle())
  await node.welcome()
  const request = await node.next(Kind.request)
  assert.equal(timeoutOf(request), 600)
  node.send({ kind: Kind.reply, msgID: request.msgID, methodID: methodID('echo'), payload: HI })
  assert.equal(await answer, 'hi')
})

test('a call that is sent again says the time that is left, not what it had at first', LIMIT, async (t) => {
  const runtime = new VirtualRuntime()
  const resending = () => ({
    response: (response: Response<unknown>, call: InterceptedCall) => {
      if (response.error?.executed === 'no') call.resend(response.nodeID)
      return response
    },
  })
  const configuration = await connect(
    { a: 'a.example:1' },
    { runtime, waitFor: 'none', whenDown: 'wait', interceptors: [resending] },
  )
  t.after(() => configuration.close())
  const node = new RawPeer(runtime.dials[0]!.accept(), () => runtime.settle())
  await node.welcome()
  await runtime.settle()
  const answer = configuration.node('a').client(Echo).echo('hi', { timeoutMs: 1_000 })
  const first = await node.next(Kind.request)
  assert.equal(timeoutOf(first), 1_000)
  await runtime.advance(300)
  const busy = encodeStatus({ code: 'resource_exhausted', message: 'busy', metadata: {}, notExecuted: true })
  node.send({ kind: Kind.error, msgID: first.msgID, methodID: methodID('echo'), payload: Buffer.from(busy) })
  const second = await node.next(Kind.request)
  assert.equal(timeoutOf(second), 700)
  node.send({ kind: Kind.reply, msgID: second.msgID, methodID: methodID('echo'), payload: HI })
  assert.equal(await answer, 'hi')
})
