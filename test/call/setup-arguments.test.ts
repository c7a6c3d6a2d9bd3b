// What a programmer can avoid outside of calls: declarations, servers, connecting, and choosing nodes. Each is a TypeError
// or a RangeError that says what is wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connect,
  createNodeManager,
  createReplica,
  createServer,
  quorumCall,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import { connectCluster, LIMIT } from './cluster.ts'

const untyped = (value: unknown): never => value as never
const Named = service('setup.Named', { ask: quorumCall<object, object>(), call: rpc<object, object>() })

test('a service needs a name, and keys that can be methods', () => {
  for (const name of ['', 'a b', '1st', 'a..b', '.a', 'a.', 'a/b', untyped(undefined), untyped(5)])
    assert.throws(() => service(name, {}), TypeError, String(name))
  for (const key of [
    'then',
    'catch',
    'finally',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    'toJSON',
    'a-b',
    '',
  ])
    assert.throws(() => service('s.S', { [key]: rpc<object, object>() }), TypeError, key)
  assert.throws(() => service('s.S', JSON.parse('{"__proto__": {"type": "rpc"}}')), TypeError)
  assert.throws(() => service('s.S', { call: untyped({}) }), TypeError)
  assert.throws(() => service('s.S', { call: untyped(undefined) }), TypeError)
  assert.throws(() => service('s.S', { call: rpc<object, object>({ name: 'a b' }) }), TypeError)
})

test('two methods of one name are a TypeError', () => {
  const methods = { one: rpc<object, object>({ name: 'same' }), other: unicast<object>({ name: 'same' }) }
  assert.throws(() => service('s.S', methods), TypeError)
})

test('the name of a method may be another than its key', () => {
  const { bound } = service('s.S', { readQC: quorumCall<object, object>({ name: 'ReadQC' }) })
  assert.equal(bound.get('readQC')?.fullName, 's.S/ReadQC+msgpack')
})

test('handle takes handlers of methods that there are, once', () => {
  const server = createServer()
  for (const handlers of [undefined, null, { asks: () => ({}) }, { ask: 5 }])
    assert.throws(() => server.handle(Named, untyped(handlers)), TypeError)
  for (const nothing of [undefined, null, {}, 'setup.Named'])
    assert.throws(() => server.handle(untyped(nothing), {}), TypeError)
  server.handle(Named, { ask: () => ({}) })
  assert.throws(() => server.handle(Named, { ask: () => ({}) }), /has a handler already/)
  server.handle(Named, { call: () => ({}) })
})

test('options of servers, clients and replicas are checked where they are given', () => {
  const bad: readonly (readonly [object, typeof TypeError | typeof RangeError])[] = [
    [{ nodeID: 5 }, TypeError],
    [{ nodeID: 'x'.repeat(257) }, RangeError],
    [{ nodeID: '__proto__' }, RangeError],
    [{ clusterID: 5 }, TypeError],
    [{ metadata: { Key: 'v' } }, RangeError],
    [{ metadata: 'x' }, TypeError],
    [{ limits: { frameMaxBytes: 10 } }, RangeError],
    [{ limits: { queueMaxBytes: -1 } }, RangeError],
    [{ limits: { handlersMax: 0 } }, RangeError],
    [{ limits: { itemsMax: Number.NaN } }, RangeError],
    [{ limits: { itemsMax: '5' } }, TypeError],
    [{ limits: { requestWindowBytes: 1_000, frameMaxBytes: 20_000 } }, RangeError],
    [{ backoff: { minMs: 10, maxMs: 5 } }, RangeError],
    [{ backoff: { factor: 0.5 } }, RangeError],
    [{ downAfterMs: -1 }, RangeError],
    [{ pingIntervalMs: 0 }, RangeError],
    [{ pingTimeoutMs: '1' }, TypeError],
    [{ callTimeoutMs: Number.NaN }, RangeError],
    [{ callTimeoutMs: '1' }, TypeError],
    [{ backoff: { factor: '2' } }, TypeError],
    [{ backoff: 2 }, TypeError],
    [{ limits: 2 }, TypeError],
    [{ sessions: 'no' }, TypeError],
    [{ identify: 'a' }, TypeError],
    [{ tls: null }, TypeError],
    [{ logger: console.log }, TypeError],
    [{ runtime: 1 }, TypeError],
    [{ interceptors: () => undefined }, TypeError],
    [{ interceptors: ['logging'] }, TypeError],
  ]
  for (const [options, error] of bad) {
    assert.throws(() => createServer(untyped(options)), error, `server ${JSON.stringify(options)}`)
    assert.throws(() => connect(['127.0.0.1:1'], untyped(options)), error, `connect ${JSON.stringify(options)}`)
    const replica = { nodeID: 'a', ...options }
    assert.throws(() => createReplica(untyped(replica)), error, `replica ${JSON.stringify(options)}`)
  }
  assert.throws(() => createServer(untyped({ onConnect: 'log' })), TypeError)
  assert.throws(() => createReplica(untyped({ nodeID: 'a', serverInterceptors: 'log' })), TypeError)
  for (const options of [null, 5]) {
    for (const make of [
      createServer,
      createReplica,
      createNodeManager,
      (none: never) => connect(['127.0.0.1:1'], none),
    ])
      assert.throws(() => make(options as never), { name: 'TypeError', message: /^options must be an object, not / })
  }
})

test('connect takes addresses by id, or a list of them', () => {
  for (const nodes of [undefined, null, 5, 'a:1', { a: 5 }, [5]])
    assert.throws(() => connect(untyped(nodes)), TypeError, String(nodes))
  for (const nodes of [
    {},
    [],
    { a: 'nowhere' },
    { a: 'a:0' },
    { a: 'a:65536' },
    { a: '::1:80' },
    { '': 'a:1' },
    { a: '' },
  ])
    assert.throws(() => connect(untyped(nodes)), RangeError, JSON.stringify(nodes))
  assert.throws(() => connect(['127.0.0.1:1', '127.0.0.1:1']), RangeError)
})

test('connect checks what it waits for, how long, and with whom', () => {
  const nodes = ['127.0.0.1:1']
  for (const options of [
    { waitFor: 'some' },
    { waitFor: 2 },
    { signal: {} },
    { connectTimeoutMs: '1' },
    { manager: {} },
    { server: {} },
    { interceptors: [5] },
    { interceptors: 5 },
    { whenDown: 'hope' },
    { whenFull: 'hope' },
  ])
    assert.throws(() => connect(nodes, untyped(options)), TypeError, JSON.stringify(options))
  for (const options of [{ connectTimeoutMs: -1 }, { connectTimeoutMs: Number.NaN }])
    assert.throws(() => connect(nodes, options), RangeError)
  const manager = createNodeManager()
  assert.throws(() => connect(nodes, { manager, clusterID: 'c' }), /clusterID.*createNodeManager/)
})

test('a replica has an id, and is one of its nodes', () => {
  assert.throws(() => createReplica(untyped({})), TypeError)
  assert.throws(() => createReplica({ nodeID: '' }), RangeError)
  assert.throws(() => createReplica({ nodeID: 'a', nodes: { b: '127.0.0.1:1' } }), RangeError)
  assert.throws(() => createReplica({ nodeID: 'a', nodes: untyped(['127.0.0.1:1']) }), TypeError)
  assert.throws(() => createReplica({ nodeID: 'a' }).configuration, TypeError)
})

test('an RpcError has one of the codes there are', () => {
  for (const code of ['ok', 'UNAVAILABLE', 'oops', '', undefined])
    assert.throws(() => new RpcError(untyped(code), 'text'), TypeError, String(code))
})

test(
  'ids that are not there, repeated ids and counts beyond the nodes are RangeErrors, and say which ids there are',
  LIMIT,
  async (t) => {
    const { configuration } = await connectCluster(t, 3, () => {})
    for (const choose of [
      () => configuration.node('x'),
      () => configuration.subset(['a', 'x']),
      () => configuration.subset(['a', 'a']),
      () => configuration.without('x'),
      () => configuration.without(['a', 'x']),
      () => configuration.remove('x'),
      () => configuration.remove('a', 'b', 'c'),
      () => configuration.take(4),
      () => configuration.take(-1),
      () => configuration.take(1.5),
      () => configuration.take(Number.NaN),
      () => configuration.subset(['a']).node('b'),
    ])
      assert.throws(choose, RangeError, String(choose))
    assert.throws(() => configuration.node('x'), /"x".*a, b, c/)
    assert.throws(() => configuration.subset(untyped('a')), TypeError)
    assert.throws(() => configuration.without(untyped(5)), TypeError)
    assert.throws(() => configuration.union(untyped({})), TypeError)
    assert.throws(() => configuration.subset([]).sortBy(untyped('id')), TypeError)
    assert.throws(() => configuration.client(Named, untyped(null)), TypeError)
    await assert.rejects(async () => configuration.add({ a: '127.0.0.1:1' }), RangeError)
    await assert.rejects(async () => configuration.replace('x', { d: '127.0.0.1:1' }), RangeError)
    await assert.rejects(async () => configuration.replace('a', { b: '127.0.0.1:1' }), RangeError)
    await assert.rejects(async () => configuration.add(untyped(null)), TypeError)
  },
)

test('waitFor, watch and close check their options', LIMIT, async (t) => {
  const { configuration, cluster } = await connectCluster(t, 1, () => {})
  assert.throws(() => configuration.waitFor(() => true, { timeoutMs: Number.NaN }), RangeError)
  assert.throws(() => configuration.waitFor(untyped('majority')), TypeError)
  assert.throws(() => cluster.server('a').close({ drainTimeoutMs: -1 }), RangeError)
  await assert.rejects(async () => configuration.watch({ intervalMs: 0 }, (each) => each).next(), RangeError)
  await assert.rejects(async () => configuration.watch({}, untyped(undefined)).next(), TypeError)
})
