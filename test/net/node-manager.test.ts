// The one owner of node connections: who refers to a node shares its one connection, and the last to let go closes it.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect, createNodeManager, RpcError } from 'gorums'
import type { RequestReceiver } from '../../src/net/channel-ports.ts'
import { NodeManager } from '../../src/net/node-manager.ts'
import { Echo } from './echo-service.ts'
import { RawPeer } from './raw-peer.ts'
import { servePeer } from './served-peer.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

/** Takes no requests. */
const NO_RECEIVER: RequestReceiver = {
  onRequest: () => {},
  onDrained: () => {},
  onCancel: () => {},
  onRoom: () => {},
  onLost: () => {},
  whenIdle: (callback) => callback(),
}

interface Setup {
  readonly runtime: VirtualRuntime
  readonly manager: NodeManager
  /** The other ends of all connections, in the order in which they were dialled. */
  readonly nodes: RawPeer[]
}

function setUp(t: TestContext): Setup {
  const runtime = new VirtualRuntime()
  const nodes: RawPeer[] = []
  runtime.onDial = (dial) => {
    const node = new RawPeer(dial.accept(), () => runtime.settle())
    node.welcome().catch(() => {})
    nodes.push(node)
  }
  const manager = new NodeManager({ runtime }, () => NO_RECEIVER)
  t.after(() => manager.close(new RpcError('cancelled', 'the test is over')))
  return { runtime, manager, nodes }
}

test('whoever asks for the same node gets the same channel, dialled once', async (t) => {
  const { runtime, manager, nodes } = setUp(t)
  const one = manager.acquire('a', 'a.example:1', 'a')
  const other = manager.acquire('a', 'a.example:1', 'a')
  assert.equal(one, other)
  assert.equal(manager.nodeCount, 1)
  await runtime.settle()
  assert.equal(nodes.length, 1)
  assert.equal(one.state, 'up')
})

test('another address, id or expectation is another node', (t) => {
  const { manager } = setUp(t)
  const channels = [
    manager.acquire('a', 'a.example:1', 'a'),
    manager.acquire('a', 'a.example:2', 'a'),
    manager.acquire('b', 'a.example:1', 'b'),
    manager.acquire('a', 'a.example:1', ''),
  ]
  assert.equal(new Set(channels).size, 4)
  assert.equal(new Set(channels.map((channel) => channel.slot)).size, 4)
  assert.equal(manager.nodeCount, 4)
})

test('the connection lives until the last reference is given back', async (t) => {
  const { runtime, manager, nodes } = setUp(t)
  const channel = manager.acquire('a', 'a.example:1', 'a')
  manager.acquire('a', 'a.example:1', 'a')
  manager.retain(channel)
  await runtime.settle()
  manager.release(channel)
  manager.release(channel)
  await runtime.settle()
  assert.equal(channel.state, 'up')
  manager.release(channel)
  await runtime.settle()
  assert.equal(channel.state, 'closed')
  assert.equal(nodes[0]!.isClosed, true)
  assert.equal(manager.nodeCount, 0)
  assert.equal(runtime.timerCount, 0)
})

test('giving back more than was taken harms nobody', async (t) => {
  const { runtime, manager } = setUp(t)
  const gone = manager.acquire('a', 'a.example:1', 'a')
  manager.release(gone)
  const next = manager.acquire('a', 'a.example:1', 'a')
  manager.release(gone)
  manager.retain(gone)
  await runtime.settle()
  assert.notEqual(next, gone)
  assert.equal(next.state, 'up')
  assert.equal(manager.nodeCount, 1)
})

test('the place of a closed node is given to a new one', async (t) => {
  const { runtime, manager } = setUp(t)
  const slots = new Set<number>()
  for (let round = 0; round < 100; round++) {
    const one = manager.acquire('a', 'a.example:1', 'a')
    const other = manager.acquire('b', 'b.example:1', 'b')
    slots.add(one.slot).add(other.slot)
    await runtime.settle()
    manager.release(one)
    manager.release(other)
  }
  assert.equal(slots.size, 2)
})

test('close() closes every node, whoever refers to it, and refuses new ones', async (t) => {
  const { runtime, manager, nodes } = setUp(t)
  const channels = ['a', 'b', 'c'].map((id) => manager.acquire(id, `${id}.example:1`, id))
  manager.retain(channels[0]!)
  await runtime.settle()
  manager.close(new RpcError('cancelled', 'enough'))
  manager.close(new RpcError('cancelled', 'enough'))
  await runtime.settle()
  assert.deepEqual(
    channels.map((channel) => channel.state),
    ['closed', 'closed', 'closed'],
  )
  assert.ok(nodes.every((node) => node.isClosed))
  assert.equal(runtime.timerCount, 0)
  assert.throws(() => manager.acquire('d', 'd.example:1', 'd'), { name: 'RpcError', code: 'cancelled', executed: 'no' })
})

test('a closed manager accepts no stream', async (t) => {
  const { runtime, manager } = setUp(t)
  await runtime.listen({ port: 9 }, undefined, { onStream: (stream) => manager.accept(stream), onError: assert.fail })
  manager.close(new RpcError('cancelled', 'enough'))
  const stranger = runtime.connect(9)
  await runtime.settle()
  assert.equal(stranger.isClosed, true)
})

test('two connects with one manager share their sockets, and each closes only what nobody else uses', async (t) => {
  const { runtime, port } = await servePeer(t)
  const manager = createNodeManager({ runtime })
  t.after(() => manager.close())
  const address = `127.0.0.1:${port}`
  const one = await connect({ a: address }, { manager })
  const other = await connect({ a: address }, { manager })
  assert.equal(runtime.dials.length, 1)
  await one.close()
  assert.equal(await other.node('a').client(Echo).echo('still here'), 'still here')
  assert.equal(manager.nodeCount, 1)
  await other.close()
  assert.equal(manager.nodeCount, 0)
  await runtime.settle()
  assert.equal(runtime.dials[0]!.stream.isClosed, true)
})

test('views hold no reference, derived configurations hold one each', async (t) => {
  const { runtime, port } = await servePeer(t)
  const manager = createNodeManager({ runtime })
  t.after(() => manager.close())
  const config = await connect({ a: `127.0.0.1:${port}` }, { manager })
  const adding = config.add({ b: 'b.example:1' })
  runtime.dials.at(-1)!.refuse()
  const larger = await adding
  assert.equal(manager.nodeCount, 2)
  await config.subset(['a']).close()
  assert.equal(config.node('a').state, 'up')
  await config.close()
  assert.equal(manager.nodeCount, 2)
  assert.equal(larger.node('a').state, 'up')
  await larger.close()
  assert.equal(manager.nodeCount, 0)
})

test('a client that has gone is forgotten by its server', async (t) => {
  const { runtime, server, port, peer } = await servePeer(t)
  assert.equal(server.clients.size, 1)
  for (let round = 0; round < 50; round++) {
    const config = await connect([`127.0.0.1:${port}`], { runtime })
    assert.equal(config.status.connected.size, 1)
    await config.close()
    await runtime.settle()
  }
  assert.equal(server.clients.size, 1)
  peer.close()
  await runtime.settle()
  assert.deepEqual(server.clients.nodeIDs, [])
})
