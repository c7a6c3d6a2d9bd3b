// Services on nodes: several on one connection, parts of them, methods on nodes and on configurations, and names that older
// designs of such frameworks got wrong.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { createServer, multicast, QuorumError, quorumCall, RpcError, rpc, service, unicast } from 'gorums'
import { connectCluster, connectTo, LIMIT, rejection, startCluster, Tally } from './cluster.ts'

interface Key {
  readonly key: string
}

const Store = service('services.Store', {
  read: rpc<Key, string>(),
  write: unicast<Key>(),
  readAll: quorumCall<Key, string>(),
  writeAll: multicast<Key>(),
})

const Search = service('services.Search', { find: rpc<Key, string[]>(), readAll: quorumCall<Key, string>() })

test(
  'services with many methods can be split: a server implements what it has, the rest is unimplemented',
  LIMIT,
  async (t) => {
    const { configuration } = await connectCluster(t, 3, (server, nodeID) => {
      if (nodeID !== 'c') server.handle(Store, { readAll: ({ key }) => `${key} of ${nodeID}` })
      if (nodeID === 'a') server.handle(Store, { read: ({ key }) => key })
    })
    assert.equal(await configuration.node('a').client(Store).read({ key: 'k' }), 'k')
    const missing = await rejection(configuration.node('b').client(Store).read({ key: 'k' }), RpcError)
    assert.deepEqual([missing.code, missing.executed, missing.nodeID], ['unimplemented', 'no', 'b'])
    assert.match(missing.message, /services\.Store\/read/)
    const replies = await configuration.client(Store).readAll({ key: 'k' }).majority()
    assert.deepEqual([...replies.values()].sort(), ['k of a', 'k of b'])
    const error = await rejection(configuration.client(Store).readAll({ key: 'k' }).all(), QuorumError)
    assert.equal(error.errors.get('c')?.code, 'unimplemented')
  },
)

test(
  'two services share the one connection of each node, also when their methods have the same names',
  LIMIT,
  async (t) => {
    const connected = new Tally()
    const cluster = await startCluster(
      t,
      3,
      (server) => {
        server.handle(Store, { readAll: () => 'from the store', read: () => 'read' })
        server.handle(Search, { readAll: () => 'from the search', find: ({ key }) => [key] })
      },
      { server: (nodeID) => ({ onConnect: () => connected.add(nodeID) }) },
    )
    const configuration = await cluster.connect()
    const [stored, found] = await Promise.all([
      configuration.client(Store).readAll({ key: 'k' }).all(),
      configuration.client(Search).readAll({ key: 'k' }).all(),
    ])
    assert.deepEqual([...stored.values()], new Array(3).fill('from the store'))
    assert.deepEqual([...found.values()], new Array(3).fill('from the search'))
    assert.deepEqual(await configuration.node('b').client(Search).find({ key: 'k' }), ['k'])
    assert.deepEqual([...connected.seen].sort(), ['a', 'b', 'c'])
  },
)

test(
  'methods of one node are called on the node itself, typed, and a configuration has only its own',
  LIMIT,
  async (t) => {
    const written = new Tally()
    const { configuration } = await connectCluster(t, 2, (server, nodeID) => {
      const write = ({ key }: Key): void => written.add(`${nodeID} ${key}`)
      server.handle(Store, { read: ({ key }) => `${key} of ${nodeID}`, write, writeAll: write })
    })
    const node = configuration.node('b').client(Store)
    const value: string = await node.read({ key: 'k' })
    assert.equal(value, 'k of b')
    await node.write({ key: 'one' })
    assert.deepEqual(await written.reached(1), ['b one'])
    await configuration.client(Store).writeAll({ key: 'two' })
    assert.deepEqual([...(await written.reached(3))].sort(), ['a two', 'b one', 'b two'])
    // @ts-expect-error an RPC goes to one node
    assert.equal(configuration.client(Store).read, undefined)
    // @ts-expect-error a quorum call goes to several
    assert.equal(node.readAll, undefined)
    // @ts-expect-error a key is a string
    const wrong: Key = { key: 5 }
    // @ts-expect-error the request has a key
    await node.read({ value: wrong })
  },
)

test('handlers may be the methods of an object of a class, and find themselves as this', LIMIT, async (t) => {
  class Shelf {
    readonly #values = new Map([['k', 'v']])
    read({ key }: Key): string {
      return this.#values.get(key) ?? 'nothing'
    }
    readAll(request: Key): string {
      return this.read(request)
    }
  }
  const { configuration } = await connectCluster(t, 1, (server) => server.handle(Store, new Shelf()))
  assert.equal(await configuration.node('a').client(Store).read({ key: 'k' }), 'v')
  assert.equal((await configuration.client(Store).readAll({ key: 'x' }).all()).get('a'), 'nothing')
})

test('a server may be given handlers while it is being called', LIMIT, async (t) => {
  const server = createServer({ nodeID: 'a' })
  const { host, port } = await server.listen()
  t.after(() => server.close())
  const configuration = await connectTo(t, { a: `${host}:${port}` })
  const node = configuration.node('a').client(Store)
  assert.equal((await rejection(node.read({ key: 'k' }), RpcError)).code, 'unimplemented')
  server.handle(Store, { read: ({ key }) => key })
  assert.equal(await node.read({ key: 'k' }), 'k')
})

test('the example service is named Storage', () => {
  const folder = path.resolve(import.meta.dirname, '../../examples/storage')
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const text = sources.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n')
  assert.match(text, /storage\.Storage|service Storage|\bStorage\b/)
  assert.doesNotMatch(text, /class Register\b|service\(\s*['"][\w.]*Register['"]/)
})
