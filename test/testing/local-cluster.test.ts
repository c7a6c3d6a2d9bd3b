// The local cluster: starts, connects, stops, restarts and closes, with servers and with replicas.

import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { type Configuration, quorumCall, rpc, service } from 'gorums'
import { checkLeaks, clusterNodeID, startLocalCluster } from 'gorums/testing'
import { type Certificate, createAuthority } from '../certificates.ts'

const Echo = service('testing.Echo', {
  say: quorumCall<{ text: string }, { by: string; text: string; run: number }>(),
  ask: rpc<{ text: string }, { by: string }>(),
  hang: quorumCall<{ text: string }, { by: string }>(),
})

test('every node serves what setup registers for its id', async (t) => {
  checkLeaks(t)
  const cluster = await startLocalCluster(3, (server, nodeID) => {
    server.handle(Echo, { say: ({ text }) => ({ by: nodeID, text, run: 1 }) })
  })
  t.after(() => cluster.close())
  assert.deepEqual(cluster.nodeIDs, ['a', 'b', 'c'])
  assert.deepEqual(Object.keys(cluster.addresses).sort(), ['a', 'b', 'c'])
  const config = await cluster.connect({ waitFor: 'all' })
  const replies = await config.client(Echo).say({ text: 'hi' }).all()
  assert.deepEqual([...replies.values()].map(({ by }) => by).sort(), ['a', 'b', 'c'])
  for (const [id, reply] of replies) assert.equal(reply.by, id)
})

test('a stopped node is down and a restarted one has the same address and new handlers', async (t) => {
  checkLeaks(t)
  const runs: Record<string, number> = {}
  const cluster = await startLocalCluster(3, (server, nodeID) => {
    const run = (runs[nodeID] ?? 0) + 1
    runs[nodeID] = run
    server.handle(Echo, { say: ({ text }) => ({ by: nodeID, text, run }) })
  })
  t.after(() => cluster.close())
  const config = await cluster.connect({ waitFor: 'all', downAfterMs: 0, backoff: { minMs: 1, maxMs: 5 } })
  const before = { ...cluster.addresses }
  const stopped = cluster.server('b')
  await cluster.stop('b')
  await cluster.stop('b')
  await config.waitFor(({ down }) => down.has('b'))
  assert.equal(stopped.address, undefined)
  await cluster.restart('b')
  assert.notEqual(cluster.server('b'), stopped)
  assert.deepEqual(cluster.addresses, before)
  await config.waitFor(({ connected }) => connected.size === 3)
  const replies = await config.client(Echo).say({ text: 'again' }).all()
  assert.deepEqual([replies.get('a')?.run, replies.get('b')?.run, replies.get('c')?.run], [1, 2, 1])
})

test('a running node can be restarted at once', async (t) => {
  checkLeaks(t)
  let starts = 0
  const cluster = await startLocalCluster(1, () => {
    starts++
  })
  t.after(() => cluster.close())
  const { port } = cluster.server('a').address!
  await Promise.all([cluster.restart('a'), cluster.restart('a')])
  assert.equal(starts, 3)
  assert.equal(cluster.server('a').address?.port, port)
})

test('close() closes the configurations and the nodes, whatever their handlers do, and is idempotent', async (t) => {
  checkLeaks(t)
  const cluster = await startLocalCluster(2, (server) => {
    server.handle(Echo, { hang: () => new Promise(() => {}) })
  })
  const config = await cluster.connect({ waitFor: 'all' })
  const call = config.client(Echo).hang({ text: '' })
  const failed = assert.rejects(call.all(), { reason: 'closed' })
  const closing = cluster.close()
  assert.equal(cluster.close(), closing)
  await closing
  await failed
  assert.equal(cluster.isClosed, true)
  assert.equal(config.isClosed, true)
  assert.throws(() => cluster.connect(), TypeError)
  await assert.rejects(cluster.restart('a'), TypeError)
  await cluster[Symbol.asyncDispose]()
})

test('close() does not wait for a connect that is under way', async (t) => {
  checkLeaks(t)
  const cluster = await startLocalCluster(1, () => {})
  const connecting = cluster.connect({ waitFor: () => false, connectTimeoutMs: Infinity })
  await cluster.stop('a')
  const outcome = connecting.then(
    (config) => config.isClosed,
    (error: { code: string }) => error.code === 'cancelled',
  )
  await cluster.close()
  assert.equal(await outcome, true)
})

test('replicas are connected to each other and to themselves, also after a restart', async (t) => {
  checkLeaks(t)
  const cluster = await startLocalCluster(
    3,
    (replica, nodeID) => {
      replica.handle(Echo, { say: ({ text }) => ({ by: nodeID, text, run: 1 }) })
    },
    { replicas: true, server: { downAfterMs: 0, backoff: { minMs: 1, maxMs: 5 } } },
  )
  t.after(() => cluster.close())
  const everywhere = async (config: Configuration): Promise<void> => {
    await config.waitFor(({ connected }) => connected.size === 3)
    assert.equal((await config.client(Echo).say({ text: 'x' }).all()).size, 3)
  }
  for (const id of cluster.nodeIDs) await everywhere(cluster.server(id).configuration)
  await cluster.restart('b')
  for (const id of cluster.nodeIDs) await everywhere(cluster.server(id).configuration)
  await everywhere(await cluster.connect({ waitFor: 'all' }))
})

test('options reach the servers, per node too, and connect names their cluster', async (t) => {
  checkLeaks(t)
  const ids: string[] = []
  const cluster = await startLocalCluster(2, (server) => server.handle(Echo, { ask: () => ({ by: 'handler' }) }), {
    server: (nodeID) => {
      ids.push(nodeID)
      return {
        clusterID: 'east',
        metadata: { rack: `rack of ${nodeID}` },
        interceptors: [
          () => (request, context, next) => (nodeID === 'b' ? { by: 'interceptor' } : next(request, context)),
        ],
      }
    },
  })
  t.after(() => cluster.close())
  assert.ok(ids.includes('a') && ids.includes('b'))
  const config = await cluster.connect({ waitFor: 'all' })
  assert.equal(config.node('b').metadata.rack, 'rack of b')
  assert.deepEqual(await config.node('a').client(Echo).ask({ text: '' }), { by: 'handler' })
  assert.deepEqual(await config.node('b').client(Echo).ask({ text: '' }), { by: 'interceptor' })
  const stranger = await cluster.connect({ clusterID: 'west' })
  assert.equal(stranger.status.connected.size, 0)
})

test('servers and clients of one authority speak TLS, each node with its own certificate', async (t) => {
  checkLeaks(t)
  const authority = await createAuthority()
  const { ca } = authority
  const certificates = new Map<string, Certificate>()
  for (const id of ['a', 'b']) certificates.set(id, await authority.issueNode(id))
  const cluster = await startLocalCluster(2, (server) => server.handle(Echo, { ask: () => ({ by: 'tls' }) }), {
    tls: (id) => ({ ...certificates.get(id), ca }),
    connect: { tls: { ...(await authority.issue()), ca } },
  })
  t.after(() => cluster.close())
  const config = await cluster.connect({ waitFor: 'all' })
  for (const node of config.nodes) assert.deepEqual(node.identity?.names.includes(`URI:gorums:node:${node.id}`), true)
  assert.deepEqual(await config.node('a').client(Echo).ask({ text: '' }), { by: 'tls' })
})

test('a cluster whose setup throws leaves nothing behind', async (t) => {
  checkLeaks(t)
  const failing = startLocalCluster(3, (_, nodeID) => {
    if (nodeID === 'c') throw new Error('no handlers today')
  })
  await assert.rejects(failing, /no handlers today/)
})

test('a restart waits for a port that is taken for a moment', async (t) => {
  checkLeaks(t)
  const cluster = await startLocalCluster(1, () => {})
  t.after(() => cluster.close())
  const { port } = cluster.server('a').address!
  await cluster.stop('a')
  const other = net.createServer()
  await new Promise<void>((resolve) => other.listen({ host: '127.0.0.1', port }, resolve))
  const restarting = cluster.restart('a')
  // Turns in which it asks for the port in vain.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  other.close()
  await restarting
  assert.equal(cluster.server('a').address?.port, port)
})

test('a cluster of no nodes, or of a fraction, is a RangeError, and so is an unknown node', async (t) => {
  checkLeaks(t)
  for (const count of [0, -1, 1.5, Number.NaN]) assert.throws(() => startLocalCluster(count, () => {}), RangeError)
  assert.throws(() => startLocalCluster(1, undefined as never), TypeError)
  const cluster = await startLocalCluster(1, () => {})
  t.after(() => cluster.close())
  assert.throws(() => cluster.server('z'), RangeError)
  assert.throws(() => cluster.stop('z'), RangeError)
})

test('node ids go through the alphabet and then count on', () => {
  assert.deepEqual([0, 1, 25, 26, 27].map(clusterNodeID), ['a', 'b', 'z', 'n26', 'n27'])
})
