// Connecting and waiting: what `connect` waits for and how long, what it does about nodes that are down or silent, and how to
// wait for nodes later. What becomes of lost connections is in reconnecting.test.ts.

import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { type Configuration, connect, createServer, QuorumError, quorumCall, RpcError, rpc, service } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { createAuthority } from '../certificates.ts'
import { addressesOf, CRASH, connectCluster, connectTo, eventually, LIMIT, rejection, startCluster } from './cluster.ts'

const Echo = service('connecting.Echo', { call: rpc<{ text: string }, string>() })

async function start(t: TestContextLike, count = 3) {
  return startCluster(t, count, (server) => server.handle(Echo, { call: ({ text }) => text }))
}

/** A port that takes connections and never says anything. */
async function startSilent(t: TestContextLike): Promise<{ address: string; sockets: Set<net.Socket> }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`, sockets }
}

/** An address at which nobody listens. */
async function freeAddress(): Promise<string> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `127.0.0.1:${port}`
}

/** Connects as told, without the tests' default of waiting for all. */
async function connectAs(t: TestContextLike, ...[nodes, options]: Parameters<typeof connect>): Promise<Configuration> {
  const configuration = await connect(nodes, options)
  t.after(() => configuration.close())
  return configuration
}

test('connect resolves when a majority is up, and does not wait for a silent node', LIMIT, async (t) => {
  const cluster = await start(t)
  const silent = await startSilent(t)
  const configuration = await connectAs(
    t,
    { ...addressesOf(cluster, 'a', 'b'), s: silent.address },
    { connectTimeoutMs: 60_000, handshakeTimeoutMs: 60_000 },
  )
  assert.deepEqual([...configuration.status.connected].sort(), ['a', 'b'])
  assert.deepEqual([...configuration.status.connecting], ['s'])
  assert.equal(configuration.node('s').state, 'connecting')
})

test('connect resolves when every first attempt is decided: nodes that are down never reject it', LIMIT, async (t) => {
  const cluster = await start(t, 1)
  const [one, other] = [await freeAddress(), await freeAddress()]
  const configuration = await connectAs(t, { ...cluster.addresses, x: one, y: other }, { connectTimeoutMs: 60_000 })
  assert.deepEqual([...configuration.status.down].sort(), ['x', 'y'])
  assert.equal(configuration.node('x').lastError?.code, 'unavailable')
  assert.match(configuration.node('x').lastError!.message, new RegExp(`${one}.*ECONNREFUSED`))
  const error = await rejection(configuration.node('x').client(Echo).call({ text: 'x' }), RpcError)
  assert.deepEqual([error.code, error.executed, error.nodeID], ['unavailable', 'no', 'x'])
  assert.match(error.message, new RegExp(`node x \\(${one}\\) is down`))
  assert.equal(await configuration.node('a').client(Echo).call({ text: 'up' }), 'up')
})

test('connect to nobody but nodes that are down resolves, and the nodes may come later', LIMIT, async (t) => {
  const cluster = await start(t, 2)
  await cluster.stop('a', CRASH)
  await cluster.stop('b', CRASH)
  const configuration = await connectAs(t, cluster.addresses, { connectTimeoutMs: 60_000 })
  assert.equal(configuration.status.connected.size, 0)
  await cluster.restart('a')
  await configuration.waitFor(({ connected }) => connected.has('a'))
  assert.equal(await configuration.node('a').client(Echo).call({ text: 'here' }), 'here')
})

test("waitFor: 'all' waits for all, 'none' for nobody, a predicate for what it says", LIMIT, async (t) => {
  const cluster = await start(t)
  const all = await connectAs(t, cluster.addresses, { waitFor: 'all' })
  assert.equal(all.status.connected.size, 3)
  const none = await connectAs(t, cluster.addresses, { waitFor: 'none' })
  assert.equal(none.status.connecting.size, 3)
  assert.equal(await none.node('c').client(Echo).call({ text: 'queued' }), 'queued', 'calls wait for the connection')
  const sizes: number[] = []
  const one = await connectAs(t, cluster.addresses, {
    waitFor: ({ connected, size }) => {
      sizes.push(size)
      return connected.has('c')
    },
  })
  assert.equal(one.status.connected.has('c'), true)
  assert.ok(sizes.every((size) => size === 3))
})

test('calls made while connecting arrive in the order in which they were made', LIMIT, async (t) => {
  const seen: string[] = []
  const cluster = await startCluster(t, 1, (server) =>
    server.handle(Echo, { call: ({ text }) => `${seen.push(text)}` }),
  )
  const configuration = await connectAs(t, cluster.addresses, { waitFor: 'none' })
  const texts = Array.from({ length: 100 }, (_, index) => String(index))
  await Promise.all(texts.map((text) => configuration.node('a').client(Echo).call({ text })))
  assert.deepEqual(seen, texts)
})

test('connectTimeoutMs: connect resolves with what there is when the time is over', LIMIT, async (t) => {
  const cluster = await start(t, 1)
  const silent = await startSilent(t)
  const nodes = { ...cluster.addresses, s: silent.address, u: silent.address }
  const configuration = await connectAs(t, nodes, { waitFor: 'all', connectTimeoutMs: 50 })
  assert.deepEqual([...configuration.status.connecting].sort(), ['s', 'u'])
  const atOnce = await connectAs(t, nodes, { waitFor: 'all', connectTimeoutMs: 0 })
  assert.equal(atOnce.size, 3)
})

test('handshakeTimeoutMs: a silent node is down when the time for its answer is over', LIMIT, async (t) => {
  const silent = await startSilent(t)
  const configuration = await connectAs(t, { s: silent.address }, { handshakeTimeoutMs: 50 })
  assert.equal(configuration.node('s').state, 'down')
  assert.match(configuration.node('s').lastError!.message, /handshake within 50 ms/)
})

test('an abort while connecting rejects, and closes what was opened', LIMIT, async (t) => {
  const cluster = await start(t, 1)
  const silent = await startSilent(t)
  const controller = new AbortController()
  const nodes = { ...cluster.addresses, s: silent.address }
  const connecting = connect(nodes, { waitFor: 'all', signal: controller.signal })
  await eventually(
    'both are being connected to',
    () => silent.sockets.size === 1 && cluster.server('a').clients.size === 1,
  )
  const reason = new Error('enough')
  controller.abort(reason)
  const error = await rejection(connecting, RpcError)
  assert.deepEqual([error.code, error.cause], ['cancelled', reason])
  await eventually('both are closed', () => silent.sockets.size === 0 && cluster.server('a').clients.size === 0)
  const before = await rejection(connect(nodes, { signal: AbortSignal.abort(reason) }), RpcError)
  assert.equal(before.code, 'cancelled')
  await eventually('nothing is open', () => silent.sockets.size === 0 && cluster.server('a').clients.size === 0)
})

test('a predicate that throws rejects connect, and nothing stays open', LIMIT, async (t) => {
  const cluster = await start(t, 1)
  const mine = new SyntaxError('mine')
  const waitFor = (): never => {
    throw mine
  }
  assert.equal(await rejection(connect(cluster.addresses, { waitFor }), SyntaxError), mine)
  await eventually('nothing is open', () => cluster.server('a').clients.size === 0)
})

test('waitFor of a configuration: at once, later, or never by its time, its signal or its end', LIMIT, async (t) => {
  const { cluster, configuration } = await connectCluster(t, 2, () => {})
  const now = await configuration.waitFor(({ connected }) => connected.size === 2)
  assert.deepEqual([now.size, [...now.connected].sort(), now.down.size], [2, ['a', 'b'], 0])
  const lost = configuration.waitFor(({ down }) => down.has('b'))
  await cluster.stop('b', CRASH)
  assert.deepEqual([...(await lost).down], ['b'])
  const late = await rejection(
    configuration.waitFor(({ connected }) => connected.size === 2, { timeoutMs: 20 }),
    RpcError,
  )
  assert.equal(late.code, 'deadline_exceeded')
  assert.match(late.message, /1 of 2/)
  const controller = new AbortController()
  const cancelled = configuration.waitFor(() => false, { signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  const error = await rejection(cancelled, RpcError)
  assert.deepEqual([error.code, error.cause], ['cancelled', reason])
  assert.equal(
    (
      await rejection(
        configuration.waitFor(() => true, { signal: controller.signal }),
        RpcError,
      )
    ).code,
    'cancelled',
  )
  const ended = configuration.waitFor(() => false)
  const onView = configuration.subset(['a']).waitFor(({ size }) => size !== 1)
  const closed = Promise.all([rejection(ended, RpcError), rejection(onView, RpcError)])
  await configuration.close()
  for (const { code } of await closed) assert.equal(code, 'cancelled')
  assert.equal(
    (
      await rejection(
        configuration.waitFor(() => true),
        RpcError,
      )
    ).code,
    'cancelled',
  )
})

test('waitFor of a view is about its own nodes', LIMIT, async (t) => {
  const { cluster, configuration } = await connectCluster(t, 3, () => {})
  await cluster.stop('c', CRASH)
  const status = await configuration.subset(['a', 'b']).waitFor(({ connected, size }) => connected.size === size)
  assert.deepEqual([status.size, status.down.size], [2, 0])
})

test(
  'a configuration of one list of addresses takes any server, a named one only the server of that name',
  LIMIT,
  async (t) => {
    const cluster = await start(t, 2)
    const listed = await connectTo(t, Object.values(cluster.addresses))
    assert.deepEqual(listed.nodeIDs, Object.values(cluster.addresses))
    const swapped = await connectAs(t, { a: cluster.addresses.b!, b: cluster.addresses.b! })
    assert.deepEqual([swapped.node('a').state, swapped.node('b').state], ['down', 'up'])
    assert.match(swapped.node('a').lastError!.message, /"a".*"b"/)
    const error = await rejection(swapped.node('a').client(Echo).call({ text: 'x' }), RpcError)
    assert.deepEqual([error.code, error.executed], ['unavailable', 'no'])
  },
)

test('a client and a server are set up in three statements each, TLS is one option', LIMIT, async (t) => {
  const authority = await createAuthority()
  const tls = await authority.issue()
  // The server.
  const server = createServer({ tls })
  server.handle(Echo, { call: ({ text }) => text })
  const { host, port } = await server.listen()
  // The client.
  const configuration = await connect([`${host}:${port}`], { tls: { ca: authority.ca } })
  const node = configuration.nodes[0]!.client(Echo)
  const reply = await node.call({ text: 'hello' })
  assert.equal(reply, 'hello')
  t.after(async () => {
    await configuration.close()
    await server.close()
  })
})

test('a majority of nodes that are down is an error that says of each why', LIMIT, async (t) => {
  const Poll = service('connecting.Poll', { ask: quorumCall<object, number>() })
  const cluster = await startCluster(t, 1, (server) => server.handle(Poll, { ask: () => 1 }))
  const configuration = await connectAs(t, { ...cluster.addresses, x: await freeAddress(), y: await freeAddress() })
  const error = await rejection(configuration.client(Poll).ask({}).majority(), QuorumError)
  assert.equal(error.reason, 'impossible')
  for (const nodeID of ['x', 'y']) {
    assert.equal(error.errors.get(nodeID)?.code, 'unavailable')
    assert.match(error.errors.get(nodeID)!.message, /ECONNREFUSED/)
  }
})
