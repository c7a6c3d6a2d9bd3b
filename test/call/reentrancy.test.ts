// Code of the user that runs in the middle of things: in quorum functions, callbacks, hooks, listeners and handlers. It may
// call, abort and close; what it throws stays its own matter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Configuration,
  type MethodHooks,
  multicast,
  QuorumError,
  quorumCall,
  quorumStream,
  rpc,
  service,
} from 'gorums'
import { startLocalCluster, type TestContextLike } from 'gorums/testing'
import { CRASH, connectCluster, eventually, LIMIT, rejection, Tally } from './cluster.ts'

interface Message {
  readonly text: string
}

const Echo = service('reentrancy.Echo', {
  call: rpc<Message, string>(),
  ask: quorumCall<Message, string>(),
  follow: quorumStream<Message, string>(),
  post: multicast<Message>(),
})

function handlers() {
  return {
    call: ({ text }: Message) => text,
    ask: ({ text }: Message) => text,
    *follow({ text }: Message) {
      for (let item = 0; item < 100; item++) yield `${text} ${item}`
    },
    post: () => {},
  }
}

async function start(t: TestContextLike, count = 3) {
  const { configuration, cluster } = await connectCluster(t, count, (server) => server.handle(Echo, handlers()))
  return { configuration, cluster, client: configuration.client(Echo) }
}

async function isQuiet(configuration: Configuration): Promise<void> {
  await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
}

/** Gathers uncaught exceptions until `process.setUncaughtExceptionCaptureCallback(null)`. */
function captureUncaught(): Tally<unknown> {
  const uncaught = new Tally<unknown>()
  process.setUncaughtExceptionCaptureCallback(null)
  process.setUncaughtExceptionCaptureCallback(uncaught.add)
  return uncaught
}

/** A cluster without leak check, whose uncaught exceptions are gathered: for code that throws where nobody can catch. */
async function startThrowing(t: TestContextLike, count: number, hooks?: MethodHooks) {
  const uncaught = captureUncaught()
  const cluster = await startLocalCluster(count, (server) => server.handle(Echo, handlers()))
  t.after(async () => {
    await cluster.close()
    process.setUncaughtExceptionCaptureCallback(null)
  })
  const interceptors = hooks === undefined ? [] : [() => hooks]
  const configuration = await cluster.connect({ waitFor: 'all', interceptors, callTimeoutMs: 60_000 })
  return { cluster, configuration, uncaught }
}

const fail = (): never => {
  throw new SyntaxError('mine')
}

test('onReply may abort its own call', LIMIT, async (t) => {
  const { client, configuration } = await start(t)
  for (const call of [client.ask, client.follow]) {
    const controller = new AbortController()
    let responses = 0
    const onReply = (): void => {
      responses++
      controller.abort()
    }
    const made = call({ text: 'x' }, { signal: controller.signal, onReply })
    const error = await rejection(made.all(), QuorumError)
    assert.equal(error.reason, 'cancelled')
    assert.ok(responses >= 1)
    const { nodes } = await made.settled
    assert.ok(nodes.some(({ error }) => error?.code === 'cancelled'))
  }
  await isQuiet(configuration)
})

test('a quorum function, a correctable function and onReply may close the configuration', LIMIT, async (t) => {
  for (const how of ['reduce', 'correctable', 'onReply'] as const) {
    const { configuration } = await start(t)
    const client = configuration.client(Echo)
    const close = (): undefined => void configuration.close()
    if (how === 'reduce')
      assert.equal((await rejection(client.ask({ text: 'x' }).reduce(close), QuorumError)).reason, 'closed')
    else if (how === 'correctable')
      assert.equal(
        (await rejection(client.follow({ text: 'x' }).correctable(close).reached(1), QuorumError)).reason,
        'closed',
      )
    else await rejection(client.ask({ text: 'x' }, { onReply: close }).all(), QuorumError)
    assert.equal(configuration.isClosed, true)
  }
})

test('a quorum function may make other calls', LIMIT, async (t) => {
  const { client, configuration } = await start(t)
  const inner: Promise<unknown>[] = []
  const result = await client.ask({ text: 'outer' }).reduce((replies) => {
    inner.push(client.ask({ text: `inner ${replies.size}` }).majority())
    return replies.size === 3 ? 'well' : undefined
  })
  assert.equal(result, 'well')
  assert.equal((await Promise.all(inner)).length, 3)
  await isQuiet(configuration)
})

test('a loop over responses may make calls for each, and one of them inside the other', LIMIT, async (t) => {
  const { client, configuration } = await start(t)
  const seen: string[] = []
  for await (const { nodeID } of client.ask({ text: 'outer' })) {
    for await (const { value } of configuration.subset([nodeID]).client(Echo).follow({ text: nodeID })) {
      seen.push(value!)
      if (seen.length % 5 === 0) break
    }
  }
  assert.equal(seen.length, 15)
  await isQuiet(configuration)
})

test(
  'a request, its metadata and its options may be changed as soon as the call was made, also while it waits',
  LIMIT,
  async (t) => {
    const traces: unknown[] = []
    const { cluster } = await connectCluster(t, 1, (server) =>
      server.handle(Echo, {
        ask: ({ text }, context) => {
          traces.push(context.metadata.trace)
          return text
        },
      }),
    )
    const connecting = await cluster.connect({ waitFor: 'none' })
    const request = { text: 'as it was' }
    const metadata = { trace: 'as it was' }
    const options = { metadata, timeoutMs: 5_000 }
    const call = connecting.client(Echo).ask(request, options).all()
    request.text = 'changed'
    metadata.trace = 'changed'
    options.timeoutMs = 0
    assert.deepEqual([...(await call).values()], ['as it was'])
    assert.deepEqual(traces, ['as it was'])
  },
)

test('a handler may close its own server: its answer is still sent', LIMIT, async (t) => {
  const { configuration, cluster } = await connectCluster(t, 1, (server) =>
    server.handle(Echo, {
      call: ({ text }) => {
        void cluster.server('a').close()
        return text
      },
    }),
  )
  assert.equal(await configuration.node('a').client(Echo).call({ text: 'last words' }), 'last words')
})

test('a settled hook that throws disturbs neither its call nor the answers behind it', LIMIT, async (t) => {
  const { configuration } = await startThrowing(t, 1, { settled: fail })
  const node = configuration.node('a').client(Echo)
  const texts = Array.from({ length: 10 }, (_, index) => String(index))
  assert.deepEqual(await Promise.all(texts.map((text) => node.call({ text }))), texts)
  assert.equal((await configuration.client(Echo).ask({ text: 'x' }).all()).size, 1)
  await configuration.client(Echo).post({ text: 'x' })
  assert.equal(configuration.node('a').state, 'up')
  await isQuiet(configuration)
})

test('listeners that throw keep no node from being lost and found again', LIMIT, async (t) => {
  const { cluster, configuration } = await startThrowing(t, 2)
  for (const event of ['up', 'down', 'rejected', 'undelivered', 'lost'] as const) configuration.on(event, fail)
  await cluster.stop('a', CRASH)
  await configuration.waitFor(({ down }) => down.has('a'))
  await configuration.client(Echo).post({ text: 'x' }, { confirm: false })
  const error = await rejection(configuration.client(Echo).ask({ text: 'x' }).all(), QuorumError)
  assert.deepEqual([...error.errors.keys()], ['a'])
  await cluster.restart('a')
  await configuration.waitFor(({ connected }) => connected.size === 2)
  assert.equal((await configuration.client(Echo).ask({ text: 'x' }).all()).size, 2)
  await isQuiet(configuration)
})

test('a logger and onConnect that throw cost nobody a connection', LIMIT, async (t) => {
  const logger = { debug: fail, info: fail, warn: fail, error: fail }
  captureUncaught()
  const cluster = await startLocalCluster(1, (server) => server.handle(Echo, { ask: () => fail() }), {
    server: { logger, onConnect: fail },
  })
  t.after(async () => {
    await cluster.close()
    process.setUncaughtExceptionCaptureCallback(null)
  })
  const configuration = await cluster.connect({ waitFor: 'all', logger, callTimeoutMs: 60_000 })
  const error = await rejection(configuration.client(Echo).ask({ text: 'x' }).all(), QuorumError)
  assert.equal(error.errors.get('a')?.code, 'internal')
  await cluster.restart('a', CRASH)
  await configuration.waitFor(({ connected }) => connected.size === 1)
  await rejection(configuration.client(Echo).ask({ text: 'x' }).all(), QuorumError)
})

test(
  'a correctable function that returns a promise, or a level that is no number, is a TypeError',
  LIMIT,
  async (t) => {
    const { client } = await start(t)
    const later = async () => ({ value: 1, level: 1, done: true })
    const correctable = client.ask({ text: 'x' }).correctable(later as never)
    assert.match((await rejection(correctable.reached(1), TypeError)).message, /promise/)
    const unknown = client.ask({ text: 'x' }).correctable(() => ({ value: 1, level: Number.NaN, done: false }))
    assert.match((await rejection(unknown.reached(1), TypeError)).message, /level/)
  },
)
