// Per-node requests: for every call type that goes to several nodes, also with adapters and interceptors; and skipped nodes,
// which are expected no more but count as members.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multicast, QuorumError, quorum, quorumCall, quorumStream, service } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { connectCluster, LIMIT, rejection, Tally } from './cluster.ts'

interface Shard {
  readonly index: number
}

const Shards = service('per.Shards', {
  put: quorumCall<Shard, number>(),
  watch: quorumStream<Shard, number>(),
  spread: multicast<Shard>(),
})

const FIVE = ['a', 'b', 'c', 'd', 'e']

async function start(t: TestContextLike) {
  const seen = new Tally<string>()
  const { configuration } = await connectCluster(t, 5, (server, nodeID) => {
    const put = ({ index }: Shard): number => {
      seen.add(`${nodeID}${index}`)
      return index
    }
    server.handle(Shards, {
      put,
      *watch(request) {
        yield put(request)
      },
      spread: put,
    })
  })
  return { configuration, client: configuration.client(Shards), seen }
}

const position = (id: string): number => FIVE.indexOf(id)
const perNode = ({ index }: Shard, { id }: { id: string }): Shard => ({ index: index + position(id) })
const someOf =
  (ids: string) =>
  (request: Shard, { id }: { id: string }): Shard | undefined =>
    ids.includes(id) ? request : undefined

test('every call type to several nodes gives each node its own request', LIMIT, async (t) => {
  const { client, seen } = await start(t)
  const request = { index: 10 }
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    'quorum call': () => client.put(request, { perNode }).all(),
    'quorum call, settled later': () => client.put(request, { perNode }).settled,
    correctable: () => client.put(request, { perNode }).correctable(untilAll).reached(5),
    stream: () => client.watch(request, { perNode }).all(),
    'correctable of a stream': () => client.watch(request, { perNode }).correctable(untilAll).reached(5),
    multicast: () => client.spread(request, { perNode }),
    'multicast without confirmation': () => client.spread(request, { perNode, confirm: false }),
  }
  for (const [what, call] of Object.entries(ways)) {
    const before = seen.seen.length
    await call()
    const arrived = (await seen.reached(before + 5)).slice(before)
    assert.deepEqual([...arrived].sort(), ['a10', 'b11', 'c12', 'd13', 'e14'], what)
  }
})

/** Levels that end when all five have replied. */
function untilAll(replies: { readonly size: number }) {
  return { value: replies.size, level: replies.size, done: replies.size === 5 }
}

test('perNode is asked once per node, in order, with the request and the node', LIMIT, async (t) => {
  const { client, configuration } = await start(t)
  const request = { index: 1 }
  const asked: unknown[] = []
  await client
    .put(request, {
      perNode: (given, node) => {
        asked.push(node)
        assert.equal(given, request)
        return given
      },
    })
    .all()
  assert.deepEqual(asked, [...configuration.nodes])
})

test('two of five skipped: all() is the other three, and three are still a majority of five', LIMIT, async (t) => {
  const { client, seen } = await start(t)
  const options = { perNode: someOf('ace') }
  for (const call of [client.put, client.watch]) {
    assert.deepEqual([...(await call({ index: 1 }, options).all()).keys()].sort(), ['a', 'c', 'e'])
    assert.equal((await call({ index: 1 }, options).majority()).size, 3)
    assert.equal((await call({ index: 1 }, options).correctable().reached(3)).done, true)
    const responses: string[] = []
    for await (const { nodeID } of call({ index: 1 }, options)) responses.push(nodeID)
    assert.deepEqual(responses.sort(), ['a', 'c', 'e'], 'a skipped node has no response')
  }
  await client.spread({ index: 2 }, options)
  await seen.reached(27)
  assert.ok(seen.seen.every((each) => 'ace'.includes(each[0]!)))
})

test('three of five skipped: a majority is impossible at once, and skipped nodes are no failures', LIMIT, async (t) => {
  const { configuration, client } = await start(t)
  const options = { perNode: someOf('ab') }
  assert.equal((await client.put({ index: 1 }, options).all()).size, 2)
  assert.equal((await client.put({ index: 1 }, options).threshold(2)).size, 2)
  const error = await rejection(client.put({ index: 1 }, options).majority(), QuorumError)
  assert.deepEqual([error.reason, error.errors.size], ['impossible', 0])
  const declared = configuration.client(Shards, { quorum: quorum.majority(), functions: { put: () => 'any' } })
  assert.equal((await rejection(declared.put({ index: 1 }, options).result(), QuorumError)).reason, 'impossible')
  await rejection(client.watch({ index: 1 }, options).correctable().reached(3), QuorumError)
})

test('every node skipped: an error at once from every end, nothing hangs', LIMIT, async (t) => {
  const { client, seen } = await start(t)
  const options = { perNode: someOf('') }
  const make = () => client.put({ index: 1 }, options)
  for (const end of [
    make().all(),
    make().majority(),
    make().first(),
    make().matching(1),
    make().threshold(1),
    make().reduce(() => 'any'),
    make().correctable().reached(1),
    client.watch({ index: 1 }, options).all(),
    client.spread({ index: 1 }, options),
  ]) {
    const error = await rejection(end, QuorumError)
    assert.deepEqual([error.reason, error.errors.size, error.pending], ['impossible', 0, []])
  }
  const { nodes } = await make().settled
  assert.deepEqual(new Set(nodes.map(({ outcome }) => outcome)), new Set(['skipped']))
  await client.spread({ index: 1 }, { ...options, confirm: false })
  assert.deepEqual(seen.seen, [])
})

test('a skipped node is neither a reply nor a failure nor pending', LIMIT, async (t) => {
  const { client } = await start(t)
  const replies = await client.put({ index: 1 }, { perNode: someOf('abc') }).all()
  assert.deepEqual([replies.has('d'), replies.errors.size, replies.pending], [false, 0, []])
})
