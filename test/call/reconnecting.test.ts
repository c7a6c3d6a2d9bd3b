// Lost connections and what is told of them: the events of a configuration, nodes that come back, and watching for changes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Configuration,
  connect,
  latency,
  multicast,
  QuorumError,
  quorumCall,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { CRASH, connectCluster, connectTo, Gate, LIMIT, rejection, startCluster, Tally } from './cluster.ts'

const Board = service('reconnecting.Board', {
  post: multicast<{ text: string }>(),
  send: unicast<{ text: string }>(),
  ask: quorumCall<{ text: string }, string>(),
  call: rpc<{ text: string }, string>(),
})

async function start(t: TestContextLike, count = 3) {
  const posted = new Tally<string>()
  const { cluster, configuration } = await connectCluster(t, count, (server, nodeID) => {
    const post = ({ text }: { text: string }): void => posted.add(`${nodeID}: ${text}`)
    server.handle(Board, { post, send: post, ask: ({ text }) => text, call: ({ text }) => text })
  })
  return { cluster, configuration, posted }
}

/** Notes the states of nodes as they change. */
function watchStates(configuration: Configuration): Tally {
  const told = new Tally()
  configuration.on('up', ({ id }) => told.add(`${id} up`))
  configuration.on('down', ({ id }, error) => told.add(`${id} down ${error?.code}`))
  return told
}

test(
  'a node that was killed and comes back gets the next multicast, of the same client, and both are told',
  LIMIT,
  async (t) => {
    const { cluster, configuration, posted } = await start(t)
    const client = configuration.client(Board)
    const told = watchStates(configuration)
    await client.post({ text: 'one' })
    assert.equal((await posted.reached(3)).length, 3)
    await cluster.stop('b', CRASH)
    await configuration.waitFor(({ down }) => down.has('b'))
    const error = await rejection(client.post({ text: 'two' }), QuorumError)
    assert.deepEqual([...error.errors.keys()], ['b'])
    await posted.reached(5)
    await cluster.restart('b')
    await configuration.waitFor(({ connected }) => connected.has('b'))
    await client.post({ text: 'three' })
    const seen = await posted.reached(8)
    assert.deepEqual(seen.slice(5).sort(), ['a: three', 'b: three', 'c: three'])
    assert.deepEqual(told.seen, ['b down unavailable', 'b up'])
    assert.equal(configuration.node('b').lastError, undefined)
  },
)

test('a node that comes back before anyone calls it down is never down', LIMIT, async (t) => {
  const { cluster } = await start(t, 1)
  const patient = await connectTo(t, cluster.addresses, { downAfterMs: 20_000 })
  const told = watchStates(patient)
  await cluster.stop('a', CRASH)
  const queued = patient.node('a').client(Board).call({ text: 'waited' })
  await cluster.restart('a')
  assert.equal(await queued, 'waited')
  assert.deepEqual(told.seen, ['a up'])
})

test("whenDown: 'wait': calls to a node that is down wait for it, in order", LIMIT, async (t) => {
  const { cluster } = await start(t, 1)
  await cluster.stop('a', CRASH)
  const waiting = await connect(cluster.addresses, { whenDown: 'wait', backoff: { maxMs: 50 } })
  t.after(() => waiting.close())
  assert.equal(waiting.node('a').state, 'down')
  const answers: string[] = []
  const calls = ['one', 'two', 'three'].map(async (text) => {
    answers.push(await waiting.node('a').client(Board).call({ text }))
  })
  assert.equal(waiting.node('a').pending, 3)
  await cluster.restart('a')
  await Promise.all(calls)
  assert.deepEqual(answers, ['one', 'two', 'three'])
})

test(
  'a call whose connection is lost before its answer fails: unavailable, unknown whether it ran',
  LIMIT,
  async (t) => {
    const started = new Gate()
    const { cluster, configuration } = await connectCluster(t, 1, (server) =>
      server.handle(Board, {
        call: (_, context) => {
          started.open()
          return new Promise((_, reject) =>
            context.signal.addEventListener('abort', () => reject(context.signal.reason)),
          )
        },
      }),
    )
    const call = configuration.node('a').client(Board).call({ text: 'x' })
    await started.opened
    await cluster.stop('a', CRASH)
    const error = await rejection(call, RpcError)
    assert.deepEqual([error.code, error.executed, error.nodeID], ['unavailable', 'unknown', 'a'])
    assert.match(error.message, /reconnecting\.Board\/call/)
  },
)

test('rejected: a server of another name or another cluster is told with its reason', LIMIT, async (t) => {
  const { cluster } = await start(t, 2)
  const other = await startCluster(t, 1, () => {}, { server: { clusterID: 'theirs' } })
  const told = new Tally()
  const nodes = { b: cluster.addresses.a!, c: other.addresses.a! }
  const configuration = await connect(nodes, { waitFor: 'none', clusterID: '' })
  t.after(() => configuration.close())
  configuration.on('rejected', ({ id }, error) => told.add(`${id} ${error.code} ${error.message}`))
  const seen = [...(await told.reached(2))].sort()
  assert.match(seen[0]!, /^b failed_precondition .*"b".*"a"/)
  assert.match(seen[1]!, /^c failed_precondition .*cluster/)
  assert.deepEqual([...configuration.status.down].sort(), ['b', 'c'])
})

test('undelivered: what can not be sent of unconfirmed one-way calls, by node and method', LIMIT, async (t) => {
  const { cluster, configuration, posted } = await start(t)
  const told: string[] = []
  configuration.on('undelivered', (nodeID, method, error) => {
    told.push(`${nodeID} ${method} ${error.code} ${error.executed}`)
  })
  await cluster.stop('c', CRASH)
  await configuration.waitFor(({ down }) => down.has('c'))
  await configuration.client(Board).post({ text: 'all' }, { confirm: false })
  await configuration.node('c').client(Board).send({ text: 'one' }, { confirm: false })
  assert.deepEqual(told, [
    'c reconnecting.Board/post+msgpack unavailable no',
    'c reconnecting.Board/send+msgpack unavailable no',
  ])
  assert.equal((await posted.reached(2)).length, 2)
  const confirmed = await rejection(configuration.node('c').client(Board).send({ text: 'one' }), RpcError)
  assert.deepEqual([confirmed.code, confirmed.nodeID], ['unavailable', 'c'])
  assert.equal(told.length, 2, 'who is told by a rejection is not told by an event')
})

test('lost: a one-way call that was written when its connection ended, and never acknowledged', LIMIT, async (t) => {
  const { cluster, configuration } = await start(t, 1)
  const told = new Tally()
  configuration.on('lost', (nodeID, method) => told.add(`${nodeID} ${method}`))
  await configuration.node('a').client(Board).send({ text: 'never read' })
  await cluster.stop('a', CRASH)
  // With sessions it is kept for the process that it was sent to, until another has taken its place.
  await cluster.restart('a')
  assert.deepEqual(await told.reached(1), ['a reconnecting.Board/send+msgpack'])
})

for (const side of ['client', 'server'] as const) {
  test(`lost, when the ${side} wants no sessions: as soon as the connection is`, LIMIT, async (t) => {
    const isClient = side === 'client'
    const cluster = await startCluster(t, 1, (server) => server.handle(Board, { send: () => {} }), {
      server: { sessions: isClient },
    })
    const configuration = await connectTo(t, cluster.addresses, { sessions: !isClient })
    const told = new Tally()
    configuration.on('lost', (nodeID, method) => told.add(`${nodeID} ${method}`))
    await configuration.node('a').client(Board).send({ text: 'never read' })
    await cluster.stop('a', CRASH)
    assert.deepEqual(await told.reached(1), ['a reconnecting.Board/send+msgpack'])
  })
}

test('listeners can be taken away, and those of a view are those of its configuration', LIMIT, async (t) => {
  const { cluster, configuration } = await start(t, 2)
  const told: string[] = []
  const listen = ({ id }: { id: string }): void => void told.push(id)
  configuration.on('down', listen).off('down', listen)
  configuration.subset(['a']).on('down', ({ id }) => void told.push(`view ${id}`))
  const derived = configuration.remove('b')
  t.after(() => derived.close())
  derived.on('down', ({ id }) => void told.push(`derived ${id}`))
  await cluster.stop('b', CRASH)
  await configuration.waitFor(({ down }) => down.has('b'))
  assert.deepEqual(told, ['view b'])
})

test('a logger hears of lost connections', LIMIT, async (t) => {
  const { cluster } = await start(t, 1)
  const logged = new Tally()
  const configuration = await connectTo(t, cluster.addresses, { logger: { info: logged.add, warn: logged.add } })
  await cluster.stop('a', CRASH)
  await configuration.waitFor(({ connected }) => connected.size === 0)
  assert.match((await logged.reached(1))[0]!, /127\.0\.0\.1:\d+/)
})

test(
  'watch yields what is derived, at once and whenever it has changed, and a slow reader gets the newest',
  LIMIT,
  async (t) => {
    const { cluster, configuration } = await start(t)
    const seen: string[] = []
    const watching = configuration.watch({ intervalMs: 10 }, (each) => each.without([...each.status.down]))
    for await (const view of watching) {
      seen.push([...view.nodeIDs].sort().join(''))
      assert.deepEqual(view.members, configuration.members)
      if (seen.length === 1) {
        // Two changes while the reader is busy: only what is left of them is seen.
        await cluster.stop('b', CRASH)
        await cluster.stop('c', CRASH)
        await configuration.waitFor(({ down }) => down.size === 2)
      } else if (seen.length === 2) {
        await cluster.restart('c')
      } else break
    }
    assert.deepEqual(seen, ['abc', 'a', 'ac'])
  },
)

test('watch ends with its signal, and with its configuration', LIMIT, async (t) => {
  const { configuration } = await start(t, 2)
  const controller = new AbortController()
  const watching = configuration.watch({ signal: controller.signal, intervalMs: 60_000 }, (each) => each)
  assert.equal((await watching.next()).value, configuration)
  const next = watching.next()
  controller.abort()
  assert.deepEqual(await next, { value: undefined, done: true })
  const other = configuration.watch({ intervalMs: 60_000 }, (each) => each.take(1))
  await other.next()
  const last = other.next()
  await configuration.close()
  assert.deepEqual(await last, { value: undefined, done: true })
  assert.deepEqual(await configuration.watch({}, (each) => each).next(), { value: undefined, done: true })
})

test('watch: what derive throws, the reader gets', LIMIT, async (t) => {
  const { configuration } = await start(t, 1)
  const mine = new SyntaxError('mine')
  const watching = configuration.watch({}, () => {
    throw mine
  })
  assert.equal(await rejection(watching.next(), SyntaxError), mine)
})

test(
  'the fastest nodes are chosen by those who ask: latency is known of nodes that have answered',
  LIMIT,
  async (t) => {
    const { configuration } = await start(t)
    assert.ok(Number.isNaN(configuration.node('a').latency.meanMs))
    for (const id of ['c', 'b']) await configuration.node(id).client(Board).call({ text: 'x' })
    const order = configuration.sortBy(latency).nodeIDs
    assert.equal(order[2], 'a', 'a node without an answer comes last')
    assert.deepEqual([...order].sort(), ['a', 'b', 'c'])
    const { meanMs, p50Ms, p99Ms, samples } = configuration.node('c').latency
    assert.ok(meanMs > 0 && p50Ms > 0 && p99Ms >= p50Ms)
    assert.equal(samples, 1)
  },
)
