// What a handler is given beside its request: who called, what came with the call, and how to let the next one start.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Context, createServer, rpc, service, unicast } from 'gorums'
import { aborted, CRASH, connectCluster, Gate, LIMIT, startCluster, Tally } from './cluster.ts'

const Desk = service('context.Desk', {
  call: rpc<{ text: string }, string>(),
  side: rpc<object, string>({ concurrent: true }),
  tell: unicast<object>(),
})

test('a handler knows who called: id, address, metadata of the connection and of the call', LIMIT, async (t) => {
  const contexts = new Tally<Context>()
  const cluster = await startCluster(t, 1, (server) =>
    server.handle(Desk, {
      call: ({ text }, context) => {
        contexts.add(context)
        return text
      },
    }),
  )
  const named = await cluster.connect({ nodeID: 'client-1', metadata: { role: 'reader' } })
  await named
    .node('a')
    .client(Desk)
    .call({ text: 'x' }, { metadata: { trace: '7' } })
  const [context] = contexts.seen
  assert.deepEqual(
    [context!.peer.id, { ...context!.peer.metadata }, { ...context!.metadata }],
    ['client-1', { role: 'reader' }, { trace: '7' }],
  )
  assert.match(context!.peer.address, /^127\.0\.0\.1:\d+$/)
  await named.node('a').client(Desk).call({ text: 'x' })
  assert.deepEqual({ ...contexts.seen[1]!.metadata }, {})
  assert.equal(contexts.seen[1]!.peer, context!.peer, 'one peer, one object')
  const anonymous = await cluster.connect()
  await anonymous.node('a').client(Desk).call({ text: 'x' })
  assert.notEqual(contexts.seen[2]!.peer, context!.peer)
  assert.notEqual(contexts.seen[2]!.peer.id, '')
})

test('a server that is no replica has no configuration', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Desk, {
      call: (_, context) => {
        assert.throws(() => context.configuration, TypeError)
        return 'well'
      },
    }),
  )
  assert.equal(await configuration.node('a').client(Desk).call({ text: 'x' }), 'well')
})

test(
  'the next request starts when the handler has returned or released, once; concurrent ones do not hold the lane',
  LIMIT,
  async (t) => {
    const started: string[] = []
    const gates = new Map<string, Gate>()
    const { configuration } = await connectCluster(t, 1, (server) =>
      server.handle(Desk, {
        call: async ({ text }, context) => {
          started.push(text)
          const gate = new Gate()
          gates.set(text, gate)
          if (text === 'released') {
            context.release()
            context.release()
          }
          await gate.opened
          return text
        },
        side: () => {
          started.push('side')
          return 'side'
        },
      }),
    )
    const node = configuration.node('a').client(Desk)
    const released = node.call({ text: 'released' })
    const holding = node.call({ text: 'holding' })
    const behind = node.call({ text: 'behind' })
    const side = node.side({})
    // A second connection has a lane of its own.
    while (started.length < 2) await new Promise((resolve) => setImmediate(resolve))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(started, ['released', 'holding'])
    gates.get('holding')!.open()
    assert.equal(await holding, 'holding')
    while (started.length < 3) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(started, ['released', 'holding', 'behind'], 'a concurrent method starts in order, too')
    gates.get('behind')!.open()
    assert.deepEqual([await behind, await side], ['behind', 'side'])
    gates.get('released')!.open()
    assert.equal(await released, 'released')
  },
)

test('a concurrent method does not hold up the next request, however long it runs', LIMIT, async (t) => {
  const gate = new Gate()
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Desk, { call: ({ text }) => text, side: () => gate.opened.then(() => 'side') }),
  )
  const node = configuration.node('a').client(Desk)
  const side = node.side({})
  assert.equal(await node.call({ text: 'next' }), 'next')
  gate.open()
  assert.equal(await side, 'side')
})

test('each client has a lane of its own', LIMIT, async (t) => {
  const gate = new Gate()
  const cluster = await startCluster(t, 1, (server) =>
    server.handle(Desk, {
      call: async ({ text }) => {
        if (text === 'held') await gate.opened
        return text
      },
    }),
  )
  const [one, other] = [await cluster.connect(), await cluster.connect()]
  const held = one.node('a').client(Desk).call({ text: 'held' })
  assert.equal(await other.node('a').client(Desk).call({ text: 'free' }), 'free')
  gate.open()
  assert.equal(await held, 'held')
})

test('the signal of a one-way handler fires when its caller is gone', LIMIT, async (t) => {
  const contexts = new Tally<Context>()
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Desk, {
      tell: async (_, context) => {
        context.release()
        contexts.add(context)
        await aborted(context.signal)
      },
    }),
  )
  await configuration.node('a').client(Desk).tell({})
  const [context] = await contexts.reached(1)
  await configuration.close()
  await aborted(context!.signal)
})

test('a handler that never returns does not keep a closed server, or its process, alive', LIMIT, async (t) => {
  const signals = new Tally<AbortSignal>()
  const { cluster, configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Desk, {
      call: (_, context) => {
        signals.add(context.signal)
        return new Promise(() => {})
      },
    }),
  )
  const call = configuration.node('a').client(Desk).call({ text: 'x' })
  const [signal] = await signals.reached(1)
  const lost = assert.rejects(call)
  await cluster.stop('a', CRASH)
  await aborted(signal!)
  await lost
})

test('a server listens once, tells its address, and does not listen again when closed', LIMIT, async (t) => {
  const server = createServer()
  assert.equal(server.address, undefined)
  const address = await server.listen()
  t.after(() => server.close())
  assert.deepEqual(server.address, address)
  assert.equal(address.host, '127.0.0.1')
  await assert.rejects(async () => server.listen(), TypeError)
  const other = createServer()
  await assert.rejects(async () => other.listen({ port: address.port }), /EADDRINUSE/)
  const second = await other.listen()
  assert.notEqual(second.port, address.port)
  await other.close()
  await other.close()
  assert.equal(other.address, undefined)
  await assert.rejects(async () => other.listen(), TypeError)
})
