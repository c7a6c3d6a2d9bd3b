// Truth about messages: unknown methods, payloads that are not what they should be, frames that are too large. Each fails
// its own call, with the code and whether it ran; every other call of the same connection goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Configuration, QuorumError, quorumCall, quorumStream, RpcError, rpc, service, unicast } from 'gorums'
import { msgpack } from 'gorums/codec/msgpack'
import { connectCluster, type Handling, LIMIT, rejection, startCluster } from './cluster.ts'

interface Job {
  readonly what: string
}

const Work = service('messages.Work', { call: rpc<Job, string>(), ask: quorumCall<Job, string>() })

function work(server: Handling): void {
  server.handle(Work, { call: () => 'well', ask: () => 'well' })
}

/** The same connection still works. */
async function worksOn(configuration: Configuration): Promise<void> {
  assert.equal(await configuration.nodes[0]!.client(Work).call({ what: 'answer' }), 'well')
  assert.equal(configuration.nodes[0]!.lastError, undefined)
}

test('two ends that name different codecs for a method do not decode garbage: unimplemented', LIMIT, async (t) => {
  const { configuration } = await connectCluster(t, 1, work)
  const other = { ...msgpack<unknown>(), name: 'other', encode: () => {}, decode: () => 0 }
  const Otherwise = service('messages.Work', {
    call: rpc<unknown, unknown, unknown, unknown>({ request: other, reply: other }),
  })
  const error = await rejection(configuration.node('a').client(Otherwise).call({}), RpcError)
  assert.deepEqual([error.code, error.executed], ['unimplemented', 'no'])
  await worksOn(configuration)
})

test(
  'a request that can not be decoded fails only its call: invalid_argument, it did not run, and its lane goes on',
  LIMIT,
  async (t) => {
    const seen: unknown[] = []
    const { configuration } = await connectCluster(t, 3, (server) => {
      work(server)
      server.handle(Strict, {
        call: (request) => seen.push(request),
        ask: (request) => seen.push(request),
        tell: (request) => seen.push(request),
      })
    })
    const bad = configuration.node('a').client(Strict)
    const before = configuration.node('a').client(Work).call({ what: 'answer' })
    const failing = rejection(bad.call({}), RpcError)
    const told = bad.tell({})
    const after = configuration.node('a').client(Work).call({ what: 'answer' })
    assert.deepEqual([await before, await after], ['well', 'well'])
    const error = await failing
    assert.deepEqual([error.code, error.executed, error.nodeID], ['invalid_argument', 'no', 'a'])
    await told
    const whole = await rejection(configuration.client(Strict).ask({}).first(), QuorumError)
    for (const each of whole.errors.values()) assert.deepEqual([each.code, each.executed], ['invalid_argument', 'no'])
    assert.deepEqual(seen, [])
    await worksOn(configuration)
  },
)

/** A service whose requests no receiver can decode. */
const plain = msgpack<object>()
const Strict = service('messages.Strict', {
  call: rpc({ request: refusing(), reply: msgpack<unknown>() }),
  ask: quorumCall({ request: refusing(), reply: msgpack<unknown>() }),
  tell: unicast({ request: refusing() }),
})

function refusing() {
  return {
    name: 'msgpack',
    encode: plain.encode.bind(plain),
    decode: (): object => {
      throw new RangeError('not one of mine')
    },
  }
}

test('a reply that can not be decoded fails only its call: internal, and it did run', LIMIT, async (t) => {
  const Odd = service('messages.Odd', {
    call: rpc({ request: plain, reply: refusing() }),
    ask: quorumCall({ request: plain, reply: refusing() }),
  })
  const { configuration } = await connectCluster(t, 3, (server) => {
    work(server)
    server.handle(Odd, { call: () => ({}), ask: () => ({}) })
  })
  const error = await rejection(configuration.node('a').client(Odd).call({}), RpcError)
  assert.deepEqual([error.code, error.executed, error.nodeID], ['internal', 'yes', 'a'])
  const whole = await rejection(configuration.client(Odd).ask({}).majority(), QuorumError)
  assert.equal(whole.reason, 'impossible')
  await worksOn(configuration)
})

test('a request too large for the node fails only its call: resource_exhausted, not sent', LIMIT, async (t) => {
  const cluster = await startCluster(t, 3, work, {
    server: (nodeID) => (nodeID === 'a' ? { limits: { frameMaxBytes: 20_000 } } : {}),
  })
  const configuration = await cluster.connect()
  const error = await rejection(
    configuration
      .node('a')
      .client(Work)
      .call({ what: 'x'.repeat(30_000) }),
    RpcError,
  )
  assert.deepEqual([error.code, error.executed, error.nodeID], ['resource_exhausted', 'no', 'a'])
  assert.match(error.message, /30\d\d\d bytes exceeds.*frameMaxBytes/)
  const Large = service('messages.Work', { ask: quorumCall<Job & { pad: string }, unknown>() })
  const replies = await configuration
    .client(Large)
    .ask({ what: 'answer', pad: 'x'.repeat(30_000) })
    .majority()
  assert.deepEqual([...replies.keys()].sort(), ['b', 'c'])
  await worksOn(configuration)
})

test('a reply too large for its caller fails only its call: resource_exhausted, and it did run', LIMIT, async (t) => {
  const Large = service('messages.Large', {
    call: rpc<{ bytes: number }, string>(),
    follow: quorumStream<object, string>(),
  })
  const { configuration } = await connectCluster(
    t,
    1,
    (server) => {
      work(server)
      server.handle(Large, {
        call: ({ bytes }) => 'x'.repeat(bytes),
        *follow() {
          yield 'small'
          yield 'x'.repeat(30_000)
          yield 'never'
        },
      })
    },
    { limits: { frameMaxBytes: 20_000 } },
  )
  const error = await rejection(configuration.node('a').client(Large).call({ bytes: 30_000 }), RpcError)
  assert.deepEqual([error.code, error.executed], ['resource_exhausted', 'yes'])
  assert.equal((await configuration.node('a').client(Large).call({ bytes: 10_000 })).length, 10_000)
  const seen: unknown[] = []
  for await (const response of configuration.client(Large).follow({}))
    seen.push(response.error === undefined ? response.value : response.error.code)
  assert.deepEqual(seen, ['small', 'resource_exhausted'])
  await worksOn(configuration)
})
