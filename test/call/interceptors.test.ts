// Interceptors around calls and around handlers: built once per method, in order, able to change, drop, time, refuse and
// send again. Each hook with each call type is in the matrix.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CallRecord,
  type ClientInterceptor,
  multicast,
  QuorumError,
  quorumCall,
  quorumStream,
  RpcError,
  rpc,
  type ServerInterceptor,
  service,
  unicast,
} from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { LIMIT, rejection, startCluster, Tally } from './cluster.ts'

interface Message {
  readonly text: string
}

const Desk = service('interceptors.Desk', {
  call: rpc<Message, Message>(),
  tell: unicast<Message>(),
  tellAll: multicast<Message>(),
  ask: quorumCall<Message, Message>(),
  follow: quorumStream<Message, Message>(),
})

async function start(
  t: TestContextLike,
  interceptors: readonly ClientInterceptor[],
  serverInterceptors: readonly ServerInterceptor[] = [],
  count = 3,
) {
  const seen = new Tally<string>()
  const cluster = await startCluster(
    t,
    count,
    (server, nodeID) => {
      const note = ({ text }: Message): Message => {
        seen.add(`${nodeID} ${text}`)
        return { text }
      }
      server.handle(Desk, {
        call: note,
        tell: note,
        tellAll: note,
        ask: note,
        *follow(request) {
          yield note(request)
          yield note(request)
        },
      })
    },
    { server: { interceptors: serverInterceptors } },
  )
  return { cluster, configuration: await cluster.connect({ interceptors }), seen }
}

const withText = (message: unknown, change: (text: string) => string): Message => ({
  text: change((message as Message).text),
})

test(
  'an interceptor is built once per method and client, with the name, key and type of the method',
  LIMIT,
  async (t) => {
    const built: string[] = []
    const { configuration } = await start(t, [
      ({ fullName, key, type }) => {
        built.push(`${type} ${fullName} ${key}`)
        return undefined
      },
    ])
    const client = configuration.client(Desk)
    for (let round = 0; round < 3; round++) await client.ask({ text: 'x' }).all()
    assert.deepEqual(built.sort(), [
      'multicast interceptors.Desk/tellAll+msgpack tellAll',
      'quorumCall interceptors.Desk/ask+msgpack ask',
      'quorumStream interceptors.Desk/follow+msgpack follow',
    ])
  },
)

test('the first interceptor is the outermost: requests pass it first, answers last', LIMIT, async (t) => {
  const steps: string[] = []
  const tracing =
    (name: string): ClientInterceptor =>
    () => ({
      request: (request) => {
        steps.push(`${name} request`)
        return withText(request, (text) => `${text} ${name}`)
      },
      send: (request, { id }) => {
        steps.push(`${name} send ${id}`)
        return request
      },
      response: (response) => {
        steps.push(`${name} response`)
        return response
      },
      settled: () => void steps.push(`${name} settled`),
    })
  const { configuration, seen } = await start(t, [tracing('first'), tracing('second')], [], 2)
  const call = configuration.client(Desk).ask({ text: 'x' })
  await call.all()
  assert.deepEqual([...seen.seen].sort(), ['a x first second', 'b x first second'])
  assert.deepEqual(steps.slice(0, 6), [
    'first request',
    'second request',
    'first send a',
    'second send a',
    'first send b',
    'second send b',
  ])
  assert.deepEqual(steps.slice(6), [
    'second response',
    'first response',
    'second response',
    'first response',
    'second settled',
    'first settled',
  ])
})

test('timing without generated code: a settled hook knows how long each node has taken', LIMIT, async (t) => {
  const records: CallRecord[] = []
  const { configuration } = await start(t, [() => ({ settled: (record) => void records.push(record) })])
  await configuration.client(Desk).ask({ text: 'x' }).all()
  await configuration.node('a').client(Desk).call({ text: 'x' })
  await configuration.client(Desk).tellAll({ text: 'x' })
  await configuration.node('b').client(Desk).tell({ text: 'x' })
  assert.deepEqual(
    records.map(({ method, nodes }) => [method.split('/')[1], nodes.map(({ nodeID }) => nodeID).join('')]),
    [
      ['ask+msgpack', 'abc'],
      ['call+msgpack', 'a'],
      ['tellAll+msgpack', 'abc'],
      ['tell+msgpack', 'b'],
    ],
  )
  for (const { nodes } of records)
    for (const { outcome, answeredMs } of nodes) assert.ok(outcome === 'replied' && answeredMs! >= 0)
})

test('retry without generated code: what did not run is sent again, to that node only', LIMIT, async (t) => {
  const attempts: string[] = []
  const retrying: ClientInterceptor = ({ type }) => {
    if (type === 'multicast') return undefined
    const left = new Map<number, number>()
    return {
      response: (response, call) => {
        if (response.error?.executed !== 'no') return response
        const retries = left.get(call.msgID) ?? 3
        attempts.push(`${response.nodeID} ${response.error.code}`)
        if (retries > 0) call.resend(response.nodeID)
        left.set(call.msgID, retries - 1)
        return response
      },
      settled: (_, call) => void left.delete(call.msgID),
    }
  }
  const Late = service('interceptors.Late', { ask: quorumCall<object, string>(), missing: rpc<object, string>() })
  const { cluster, configuration, seen } = await start(t, [retrying])
  const asked: string[] = []
  for (const id of ['a', 'b']) cluster.server(id).handle(Late, { ask: () => `${asked.push(id)}` })
  // The third node learns of the method while the call is being tried.
  const all = configuration.client(Late).ask({}).all()
  const learn = new Promise<void>((resolve) => {
    const look = (): void => {
      if (attempts.length === 0) return void setImmediate(look)
      cluster.server('c').handle(Late, { ask: () => `${asked.push('c')}` })
      resolve()
    }
    look()
  })
  await learn
  assert.equal((await all).size, 3)
  assert.deepEqual(asked.sort(), ['a', 'b', 'c'])
  assert.ok(attempts.every((each) => each === 'c unimplemented'))
  attempts.length = 0
  const error = await rejection(configuration.node('a').client(Late).missing({}), RpcError)
  assert.equal(error.code, 'unimplemented')
  assert.equal(attempts.length, 4, 'once and three times again')
  assert.deepEqual(seen.seen, [])
})

test('only what has just failed without having run can be sent again', LIMIT, async (t) => {
  const refusals: unknown[] = []
  const { configuration } = await start(t, [
    () => ({
      response: (response, call) => {
        try {
          call.resend(response.nodeID)
        } catch (error) {
          refusals.push(error)
        }
        return response
      },
    }),
  ])
  await configuration.client(Desk).ask({ text: 'x' }).all()
  assert.equal(refusals.length, 3)
  for (const error of refusals) assert.ok(error instanceof RangeError)
})

test('a response hook may drop a reply: its node has not replied', LIMIT, async (t) => {
  const { configuration } = await start(t, [
    () => ({ response: (response) => (response.nodeID === 'a' ? undefined : response) }),
  ])
  const replies = await configuration.client(Desk).ask({ text: 'x' }).majority()
  assert.deepEqual([...replies.keys()].sort(), ['b', 'c'])
  const error = await rejection(configuration.client(Desk).ask({ text: 'x' }).all(), QuorumError)
  assert.deepEqual([[...error.errors.keys()], error.errors.get('a')?.code], [['a'], 'cancelled'])
  const single = await rejection(configuration.node('a').client(Desk).call({ text: 'x' }), RpcError)
  assert.equal(single.executed, 'yes')
})

test('a response hook may drop items of a stream, or change them one by one', LIMIT, async (t) => {
  let item = 0
  const { configuration } = await start(
    t,
    [
      () => ({
        response: (response) => {
          if (response.error !== undefined) return response
          item++
          return item === 1 ? undefined : { ...response, value: { text: `item ${item}` } }
        },
      }),
    ],
    [],
    1,
  )
  const seen: unknown[] = []
  for await (const { value, error } of configuration.client(Desk).follow({ text: 'x' })) seen.push(value ?? error?.code)
  assert.deepEqual(seen, [{ text: 'item 2' }])
})

test('a response hook may turn a reply into an error', LIMIT, async (t) => {
  const { configuration } = await start(t, [
    () => ({
      response: ({ nodeID, metadata }) => ({
        nodeID,
        metadata,
        value: undefined,
        error: new RpcError('data_loss', 'the signature is wrong', { nodeID, executed: 'yes' }),
      }),
    }),
  ])
  const error = await rejection(configuration.client(Desk).ask({ text: 'x' }).majority(), QuorumError)
  for (const [nodeID, each] of error.errors) assert.deepEqual([each.code, each.nodeID], ['data_loss', nodeID])
  assert.equal((await rejection(configuration.node('a').client(Desk).call({ text: 'x' }), RpcError)).code, 'data_loss')
})

test(
  'server interceptors run around the handler in order, and may change the request and the reply',
  LIMIT,
  async (t) => {
    const built: string[] = []
    const around =
      (name: string): ServerInterceptor =>
      ({ key }) => {
        if (key === 'call') built.push(name)
        return (request, context, next) => {
          const reply = next(
            withText(request, (text) => `${text}>${name}`),
            context,
          )
          return reply === undefined || typeof (reply as { next?: unknown }).next === 'function'
            ? reply
            : withText(reply, (text) => `${text}<${name}`)
        }
      }
    const { configuration, seen } = await start(t, [], [around('outer'), around('inner')], 1)
    assert.deepEqual(built.sort(), ['inner', 'outer'])
    const reply = await configuration.node('a').client(Desk).call({ text: 'x' })
    assert.deepEqual(reply, { text: 'x>outer>inner<inner<outer' })
    await configuration.client(Desk).tellAll({ text: 'y' })
    assert.equal((await seen.reached(2))[1], 'a y>outer>inner')
    const items: unknown[] = []
    for await (const { value } of configuration.client(Desk).follow({ text: 'z' })) items.push(value)
    assert.deepEqual(items, [{ text: 'z>outer>inner' }, { text: 'z>outer>inner' }])
  },
)

test(
  'server interceptors may refuse, delay, and answer by themselves; handlers know nothing of their metadata',
  LIMIT,
  async (t) => {
    const guarding: ServerInterceptor = ({ type }) => {
      if (type !== 'rpc') return undefined
      return async (request, context, next) => {
        context.replyMetadata.epoch = '5'
        if (context.metadata.epoch !== '5') throw new RpcError('failed_precondition', 'a stale epoch')
        await new Promise((resolve) => setImmediate(resolve))
        if ((request as Message).text === 'cached') return { text: 'from the cache' }
        return next(request, context)
      }
    }
    const metadata: unknown[] = []
    const { configuration, seen } = await start(
      t,
      [
        () => ({
          response: (response) => {
            metadata.push(response.metadata.epoch)
            return response
          },
        }),
      ],
      [guarding],
    )
    const node = configuration.node('a').client(Desk)
    const error = await rejection(node.call({ text: 'x' }), RpcError)
    assert.deepEqual([error.code, error.metadata.epoch, error.executed], ['failed_precondition', '5', 'yes'])
    const options = { metadata: { epoch: '5' } }
    assert.deepEqual(await node.call({ text: 'cached' }, options), { text: 'from the cache' })
    assert.deepEqual(await node.call({ text: 'x' }, options), { text: 'x' })
    assert.deepEqual(seen.seen, ['a x'])
    assert.deepEqual(metadata, ['5', '5'])
  },
)
