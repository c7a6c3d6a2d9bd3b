// What a programmer can avoid: wrong arguments of calls. Each throws a TypeError or a RangeError at once, and nothing of the
// call has been sent. Arguments of what is not a call are in setup-arguments.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CallOptions,
  type Configuration,
  type MethodHooks,
  multicast,
  quorum,
  quorumCall,
  quorumStream,
  rpc,
  service,
  unicast,
} from 'gorums'
import { protobuf } from 'gorums/codec/protobuf'
import type { TestContextLike } from 'gorums/testing'
import protobufjs from 'protobufjs'
import { connectCluster, LIMIT, thrown } from './cluster.ts'

interface Request {
  text: unknown
}

const Checked = service('arguments.Checked', {
  call: rpc<Request, Request>(),
  tell: unicast<Request>(),
  tellAll: multicast<Request>(),
  ask: quorumCall<Request, Request>(),
  follow: quorumStream<Request, Request>(),
})

const { root } = protobufjs.parse('syntax = "proto3"; message Text { string text = 1; }')
const text = protobuf<{ text: string }>(root.lookupType('Text'))
const Typed = service('arguments.Typed', { ask: quorumCall({ request: text, reply: text }) })

/** A way to make a call of each type, whatever the argument. */
interface Calls {
  readonly [type: string]: (request: never, options?: never) => unknown
}

interface Setting {
  readonly configuration: Configuration
  readonly calls: Calls
  /** Fails if any node has received anything since the last time. */
  nothingSent(): Promise<void>
}

async function start(t: TestContextLike, hooks?: MethodHooks): Promise<Setting> {
  const seen: unknown[] = []
  const { configuration } = await connectCluster(
    t,
    3,
    (server) => {
      const note = (request: Request): Request => {
        seen.push(request.text)
        return request
      }
      server.handle(Checked, {
        call: note,
        tell: note,
        tellAll: note,
        ask: note,
        *follow(request) {
          yield note(request)
        },
      })
      server.handle(Typed, {
        ask: (request) => {
          seen.push(request.text)
          return request
        },
      })
    },
    hooks === undefined ? {} : { interceptors: [() => hooks] },
  )
  const single = configuration.node('a').client(Checked)
  const client = configuration.client(Checked)
  return {
    configuration,
    calls: { call: single.call, tell: single.tell, tellAll: client.tellAll, ask: client.ask, follow: client.follow },
    async nothingSent() {
      await configuration.client(Typed).ask({ text: 'the first that arrives' }).all()
      assert.deepEqual(seen.splice(0), ['the first that arrives', 'the first that arrives', 'the first that arrives'])
    },
  }
}

const untyped = (value: unknown): never => value as never

test(
  'a request of null or undefined throws a TypeError that names the method, whatever the call type',
  LIMIT,
  async (t) => {
    const { calls, nothingSent } = await start(t)
    for (const [type, call] of Object.entries(calls)) {
      for (const nothing of [null, undefined]) {
        const { message } = thrown(() => call(untyped(nothing)), TypeError)
        assert.match(message, new RegExp(`arguments\\.Checked/${type}.*request is ${nothing}`))
      }
    }
    await nothingSent()
  },
)

const BAD_OPTIONS: readonly (readonly [string, unknown, typeof TypeError | typeof RangeError])[] = [
  ['options that are null', null, TypeError],
  ['options that are a number', 500, TypeError],
  ['options that are a string', '500 ms', TypeError],
  ['timeoutMs that is a string', { timeoutMs: '500' }, TypeError],
  ['timeoutMs that is null', { timeoutMs: null }, TypeError],
  ['timeoutMs that is NaN', { timeoutMs: Number.NaN }, RangeError],
  ['timeoutMs that is negative', { timeoutMs: -1 }, RangeError],
  ['timeoutMs that is minus infinity', { timeoutMs: -Infinity }, RangeError],
  ['a signal that is none', { signal: { aborted: false } }, TypeError],
  ['an AbortController for a signal', { signal: new AbortController() }, TypeError],
  ['metadata that is null', { metadata: null }, TypeError],
  ['metadata that is a string', { metadata: 'trace=1' }, TypeError],
  ['a metadata value that is a number', { metadata: { trace: 1 } }, TypeError],
  ['a metadata value that is undefined', { metadata: { trace: undefined } }, TypeError],
  ['a metadata key in upper case', { metadata: { Trace: '1' } }, RangeError],
  ['an empty metadata key', { metadata: { '': '1' } }, RangeError],
  ['a metadata key of 65 characters', { metadata: { ['k'.repeat(65)]: '1' } }, RangeError],
  ['a metadata key with a space', { metadata: { 'a b': '1' } }, RangeError],
  ['a metadata key that is not ASCII', { metadata: { schlüssel: '1' } }, RangeError],
  ['the metadata key __proto__', { metadata: JSON.parse('{"__proto__":"1"}') }, RangeError],
  ['a metadata value with half a character', { metadata: { trace: 'a\ud800' } }, RangeError],
  [
    'metadata of 65 entries',
    { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, ''])) },
    RangeError,
  ],
  ['metadata of more than 8 KiB', { metadata: { trace: 'x'.repeat(8_200) } }, RangeError],
]

const OWN_OPTIONS: readonly (readonly [string, readonly string[], unknown, typeof TypeError])[] = [
  ['perNode that is no function', ['tellAll', 'ask', 'follow'], { perNode: { a: 1 } }, TypeError],
  ['perNode that gives null', ['tellAll', 'ask', 'follow'], { perNode: () => null }, TypeError],
  ['onReply that is no function', ['ask', 'follow'], { onReply: true }, TypeError],
  ['a straggler policy that there is not', ['ask', 'follow'], { stragglers: 'ignore' }, TypeError],
  ['a straggler policy that is null', ['ask', 'follow'], { stragglers: null }, TypeError],
  ['confirm that is no boolean', ['tell', 'tellAll'], { confirm: 'no' }, TypeError],
]

test('every wrong option throws at once, whatever the call type', LIMIT, async (t) => {
  const { calls, nothingSent } = await start(t)
  for (const [type, call] of Object.entries(calls)) {
    const cases = [...BAD_OPTIONS]
    for (const [what, types, options, error] of OWN_OPTIONS)
      if (types.includes(type)) cases.push([what, options, error])
    for (const [what, options, type_] of cases) {
      assert.throws(() => call(untyped({ text: 'never sent' }), untyped(options)), type_, `${type}: ${what}`)
    }
  }
  await nothingSent()
})

test('options are not changed, and may be frozen', LIMIT, async (t) => {
  const { configuration } = await start(t)
  const options: CallOptions = Object.freeze({ timeoutMs: 1_000, metadata: Object.freeze({ trace: '1' }) })
  const request = Object.freeze({ text: 'frozen' })
  await configuration.client(Checked).ask(request, options).all()
  assert.deepEqual(options, { timeoutMs: 1_000, metadata: { trace: '1' } })
})

function cycle(): object {
  const value: Record<string, unknown> = {}
  value.self = value
  return value
}

const UNENCODABLE: readonly (readonly [string, unknown])[] = [
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a Map', new Map([[1, 2]])],
  ['an Error', new Error('no')],
  ['half a character', 'a\udc00'],
  ['a bigint beyond 64 bits', 2n ** 64n],
  ['a cycle', cycle()],
  ['an own key __proto__', JSON.parse('{"__proto__":1}')],
]

test('a request that can not be encoded throws at once, whatever the call type', LIMIT, async (t) => {
  const { calls, nothingSent } = await start(t)
  for (const [type, call] of Object.entries(calls)) {
    for (const [what, value] of UNENCODABLE) {
      const error = thrown(() => call(untyped({ text: value })), Error)
      assert.ok(error instanceof TypeError || error instanceof RangeError, `${type} of ${what}: ${error}`)
    }
  }
  await nothingSent()
})

test('a protobuf message with a field of the wrong type throws at once', LIMIT, async (t) => {
  const { configuration, nothingSent } = await start(t)
  assert.throws(() => configuration.client(Typed).ask({ text: untyped(5) }), TypeError)
  assert.throws(() => configuration.client(Typed).ask(untyped('text')), TypeError)
  await nothingSent()
})

test('a request for one node that can not be encoded keeps the call from all nodes', LIMIT, async (t) => {
  const { configuration, nothingSent } = await start(t)
  const client = configuration.client(Checked)
  const perNode = (request: Request, node: { id: string }): Request =>
    node.id === 'c' ? { text: Symbol('unencodable') } : request
  assert.throws(() => client.ask({ text: 'x' }, { perNode }), TypeError)
  assert.throws(() => client.tellAll({ text: 'x' }, { perNode }), TypeError)
  await nothingSent()
})

test(
  'what perNode, an adapter, a request or a send hook throws, the caller gets at once, and nothing is sent',
  LIMIT,
  async (t) => {
    const hooks: { request?: MethodHooks['request']; send?: MethodHooks['send'] } = {}
    const { configuration, nothingSent } = await start(t, {
      request: (request, call) => (hooks.request === undefined ? request : hooks.request(request, call)),
      send: (request, node, call) => (hooks.send === undefined ? request : hooks.send(request, node, call)),
    })
    const fail = (): never => {
      throw new SyntaxError('mine')
    }
    const client = configuration.client(Checked)
    assert.throws(() => client.ask({ text: 'x' }, { perNode: fail }), SyntaxError)
    const adapting = configuration.client(Checked, {
      requests: { ask: fail, tellAll: (_: string) => untyped(undefined) },
    })
    assert.throws(() => adapting.ask({ text: 'x' }), SyntaxError)
    assert.throws(() => adapting.tellAll('x'), TypeError)
    hooks.request = fail
    assert.throws(() => client.follow({ text: 'x' }), SyntaxError)
    hooks.request = () => undefined
    assert.throws(() => client.ask({ text: 'x' }), TypeError)
    delete hooks.request
    hooks.send = fail
    assert.throws(() => client.tellAll({ text: 'x' }), SyntaxError)
    hooks.send = () => null
    assert.throws(() => client.tellAll({ text: 'x' }), TypeError)
    delete hooks.send
    await nothingSent()
  },
)

test(
  'a number of replies that the members can not give is a RangeError, and the call can still be asked',
  LIMIT,
  async (t) => {
    const { configuration } = await start(t)
    const client = configuration.client(Checked)
    for (const k of [0, -1, 4, 1.5, Number.NaN, Infinity, untyped('2'), untyped(undefined)]) {
      const call = client.ask({ text: 'x' })
      const wrongType = typeof k !== 'number'
      assert.throws(() => call.threshold(k), wrongType ? Error : RangeError, `threshold(${String(k)})`)
      assert.throws(() => call.matching(k), wrongType ? Error : RangeError, `matching(${String(k)})`)
      assert.equal((await call.threshold(3)).size, 3)
    }
    assert.throws(() => client.ask({ text: 'x' }).matching(2, untyped('equal')), TypeError)
  },
)

test(
  'a quorum system that does not fit the members is a RangeError, where it is declared and where it is asked',
  LIMIT,
  async (t) => {
    const { configuration } = await start(t)
    const grid = quorum.grid([
      ['a', 'b'],
      ['c', 'd'],
    ])
    for (const system of [
      grid.read,
      quorum.threshold(4),
      quorum.byzantine(),
      quorum.weighted({ a: 1, b: 1 }, 2),
      quorum.choose(1, ['z']),
    ]) {
      assert.throws(() => configuration.client(Checked, { quorum: system }), RangeError, system.name)
      assert.throws(() => configuration.client(Checked, { quorum: { ask: system } }), RangeError, system.name)
      const call = configuration.client(Checked).ask({ text: 'x' })
      assert.throws(() => call.quorum(system), RangeError, system.name)
      assert.equal((await call.majority()).size >= 2, true)
    }
  },
)

test('what is no quorum system and no function is a TypeError', LIMIT, async (t) => {
  const { configuration } = await start(t)
  const client = configuration.client(Checked)
  for (const nothing of [undefined, null, 2, 'majority', {}, () => true]) {
    assert.throws(() => client.ask({ text: 'x' }).quorum(untyped(nothing)), TypeError)
    if (typeof nothing === 'function') continue
    assert.throws(() => client.ask({ text: 'x' }).reduce(untyped(nothing)), TypeError)
    if (nothing !== undefined) assert.throws(() => client.ask({ text: 'x' }).correctable(untyped(nothing)), TypeError)
  }
  assert.throws(() => client.ask({ text: 'x' }).result(), TypeError, 'result() of nothing declared')
})

test('a client names only methods of its service, with functions', LIMIT, async (t) => {
  const { configuration } = await start(t)
  for (const options of [
    { functions: { asks: () => 1 } },
    { requests: { asks: () => 1 } },
    { quorum: { asks: quorum.majority() } },
    { functions: { ask: 5 } },
    { requests: { ask: 5 } },
    { quorum: { ask: 5 } },
    { quorum: 5 },
  ])
    assert.throws(() => configuration.client(Checked, untyped(options)), TypeError, JSON.stringify(options))
  for (const nothing of [undefined, null, {}, 'arguments.Checked']) {
    assert.throws(() => configuration.client(untyped(nothing)), TypeError)
    assert.throws(() => configuration.node('a').client(untyped(nothing)), TypeError)
  }
})
