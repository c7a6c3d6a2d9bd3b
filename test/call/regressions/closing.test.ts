// What ends when a configuration, a node manager or a server is closed, and what must not be said of what has run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connect,
  createNodeManager,
  createServer,
  multicast,
  type Node,
  QuorumError,
  quorumCall,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import { startFaultProxy } from 'gorums/testing'
import { addressesOf, CRASH, connectTo, eventually, LIMIT, rejection, startCluster, Tally } from '../cluster.ts'

const Work = service('regressions.Closing', {
  call: rpc<string, string>(),
  ask: quorumCall<string, string>(),
  tell: unicast<string>(),
  tellAll: multicast<string>(),
})

const NOBODY = '127.0.0.1:1'

test('one-way calls that a node has run are not reported lost when its server says farewell', LIMIT, async (t) => {
  const ran = new Tally()
  const cluster = await startCluster(t, 1, (server) => server.handle(Work, { tell: ran.add, tellAll: ran.add }))
  const configuration = await connectTo(t, cluster.addresses, { backoff: { maxMs: 50 } })
  const lost: unknown[] = []
  configuration.on('lost', (...details) => lost.push(details))
  await configuration.node('a').client(Work).tell('one')
  await configuration.client(Work).tellAll('two')
  await ran.reached(2)
  await cluster.stop('a')
  await configuration.waitFor(({ connected }) => connected.size === 0)
  assert.deepEqual(lost, [])
  assert.deepEqual(ran.seen, ['one', 'two'])
})

test('one-way calls that wait for a node end with reason closed, and never run', LIMIT, async (t) => {
  const ran = new Tally()
  const cluster = await startCluster(t, 1, (server) =>
    server.handle(Work, { tell: ran.add, tellAll: ran.add, call: (what) => what }),
  )
  await cluster.stop('a', CRASH)
  const configuration = await connectTo(t, cluster.addresses, {
    waitFor: 'none',
    whenDown: 'wait',
    backoff: { maxMs: 50 },
  })
  const sibling = await configuration.add({ nobody: NOBODY })
  t.after(() => sibling.close())
  const all = rejection(configuration.client(Work).tellAll('closed'), QuorumError)
  await configuration.close()
  assert.equal((await all).reason, 'closed')
  await cluster.restart('a')
  await sibling.waitFor(({ connected }) => connected.has('a'))
  // In order: what had been sent before would run before.
  await sibling.node('a').client(Work).tell('open')
  assert.equal(await sibling.node('a').client(Work).call('behind'), 'behind')
  assert.deepEqual(ran.seen, ['open'])
})

test(
  'calls of one node are cancelled when this side closes it, and later ones too; a peer that has gone is unavailable',
  LIMIT,
  async (t) => {
    const asked = new Tally<Node>()
    const cluster = await startCluster(t, 1, (server) =>
      server.handle(Work, {
        call(_what, { peer }) {
          asked.add(peer)
          return new Promise(() => {})
        },
      }),
    )
    const configuration = await connectTo(t, cluster.addresses)
    const client = configuration.node('a').client(Work)
    const running = rejection(client.call('for ever'), RpcError)
    const [peer] = await asked.reached(1)
    await configuration.close()
    for (const [error, executed] of [
      [await running, 'unknown'],
      [await rejection(client.call('too late'), RpcError), 'no'],
      [await rejection(client.tell('too late'), RpcError), 'no'],
    ] as const)
      assert.deepEqual([error.code, error.executed, error.nodeID], ['cancelled', executed, 'a'], error.message)
    await eventually('the server has seen it go', () => peer!.state === 'closed')
    const error = await rejection(peer!.client(Work).call('are you there'), RpcError)
    assert.deepEqual([error.code, error.executed], ['unavailable', 'no'])
  },
)

test('a multicast that nobody else could have sent ends as a quorum call does: closed', LIMIT, async (t) => {
  const configuration = await connectTo(t, { nobody: NOBODY }, { waitFor: 'none', whenDown: 'wait' })
  const told = rejection(configuration.client(Work).tellAll(''), QuorumError)
  const asked = rejection(configuration.client(Work).ask('').all(), QuorumError)
  await configuration.close()
  assert.deepEqual([(await told).reason, (await asked).reason], ['closed', 'closed'])
})

test('waitFor and watch end when the node manager is closed', LIMIT, async () => {
  const manager = createNodeManager()
  const configuration = await connect({ nobody: NOBODY }, { manager, waitFor: 'none' })
  const waiting = rejection(
    configuration.waitFor(() => false),
    RpcError,
  )
  const watching = configuration.watch({ intervalMs: 100_000 }, (whole) => whole)
  assert.equal((await watching.next()).done, false)
  const next = watching.next()
  await manager.close()
  assert.equal((await waiting).code, 'cancelled')
  assert.deepEqual(await next, { done: true, value: undefined })
})

test('waitFor on the clients of a server ends when the server is closed', LIMIT, async (t) => {
  const cluster = await startCluster(t, 1, (server) => server.handle(Work, {}))
  const { clients } = cluster.server('a')
  const waiting = rejection(
    clients.waitFor(() => false),
    RpcError,
  )
  await cluster.stop('a', CRASH)
  assert.equal((await waiting).code, 'cancelled')
})

test('a closed configuration is not taken for union or difference', LIMIT, async (t) => {
  const configuration = await connectTo(t, { a: NOBODY }, { waitFor: 'none' })
  const closed = await configuration.add({ b: NOBODY.replace(':1', ':2') })
  await closed.close()
  assert.throws(() => configuration.union(closed), /closed/)
  assert.throws(() => configuration.difference(closed), /closed/)
})

test('connect with waitFor all waits for every node although the first attempts have failed', LIMIT, async (t) => {
  const cluster = await startCluster(t, 2, (server) => server.handle(Work, {}))
  await cluster.stop('b', CRASH)
  let isThere = false
  const connecting = connectTo(t, cluster.addresses, { connectTimeoutMs: 60_000, backoff: { maxMs: 50 } })
  connecting.then(() => {
    isThere = true
  })
  const other = await connectTo(t, addressesOf(cluster, 'a', 'b'), { waitFor: 'majority' })
  await other.waitFor(({ connected, down }) => connected.has('a') && down.has('b'))
  const third = await connectTo(t, { b: cluster.addresses.b! }, { waitFor: ({ down }) => down.has('b') })
  assert.equal(third.node('b').state, 'down')
  assert.equal(isThere, false)
  await cluster.restart('b')
  assert.equal((await connecting).status.connected.size, 2)
})

test('undelivered is told to the configuration that made the call, not to its siblings', LIMIT, async (t) => {
  const one = await connectTo(t, { nobody: NOBODY }, { waitFor: ({ down }) => down.size === 1 })
  const other = await one.add({ noone: '127.0.0.1:2' })
  t.after(() => other.close())
  const closed = await one.add({ noone: '127.0.0.1:2' })
  const told: string[] = []
  const heard = new Tally()
  one.on('undelivered', () => heard.add('one'))
  other.on('undelivered', () => told.push('other'))
  closed.on('undelivered', () => told.push('closed'))
  await closed.close()
  await one.client(Work).tellAll('', { confirm: false })
  assert.deepEqual(await heard.reached(1), ['one'])
  assert.deepEqual(told, [])
})

test('deriving, listening and closing again and again piles up no listeners', LIMIT, async (t) => {
  const one = await connectTo(t, { nobody: NOBODY }, { waitFor: 'none' })
  const warnings: Error[] = []
  const onWarning = (warning: Error): number => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => {
    process.off('warning', onWarning)
  })
  for (let i = 0; i < 20; i++) {
    const derived = await one.add({ [`n${i}`]: '127.0.0.1:2' })
    for (const event of ['lost', 'undelivered', 'up', 'down', 'rejected'] as const) derived.on(event, () => {})
    await derived.close()
  }
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(warnings, [])
})

test('a client that is cut off while its server drains comes back for what was accepted', LIMIT, async (t) => {
  const started = new Tally()
  let answer: (text: string) => void = () => {}
  const server = createServer()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  server.handle(Work, {
    call: (what) => {
      started.add(what)
      return new Promise((resolve) => {
        answer = resolve
      })
    },
  })
  const proxy = await startFaultProxy({ target: await server.listen() })
  t.after(() => proxy.close())
  const configuration = await connectTo(t, [proxy.address], { backoff: { minMs: 1, maxMs: 10 } })
  const [node] = configuration.nodes
  const accepted = node!.client(Work).call('accepted')
  await started.reached(1)
  const closing = server.close({ drainTimeoutMs: 60_000 })
  assert.equal(proxy.cut(), 1)
  answer('answered')
  assert.equal(await accepted, 'answered')
  await closing
})

test('a request that a cut has lost while its server drains is said not to have run', LIMIT, async (t) => {
  const server = createServer()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  server.handle(Work, { call: (what) => what })
  const proxy = await startFaultProxy({ target: await server.listen() })
  t.after(() => proxy.close())
  const configuration = await connectTo(t, [proxy.address], { backoff: { minMs: 1, maxMs: 10 } })
  const { call } = configuration.nodes[0]!.client(Work)
  assert.equal(await call('before'), 'before')
  proxy.treat('up', { flow: 'lose' })
  const failed = rejection(call('lost', { timeoutMs: Infinity }), RpcError)
  // It has been written, and vanishes.
  while (proxy.counters.lostBytes === 0) await new Promise((resolve) => setImmediate(resolve))
  const closing = server.close({ drainTimeoutMs: 60_000 })
  proxy.cut()
  proxy.treat('up', { flow: 'pass' })
  await closing
  const { code, executed } = await failed
  assert.deepEqual({ code, executed }, { code: 'unavailable', executed: 'no' })
})

test('a request that a draining server refuses, and nobody hears of it, goes to the next server', LIMIT, async (t) => {
  const started = new Tally()
  let answer: (text: string) => void = () => {}
  const first = createServer()
  t.after(() => first.close({ drainTimeoutMs: 0 }))
  first.handle(Work, {
    call: (what) => {
      started.add(what)
      return new Promise((resolve) => {
        answer = resolve
      })
    },
  })
  const { host, port } = await first.listen()
  const proxy = await startFaultProxy({ target: { host, port } })
  t.after(() => proxy.close())
  const configuration = await connectTo(t, [proxy.address], { backoff: { minMs: 1, maxMs: 10 }, whenDown: 'wait' })
  const { call } = configuration.nodes[0]!.client(Work)
  const lostMore = async (than: number): Promise<void> => {
    while (proxy.counters.lostBytes <= than) await new Promise((resolve) => setImmediate(resolve))
  }
  const accepted = call('accepted', { timeoutMs: Infinity })
  await started.reached(1)
  proxy.treat('down', { flow: 'lose' })
  const closing = first.close({ drainTimeoutMs: 60_000 })
  await lostMore(0)
  const refused = call('refused', { timeoutMs: Infinity })
  await lostMore(proxy.counters.lostBytes)
  proxy.cut()
  proxy.treat('down', { flow: 'pass' })
  answer('by the first')
  assert.equal(await accepted, 'by the first')
  await closing
  const second = createServer()
  t.after(() => second.close({ drainTimeoutMs: 0 }))
  second.handle(Work, { call: (what) => `${what}, by the second` })
  await second.listen({ host, port })
  assert.equal(await refused, 'refused, by the second')
  assert.deepEqual(started.seen, ['accepted'])
})
