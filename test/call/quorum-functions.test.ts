// Quorum functions and pre-call adapters: what they are given, what they may give, and how they go together with declared
// quorum systems and per-node requests.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { multicast, QuorumError, quorum, quorumCall, quorumStream, type Replies, service } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { connectCluster, LIMIT, rejection } from './cluster.ts'
import { Puppet, Puppets, type Question } from './puppets.ts'

async function start(t: TestContextLike, count = 3) {
  const puppets = new Puppets()
  const { configuration } = await connectCluster(t, count, puppets.setup)
  return { puppets, configuration, client: configuration.client(Puppet) }
}

const QUESTION: Question = { text: 'what?' }

test(
  'a quorum function always gets the request that is sent, and the replies by the id of their sender',
  LIMIT,
  async (t) => {
    const { configuration, puppets } = await start(t)
    const seen: [Question, string[]][] = []
    const look = (replies: Replies<unknown>, request: Question): string | undefined => {
      seen.push([request, [...replies.keys()]])
      return replies.size === 3 ? 'enough' : undefined
    }
    const client = configuration.client(Puppet, {
      functions: { ask: look, follow: look },
      requests: { ask: (text: string) => ({ text }) },
    })
    const ends = [
      () => client.ask('adapted').reduce(look),
      () => client.ask('adapted').result(),
      () => client.follow({ text: 'adapted' }).result(),
    ]
    for (const end of ends) {
      const result = end()
      const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
      for (const [nodeID, held] of [
        ['b', b],
        ['a', a],
        ['c', c],
      ] as const) {
        const before = seen.length
        held!.reply(nodeID)
        held!.item(nodeID)
        if (nodeID !== 'c') while (seen.length === before) await new Promise((resolve) => setImmediate(resolve))
      }
      assert.equal(await result, 'enough')
      assert.deepEqual(seen.splice(0), [
        [{ text: 'adapted' }, ['b']],
        [{ text: 'adapted' }, ['b', 'a']],
        [{ text: 'adapted' }, ['b', 'a', 'c']],
      ])
    }
  },
)

test('a quorum function may give any type of result, and what is falsy is a result too', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  for (const value of [null, false, 0, '', Number.NaN, Symbol.for('s'), [], () => 1]) {
    const result = client.ask(QUESTION).reduce(() => value)
    for (const held of await puppets.nextOf('a', 'b', 'c')) held.reply(1)
    assert.equal(await result, value)
  }
})

test('the result of a declared function has its type', LIMIT, async (t) => {
  const { configuration, puppets } = await start(t)
  const client = configuration.client(Puppet, {
    quorum: quorum.majority(),
    functions: { ask: (replies) => (replies.size > 1 ? replies.size : undefined) },
  })
  const size: Promise<number> = client.ask(QUESTION).result()
  const replies: Promise<Replies<unknown>> = client.follow(QUESTION).result()
  // @ts-expect-error a number is no string
  const wrong: Promise<string> = client.ask(QUESTION).result()
  // @ts-expect-error nothing is declared for the call, so there is no result
  const nothing: Promise<number | string> = configuration.client(Puppet).ask(QUESTION).all()
  for (const nodeID of ['a', 'b', 'c']) {
    for (const held of await puppets.at(nodeID).reached(4)) {
      held.reply(1)
      held.item(1)
    }
  }
  assert.ok((await size) >= 2)
  assert.ok((await replies).size >= 2)
  await wrong
  await nothing
})

test('what a quorum function throws rejects the call as it is, once, and no other call', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const mine = new SyntaxError('mine')
  let runs = 0
  const failing = client.ask(QUESTION).reduce(() => {
    runs++
    throw mine
  })
  const other = client.ask(QUESTION).all()
  for (const nodeID of ['a', 'b', 'c']) for (const held of await puppets.at(nodeID).reached(2)) held.reply(1)
  assert.equal(await rejection(failing, SyntaxError), mine)
  assert.equal((await other).size, 3)
  assert.equal(runs, 1)
})

test(
  'a quorum function that returns a promise is a TypeError, also when it would be satisfied later',
  LIMIT,
  async (t) => {
    const { configuration, client, puppets } = await start(t)
    const later = async (): Promise<number> => 1
    const declared = configuration.client(Puppet, { functions: { ask: later } })
    const ends = [client.ask(QUESTION).reduce(later), declared.ask(QUESTION).result()]
    for (const nodeID of ['a', 'b', 'c']) for (const held of await puppets.at(nodeID).reached(2)) held.reply(1)
    for (const end of ends) assert.match((await rejection(end, TypeError)).message, /must not return a promise/)
  },
)

test(
  'a quorum function that is never satisfied ends when every node has answered or failed: impossible',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    const never = client.ask(QUESTION).reduce(() => undefined)
    const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
    a!.reply(1)
    b!.fail(new Error('no'))
    c!.reply(3)
    const error = await rejection(never, QuorumError<Replies<unknown>>)
    assert.equal(error.reason, 'impossible')
    assert.deepEqual([...error.replies.keys()].sort(), ['a', 'c'])
    assert.deepEqual([[...error.errors.keys()], error.pending], [['b'], []])
  },
)

test(
  'with a declared quorum, the function first runs when the quorum holds, and again until it is satisfied',
  LIMIT,
  async (t) => {
    const { configuration, puppets } = await start(t, 5)
    const sizes: number[] = []
    const client = configuration.client(Puppet, {
      quorum: { ask: quorum.threshold(3) },
      functions: {
        ask: (replies) => {
          sizes.push(replies.size)
          return replies.size === 5 ? 'all five' : undefined
        },
      },
    })
    const result = client.ask(QUESTION).result()
    for (const held of await puppets.nextOf('a', 'b', 'c', 'd', 'e')) held.reply(1)
    assert.equal(await result, 'all five')
    assert.deepEqual(sizes, [3, 4, 5])
  },
)

test('with a declared quorum, an impossible quorum ends the call and the function never runs', LIMIT, async (t) => {
  const { configuration, puppets } = await start(t)
  const client = configuration.client(Puppet, {
    quorum: quorum.majority(),
    functions: { ask: () => assert.fail('no quorum has replied') },
  })
  const result = client.ask(QUESTION).result()
  const reduced = client.ask(QUESTION).reduce(() => assert.fail('no quorum has replied'))
  const [a, b] = await puppets.nextOf('a', 'b', 'c')
  const [a2, b2] = await puppets.nextOf('a', 'b', 'c')
  for (const held of [b!, b2!]) held.reply('the only one')
  for (const held of [a!, a2!]) held.fail(new Error('no'))
  for (const held of await puppets.at('c').reached(2)) held.fail(new Error('no'))
  for (const end of [result, reduced]) assert.equal((await rejection(end, QuorumError)).reason, 'impossible')
})

test(
  'replies know the configuration that was called, for the next phase, and who has answered, failed and is silent',
  LIMIT,
  async (t) => {
    const { client, configuration, puppets } = await start(t, 4)
    const promised = client.ask({ text: 'prepare' }).threshold(2)
    const [a, b, c] = await puppets.nextOf('a', 'b', 'c', 'd')
    c!.fail(new Error('no'))
    b!.reply('promise of b')
    a!.reply('promise of a')
    const promises = await promised
    assert.deepEqual([...promises.keys()].sort(), ['a', 'b'])
    assert.equal(promises.get('a'), 'promise of a')
    assert.equal(promises.has('c'), false)
    assert.equal(promises.configuration, configuration)
    assert.deepEqual([...promises.pending, ...promises.errors.keys()].sort(), ['c', 'd'])
    const accepted = promises
      .configuration!.subset([...promises.keys()])
      .client(Puppet)
      .ask({ text: 'accept' })
      .all()
    for (const held of await puppets.nextOf('a', 'b')) held.reply(held.request.text)
    assert.deepEqual([...(await accepted).values()], ['accept', 'accept'])
  },
)

test('replies are a map in order of arrival, and do not change when stragglers answer', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const call = client.ask(QUESTION)
  const majority = call.majority()
  const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
  c!.reply(3)
  const settled = call.settled
  await new Promise((resolve) => setImmediate(resolve))
  b!.reply(2)
  const replies = await majority
  a!.reply(1)
  await settled
  assert.deepEqual(
    [...replies],
    [
      ['c', 3],
      ['b', 2],
    ],
  )
  assert.deepEqual([...replies.entries()], [...replies])
  assert.deepEqual(
    [[...replies.keys()], [...replies.values()]],
    [
      ['c', 'b'],
      [3, 2],
    ],
  )
  assert.deepEqual([replies.size, replies.get('a'), replies.pending, replies.errors.size], [2, undefined, ['a'], 0])
  const each: [string, unknown][] = []
  replies.forEach((value, nodeID) => void each.push([nodeID, value]))
  assert.deepEqual(each, [...replies])
})

test('the quorum system is a choice of the client: the servers do not know of it', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 4)
  const { read } = quorum.grid([
    ['a', 'b'],
    ['c', 'd'],
  ])
  const byRow = client.ask(QUESTION).quorum(read)
  const [a, b] = await puppets.nextOf('a', 'b', 'c', 'd')
  a!.reply(1)
  b!.reply(2)
  assert.deepEqual([...(await byRow).keys()].sort(), ['a', 'b'])
  const byMajority = client.ask(QUESTION).majority()
  const held = await puppets.nextOf('a', 'b', 'c', 'd')
  for (const each of held.slice(0, 3)) each.reply(1)
  assert.equal((await byMajority).size, 3)
})

interface Signed {
  readonly content: string
  readonly signature: string
}

const sign = (content: string): string => createHmac('sha256', 'a key').update(content).digest('hex')

const Vault = service('functions.Vault', {
  put: quorumCall<Signed, boolean>(),
  watch: quorumStream<Signed, boolean>(),
  spread: multicast<Signed>(),
})

test('an adapter takes one type from the application and sends another: signed values', LIMIT, async (t) => {
  const checked: string[] = []
  const check = ({ content, signature }: Signed): boolean => {
    assert.equal(signature, sign(content))
    checked.push(content)
    return true
  }
  const { configuration } = await connectCluster(t, 3, (server) =>
    server.handle(Vault, {
      put: check,
      *watch(request) {
        yield check(request)
      },
      spread: check,
    }),
  )
  let signatures = 0
  const adapt = (content: string): Signed => {
    signatures++
    return { content, signature: sign(content) }
  }
  const client = configuration.client(Vault, { requests: { put: adapt, watch: adapt, spread: adapt } })
  await client.put('by majority').all()
  for await (const { done } of client.watch('with levels').correctable()) if (done) break
  await client.spread('to everybody')
  // The per-node requests are made of what the adapter has made.
  await client
    .put('each its own', {
      perNode: ({ content }, { id }) => ({ content: `${content} ${id}`, signature: sign(`${content} ${id}`) }),
    })
    .all()
  assert.equal(signatures, 4)
  for (const content of ['by majority', 'to everybody', 'each its own a', 'each its own b', 'each its own c'])
    assert.ok(checked.includes(content), content)
})
