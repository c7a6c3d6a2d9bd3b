// Deadlines and aborts: at every moment of a call, what its caller and its handler are told, and that nothing runs that was
// said not to run. Options of the wrong kind are in arguments.test.ts.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import {
  type Configuration,
  type Context,
  connect,
  createServer,
  QuorumError,
  quorumCall,
  quorumStream,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { TIMEOUT_BYTES, writeTimeout } from '../../src/wire/call-header.ts'
import { Kind } from '../../src/wire/frame.ts'
import { playNode } from '../net/played-node.ts'
import { frameOf, RawPeer } from '../net/raw-peer.ts'
import { VirtualRuntime } from '../net/virtual-runtime.ts'
import { aborted, CRASH, connectCluster, eventually, Gate, LIMIT, rejection, startCluster, Tally } from './cluster.ts'
import { type Held, Puppet, Puppets, type Question } from './puppets.ts'

async function start(t: TestContextLike, count = 3) {
  const puppets = new Puppets()
  const { cluster, configuration } = await connectCluster(t, count, puppets.setup)
  return { puppets, cluster, configuration, client: configuration.client(Puppet) }
}

const QUESTION: Question = { text: 'what?' }

/** Answers everything that the puppets are given from now on. */
async function answerNext(puppets: Puppets, ...nodeIDs: readonly string[]): Promise<readonly Held[]> {
  const held = await puppets.nextOf(...nodeIDs)
  for (const each of held) each.reply('well')
  return held
}

test('a deadline of 0 expires at once and sends nothing', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const single = configuration.node('a').client(Puppet)
  for (const failing of [
    single.call(QUESTION, { timeoutMs: 0 }),
    single.tell(QUESTION, { timeoutMs: 0 }),
    client.tellAll(QUESTION, { timeoutMs: 0 }),
    client.ask(QUESTION, { timeoutMs: 0 }).first(),
    client.follow(QUESTION, { timeoutMs: 0 }).correctable().reached(1),
  ]) {
    const error = await rejection(failing, Error)
    const causes = error instanceof QuorumError ? [...error.errors.values()] : [error as RpcError]
    if (error instanceof QuorumError) assert.equal(error.reason, 'deadline')
    for (const each of causes) assert.deepEqual([each.code, each.executed], ['deadline_exceeded', 'no'])
  }
  const after = single.call({ text: 'after' })
  const [first] = await answerNext(puppets, 'a')
  assert.equal(first!.request.text, 'after')
  await after
})

test('a call without end, and one with a deadline beyond every timer, do not expire', LIMIT, async (t) => {
  const { client, puppets } = await start(t, 1)
  for (const timeoutMs of [Infinity, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, 2 ** 31, 2 ** 32, 2 ** 53]) {
    const long = client.ask(QUESTION, { timeoutMs }).all()
    const [held] = await puppets.nextOf('a')
    // Timers that overflow fire on the next turns.
    const short = await rejection(client.ask(QUESTION, { timeoutMs: 5 }).all(), QuorumError)
    assert.equal(short.reason, 'deadline')
    await puppets.next('a')
    assert.equal(held!.context.signal.aborted, false)
    assert.ok(held!.context.remainingMs > 2 ** 30)
    held!.reply('at last')
    assert.equal((await long).get('a'), 'at last')
  }
})

test('fractions of a millisecond are a deadline too', LIMIT, async (t) => {
  const { client } = await start(t, 1)
  for (const timeoutMs of [0.5, 1e-9, Number.MIN_VALUE])
    assert.equal((await rejection(client.ask(QUESTION, { timeoutMs }).all(), QuorumError)).reason, 'deadline')
})

test('calls that do not say otherwise take the time of their configuration', LIMIT, async (t) => {
  // It answers nothing, not even that the time is over.
  const { address } = await playNode(t)
  const configuration = await connect({ a: address }, { callTimeoutMs: 30 })
  t.after(() => configuration.close())
  const error = await rejection(configuration.node('a').client(Puppet).call(QUESTION), RpcError)
  assert.deepEqual([error.code, error.nodeID], ['deadline_exceeded', 'a'])
  assert.notEqual(error.executed, 'no')
  assert.match(error.message, /30 ms/)
  const derived = configuration.sortBy().client(Puppet).ask(QUESTION)
  assert.equal((await rejection(derived.all(), QuorumError)).reason, 'deadline')
})

test('the deadline reaches the handler, and its signal fires with the reason', LIMIT, async (t) => {
  const Wait = service('deadlines.Wait', { tell: unicast<object>(), call: rpc<object, string>() })
  const contexts = new Tally<Context>()
  const wait = async (_: object, context: Context): Promise<never> => {
    contexts.add(context)
    throw await aborted(context.signal)
  }
  const { configuration } = await connectCluster(t, 1, (server) => server.handle(Wait, { tell: wait, call: wait }))
  const node = configuration.node('a').client(Wait)
  // Nothing cancels a one-way call: its deadline is all that ends it.
  await node.tell({}, { timeoutMs: 50 })
  const [told] = await contexts.reached(1)
  assert.ok(told!.deadline <= Date.now() + 50)
  assert.equal(((await aborted(told!.signal)) as RpcError).code, 'deadline_exceeded')
  assert.equal(told!.remainingMs, 0)
  // Of an RPC, its caller's cancel may come first.
  const error = await rejection(node.call({}, { timeoutMs: 50 }), RpcError)
  assert.equal(error.code, 'deadline_exceeded')
  const [, called] = await contexts.reached(2)
  assert.match(((await aborted(called!.signal)) as RpcError).code, /^(deadline_exceeded|cancelled)$/)
})

test('a call of a handler may pass on what is left of its own time', LIMIT, async (t) => {
  const { configuration: inner, puppets } = await start(t, 1)
  const Outer = service('deadlines.Outer', { relay: rpc<object, unknown>() })
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Outer, {
      relay: (_, context) => {
        context.release()
        const { remainingMs, signal } = context
        return inner.node('a').client(Puppet).call(QUESTION, { timeoutMs: remainingMs, signal })
      },
    }),
  )
  const outer = configuration.node('a').client(Outer).relay({}, { timeoutMs: 5_000 })
  const held = await puppets.next('a')
  assert.ok(held.context.remainingMs > 0 && held.context.remainingMs <= 5_000)
  held.reply('through')
  assert.equal(await outer, 'through')
  const controller = new AbortController()
  const cancelled = configuration.node('a').client(Outer).relay({}, { signal: controller.signal })
  const second = await puppets.next('a')
  controller.abort()
  assert.equal((await rejection(cancelled, RpcError)).code, 'cancelled')
  assert.equal(((await aborted(second.context.signal)) as RpcError).code, 'cancelled')
})

test(
  'time in a queue counts: a call that waits for a node that is down ends at its deadline, and was not sent',
  LIMIT,
  async (t) => {
    const { cluster } = await start(t)
    await cluster.stop('b', CRASH)
    const waiting = await cluster.connect({
      waitFor: ({ connected, down }) => connected.size + down.size === 3,
      whenDown: 'wait',
    })
    const error = await rejection(waiting.node('b').client(Puppet).call(QUESTION, { timeoutMs: 30 }), RpcError)
    assert.deepEqual([error.code, error.executed, error.nodeID], ['deadline_exceeded', 'no', 'b'])
    assert.match(error.message, /not sent/)
    assert.equal(waiting.node('b').pending, 0)
  },
)

const Lane = service('deadlines.Lane', { hold: rpc<object, string>(), note: rpc<{ text: string }, string>() })

/** A node whose lane can be held up. */
async function startLane(t: TestContextLike) {
  const started = new Tally<Gate>()
  const ran: string[] = []
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Lane, {
      hold: async () => {
        const gate = new Gate()
        started.add(gate)
        await gate.opened
        return 'held'
      },
      note: ({ text }) => {
        ran.push(text)
        return text
      },
    }),
  )
  return { node: configuration.node('a').client(Lane), started, ran, configuration }
}

test(
  'a request that has waited in its lane until its deadline, or was cancelled there, never starts',
  LIMIT,
  async (t) => {
    const { node, started, ran, configuration } = await startLane(t)
    const holding = node.hold({})
    const [gate] = await started.reached(1)
    const controller = new AbortController()
    const late = rejection(node.note({ text: 'late' }, { timeoutMs: 30 }), RpcError)
    const cancelled = rejection(node.note({ text: 'cancelled' }, { signal: controller.signal }), RpcError)
    const kept = node.note({ text: 'kept' })
    controller.abort()
    assert.equal((await cancelled).code, 'cancelled')
    assert.equal((await late).code, 'deadline_exceeded')
    // Both have been taken out of the lane when the server has answered their CANCELs.
    await eventually('two calls are left', () => configuration.node('a').pending === 2)
    gate!.open()
    assert.equal(await kept, 'kept')
    assert.equal(await holding, 'held')
    assert.deepEqual(ran, ['kept'])
  },
)

test('abort before: nothing is sent; while: the handler hears of it; after: nothing happens', LIMIT, async (t) => {
  const { client, configuration, puppets } = await start(t)
  const reason = new Error('changed my mind')
  const before = await rejection(client.ask(QUESTION, { signal: AbortSignal.abort(reason) }).majority(), QuorumError)
  assert.deepEqual([before.reason, before.cause], ['cancelled', reason])
  for (const { executed } of before.errors.values()) assert.equal(executed, 'no')

  const controller = new AbortController()
  const single = configuration.node('a').client(Puppet).call(QUESTION, { signal: controller.signal })
  const several = client.ask(QUESTION, { signal: controller.signal })
  const majority = several.majority()
  const held = [await puppets.next('a'), ...(await puppets.nextOf('a', 'b', 'c'))]
  held[1]!.reply('in time')
  await eventually('one reply is there', () => configuration.node('a').pending === 1)
  controller.abort(reason)
  const whileRunning = await rejection(single, RpcError)
  assert.deepEqual([whileRunning.code, whileRunning.executed, whileRunning.cause], ['cancelled', 'unknown', reason])
  const whole = await rejection(majority, QuorumError<Map<string, unknown>>)
  assert.deepEqual([whole.reason, [...whole.replies.keys()], whole.cause], ['cancelled', ['a'], reason])
  for (const each of [held[0]!, held[2]!, held[3]!])
    assert.equal(((await aborted(each.context.signal)) as RpcError).code, 'cancelled')

  const late = new AbortController()
  const done = client.ask(QUESTION, { signal: late.signal }).all()
  await answerNext(puppets, 'a', 'b', 'c')
  const replies = await done
  late.abort()
  assert.deepEqual([replies.size, replies.errors.size], [3, 0])
})

test('one signal may be given to any number of calls, and keeps none of them', LIMIT, async (t) => {
  const { node } = await startLane(t)
  const warnings: Error[] = []
  const warn = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warn)
  t.after(async () => void process.off('warning', warn))
  const { signal } = new AbortController()
  const calls = Array.from({ length: 200 }, (_, index) => node.note({ text: String(index) }, { signal }))
  await Promise.all(calls)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  const never = new AbortController()
  await rejection(node.hold({}, { signal: never.signal, timeoutMs: 5 }), RpcError)
  assert.equal(getEventListeners(never.signal, 'abort').length, 0)
  assert.deepEqual(warnings, [])
})

test('a late answer to a call that has ended is dropped, and reaches no later call', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Lane, {
      note: async ({ text }, context) => {
        context.release()
        await late.opened
        return text
      },
    }),
  )
  const late = new Gate()
  const node = configuration.node('a').client(Lane)
  for (let round = 0; round < 50; round++) await rejection(node.note({ text: 'late' }, { timeoutMs: 0.1 }), RpcError)
  const answered = Array.from({ length: 50 }, (_, index) => node.note({ text: `call ${index}` }))
  late.open()
  assert.deepEqual(
    await Promise.all(answered),
    answered.map((_, index) => `call ${index}`),
  )
  await eventually('no call is left', () => configuration.node('a').pending === 0)
})

/** A small generator of numbers below `bound`: the same for the same seed. */
function numbers(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

const Counted = service('deadlines.Counted', {
  run: rpc<{ id: number }, number>(),
  runAll: quorumCall<{ id: number }, number>(),
})

test(
  "executed: 'no' never ran and never will, 'yes' ran, whatever deadlines, aborts and crashes come between",
  LIMIT,
  async (t) => {
    const ran = new Map<string, Set<number>>()
    const cluster = await startCluster(t, 3, (server, nodeID) => {
      const set = ran.get(nodeID) ?? new Set()
      ran.set(nodeID, set)
      const run = async ({ id }: { id: number }): Promise<number> => {
        set.add(id)
        if (id % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
        if (id % 7 === 0) throw new RpcError('aborted', 'no')
        return id
      }
      server.handle(Counted, { run, runAll: run })
    })
    const configuration = await cluster.connect({ limits: { queueMaxBytes: 4_000 } })
    const claims: { nodeID: string; id: number; executed: string }[] = []
    const note = (id: number) => (error: unknown) => {
      const errors = error instanceof QuorumError ? [...error.errors.values()] : [error as RpcError]
      for (const { nodeID, executed } of errors) claims.push({ nodeID: nodeID!, id, executed })
    }
    await abuse(configuration, note, (round) => (round === 20 ? cluster.restart('b', CRASH) : undefined))
    // What was said not to run must not run later either: everything that is under way is answered first.
    await configuration.waitFor(({ connected }) => connected.size === 3)
    await configuration.client(Counted).runAll({ id: 1 }).all()
    const kinds = new Set(claims.map(({ executed }) => executed))
    assert.deepEqual([...kinds].sort(), ['no', 'unknown', 'yes'])
    for (const { nodeID, id, executed } of claims) {
      if (executed === 'no') assert.equal(ran.get(nodeID)!.has(id), false, `${id} ran at ${nodeID}`)
      if (executed === 'yes') assert.equal(ran.get(nodeID)!.has(id), true, `${id} did not run at ${nodeID}`)
    }
  },
)

/** Calls with deadlines and aborts of all kinds, 40 times 50 at once. */
async function abuse(
  configuration: Configuration,
  note: (id: number) => (error: unknown) => void,
  between: (round: number) => Promise<void> | undefined,
): Promise<void> {
  const below = numbers(7)
  const client = configuration.client(Counted)
  let id = 1
  for (let round = 0; round < 40; round++) {
    const crash = between(round)
    const calls = Array.from({ length: 50 }, () => {
      id++
      const controller = new AbortController()
      const timeoutMs = [0, 0.2, 1, 2_000][below(4)]!
      const options = { timeoutMs, signal: controller.signal }
      const node = configuration.nodes[below(3)]!.client(Counted)
      const call = below(2) === 0 ? node.run({ id }, options) : client.runAll({ id }, options).all()
      const when = below(4)
      if (when === 0) controller.abort()
      else if (when === 1) queueMicrotask(() => controller.abort())
      else if (when === 2) setImmediate(() => controller.abort())
      return call.then(() => {}, note(id))
    })
    await Promise.all([...calls, crash])
  }
}

test('a stream ends with the deadline of its caller, also when that has gone silent', LIMIT, async (t) => {
  const Items = service('deadlines.Items', { items: quorumStream<object, string>() })
  const runtime = new VirtualRuntime()
  const server = createServer({ nodeID: 'a', runtime })
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  let ended = ''
  server.handle(Items, {
    *items() {
      try {
        for (;;) yield 'x'.repeat(100_000)
      } finally {
        ended = `at ${runtime.now()}`
      }
    },
  })
  const { port } = await server.listen()
  const stream = runtime.connect(port)
  const peer = new RawPeer(stream, () => runtime.settle())
  await peer.handshake()
  const header = Buffer.alloc(TIMEOUT_BYTES)
  writeTimeout(header, 0, 500)
  const { methodID } = Items.bound.get('items')!
  peer.send(frameOf({ kind: Kind.request, msgID: 1, methodID, header, payload: Buffer.from([0x80]) }))
  // From here on it takes nothing.
  stream.other!.isTaking = false
  await runtime.settle()
  const due = runtime.now() + 500
  await runtime.advance(499)
  assert.equal(ended, '')
  await runtime.advance(1)
  assert.equal(ended, `at ${due}`)
})
