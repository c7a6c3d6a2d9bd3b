// Correctables: one implementation for plain and streaming quorum calls. Levels count distinct members and only rise; who
// stops listening, stops the servers of a stream.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Correctable, type Level, QuorumError, type Replies } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { aborted, connectCluster, eventually, LIMIT, rejection, Tally } from './cluster.ts'
import { type Held, Puppet, Puppets, type Question } from './puppets.ts'

async function start(t: TestContextLike, count = 3) {
  const puppets = new Puppets()
  const { configuration } = await connectCluster(t, count, puppets.setup)
  return { puppets, configuration, client: configuration.client(Puppet) }
}

const QUESTION: Question = { text: 'what?' }
const NODES = ['a', 'b', 'c'] as const

/** Reads levels as they come. */
function read<R>(correctable: Correctable<R>): { seen: Tally<Level<R>>; over: Promise<void> } {
  const seen = new Tally<Level<R>>()
  const over = (async () => {
    for await (const level of correctable) seen.add(level)
  })()
  return { seen, over }
}

for (const kind of ['plain', 'streaming'] as const) {
  const call = (client: Awaited<ReturnType<typeof start>>['client'], timeoutMs = 10_000) =>
    kind === 'plain' ? client.ask(QUESTION, { timeoutMs }) : client.follow(QUESTION, { timeoutMs })
  const answer = (held: Held, value: unknown): void => (kind === 'plain' ? held.reply(value) : held.item(value))

  test(
    `one correctable for both: levels of a ${kind} call rise with each node, done at a majority`,
    LIMIT,
    async (t) => {
      const { client, puppets } = await start(t, 5)
      const correctable = call(client).correctable()
      assert.equal(correctable.current === undefined, true)
      const { seen, over } = read(correctable)
      const held = await puppets.nextOf('a', 'b', 'c', 'd', 'e')
      for (const [position, each] of held.slice(0, 3).entries()) {
        answer(each, `from ${each.request.text}`)
        await seen.reached(position + 1)
        assert.equal(correctable.current?.level, position + 1)
      }
      await over
      assert.deepEqual(
        seen.seen.map(({ level, done, value }) => [level, done, value.size]),
        [
          [1, false, 1],
          [2, false, 2],
          [3, true, 3],
        ],
      )
    },
  )

  test(
    `a ${kind} correctable ends with impossible at once when everyone has ended or failed without the last level`,
    LIMIT,
    async (t) => {
      const { client, puppets, configuration } = await start(t)
      const correctable = call(client).correctable()
      const { seen, over } = read(correctable)
      const third = rejection(correctable.reached(2), QuorumError)
      const failing = rejection(over, QuorumError<Replies<unknown>>)
      const [a, b, c] = await puppets.nextOf(...NODES)
      answer(a!, 'one')
      await seen.reached(1)
      a!.end()
      b!.fail(new Error('no'))
      c!.fail(new Error('no'))
      const error = await failing
      assert.deepEqual(
        [error.reason, [...error.errors.keys()].sort(), [...error.replies.keys()]],
        ['impossible', ['b', 'c'], ['a']],
      )
      assert.equal((await third).reason, 'impossible')
      assert.equal(correctable.current?.level, 1)
      assert.equal((await correctable.reached(1)).level, 1)
      await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
    },
  )

  test(`a ${kind} correctable ends at its deadline, with what it had`, LIMIT, async (t) => {
    const { client, puppets } = await start(t)
    const correctable = call(client, 100).correctable()
    const failing = rejection(read(correctable).over, QuorumError)
    answer((await puppets.nextOf(...NODES))[0]!, 'one')
    await correctable.reached(1)
    assert.equal((await failing).reason, 'deadline')
    assert.equal(correctable.current?.level, 1)
    assert.equal((await rejection(correctable.reached(2), QuorumError)).reason, 'deadline')
  })

  test(
    `a function decides the levels of a ${kind} call: the latest replies, the request, and what it said last`,
    LIMIT,
    async (t) => {
      const { client, puppets } = await start(t)
      const told: unknown[] = []
      const correctable = call(client).correctable<string>((replies, request, last) => {
        told.push([[...replies.values()].join(), request, last?.level])
        const level = Math.max(...[...replies.values()].map(Number))
        return level < 0 ? undefined : { value: `best ${level}`, level, done: level >= 10 }
      })
      const { seen, over } = read(correctable)
      const [a, b, c] = await puppets.nextOf(...NODES)
      const levels = [-1, 3, 10]
      for (const [position, each] of [a!, b!, c!].entries()) {
        answer(each, levels[position])
        if (levels[position]! > 0) await correctable.reached(levels[position]!)
        else await eventually('it was asked', () => told.length === 1)
      }
      await over
      assert.deepEqual(told, [
        ['-1', QUESTION, undefined],
        ['-1,3', QUESTION, undefined],
        ['-1,3,10', QUESTION, 3],
      ])
      assert.deepEqual(seen.seen, [
        { value: 'best 3', level: 3, done: false },
        { value: 'best 10', level: 10, done: true },
      ])
    },
  )

  test(`what the function of a ${kind} correctable throws, its readers get`, LIMIT, async (t) => {
    const { client, puppets } = await start(t)
    const mine = new SyntaxError('mine')
    const correctable = call(client).correctable(() => {
      throw mine
    })
    const reading = rejection(read(correctable).over, SyntaxError)
    const waiting = rejection(correctable.reached(1), SyntaxError)
    answer((await puppets.nextOf(...NODES))[0]!, 1)
    assert.deepEqual([await reading, await waiting], [mine, mine])
  })
}

test('a chatty node alone never reaches the level of a majority, and does not raise its own', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const items = new Tally<unknown>()
  const correctable = client.follow(QUESTION, { onReply: items.add }).correctable()
  const { seen, over } = read(correctable)
  const [a, b] = await puppets.nextOf(...NODES)
  for (let item = 0; item < 100; item++) a!.item(item)
  await items.reached(100)
  await seen.reached(1)
  assert.deepEqual([correctable.current?.level, seen.seen.length], [1, 1])
  b!.item('another')
  await over
  assert.deepEqual(
    seen.seen.map(({ level }) => level),
    [1, 2],
  )
})

test('a function sees the latest item of each node, and levels never fall', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const items = new Tally<unknown>()
  const sum = (replies: Replies<unknown>): Level<number> => {
    const level = [...replies.values()].reduce<number>((total, value) => total + Number(value), 0)
    return { value: level, level, done: level >= 100 }
  }
  const correctable = client.follow(QUESTION, { onReply: items.add }).correctable(sum)
  const { seen, over } = read(correctable)
  const [a, b] = await puppets.nextOf(...NODES)
  a!.item(5)
  await seen.reached(1)
  a!.item(1)
  await items.reached(2)
  b!.item(3)
  await items.reached(3)
  assert.equal(correctable.current?.level, 5, 'one and three are less than five')
  a!.item(7)
  await seen.reached(2)
  b!.item(93)
  await over
  assert.deepEqual(
    seen.seen.map(({ level }) => level),
    [5, 10, 100],
  )
})

test(
  'the values of a correctable have the type that its function gives them, also when it reads the last',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    const counted = client.ask(QUESTION).correctable((replies) => ({ value: replies.size, level: 1, done: true }))
    const added = client.ask(QUESTION).correctable<number>((replies, _request, last) => {
      return { value: replies.size + (last?.value ?? 0), level: replies.size, done: replies.size === 2 }
    })
    // It compiles without a word on the type of its values, which is then unknown.
    const untold = client.ask(QUESTION).correctable((replies, _request, last) => {
      return { value: [replies.size, last], level: 1, done: true }
    })
    for (const nodeID of ['a', 'b']) for (const held of await puppets.at(nodeID).reached(3)) held.reply(1)
    const one: number = (await counted.reached(1)).value
    const sum: number = (await added.reached(2)).value
    assert.deepEqual([one, sum, (await untold.reached(1)).value], [1, 3, [1, undefined]])
  },
)

test('a slow reader sees the latest level, not all of them', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 5)
  const correctable = client.ask(QUESTION).correctable((replies) => ({
    value: replies.size,
    level: replies.size,
    done: replies.size === 5,
  }))
  const levels: number[] = []
  const held = await puppets.nextOf('a', 'b', 'c', 'd', 'e')
  held[0]!.reply(1)
  for await (const { level } of correctable) {
    levels.push(level)
    if (level > 1) continue
    for (const each of held) each.reply(1)
    await correctable.reached(5)
  }
  assert.deepEqual(levels, [1, 5])
})

test('reached() resolves with the first value at a level or above, at once when it is there', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const correctable = client.ask(QUESTION).correctable((replies) => ({
    value: [...replies.keys()],
    level: replies.size * 10,
    done: replies.size === 3,
  }))
  const fifteen = correctable.reached(15)
  const thirty = correctable.reached(30)
  const never = rejection(correctable.reached(31), QuorumError)
  for (const held of await puppets.nextOf(...NODES)) held.reply(1)
  assert.equal((await fifteen).level, 20)
  assert.deepEqual((await thirty).level, 30)
  assert.equal((await thirty).done, true)
  assert.equal((await correctable.reached(1)).level, 30)
  const error = await never
  assert.equal(error.reason, 'impossible')
  assert.match(error.message, /31.*30/)
})

test('who leaves the loop over a streaming correctable stops the servers, and nothing is pending', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const correctable = client.follow(QUESTION).correctable()
  const reading = (async () => {
    for await (const { level } of correctable) return level
    return undefined
  })()
  const held = await puppets.nextOf(...NODES)
  held[0]!.item(1)
  assert.equal(await reading, 1)
  for (const each of held) {
    await aborted(each.context.signal)
    await each.finished.opened
  }
  await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
})

test('the last level stops the servers of a stream', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const correctable = client.follow(QUESTION).correctable()
  const held = await puppets.nextOf(...NODES)
  for (const each of held.slice(1)) each.item(1)
  assert.equal((await correctable.reached(2)).done, true)
  for (const each of held) await each.finished.opened
  await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
})

test(
  'stragglers of a plain correctable go on when it is done or left, unless they are to be cancelled',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    for (const stragglers of ['continue', 'cancel'] as const) {
      const call = client.ask(QUESTION, { stragglers })
      const correctable = call.correctable()
      const [a, b, c] = await puppets.nextOf(...NODES)
      a!.reply(1)
      b!.reply(1)
      assert.equal((await correctable.reached(2)).done, true)
      if (stragglers === 'cancel') await aborted(c!.context.signal)
      c!.reply(1)
      const { nodes } = await call.settled
      assert.equal(nodes[2]!.outcome, stragglers === 'continue' ? 'replied' : 'failed', stragglers)
    }
    const left = client.ask(QUESTION)
    const [a, b, c] = await puppets.nextOf(...NODES)
    a!.reply(1)
    for await (const _ of left.correctable()) break
    for (const each of [b!, c!]) each.reply(1)
    for (const { outcome } of (await left.settled).nodes) assert.equal(outcome, 'replied')
  },
)

test('a view counts its levels by the members: contacts that are too few never finish', LIMIT, async (t) => {
  const { configuration, puppets } = await start(t, 5)
  const correctable = configuration.subset(['a', 'b']).client(Puppet).follow(QUESTION).correctable()
  for (const each of await puppets.nextOf('a', 'b')) {
    each.item(1)
    each.end()
  }
  const error = await rejection(read(correctable).over, QuorumError)
  assert.equal(error.reason, 'impossible')
  assert.deepEqual([correctable.current?.level, correctable.current?.done], [2, false])
})

test('the replies that a level of a stream was made of stay as they were', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const correctable = client.follow(QUESTION).correctable<Replies<unknown>>((replies) => {
    const level = Math.max(...[...replies.values()].map(Number))
    return { value: replies, level, done: level === 3 }
  })
  const { seen, over } = read(correctable)
  const [a, b] = await puppets.nextOf(...NODES)
  a!.item(1)
  await seen.reached(1)
  a!.item(2)
  await seen.reached(2)
  b!.item(3)
  await over
  assert.deepEqual(
    seen.seen.map(({ value }) => [[...value], [...value.keys()], value.get('a'), value.has('b')]),
    [
      [[['a', 1]], ['a'], 1, false],
      [[['a', 2]], ['a'], 2, false],
      [
        [
          ['a', 2],
          ['b', 3],
        ],
        ['a', 'b'],
        2,
        true,
      ],
    ],
  )
})
