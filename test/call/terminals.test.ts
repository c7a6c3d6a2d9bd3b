// The ends of a quorum call: what each resolves and rejects with, and when; that there is one per call; that nobody has to
// wait for any.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer, type QuorumCall, QuorumError, quorum, RpcError } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { CRASH, connectCluster, LIMIT, rejection, thrown } from './cluster.ts'
import { Puppet, Puppets, type Question } from './puppets.ts'

async function start(t: TestContextLike, count = 3) {
  const puppets = new Puppets()
  const { cluster, configuration } = await connectCluster(t, count, puppets.setup)
  return { puppets, cluster, configuration, client: configuration.client(Puppet) }
}

const QUESTION: Question = { text: 'what?' }
type Ends = Readonly<Record<string, (call: QuorumCall<Question, unknown>) => unknown>>

/** Every way to use a call up. */
const ENDS: Ends = {
  majority: (call) => call.majority(),
  threshold: (call) => call.threshold(2),
  quorum: (call) => call.quorum(quorum.all()),
  all: (call) => call.all(),
  first: (call) => call.first(),
  matching: (call) => call.matching(2),
  reduce: (call) => call.reduce(() => undefined),
  iteration: (call) => call[Symbol.asyncIterator](),
  correctable: (call) => call.correctable(),
}

test('awaiting a quorum call is a type error and rejects with a hint', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 1)
  const call = client.ask(QUESTION)
  const error = await rejection(
    (async () => {
      // @ts-expect-error a quorum call is not a promise
      await call
    })(),
    TypeError,
  )
  assert.match(error.message, /not a promise.*majority\(\)/)
  const held = await puppets.next('a')
  held.reply(1)
  assert.equal((await call.majority()).get('a'), 1, 'the call is still there to be asked')
})

test('a second use of a call throws, whatever the first was, and the first goes on', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 2)
  for (const [name, first] of Object.entries(ENDS)) {
    for (const [other, second] of Object.entries(ENDS)) {
      const call = client.ask(QUESTION)
      void Promise.resolve(first(call)).catch(() => {})
      const { message } = thrown(() => second(call), TypeError)
      assert.match(message, /one terminal or one iteration/, `${other} after ${name}`)
    }
  }
  const call = client.ask(QUESTION)
  const replies = call.majority()
  assert.throws(() => call.all(), TypeError)
  const last = Object.keys(ENDS).length ** 2
  for (const nodeID of ['a', 'b']) (await puppets.at(nodeID).reached(last + 1))[last]!.reply(nodeID)
  assert.equal((await replies).size, 2)
})

test('a result that was asked for and that nobody waits for is no unhandled rejection', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const asked = Object.values(ENDS).map((end) => {
    const call = client.ask(QUESTION)
    end(call)
    return call
  })
  const unasked = [client.ask(QUESTION), client.follow(QUESTION), client.ask(QUESTION, { timeoutMs: 0 })]
  void configuration.node('a').client(Puppet).call(QUESTION, { timeoutMs: 0 })
  void client.tellAll(QUESTION, { timeoutMs: 0 })
  void client.follow(QUESTION).correctable().reached(3)
  const count = asked.length + 3
  for (const nodeID of ['a', 'b', 'c'])
    for (const held of await puppets.at(nodeID).reached(count)) held.fail(new Error('no'))
  for (const call of [...asked, ...unasked]) await call.settled
})

test(
  'an impossible majority rejects before slow nodes answer, and says who failed and who is silent',
  LIMIT,
  async (t) => {
    const { client, puppets } = await start(t)
    const call = client.ask(QUESTION)
    const replies = call.majority()
    const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
    a!.fail(new RpcError('not_found', 'none here'))
    b!.fail(new Error('broken'))
    const error = await rejection(replies, QuorumError)
    assert.equal(error.reason, 'impossible')
    assert.deepEqual([...error.errors].map(([id, { code }]) => [id, code]).sort(), [
      ['a', 'not_found'],
      ['b', 'internal'],
    ])
    assert.deepEqual(error.pending, ['c'])
    assert.equal((error.replies as { size: number }).size, 0)
    assert.match(error.message, /2 of 3.*a: not_found.*no answer: c/)
    assert.ok(error.cause instanceof RpcError)
    c!.reply('late')
    assert.equal((await call.settled).nodes[2]!.outcome, 'replied')
  },
)

test('every kind of quorum rejects as soon as it has become impossible', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 4)
  const grid = quorum.grid([
    ['a', 'b'],
    ['c', 'd'],
  ])
  const cases: readonly (readonly [string, string, (call: QuorumCall<Question, unknown>) => Promise<unknown>])[] = [
    ['all()', 'b', (call) => call.all()],
    ['threshold(3)', 'ab', (call) => call.threshold(3)],
    ['a row of a grid', 'bc', (call) => call.quorum(grid.read)],
    ['a column of a grid', 'ad', (call) => call.quorum(grid.write)],
    ['weights', 'a', (call) => call.quorum(quorum.weighted({ a: 3, b: 1, c: 1, d: 1 }, 4))],
    ['a Byzantine quorum', 'ab', (call) => call.quorum(quorum.byzantine())],
    ['matching(3)', 'ab', (call) => call.matching(3)],
    ['first()', 'abcd', (call) => call.first()],
  ]
  for (const [what, failing, end] of cases) {
    const promise = end(client.ask({ text: what }))
    const held = new Map([...'abcd'].map((id) => [id, puppets.next(id)]))
    for (const id of failing) (await held.get(id))!.fail(new Error('no'))
    const error = await rejection(promise, QuorumError)
    assert.equal(error.reason, 'impossible', what)
    assert.deepEqual([...error.errors.keys()].sort(), [...failing], what)
  }
})

test(
  'a server that nobody is connected to gets impossible when it calls its clients, and no exception',
  LIMIT,
  async (t) => {
    const server = createServer()
    t.after(() => server.close())
    const client = server.clients.client(Puppet)
    for (const ending of [
      client.ask(QUESTION).majority(),
      client.ask(QUESTION).all(),
      client.follow(QUESTION).correctable().reached(1),
      client.ask(QUESTION).reduce(() => undefined),
      client.tellAll(QUESTION),
    ]) {
      const error = await rejection(ending, QuorumError)
      assert.deepEqual([error.reason, error.errors.size, error.pending], ['impossible', 0, []])
    }
  },
)

test('matching replies: different ones make it impossible before the last has answered', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const unanimous = client.ask(QUESTION).matching(3)
  const [a, b] = await puppets.nextOf('a', 'b', 'c')
  a!.reply({ version: 1 })
  b!.reply({ version: 2 })
  const error = await rejection(unanimous, QuorumError)
  assert.deepEqual([error.reason, error.pending], ['impossible', ['c']])
})

test('matching replies are compared deeply, or as the caller says', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const deeply = client.ask(QUESTION).matching(2)
  const answers = [{ list: [1, { b: 2 }] }, { list: [1, { b: 3 }] }, { list: [1, { b: 2 }] }]
  for (const [position, held] of (await puppets.nextOf('a', 'b', 'c')).entries()) held.reply(answers[position])
  assert.deepEqual(await deeply, answers[0])
  const parity = client.ask(QUESTION).matching(2, (one, other) => Number(one) % 2 === Number(other) % 2)
  for (const [position, held] of (await puppets.nextOf('a', 'b', 'c')).entries()) held.reply([1, 2, 3][position])
  assert.equal(Number(await parity) % 2, 1)
})

test('first() passes over failures, and a reply may be undefined, null or false', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  for (const value of [undefined, null, false, 0, '']) {
    const first = client.ask(QUESTION).first()
    const equal = client.ask(QUESTION).matching(2)
    const [a, b, c] = await puppets.nextOf('a', 'b', 'c')
    a!.fail(new Error('no'))
    c!.reply(value)
    b!.reply(value)
    assert.deepEqual(await first, value)
    for (const held of await puppets.nextOf('a', 'b', 'c')) held.reply(value)
    assert.deepEqual(await equal, value)
  }
})

test('all() waits for every node that was contacted and not skipped', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const all = client.ask(QUESTION, { perNode: (request, { id }) => (id === 'b' ? undefined : request) }).all()
  const [c, a] = await puppets.nextOf('c', 'a')
  c!.reply(3)
  a!.reply(1)
  assert.deepEqual([...(await all).keys()].sort(), ['a', 'c'])
})

test('an end that is chosen late sees what had happened by then', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const fulfilled = Object.entries(ENDS).filter(([name]) => name !== 'reduce')
  for (const [name, end] of fulfilled) {
    const call = client.ask(QUESTION)
    for (const held of await puppets.nextOf('a', 'b', 'c')) held.reply('same')
    await call.settled
    const result = end(call)
    if (name === 'iteration') {
      const seen: unknown[] = []
      for await (const { nodeID } of { [Symbol.asyncIterator]: () => result as AsyncIterator<{ nodeID: string }> })
        seen.push(nodeID)
      assert.deepEqual(seen.sort(), ['a', 'b', 'c'])
    } else if (name === 'correctable') {
      const levels: number[] = []
      for await (const { level } of result as AsyncIterable<{ level: number }>) levels.push(level)
      assert.ok(levels.at(-1)! >= 2)
    } else assert.notEqual(await result, undefined, name)
  }
  const failed = client.ask(QUESTION)
  for (const held of await puppets.nextOf('a', 'b', 'c')) held.fail(new Error('no'))
  await failed.settled
  const error = await rejection(failed.majority(), QuorumError)
  assert.deepEqual([error.reason, error.errors.size], ['impossible', 3])
})

test('an end that is chosen after the deadline, an abort or close says so', LIMIT, async (t) => {
  const { client, configuration, puppets, cluster } = await start(t)
  const controller = new AbortController()
  const late = client.ask(QUESTION, { timeoutMs: 20 })
  const aborted = client.ask(QUESTION, { signal: controller.signal })
  const reason = new Error('changed my mind')
  controller.abort(reason)
  await late.settled
  await aborted.settled
  const closed = client.ask(QUESTION)
  const lost = client.ask(QUESTION)
  await puppets.at('a').reached(3)
  for (const nodeID of ['a', 'b']) await cluster.stop(nodeID, CRASH)
  assert.equal((await rejection(lost.majority(), QuorumError)).reason, 'impossible')
  await configuration.close()
  assert.equal((await rejection(late.majority(), QuorumError)).reason, 'deadline')
  const cancelled = await rejection(aborted.majority(), QuorumError)
  assert.deepEqual([cancelled.reason, cancelled.cause], ['cancelled', reason])
  assert.ok(['closed', 'impossible'].includes((await rejection(closed.majority(), QuorumError)).reason))
  const after = await rejection(client.ask(QUESTION).majority(), QuorumError)
  assert.equal(after.reason, 'closed')
  for (const { executed } of after.errors.values()) assert.equal(executed, 'no')
})

test('the record says what happened at each node, and when, in order; it never rejects', LIMIT, async (t) => {
  const { client, puppets } = await start(t)
  const call = client.ask(QUESTION, { perNode: (request, { id }) => (id === 'c' ? undefined : request) })
  const [a, b] = await puppets.nextOf('a', 'b')
  a!.reply(1)
  b!.fail(new RpcError('aborted', 'no'))
  const record = await call.settled
  assert.equal(record, await call.settled)
  assert.equal(record.method, 'test.Puppet/ask+msgpack')
  assert.deepEqual(
    record.nodes.map(({ nodeID, outcome, error }) => [nodeID, outcome, error?.code]),
    [
      ['a', 'replied', undefined],
      ['b', 'failed', 'aborted'],
      ['c', 'skipped', undefined],
    ],
  )
  for (const { writtenMs, answeredMs, outcome } of record.nodes) {
    if (outcome === 'skipped') assert.deepEqual([writtenMs, answeredMs], [undefined, undefined])
    else assert.ok(writtenMs! >= 0 && answeredMs! >= writtenMs!)
  }
})

test('a multicast that could not be given to every node says to whom it was, and to whom not', LIMIT, async (t) => {
  const { client, cluster, configuration } = await start(t)
  await cluster.stop('c')
  await configuration.waitFor(({ down }) => down.has('c'))
  const error = await rejection(client.tellAll(QUESTION), QuorumError)
  assert.equal(error.reason, 'impossible')
  assert.deepEqual([...error.errors.keys()], ['c'])
  assert.deepEqual([...(error.replies as ReadonlyMap<string, unknown>)].sort(), [
    ['a', undefined],
    ['b', undefined],
  ])
})
