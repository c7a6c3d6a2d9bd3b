// Streaming quorum calls: items per node, their ends, who counts as having replied, and that servers are told to stop when
// nobody listens any more. Levels of confidence are in correctables.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuorumError, quorumStream, type Response, RpcError, rpc, service } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { aborted, CRASH, connectCluster, eventually, Gate, LIMIT, rejection, startCluster, Tally } from './cluster.ts'
import { Puppet, Puppets, type Question } from './puppets.ts'

async function start(t: TestContextLike, count = 3) {
  const puppets = new Puppets()
  const { cluster, configuration } = await connectCluster(t, count, puppets.setup)
  return { puppets, cluster, configuration, client: configuration.client(Puppet) }
}

const QUESTION: Question = { text: 'what?' }

function describeResponse({ nodeID, value, error }: Response<unknown>): string {
  return `${nodeID} ${error === undefined ? value : error.code}`
}

test(
  'an iteration yields one response per item, failures included, and ends when every node has ended',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    const seen = new Tally()
    const reading = (async () => {
      for await (const response of client.follow(QUESTION)) seen.add(describeResponse(response))
    })()
    const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
    a!.item(1)
    await seen.reached(1)
    a!.item(2)
    await seen.reached(2)
    b!.item(1)
    await seen.reached(3)
    b!.fail(new RpcError('aborted', 'no more'))
    await seen.reached(4)
    c!.end()
    a!.end()
    await reading
    assert.deepEqual(seen.seen, ['a 1', 'a 2', 'b 1', 'b aborted'])
  },
)

test('an iteration that begins late sees all items of each node in order, and then its end', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 2)
  const call = client.follow(QUESTION)
  const [a, b] = await puppets.nextOf('a', 'b')
  for (let item = 1; item <= 3; item++) a!.item(item)
  a!.fail(new RpcError('aborted', 'no more'))
  b!.item('only')
  b!.end()
  await call.settled
  const seen: string[] = []
  for await (const response of call) seen.push(describeResponse(response))
  assert.deepEqual(
    seen.filter((each) => each.startsWith('a')),
    ['a 1', 'a 2', 'a 3', 'a aborted'],
  )
  assert.deepEqual(
    seen.filter((each) => each.startsWith('b')),
    ['b only'],
  )
})

test(
  'an iteration of a plain quorum call yields one response per node: replies, failures, the deadline',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    const seen: string[] = []
    const call = client.ask(QUESTION, { timeoutMs: 100 })
    const [a, b] = await puppets.nextOf('a', 'b', 'c')
    b!.fail(new RpcError('not_found', 'none'))
    a!.reply('here')
    for await (const response of call) seen.push(describeResponse(response))
    assert.deepEqual(seen.slice(0, 2).sort(), ['a here', 'b not_found'])
    assert.deepEqual(seen.slice(2), ['c deadline_exceeded'])
  },
)

test('an abort, and close, are responses too: an iteration never throws', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t, 2)
  const controller = new AbortController()
  const read = async (call: AsyncIterable<Response<unknown>>): Promise<string[]> => {
    const seen: string[] = []
    for await (const response of call) seen.push(describeResponse(response))
    return seen
  }
  const cancelled = read(client.follow(QUESTION, { signal: controller.signal }))
  const before = read(client.ask(QUESTION, { signal: AbortSignal.abort() }))
  const expired = read(client.ask(QUESTION, { timeoutMs: 0 }))
  const skipped = read(client.ask(QUESTION, { perNode: () => undefined }))
  const [a] = await puppets.nextOf('a', 'b')
  a!.item(1)
  await eventually('an item is there', () => configuration.node('a').latency.samples > 0)
  controller.abort()
  assert.deepEqual(await cancelled, ['a 1', 'a cancelled', 'b cancelled'])
  assert.deepEqual(await before, ['a cancelled', 'b cancelled'])
  assert.deepEqual(await expired, ['a deadline_exceeded', 'b deadline_exceeded'])
  assert.deepEqual(await skipped, [])
  const closed = read(client.follow(QUESTION))
  await puppets.nextOf('a', 'b')
  await configuration.close()
  assert.deepEqual(await closed, ['a cancelled', 'b cancelled'])
})

test(
  'items are replies of their node once: a chatty node alone is no majority, its latest item counts',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    const seen = new Tally<unknown>()
    const majority = client.follow(QUESTION, { onReply: seen.add }).majority()
    let isReached = false
    void majority.then(() => {
      isReached = true
    })
    const [a, b] = await puppets.nextOf('a', 'b', 'c')
    for (let item = 1; item <= 100; item++) a!.item(item)
    await seen.reached(100)
    assert.equal(isReached, false)
    b!.item('second')
    const replies = await majority
    assert.deepEqual(
      [...replies],
      [
        ['a', 100],
        ['b', 'second'],
      ],
    )
  },
)

test('a node that ends without an item has not replied: a majority becomes impossible', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  for (const asksFirst of [true, false]) {
    const call = client.follow(QUESTION)
    const early = asksFirst ? call.majority() : undefined
    early?.catch(() => {})
    const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
    a!.end()
    b!.end()
    if (!asksFirst) {
      const over = client.follow(QUESTION)
      for (const held of await puppets.nextOf('a', 'b', 'c')) held.end()
      await over.settled
    }
    const error = await rejection(early ?? call.majority(), QuorumError)
    assert.deepEqual([error.reason, error.pending], ['impossible', ['c']], asksFirst ? 'asked first' : 'asked later')
    c!.end()
  }
})

test(
  'a loop that is left tells the servers to stop: signals fire, generators run their finally, nothing is pending',
  LIMIT,
  async (t) => {
    const { client, configuration, puppets } = await start(t)
    const reading = (async () => {
      for await (const { nodeID } of client.follow(QUESTION)) return nodeID
      return undefined
    })()
    const held = await puppets.nextOf('a', 'b', 'c')
    held[0]!.item(1)
    assert.equal(await reading, 'a')
    for (const each of held) {
      await aborted(each.context.signal)
      await each.finished.opened
    }
    await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
  },
)

test('a generator that is between items, not waiting, is stopped at its next yield', LIMIT, async (t) => {
  const Clock = service('streams.Clock', { ticks: quorumStream<object, number>(), call: rpc<object, string>() })
  const stopped = new Gate()
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Clock, {
      *ticks(_, context) {
        context.release()
        try {
          for (let tick = 0; ; tick++) yield tick
        } finally {
          stopped.open()
        }
      },
      call: () => 'well',
    }),
  )
  let ticks = 0
  for await (const { value } of configuration.client(Clock).ticks({})) {
    assert.equal(value, ticks)
    if (++ticks === 50) break
  }
  await stopped.opened
  assert.equal(await configuration.node('a').client(Clock).call({}), 'well')
  await eventually('nothing is pending', () => configuration.node('a').pending === 0)
})

test('a terminal that has what it wants tells the streams to stop', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const majority = client.follow(QUESTION).majority()
  const held = await puppets.nextOf('a', 'b', 'c')
  for (const each of held.slice(0, 2)) each.item(1)
  await majority
  for (const each of held) await each.finished.opened
  await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
})

test('a lost connection, a deadline and an abort stop the streams as well', LIMIT, async (t) => {
  const { client, cluster, puppets } = await start(t, 2)
  const controller = new AbortController()
  const late = client.follow(QUESTION, { timeoutMs: 30 })
  const lateHeld = await puppets.nextOf('a', 'b')
  await late.settled
  for (const each of lateHeld) await each.finished.opened
  const cancelled = client.follow(QUESTION, { signal: controller.signal })
  const cancelledHeld = await puppets.nextOf('a', 'b')
  controller.abort()
  await cancelled.settled
  for (const each of cancelledHeld) await each.finished.opened
  const lost = client.follow(QUESTION)
  const lostHeld = await puppets.next('b')
  await cluster.stop('b', CRASH)
  await lostHeld.finished.opened
  ;(await puppets.next('a')).end()
  const record = await lost.settled
  assert.deepEqual(
    record.nodes.map(({ outcome, error }) => [outcome, error?.code]),
    [
      ['replied', undefined],
      ['failed', 'unavailable'],
    ],
  )
})

const Flood = service('streams.Flood', {
  items: quorumStream<{ count: number }, Uint8Array>(),
  call: rpc<object, string>(),
})

test(
  'a stream that nobody reads is bounded: resource_exhausted beyond itemsMax, and its server is told to stop',
  LIMIT,
  async (t) => {
    const stopped = new Tally()
    const cluster = await startCluster(t, 2, (server, nodeID) =>
      server.handle(Flood, {
        *items({ count }, context) {
          context.release()
          try {
            for (let item = 0; item < count; item++) yield new Uint8Array(10)
          } finally {
            stopped.add(nodeID)
          }
        },
        call: () => 'well',
      }),
    )
    const configuration = await cluster.connect({ limits: { itemsMax: 100 } })
    const unread = configuration.client(Flood).items({ count: Infinity })
    const iterated = configuration.client(Flood).items({ count: Infinity })
    const iterator = iterated[Symbol.asyncIterator]()
    await iterator.next()
    for (const call of [unread, iterated]) {
      const { nodes } = await call.settled
      for (const { error } of nodes) assert.deepEqual([error?.code, error?.executed], ['resource_exhausted', 'yes'])
    }
    await stopped.reached(4)
    await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
    let items = 1
    const failures: string[] = []
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
      if (step.value.error === undefined) items++
      else failures.push(step.value.error.code)
    }
    assert.ok(items <= 103, `${items} items were kept`)
    assert.deepEqual(failures, ['resource_exhausted', 'resource_exhausted'])
    assert.equal(await configuration.node('a').client(Flood).call({}), 'well')
  },
)

test('a reader that keeps up reads as many items as there are', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 2, (server) =>
    server.handle(Flood, {
      *items({ count }) {
        for (let item = 0; item < count; item++) yield new Uint8Array(10)
      },
    }),
  )
  let read = 0
  for await (const { error } of configuration.client(Flood).items({ count: 15_000 })) {
    assert.equal(error, undefined)
    read++
  }
  assert.equal(read, 30_000)
})

test('streams that were left disturb no other call of their connections', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const losses: string[] = []
  configuration.on('down', ({ id }) => void losses.push(id))
  for (let round = 0; round < 50; round++) {
    const stream = client.follow({ text: `stream ${round}` })
    const answer = client.ask({ text: `call ${round}` }).all()
    const iterator = stream[Symbol.asyncIterator]()
    const held = await puppets.nextOf('a', 'b', 'c')
    for (const each of held) for (let item = 0; item < 10; item++) each.item(`${each.request.text} ${item}`)
    assert.equal((await iterator.next()).value?.value, `stream ${round} 0`)
    await iterator.return?.()
    for (const each of await puppets.nextOf('a', 'b', 'c')) each.reply(each.request.text)
    assert.deepEqual([...(await answer).values()], new Array(3).fill(`call ${round}`))
  }
  await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
  assert.deepEqual(losses, [])
})

test('each item may have metadata of its own', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Flood, {
      *items(_, context) {
        context.replyMetadata.item = 'one'
        yield new Uint8Array(1)
        context.replyMetadata.item = 'two'
        yield new Uint8Array(2)
      },
    }),
  )
  const seen: unknown[] = []
  for await (const { metadata } of configuration.client(Flood).items({ count: 0 })) seen.push(metadata.item)
  assert.deepEqual(seen, ['one', 'two'])
})
