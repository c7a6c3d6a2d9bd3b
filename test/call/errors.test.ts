// Truth about failures of handlers and requests: what goes wrong in one call fails that call, with the code, the node and
// whether it ran; every other call of the same connection goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Configuration,
  type Context,
  type Logger,
  multicast,
  QuorumError,
  quorumCall,
  quorumStream,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import { startLocalCluster } from 'gorums/testing'
import {
  connectCluster,
  eventually,
  type Handling,
  LIMIT,
  rejection,
  startCluster,
  Tally,
  untilAborted,
} from './cluster.ts'

interface Job {
  readonly what: string
}

const Work = service('errors.Work', {
  call: rpc<Job, unknown>(),
  ask: quorumCall<Job, unknown>(),
  follow: quorumStream<Job, unknown>(),
  tell: unicast<Job>(),
  tellAll: multicast<Job>(),
  missing: rpc<Job, unknown>(),
})

/** What handlers do, by name. */
const DEEDS: Readonly<Record<string, (context: Context) => unknown>> = {
  answer: () => 'well',
  throws: () => {
    throw new Error('a secret of the server')
  },
  rejects: () => Promise.reject(new Error('a secret of the server')),
  'throws a string': () => {
    throw 'a secret of the server'
  },
  'throws undefined': () => {
    throw undefined
  },
  'rejects with null': () => Promise.reject(null),
  'throws an object': () => {
    throw { code: 'not_found', message: 'a secret of the server' }
  },
  'answers what can not be encoded': () => ({ callback: () => 1 }),
  'promises what can not be encoded': async () => new Map(),
  'throws its own RpcError': () => {
    throw new RpcError('failed_precondition', 'the store is read-only', {
      metadata: { hint: 'try b', binary: new Uint8Array([1, 2]) },
    })
  },
  'rejects with its own RpcError': () =>
    Promise.reject(new RpcError('failed_precondition', 'the store is read-only', { metadata: { hint: 'try b' } })),
  'throws the RpcError of another node': () => {
    throw new RpcError('not_found', 'a secret of the other', { nodeID: 'other', executed: 'no' })
  },
  'throws with reply metadata': (context) => {
    context.replyMetadata.epoch = '7'
    throw new RpcError('aborted', 'stale', { metadata: { hint: 'reload' } })
  },
  'claims not to have run': () => {
    throw new RpcError('aborted', 'a handler can not say that it did not run', { executed: 'no' })
  },
  'misses a deadline of its own': () => {
    throw new RpcError('deadline_exceeded', 'the disk took too long')
  },
  'never settles': (context) => {
    context.release()
    return new Promise(() => {})
  },
  'ends with its caller': (context) => untilAborted(context),
}

function work(server: Handling): void {
  const run = ({ what }: Job, context: Context): unknown => DEEDS[what]!(context)
  server.handle(Work, {
    call: run,
    ask: run,
    tell: run,
    tellAll: run,
    async *follow({ what }, context) {
      yield 'first'
      yield await run({ what }, context)
    },
  })
}

/** The same connection still works, and has always been there. */
async function worksOn(configuration: Configuration, losses: readonly unknown[] = []): Promise<void> {
  assert.equal(await configuration.nodes[0]!.client(Work).call({ what: 'answer' }), 'well')
  assert.deepEqual(losses, [])
  assert.equal(configuration.nodes[0]!.lastError, undefined)
}

for (const what of [
  'throws',
  'rejects',
  'throws a string',
  'throws undefined',
  'rejects with null',
  'throws an object',
  'throws the RpcError of another node',
]) {
  test(`a handler that ${what} fails only its call: internal, without its text`, LIMIT, async (t) => {
    const { configuration } = await connectCluster(t, 1, work)
    const held = configuration.node('a').client(Work).call({ what: 'ends with its caller' }, { timeoutMs: 200 })
    const error = await rejection(configuration.node('a').client(Work).call({ what }), RpcError)
    assert.equal(error.code, 'internal')
    assert.equal(error.nodeID, 'a')
    assert.equal(error.executed, 'yes')
    assert.doesNotMatch(error.message, /secret/)
    assert.match(error.message, /errors\.Work\/call/)
    assert.doesNotMatch(String(error.stack), /secret/)
    await worksOn(configuration)
    assert.equal((await rejection(held, RpcError)).code, 'deadline_exceeded')
  })
}

for (const what of ['answers what can not be encoded', 'promises what can not be encoded']) {
  test(`a handler that ${what} fails only its call: internal`, LIMIT, async (t) => {
    const { configuration } = await connectCluster(t, 1, work)
    const error = await rejection(configuration.node('a').client(Work).call({ what }), RpcError)
    assert.deepEqual([error.code, error.executed], ['internal', 'yes'])
    await worksOn(configuration)
  })
}

for (const what of ['throws its own RpcError', 'rejects with its own RpcError']) {
  test(
    `errors carry a code, a message and the node: a handler that ${what} sends code, text and metadata`,
    LIMIT,
    async (t) => {
      const { configuration } = await connectCluster(t, 3, work)
      const error = await rejection(configuration.node('b').client(Work).call({ what }), RpcError)
      assert.deepEqual([error.code, error.nodeID, error.executed], ['failed_precondition', 'b', 'yes'])
      assert.match(error.message, /the store is read-only/)
      assert.equal(error.metadata.hint, 'try b')
      const whole = await rejection(configuration.client(Work).ask({ what }).majority(), QuorumError)
      assert.equal(whole.reason, 'impossible')
      for (const [nodeID, each] of whole.errors)
        assert.deepEqual([each.code, each.nodeID, each.metadata.hint], ['failed_precondition', nodeID, 'try b'])
    },
  )
}

test('bytes in the metadata of an error arrive', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, work)
  const error = await rejection(
    configuration.node('a').client(Work).call({ what: 'throws its own RpcError' }),
    RpcError,
  )
  assert.deepEqual([...(error.metadata.binary as Uint8Array)], [1, 2])
})

test('reply metadata travels with an error, beside the metadata of the error itself', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, work)
  const error = await rejection(
    configuration.node('a').client(Work).call({ what: 'throws with reply metadata' }),
    RpcError,
  )
  assert.deepEqual({ ...error.metadata }, { epoch: '7', hint: 'reload' })
})

test('a handler can not claim that it has not run', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, work)
  const error = await rejection(configuration.node('a').client(Work).call({ what: 'claims not to have run' }), RpcError)
  assert.deepEqual([error.code, error.executed], ['aborted', 'yes'])
})

test(
  'a handler that passes on the error of a node that it has called itself sends internal without its text',
  LIMIT,
  async (t) => {
    const inner = await startCluster(t, 1, work)
    const nodes = await inner.connect()
    const Outer = service('errors.Outer', { relay: rpc<object, unknown>() })
    const { configuration } = await connectCluster(t, 1, (server) =>
      server.handle(Outer, {
        relay: (_, context) => {
          context.release()
          return nodes.node('a').client(Work).call({ what: 'throws its own RpcError' })
        },
      }),
    )
    const error = await rejection(configuration.node('a').client(Outer).relay({}), RpcError)
    assert.equal(error.code, 'internal')
    assert.equal(error.nodeID, 'a')
    assert.doesNotMatch(error.message, /read-only/)
    assert.deepEqual({ ...error.metadata }, {})
  },
)

test(
  "handlers that miss deadlines of their own make a quorum impossible: the call's deadline has not passed",
  LIMIT,
  async (t) => {
    const { configuration } = await connectCluster(t, 3, work)
    const job = { what: 'misses a deadline of its own' }
    const client = configuration.client(Work)
    for (const ending of [
      client.ask(job).majority(),
      client.ask(job).reduce(() => undefined),
      client.ask(job).correctable().reached(2),
    ]) {
      const error = await rejection(ending, QuorumError)
      assert.equal(error.reason, 'impossible')
      assert.doesNotMatch(error.message, /within 10000 ms/)
      assert.equal(error.errors.get('a')?.code ?? error.errors.get('b')?.code, 'deadline_exceeded')
    }
  },
)

test('a handler that never settles costs its own caller the deadline, and nobody else anything', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 3, work)
  const stuck = configuration.client(Work).ask({ what: 'never settles' }, { timeoutMs: 100 }).majority()
  for (let round = 0; round < 5; round++)
    assert.equal((await configuration.client(Work).ask({ what: 'answer' }).all()).size, 3)
  const error = await rejection(stuck, QuorumError)
  assert.equal(error.reason, 'deadline')
  for (const { executed } of error.errors.values()) assert.equal(executed, 'unknown')
  await worksOn(configuration)
})

test(
  'an unknown method, and a method without a handler, answer unimplemented with the name, and did not run',
  LIMIT,
  async (t) => {
    const { configuration } = await connectCluster(t, 1, work)
    const Stranger = service('errors.Stranger', { call: rpc<Job, unknown>(), tell: unicast<Job>() })
    const missing = await rejection(configuration.node('a').client(Work).missing({ what: '' }), RpcError)
    assert.deepEqual([missing.code, missing.executed, missing.nodeID], ['unimplemented', 'no', 'a'])
    assert.match(missing.message, /errors\.Work\/missing/)
    const unknown = await rejection(configuration.node('a').client(Stranger).call({ what: '' }), RpcError)
    assert.deepEqual([unknown.code, unknown.executed], ['unimplemented', 'no'])
    await configuration.node('a').client(Stranger).tell({ what: 'nobody hears it' })
    await worksOn(configuration)
  },
)

test(
  'a one-way handler that fails is logged at the server, and nothing happens to its connection',
  LIMIT,
  async (t) => {
    const logged = new Tally()
    const logger: Logger = { error: (message) => logged.add(message) }
    const cluster = await startCluster(t, 1, work, { server: { logger } })
    const configuration = await cluster.connect()
    await configuration.node('a').client(Work).tell({ what: 'throws' })
    await configuration.client(Work).tellAll({ what: 'rejects' })
    assert.match((await logged.reached(2)).join(), /errors\.Work\/tell\+.*errors\.Work\/tellAll\+/)
    await worksOn(configuration)
  },
)

test('a stream that throws ends with its error behind its items', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, work)
  const seen: unknown[] = []
  for await (const { value, error } of configuration.client(Work).follow({ what: 'throws its own RpcError' }))
    seen.push(error === undefined ? value : [error.code, error.executed])
  assert.deepEqual(seen, ['first', ['failed_precondition', 'yes']])
  await worksOn(configuration)
})

test('a streaming handler that returns no iterable fails only its call', LIMIT, async (t) => {
  const Wrong = service('errors.Wrong', { follow: quorumStream<object, number>() })
  const { configuration } = await connectCluster(t, 1, (server) => {
    work(server)
    server.handle(Wrong, { follow: () => 5 as never })
  })
  const error = await rejection(configuration.client(Wrong).follow({}).first(), QuorumError)
  assert.equal(error.errors.get('a')?.code, 'internal')
  await worksOn(configuration)
})

test('metadata of a reply that is not allowed fails only its call', LIMIT, async (t) => {
  const Odd = service('errors.Meta', { call: rpc<{ key: string; value: string }, number>() })
  const { configuration } = await connectCluster(t, 1, (server) => {
    work(server)
    server.handle(Odd, {
      call: ({ key, value }, context) => {
        context.replyMetadata[key] = value
        return 1
      },
    })
  })
  const client = configuration.node('a').client(Odd)
  assert.equal((await rejection(client.call({ key: 'Bad Key', value: '' }), RpcError)).code, 'internal')
  assert.equal((await rejection(client.call({ key: 'k', value: 'x'.repeat(9_000) }), RpcError)).code, 'internal')
  assert.equal(await client.call({ key: 'good', value: 'x' }), 1)
  await worksOn(configuration)
})

test('what a response hook throws, the caller gets, and nobody else', LIMIT, async (t) => {
  let fails = true
  const { configuration } = await connectCluster(t, 3, work, {
    interceptors: [
      () => ({
        response: (response) => {
          if (fails) throw new SyntaxError('a hook failed')
          return response
        },
      }),
    ],
  })
  const error = await rejection(configuration.node('a').client(Work).call({ what: 'answer' }), RpcError)
  assert.deepEqual([error.code, error.executed, error.nodeID], ['internal', 'yes', 'a'])
  assert.ok(error.cause instanceof SyntaxError)
  const other = configuration.client(Work).ask({ what: 'answer' }, { timeoutMs: 2_000 })
  const whole = await rejection(other.majority(), QuorumError)
  assert.equal(whole.reason, 'impossible')
  for (const each of whole.errors.values()) assert.ok(each.cause instanceof SyntaxError)
  await other.settled
  fails = false
  await eventually('no call is left', () => configuration.nodes.every(({ pending }) => pending === 0))
  await worksOn(configuration)
})

test(
  'what onReply throws is an uncaught exception, and disturbs neither its call nor the answers behind it',
  LIMIT,
  async (t) => {
    const cluster = await startLocalCluster(1, work)
    t.after(() => cluster.close())
    const configuration = await cluster.connect({ waitFor: 'all' })
    const uncaught = new Tally<unknown>()
    process.setUncaughtExceptionCaptureCallback(uncaught.add)
    t.after(async () => process.setUncaughtExceptionCaptureCallback(null))
    const onReply = (): never => {
      throw new SyntaxError('a callback failed')
    }
    // All answers come in one chunk: those behind the first must not be lost with it.
    const called = configuration.client(Work).ask({ what: 'answer' }, { onReply })
    const behind = Array.from({ length: 10 }, () => configuration.node('a').client(Work).call({ what: 'answer' }))
    assert.deepEqual(await Promise.all(behind), new Array(10).fill('well'))
    assert.equal((await called.majority()).size, 1)
    assert.equal((await called.settled).nodes[0]!.outcome, 'replied')
    assert.ok((await uncaught.reached(1))[0] instanceof SyntaxError)
    assert.equal(configuration.nodes[0]!.pending, 0)
    await worksOn(configuration)
  },
)

test('why a caller has cancelled is told without a stack, and errors made afterwards have theirs', LIMIT, async (t) => {
  const reasons = new Tally<RpcError>()
  const started = new Tally()
  const Wait = service('errors.Wait', { hold: rpc<object, string>() })
  const { configuration } = await connectCluster(t, 1, (server) =>
    server.handle(Wait, {
      hold: async (_, context) => {
        started.add('hold')
        return await untilAborted(context).catch((reason) => {
          reasons.add(reason as RpcError)
          throw reason
        })
      },
    }),
  )
  const limit = Error.stackTraceLimit
  const abort = new AbortController()
  const call = configuration.node('a').client(Wait).hold({}, { signal: abort.signal })
  const failure = rejection(call, RpcError)
  await started.reached(1)
  abort.abort()
  await failure
  await reasons.reached(1)
  const [reason] = reasons.seen
  assert.deepEqual([reason!.code, reason!.message], ['cancelled', 'errors.Wait/hold+msgpack: the caller has cancelled'])
  assert.doesNotMatch(reason!.stack ?? '', /\n\s+at /)
  assert.equal(Error.stackTraceLimit, limit)
  assert.match(new RpcError('aborted', 'a stack').stack!, /\n\s+at /)
})

test(
  'errors that nodes and deadlines bring about have no stack, which would show how bytes are read',
  LIMIT,
  async (t) => {
    const { configuration } = await connectCluster(t, 3, work)
    const client = configuration.client(Work)
    const limit = Error.stackTraceLimit
    const told = await rejection(client.ask({ what: 'throws its own RpcError' }).majority(), QuorumError)
    const late = await rejection(client.ask({ what: 'answer' }, { timeoutMs: 0 }).majority(), QuorumError)
    const errors = [told, ...told.errors.values(), late, ...late.errors.values()]
    assert.ok(told.errors.size >= 2 && late.errors.size === 3)
    for (const error of errors) assert.doesNotMatch(error.stack ?? '', /\n\s+at /)
    assert.equal(Error.stackTraceLimit, limit)
  },
)
