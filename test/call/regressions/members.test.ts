// Who is a member, who is a client, and who is somebody else by now: replicas that learn of each other in any order, and
// addresses that lead to another process than before.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect, createReplica, quorumCall, type Replica, service } from 'gorums'
import { checkLeaks, startLocalCluster } from 'gorums/testing'
import { nodeRuntime } from '../../../src/net/node-runtime.ts'
import type { Runtime } from '../../../src/net/runtime.ts'
import { CRASH, eventually, LIMIT } from '../cluster.ts'

const Who = service('regressions.Members', { who: quorumCall<string, string>() })

/** Replicas that listen and know nobody yet, with their addresses. */
async function startAlone(t: TestContext, ...ids: readonly string[]) {
  checkLeaks(t)
  const replicas = new Map<string, Replica>()
  const addresses: Record<string, string> = {}
  for (const nodeID of ids) {
    const replica = createReplica({ nodeID }).handle(Who, { who: () => nodeID })
    const { port } = await replica.listen({ host: '127.0.0.1' })
    t.after(() => replica.close({ drainTimeoutMs: 0 }))
    replicas.set(nodeID, replica)
    addresses[nodeID] = `127.0.0.1:${port}`
  }
  const some = (...nodeIDs: readonly string[]): Record<string, string> =>
    Object.fromEntries(nodeIDs.map((nodeID) => [nodeID, addresses[nodeID]!]))
  return { replica: (nodeID: string) => replicas.get(nodeID)!, some }
}

const allUp = ({ connected, size }: { connected: ReadonlySet<string>; size: number }): boolean =>
  connected.size === size

test('a member that has connected before it was declared is up, and no client any more', LIMIT, async (t) => {
  const { replica, some } = await startAlone(t, 'a', 'b')
  const [a, b] = [replica('a'), replica('b')]
  await a.join(some('a', 'b')).waitFor(allUp)
  await eventually('b has a as a client', () => b.clients.contains('a'))
  await b.join(some('a', 'b')).waitFor(allUp)
  assert.deepEqual(b.clients.nodeIDs, [])
  const replies = await b.configuration.client(Who).who('').all()
  assert.deepEqual([replies.get('a'), replies.get('b')], ['a', 'b'])
})

test('a connected client that is added to the configuration is a member that is up', LIMIT, async (t) => {
  const { replica, some } = await startAlone(t, 'a', 'b', 'c')
  const [a, b, c] = [replica('a'), replica('b'), replica('c')]
  b.join(some('b', 'c'))
  c.join(some('b', 'c'))
  await a.join(some('a', 'b', 'c')).waitFor(allUp)
  await eventually('b has a as a client', () => b.clients.contains('a'))
  const bigger = await b.configuration.add(some('a'))
  t.after(() => bigger.close())
  await bigger.waitFor(allUp)
  assert.equal((await bigger.client(Who).who('').all()).get('a'), 'a')
})

test('a member that gives way to itself at another address stays up', LIMIT, async (t) => {
  const { replica, some } = await startAlone(t, 'b', 'c')
  const nodes = some('b', 'c')
  const ready = [replica('b').join(nodes).waitFor(allUp), replica('c').join(nodes).waitFor(allUp)]
  await Promise.all(ready)
  const moved = await replica('c').configuration.replace('b', { b: nodes.b!.replace('127.0.0.1', 'localhost') })
  t.after(() => moved.close())
  await moved.waitFor(allUp)
  assert.equal((await moved.client(Who).who('').all()).get('b'), 'b')
  assert.equal(replica('b').configuration.node('c').state, 'up')
})

test('a replica is no client of itself', LIMIT, async (t) => {
  checkLeaks(t)
  const told: string[] = []
  const replica = createReplica({ nodeID: 'a', onConnect: ({ id }) => told.push(id) })
  t.after(() => replica.close())
  replica.handle(Who, { who: () => 'a' })
  const { port } = await replica.listen({ host: '127.0.0.1' })
  await replica.join({ a: `127.0.0.1:${port}` }).waitFor(allUp)
  assert.equal((await replica.configuration.client(Who).who('').all()).get('a'), 'a')
  assert.deepEqual(replica.clients.nodeIDs, [])
  assert.deepEqual(told, [])
})

test(
  'a node that is no double of another any more is dialled again, and comes up where its address leads now',
  LIMIT,
  async (t) => {
    const cluster = await startLocalCluster(2, (server, nodeID) => server.handle(Who, { who: () => nodeID }))
    t.after(() => cluster.close())
    const portOf = (nodeID: string): number => Number(cluster.addresses[nodeID]!.split(':')[1])
    let target = portOf('a')
    const runtime: Runtime = {
      ...nodeRuntime,
      dial: (host, port, tls) => nodeRuntime.dial(host, port === 1 ? target : port, tls),
    }
    const configuration = await connect([cluster.addresses.a!, '127.0.0.1:1'], {
      runtime,
      backoff: { maxMs: 50 },
      waitFor: 'majority',
    })
    t.after(() => configuration.close())
    const [first, second] = configuration.nodes
    await eventually('the second is known to be the first', () => first!.state === 'up' && second!.state === 'down')
    target = portOf('b')
    await cluster.stop('a', CRASH)
    await configuration.waitFor(({ connected }) => connected.has(second!.id))
    await cluster.restart('a')
    await configuration.waitFor(allUp)
    const replies = await configuration.client(Who).who('').all()
    assert.deepEqual([replies.get(first!.id), replies.get(second!.id)], ['a', 'b'])
    await eventually('both servers have one client', () =>
      ['a', 'b'].every((id) => cluster.server(id).clients.size === 1),
    )
  },
)
