// Configurations as sets of members that share connections: what each operation makes, which connections it opens, and who
// closes them. Views are in safety.test.ts, connecting in connecting.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Configuration,
  createNodeManager,
  createServer,
  QuorumError,
  quorum,
  quorumCall,
  RpcError,
  rpc,
  service,
} from 'gorums'
import type { LocalCluster, TestContextLike } from 'gorums/testing'
import { addressesOf, connectTo, eventually, LIMIT, rejection, startCluster } from './cluster.ts'

const Echo = service('configurations.Echo', {
  ask: quorumCall<{ text: string }, string>(),
  call: rpc<{ text: string }, string>(),
})

/** Servers that count the connections that they accept. */
async function start(t: TestContextLike, count = 5) {
  const accepted: string[] = []
  const cluster = await startCluster(
    t,
    count,
    (server) => server.handle(Echo, { ask: ({ text }) => text, call: ({ text }) => text }),
    { server: (nodeID) => ({ onConnect: () => accepted.push(nodeID) }) },
  )
  return { cluster, accepted }
}

/** The ids of the nodes that have a connection. */
function connectedNodes(cluster: LocalCluster): string {
  return cluster.nodeIDs.filter((id) => cluster.server(id).clients.size > 0).join('')
}

async function connectionsAre(cluster: LocalCluster, nodeIDs: string): Promise<void> {
  await eventually(`connections to ${nodeIDs} only`, () => connectedNodes(cluster) === nodeIDs)
}

const asksAll = async (configuration: Configuration): Promise<string> =>
  [...(await configuration.client(Echo).ask({ text: 'x' }).all()).keys()].sort().join('')

test(
  'nodes are added at run time: only new connections are opened, the old configuration stays as it is',
  LIMIT,
  async (t) => {
    const { cluster, accepted } = await start(t)
    const three = await connectTo(t, addressesOf(cluster, 'a', 'b', 'c'))
    assert.equal(await asksAll(three), 'abc')
    const five = await three.add(addressesOf(cluster, 'd', 'e'))
    t.after(() => five.close())
    await five.waitFor(({ connected }) => connected.size === 5)
    assert.equal(await asksAll(five), 'abcde')
    assert.equal(await asksAll(three), 'abc')
    assert.deepEqual([three.nodeIDs, three.members, three.size], [['a', 'b', 'c'], ['a', 'b', 'c'], 3])
    assert.deepEqual(accepted.sort(), ['a', 'b', 'c', 'd', 'e'])
    assert.equal(three.node('a'), five.node('a'), 'one node, one connection')
  },
)

test('close disconnects exactly those nodes that no other configuration refers to', LIMIT, async (t) => {
  const { cluster } = await start(t)
  const abc = await connectTo(t, addressesOf(cluster, 'a', 'b', 'c'))
  const abcde = await abc.add(addressesOf(cluster, 'd', 'e'))
  const cde = abcde.remove('a', 'b')
  await abcde.waitFor(({ connected }) => connected.size === 5)
  await connectionsAre(cluster, 'abcde')
  await abcde.close()
  assert.equal(await asksAll(abc), 'abc')
  assert.equal(await asksAll(cde), 'cde')
  await abc.close()
  await connectionsAre(cluster, 'cde')
  assert.equal(await asksAll(cde), 'cde')
  assert.equal(abc.nodes[0]!.state, 'closed')
  await cde.close()
  await connectionsAre(cluster, '')
})

test('closing twice, or closing a view, gives nothing back that is in use', LIMIT, async (t) => {
  const { cluster } = await start(t, 3)
  const one = await connectTo(t, cluster.addresses)
  const other = one.remove('c')
  t.after(() => other.close())
  await one.subset(['a']).close()
  await one.sortBy().close()
  assert.equal(one.isClosed, false)
  assert.equal(await asksAll(one), 'abc')
  await one.close()
  await one.close()
  assert.equal(one.isClosed, true)
  assert.equal(await asksAll(other), 'ab')
  await connectionsAre(cluster, 'ab')
})

test('a closed configuration, and its views, fail calls with closed; what it has in flight too', LIMIT, async (t) => {
  const { cluster } = await start(t, 3)
  const configuration = await connectTo(t, cluster.addresses)
  const view = configuration.subset(['a', 'b'])
  const kept = configuration.remove('c')
  t.after(() => kept.close())
  const inFlight = [configuration.client(Echo).ask({ text: 'x' }).all(), view.client(Echo).ask({ text: 'x' }).all()]
  const other = kept.client(Echo).ask({ text: 'x' }).all()
  const closing = configuration.close()
  for (const each of inFlight) assert.equal((await rejection(each, QuorumError)).reason, 'closed')
  await closing
  assert.equal((await other).size, 2, 'the calls of another configuration go on')
  for (const each of [configuration, view]) {
    const error = await rejection(each.client(Echo).ask({ text: 'x' }).majority(), QuorumError)
    assert.equal(error.reason, 'closed')
    for (const { executed } of error.errors.values()) assert.equal(executed, 'no')
    assert.throws(() => each.remove('a'), RpcError)
  }
  const single = await rejection(configuration.node('c').client(Echo).call({ text: 'x' }), RpcError)
  assert.deepEqual([single.executed, single.nodeID], ['no', 'c'])
})

test('union, difference, add, remove and replace are operations on sets of members', LIMIT, async (t) => {
  const { cluster } = await start(t)
  const made: Configuration[] = []
  const keep = (configuration: Configuration): Configuration => {
    made.push(configuration)
    return configuration
  }
  t.after(async () => {
    for (const each of made) await each.close()
  })
  const all = keep(await connectTo(t, cluster.addresses))
  const of = (ids: string): Configuration => keep(all.remove([...'abcde'].filter((id) => !ids.includes(id))))
  const idsOf = (configuration: Configuration): string => [...configuration.members].sort().join('')
  for (const one of ['abc', 'a', 'bd', 'abcde']) {
    for (const other of ['abc', 'cde', 'e', 'bd']) {
      const [left, right] = [one === 'abcde' ? all : of(one), of(other)]
      assert.equal(idsOf(keep(left.union(right))), [...new Set(one + other)].sort().join(''))
      assert.equal(keep(left.union(right)).equals(keep(right.union(left))), true)
      const rest = [...one].filter((id) => !other.includes(id)).join('')
      if (rest === '') assert.throws(() => left.difference(right), RangeError)
      else assert.equal(idsOf(keep(left.difference(right))), rest)
      assert.equal(left.equals(right), one === other)
    }
  }
  const abc = of('abc')
  assert.equal(idsOf(keep(await abc.add(addressesOf(cluster, 'd')))), 'abcd')
  assert.equal(idsOf(keep(abc.remove('b'))), 'ac')
  assert.equal(idsOf(keep(abc.remove(['a', 'b']))), 'c')
  assert.equal(idsOf(keep(await abc.replace('b', addressesOf(cluster, 'd', 'e')))), 'acde')
  assert.equal(idsOf(abc), 'abc')
  assert.deepEqual([abc.contains('a'), abc.contains('d')], [true, false])
  assert.equal(abc.equals(abc.subset(['c', 'b', 'a'])), true, 'whatever the order')
  assert.equal(abc.equals(abc.subset(['a', 'b'])), false, 'other contacts')
  assert.deepEqual(
    made.filter(({ nodes }) => nodes.some((node) => node !== all.node(node.id))),
    [],
  )
})

test(
  'the quorum follows the members: a majority is recomputed, a system that no longer fits is refused',
  LIMIT,
  async (t) => {
    const { cluster } = await start(t)
    const three = await connectTo(t, addressesOf(cluster, 'a', 'b', 'c'))
    const five = await three.add(addressesOf(cluster, 'd', 'e'))
    const two = three.remove('c')
    t.after(async () => {
      await five.close()
      await two.close()
    })
    assert.equal(three.bind(quorum.majority()).needed, 'needs 2 of 3')
    assert.equal(five.bind(quorum.majority()).needed, 'needs 3 of 5')
    assert.equal(two.bind(quorum.majority()).needed, 'needs 2 of 2')
    const weights = quorum.weighted({ a: 1, b: 1, c: 1 }, 2)
    assert.equal((await three.client(Echo, { quorum: weights }).ask({ text: 'x' }).result()).size, 2)
    for (const each of [five, two]) assert.throws(() => each.client(Echo, { quorum: weights }), RangeError)
  },
)

test(
  'configurations of one node manager share connections, those of different ones can not be joined',
  LIMIT,
  async (t) => {
    const { cluster, accepted } = await start(t, 3)
    const manager = createNodeManager()
    t.after(() => manager.close())
    const one = await connectTo(t, addressesOf(cluster, 'a', 'b'), { manager })
    const other = await connectTo(t, addressesOf(cluster, 'b', 'c'), { manager })
    assert.equal(manager.nodeCount, 3)
    assert.deepEqual([await asksAll(one), await asksAll(other)], ['ab', 'bc'])
    assert.deepEqual(accepted.sort(), ['a', 'b', 'c'])
    const union = one.union(other)
    assert.equal(await asksAll(union), 'abc')
    assert.deepEqual(accepted.length, 3)
    const stranger = await connectTo(t, addressesOf(cluster, 'b', 'c'))
    assert.throws(() => one.union(stranger), TypeError)
    assert.throws(() => one.difference(stranger), TypeError)
    assert.equal(one.equals(stranger), false)
    await union.close()
    await one.close()
    assert.equal(manager.nodeCount, 2)
    assert.equal(await asksAll(other), 'bc')
    await manager.close()
    assert.equal(manager.nodeCount, 0)
    await rejection(other.client(Echo).ask({ text: 'x' }).first(), QuorumError)
  },
)

test('node ids are the application’s: any text, told back in replies, errors and records', LIMIT, async (t) => {
  const { cluster } = await start(t, 1)
  const anonymous = createServer().handle(Echo, { ask: ({ text }) => text })
  const { host, port } = await anonymous.listen()
  t.after(() => anonymous.close())
  const ids = ['7', 'a node', 'Knoten-ä', '节点', '🙂', 'x'.repeat(256), 'constructor', 'a/b:c"d']
  for (const id of ids) {
    const configuration = await connectTo(t, { [id]: `${host}:${port}` })
    assert.deepEqual(configuration.nodeIDs, [id])
    assert.equal(configuration.node(id).id, id)
    assert.equal(configuration.node(id).address, `${host}:${port}`)
    assert.deepEqual([...(await configuration.client(Echo).ask({ text: 'x' }).all()).keys()], [id])
  }
  const list = await connectTo(t, [cluster.addresses.a!])
  const address = cluster.addresses.a!
  assert.deepEqual(list.nodeIDs, [address])
  const call = list.client(Echo).ask({ text: 'x' })
  assert.equal((await call.all()).get(address), 'x')
  assert.equal((await call.settled).nodes[0]!.nodeID, address)
})

test('clients are made once per service and configuration, views included', LIMIT, async (t) => {
  const { cluster } = await start(t, 2)
  const configuration = await connectTo(t, cluster.addresses)
  assert.equal(configuration.client(Echo), configuration.client(Echo))
  assert.equal(configuration.node('a').client(Echo), configuration.node('a').client(Echo))
  const view = configuration.subset(['a'])
  assert.notEqual(view.client(Echo), configuration.client(Echo))
  assert.deepEqual(Object.keys(configuration.client(Echo)), ['ask'])
  assert.deepEqual(Object.keys(configuration.node('a').client(Echo)), ['call'])
  assert.equal(Object.isFrozen(configuration.client(Echo)), true)
})
