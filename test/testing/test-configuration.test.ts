// Configurations without sockets: they behave like connected ones and free everything when they are closed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createServer,
  multicast,
  QuorumError,
  quorumCall,
  quorumStream,
  RpcError,
  type Runtime,
  rpc,
  service,
} from 'gorums'
import { checkLeaks, testConfiguration } from 'gorums/testing'
import { nodeRuntime } from '../../src/net/node-runtime.ts'

const Storage = service('testing.Storage', {
  read: quorumCall<{ key: string }, { value: string; time: number }>(),
  readOne: rpc<{ key: string }, { value: string }>(),
  write: multicast<{ value: string }>(),
  follow: quorumStream<{ key: string }, { value: string }>(),
})
const Callbacks = service('testing.Callbacks', { whoAreYou: rpc<Record<string, never>, { name: string }>() })

/** Sockets and servers that this process has. */
function socketCount(): number {
  return process.getActiveResourcesInfo().filter((name) => /^TCP|^TLS/.test(name)).length
}

test('quorum calls, streams, multicasts and RPCs reach the handlers of each node, without a socket', async (t) => {
  checkLeaks(t)
  const written: string[] = []
  const node = (id: string, time: number) => ({
    read: ({ key }: { key: string }) => ({ value: `${key} of ${id}`, time }),
    readOne: async () => ({ value: id }),
    write: ({ value }: { value: string }) => written.push(`${id} ${value}`),
    *follow() {
      yield { value: `${id}1` }
      yield { value: `${id}2` }
    },
  })
  const sockets = socketCount()
  const config = await testConfiguration(Storage, { a: node('a', 1), b: node('b', 3), c: node('c', 2) })
  t.after(() => config.close())
  assert.equal(socketCount(), sockets)
  assert.deepEqual(config.status.connected, new Set(['a', 'b', 'c']))
  const storage = config.client(Storage, {
    functions: {
      read: (replies) =>
        replies.size < 3 ? undefined : [...replies.values()].sort((x, y) => y.time - x.time)[0]?.value,
    },
  })
  assert.equal(await storage.read({ key: 'k' }).result(), 'k of b')
  assert.deepEqual(await config.node('c').client(Storage).readOne({ key: 'k' }), { value: 'c' })
  await storage.write({ value: 'v' })
  await config.client(Storage).read({ key: 'k' }).all()
  assert.deepEqual(written.sort(), ['a v', 'b v', 'c v'])
  const items: string[] = []
  for await (const { value } of config.client(Storage).follow({ key: 'k' })) items.push(value?.value ?? '')
  assert.deepEqual(items.sort(), ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'])
})

test('calls to one node start its handlers in order and are answered on a later turn', async (t) => {
  checkLeaks(t)
  const seen: string[] = []
  const config = await testConfiguration(Storage, {
    a: {
      read: ({ key }) => {
        seen.push(key)
        return { value: key, time: 0 }
      },
    },
  })
  t.after(() => config.close())
  const storage = config.client(Storage)
  const calls = ['1', '2', '3'].map((key) => storage.read({ key }).all())
  assert.deepEqual(seen, [])
  await Promise.all(calls)
  assert.deepEqual(seen, ['1', '2', '3'])
})

test('a node that is down fails its calls at once and quorums of the others go on', async (t) => {
  checkLeaks(t)
  const up = { read: () => ({ value: '', time: 0 }) }
  const config = await testConfiguration(Storage, { a: up, b: up, c: 'down' })
  t.after(() => config.close())
  assert.deepEqual(config.status.down, new Set(['c']))
  const storage = config.client(Storage)
  assert.equal((await storage.read({ key: 'k' }).majority()).size, 2)
  await assert.rejects(storage.read({ key: 'k' }).all(), (error) => {
    assert.ok(error instanceof QuorumError)
    assert.equal(error.reason, 'impossible')
    assert.equal(error.errors.get('c')?.code, 'unavailable')
    assert.equal(error.errors.get('c')?.executed, 'no')
    return true
  })
})

test('a configuration may have nothing but nodes that are down', async (t) => {
  checkLeaks(t)
  const config = await testConfiguration(Storage, { a: 'down', b: 'down' })
  t.after(() => config.close())
  assert.equal(config.status.down.size, 2)
})

test('a function registers handlers of several services, and nodes call back to a passed server', async (t) => {
  checkLeaks(t)
  const callbacks = createServer().handle(Callbacks, { whoAreYou: () => ({ name: 'the client' }) })
  const config = await testConfiguration(
    Storage,
    {
      a: (server) =>
        server.handle(Callbacks, { whoAreYou: () => ({ name: 'a' }) }).handle(Storage, {
          readOne: async (_, context) => {
            context.release()
            return { value: (await context.peer.client(Callbacks).whoAreYou({})).name }
          },
        }),
    },
    { server: callbacks },
  )
  t.after(() => config.close())
  const a = config.node('a')
  assert.deepEqual(await a.client(Callbacks).whoAreYou({}), { name: 'a' })
  assert.deepEqual(await a.client(Storage).readOne({ key: 'k' }), { value: 'the client' })
})

test('options reach both sides', async (t) => {
  checkLeaks(t)
  const config = await testConfiguration(
    Storage,
    {
      a: { readOne: (_, context) => ({ value: `${context.peer.id} from ${String(context.peer.metadata.from)}` }) },
      b: {},
    },
    {
      nodeID: 'me',
      clusterID: 'east',
      metadata: { from: 'here' },
      callTimeoutMs: 0,
      nodes: (id) => ({ metadata: { rack: `rack of ${id}` } }),
    },
  )
  t.after(() => config.close())
  assert.deepEqual(
    config.nodes.map((node) => node.metadata.rack),
    ['rack of a', 'rack of b'],
  )
  const a = config.node('a').client(Storage)
  assert.deepEqual(await a.readOne({ key: '' }, { timeoutMs: 1_000 }), { value: 'me from here' })
  await assert.rejects(a.readOne({ key: '' }), { code: 'deadline_exceeded' })
  const b = config.node('b').client(Storage)
  await assert.rejects(b.readOne({ key: '' }, { timeoutMs: 1_000 }), { code: 'unimplemented' })
})

test('closing fails unfinished calls and fires the signals of their handlers', async (t) => {
  checkLeaks(t)
  const aborted = deferred()
  const started = deferred()
  const config = await testConfiguration(Storage, {
    a: {
      read: (_, context) =>
        new Promise((_, reject) => {
          context.signal.addEventListener('abort', () => {
            aborted.resolve()
            reject(new Error('aborted'))
          })
          started.resolve()
        }),
    },
  })
  const failed = assert.rejects(config.client(Storage).read({ key: 'k' }).all(), { reason: 'closed' })
  await started.promise
  await config.close()
  await failed
  await aborted.promise
})

test('derived configurations keep the nodes until the last of them is closed', async (t) => {
  checkLeaks(t)
  const up = { read: () => ({ value: '', time: 0 }) }
  const config = await testConfiguration(Storage, { a: up, b: up, c: up })
  const smaller = config.remove('c')
  await config.close()
  assert.equal((await smaller.client(Storage).read({ key: 'k' }).all()).size, 2)
  await smaller.close()
  await assert.rejects(smaller.client(Storage).read({ key: 'k' }).all(), { reason: 'closed' })
})

test('what can not be nodes is thrown at once', async (t) => {
  checkLeaks(t)
  assert.throws(() => testConfiguration(Storage, {}), RangeError)
  assert.throws(() => testConfiguration(Storage, [] as never), TypeError)
  assert.throws(() => testConfiguration(Storage, { a: null as never }), TypeError)
  assert.throws(() => testConfiguration(Storage, { a: 'up' as never }), TypeError)
  assert.throws(() => testConfiguration(Storage, { a: { nothing: () => 1 } as never }), TypeError)
})

test('a configuration that is not ready in time is closed, and the promise rejects', async (t) => {
  checkLeaks(t)
  const runtime: Runtime = { ...nodeRuntime, afterReading: () => {} }
  await assert.rejects(
    testConfiguration(Storage, { a: {} }, { connectTimeoutMs: 1, runtime }),
    (error) => error instanceof RpcError && error.code === 'deadline_exceeded',
  )
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
