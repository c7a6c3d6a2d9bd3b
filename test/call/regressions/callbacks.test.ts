// User code that throws where nobody waits for it (hooks, listeners), or in a place where the framework did not expect it
// (iterators, thenables): it disturbs nothing but its own call, and is seen as an uncaught exception.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type Configuration,
  type ConnectOptions,
  connect,
  multicast,
  quorumCall,
  quorumStream,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import { type LocalCluster, startLocalCluster } from 'gorums/testing'
import { addressesOf, CRASH, connectCluster, type Handling, LIMIT, rejection, Tally, untilAborted } from '../cluster.ts'

const Work = service('regressions.Callbacks', {
  call: rpc<string, unknown>(),
  hang: rpc<string, string>(),
  ask: quorumCall<string, string>(),
  follow: quorumStream<string, string>(),
  tell: unicast<string>(),
  tellAll: multicast<string>(),
})

function work(server: Handling): void {
  server.handle(Work, {
    call: (what) => what,
    hang: (_, context) => untilAborted(context),
    ask: (what) => what,
    follow: async function* (what) {
      yield what
    },
    tell: () => {},
    tellAll: () => {},
  })
}

/** A cluster and a configuration whose test is not failed by what is thrown where nobody catches it. */
async function connectUnwatched(
  t: TestContext,
  count: number,
  options: ConnectOptions = {},
): Promise<{ cluster: LocalCluster; configuration: Configuration }> {
  const cluster = await startLocalCluster(count, work)
  t.after(() => cluster.close())
  return { cluster, configuration: await cluster.connect({ waitFor: 'all', callTimeoutMs: 60_000, ...options }) }
}

/** What is thrown where nobody catches it, for the length of a test. */
function catchUncaught(t: TestContext): Tally<unknown> {
  const uncaught = new Tally<unknown>()
  process.setUncaughtExceptionCaptureCallback(uncaught.add)
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  return uncaught
}

test('settled hooks that throw keep no answer behind theirs from its call', LIMIT, async (t) => {
  const throwing = () => ({
    settled: () => {
      throw new SyntaxError('a settled hook')
    },
  })
  const { configuration } = await connectUnwatched(t, 1, { interceptors: [throwing] })
  const lost = new Tally<unknown>()
  configuration.on('down', lost.add)
  const uncaught = catchUncaught(t)
  const client = configuration.node('a').client(Work)
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => client.call(String(i))))
  assert.deepEqual(
    answers,
    Array.from({ length: 10 }, (_, i) => String(i)),
  )
  assert.ok((await uncaught.reached(10)).every((error) => error instanceof SyntaxError))
  assert.equal(configuration.node('a').pending, 0)
  assert.deepEqual(lost.seen, [])
})

test('settled hooks that throw keep no later deadline from firing', LIMIT, async (t) => {
  const throwing = () => ({
    settled: () => {
      throw new SyntaxError('a settled hook')
    },
  })
  const { configuration } = await connectUnwatched(t, 1, { interceptors: [throwing] })
  const uncaught = catchUncaught(t)
  const client = configuration.node('a').client(Work)
  const calls = [20, 20, 40, 60].map((timeoutMs) => rejection(client.hang('', { timeoutMs }), RpcError))
  for (const error of await Promise.all(calls)) assert.equal(error.code, 'deadline_exceeded')
  await uncaught.reached(4)
})

test(
  'a lost listener that throws leaves no call of the lost connection open, nor the node unconnected',
  LIMIT,
  async (t) => {
    const { cluster, configuration } = await connectUnwatched(t, 1, { backoff: { maxMs: 100 }, sessions: false })
    for (const name of ['lost', 'down', 'up'] as const)
      configuration.on(name, () => {
        throw new SyntaxError(`a listener of ${name}`)
      })
    const uncaught = catchUncaught(t)
    const client = configuration.node('a').client(Work)
    const hanging = Array.from({ length: 3 }, () => rejection(client.hang(''), RpcError))
    const told = client.tell('')
    await cluster.stop('a', CRASH)
    await told.catch(() => {})
    for (const error of await Promise.all(hanging)) assert.equal(error.code, 'unavailable')
    assert.equal(configuration.node('a').pending, 0)
    await cluster.restart('a')
    await configuration.waitFor(({ connected }) => connected.size === 1)
    assert.equal(await client.call('again'), 'again')
    assert.ok((await uncaught.reached(1)).every((error) => error instanceof SyntaxError))
  },
)

test(
  'an undelivered listener that throws keeps no node from its message, and does not throw at the caller',
  LIMIT,
  async (t) => {
    const got = new Tally()
    const cluster = await startLocalCluster(2, (server, nodeID) =>
      server.handle(Work, { tellAll: () => got.add(nodeID) }),
    )
    t.after(() => cluster.close())
    const nodes = { nobody: '127.0.0.1:1', ...addressesOf(cluster, 'a', 'b') }
    const configuration = await connect(nodes, {
      waitFor: ({ connected, down }) => connected.size === 2 && down.size === 1,
    })
    t.after(() => configuration.close())
    configuration.on('undelivered', () => {
      throw new SyntaxError('a listener of undelivered')
    })
    const uncaught = catchUncaught(t)
    await configuration.client(Work).tellAll('', { confirm: false })
    assert.deepEqual([...(await got.reached(2))].sort(), ['a', 'b'])
    assert.ok((await uncaught.reached(1))[0] instanceof SyntaxError)
    assert.deepEqual(
      ['a', 'b'].map((id) => configuration.node(id).pending),
      [0, 0],
    )
  },
)

const THEN = 'then'
const FAULTS: Readonly<Record<string, unknown>> = {
  'iterator can not be had': {
    [Symbol.asyncIterator]() {
      throw new Error('a secret of the server')
    },
  },
  'then can not be read': {
    get [THEN]() {
      throw new Error('a secret of the server')
    },
  },
  'then throws': {
    [THEN]() {
      throw new Error('a secret of the server')
    },
  },
}

for (const [what, value] of Object.entries(FAULTS)) {
  test(`a handler result whose ${what} fails only its call, and the lane goes on`, LIMIT, async (t) => {
    const { configuration } = await connectCluster(t, 1, (server) =>
      server.handle(Work, {
        call: () => value,
        follow: () => value as AsyncIterable<string>,
        ask: (request) => request,
      }),
    )
    const failed = what.startsWith('iterator')
      ? configuration.client(Work).follow('', { timeoutMs: 2_000 }).all()
      : configuration.node('a').client(Work).call('', { timeoutMs: 2_000 })
    const behind = configuration.client(Work).ask('behind').all()
    const error = await rejection(failed, Error)
    const reason =
      error instanceof RpcError ? error : (error as { errors?: ReadonlyMap<string, RpcError> }).errors?.get('a')
    assert.equal(reason?.code, 'internal')
    assert.doesNotMatch(error.message, /secret/)
    assert.equal((await behind).get('a'), 'behind')
  })
}

test('an RPC that a send hook skips rejects at once: cancelled, not executed', LIMIT, async (t) => {
  const handled = new Tally()
  const { configuration } = await connectCluster(
    t,
    1,
    (server) => server.handle(Work, { call: handled.add, tell: handled.add }),
    { interceptors: [() => ({ send: () => undefined })] },
  )
  const client = configuration.node('a').client(Work)
  for (const call of [() => client.call('x'), () => client.tell('x')]) {
    const error = await rejection(call(), RpcError)
    assert.deepEqual([error.code, error.executed, error.nodeID], ['cancelled', 'no', 'a'])
  }
  assert.equal(configuration.node('a').pending, 0)
  assert.deepEqual(handled.seen, [])
})
