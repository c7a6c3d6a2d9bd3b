// Values that are hard to carry, through a generated client and a server over sockets: 64-bit integers at their edges, of
// every type, in every place and as each TypeScript type; keys that every object has; and what only a later version knows.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { type QuorumCall, type RpcError, rpc, type Service, service } from 'gorums'
import { checkLeaks, startLocalCluster } from 'gorums/testing'
import type { Field, ScalarType } from '../../src/generate/model.ts'
import { fieldKey } from '../../src/generate/names.ts'
import type { Codec, MessageCodec } from '../../src/runtime.ts'
import { corpusFiles, type GeneratedCorpus, generateCorpus } from './corpus.ts'
import { assertHas, type Value } from './sample-messages.ts'

const LIMIT = { timeout: 20_000 }
const PROTO = 'corpus/integers.proto'
const EDGES = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n]
const VARIANTS = ['bigint', 'number', 'string'] as const
type Variant = (typeof VARIANTS)[number]

const { fields, fullName } = corpusFiles().get(PROTO)!.messages[0]!
const INTEGERS = fields.filter((field) => field.type.kind === 'scalar' && field.type.scalar.endsWith('64'))

interface Client {
  echo(request: Value): Promise<Value>
  echoQC(request: Value): QuorumCall<Value, Value>
}

interface Module {
  readonly Integers: Service
  readonly Everywhere: MessageCodec<Value, Value>
}

function fits(scalar: ScalarType, edge: bigint): boolean {
  return (
    edge === (scalar.startsWith('u') || scalar.startsWith('f') ? BigInt.asUintN(64, edge) : BigInt.asIntN(64, edge))
  )
}

/** A message with this edge in one field, wherever in it the edge can be; undefined where it does not fit. */
function withEdge(field: Field, edge: bigint, variant: Variant): Value | undefined {
  if (field.type.kind !== 'scalar' || !fits(field.type.scalar, edge)) return undefined
  const value = variant === 'bigint' ? edge : variant === 'number' ? Number(edge) : String(edge)
  const key = fieldKey(field.oneof ?? field.name)
  if (field.oneof !== undefined) return { [key]: { case: fieldKey(field.name), value } }
  if (field.presence === 'map') return { [key]: { [String(edge)]: value } }
  return { [key]: field.presence === 'repeated' ? [value, value] : value }
}

/** Every field with every edge that fits. */
function* everyEdge(variant: Variant): Generator<{ field: Field; edge: bigint; message: Value; isSafe: boolean }> {
  for (const field of INTEGERS) {
    for (const edge of EDGES) {
      const message = withEdge(field, edge, variant)
      const isSafe = Number.isSafeInteger(Number(edge))
      if (message !== undefined) yield { field, edge, message, isSafe }
    }
  }
}

/** A client and the handlers of three nodes. */
async function connectTo(t: TestContext, client: Service, server: Service, handle: (request: Value) => Value) {
  checkLeaks(t)
  const cluster = await startLocalCluster(3, (node) => {
    node.handle(server, { echo: handle, ...(server.bound.has('echoQC') ? { echoQC: handle } : {}) } as never)
  })
  t.after(() => cluster.close())
  const configuration = await cluster.connect({ waitFor: 'all' })
  const { echo } = configuration.node('a').client(client) as unknown as Client
  const { echoQC } = configuration.client(client) as unknown as Client
  return { echo, echoQC }
}

describe('through client and server', () => {
  const generated = new Map<Variant, GeneratedCorpus>()
  before(() => {
    for (const variant of VARIANTS) generated.set(variant, generateCorpus([PROTO], [`--int64=${variant}`]))
  })
  after(() => {
    for (const each of generated.values()) each.remove()
  })
  const load = async (variant: Variant) => (await generated.get(variant)!.load(PROTO)) as unknown as Module

  it('there are 64-bit fields of every type in every place', () => {
    const places = ['implicit', 'explicit', 'repeated', 'map', 'oneof']
    const kinds = ['int64', 'sint64', 'sfixed64', 'uint64', 'fixed64']
    const found = INTEGERS.map(({ type, oneof, presence, mapKey }) => {
      const scalar = type.kind === 'scalar' ? type.scalar : undefined
      assert.ok(mapKey === undefined || mapKey === scalar)
      return `${oneof === undefined ? presence : 'oneof'} ${scalar}`
    })
    assert.deepEqual(
      found,
      places.flatMap((place) => kinds.map((kind) => `${place} ${kind}`)),
    )
  })

  for (const variant of ['bigint', 'string'] as const) {
    it(`every 64-bit edge is a ${variant} without loss`, LIMIT, async (t) => {
      const { Integers } = await load(variant)
      const { echo, echoQC } = await connectTo(t, Integers, Integers, (request) => request)
      for (const { field, edge, message } of everyEdge(variant)) {
        assertHas(await echo(message), message, `${field.name} ${edge}`)
        for (const reply of (await echoQC(message).all()).values()) assertHas(reply, message, `${field.name} ${edge}`)
      }
    })
  }

  it(
    'as a number an edge beyond 2^53 - 1 is an error at the call, with the field, and every other is the same',
    LIMIT,
    async (t) => {
      const { Integers } = await load('number')
      let handled = 0
      const { echo, echoQC } = await connectTo(t, Integers, Integers, (request) => {
        handled++
        return request
      })
      let expected = 0
      for (const { field, edge, message, isSafe } of everyEdge('number')) {
        const where = `${field.name} ${edge}`
        if (isSafe) {
          assertHas(await echo(message), message, where)
          for (const reply of (await echoQC(message).all()).values()) assertHas(reply, message, where)
          expected += 4
        } else {
          const refused = (error: Error) =>
            error instanceof RangeError && error.message.startsWith(`${fullName}.${field.name}`)
          assert.throws(() => echo(message), refused, where)
          assert.throws(() => echoQC(message), refused, where)
        }
      }
      assert.equal(handled, expected)
    },
  )

  it('as keys they are text, so that those beyond 2^53 - 1 are kept where values are numbers', LIMIT, async (t) => {
    const { Integers } = await load('number')
    const { echo } = await connectTo(t, Integers, Integers, (request) => request)
    for (const { field, edge } of everyEdge('number')) {
      if (field.presence !== 'map') continue
      const reply = await echo({ [fieldKey(field.name)]: { [String(edge)]: 1 } })
      assert.deepEqual(Object.entries(reply[fieldKey(field.name)] as Value), [[String(edge), 1]])
    }
  })

  it(
    'what is beyond 2^53 - 1 and comes from one who has bigints is an error too, both ways, with the field',
    LIMIT,
    async (t) => {
      const [{ Integers: Numbers }, { Integers: Bigints }] = await Promise.all([load('number'), load('bigint')])
      const asked = new Map([...everyEdge('bigint')].map((each) => [`${each.field.name} ${each.edge}`, each]))
      const toBigints = await connectTo(
        t,
        Numbers,
        Bigints,
        ({ texts }) => asked.get((texts as { asked: string }).asked)!.message,
      )
      let handled = 0
      const toNumbers = await connectTo(t, Bigints, Numbers, (request) => {
        handled++
        return request
      })
      let expected = 0
      for (const [question, { field, edge, message, isSafe }] of asked) {
        const answer = toBigints.echo({ texts: { asked: question } })
        if (isSafe) {
          await answer
          assertHas(await toNumbers.echo(message), message, question)
          expected++
        } else {
          const named = (error: Error) => error.message.includes(`${fullName}.${field.name}: ${edge} is beyond`)
          await assert.rejects(answer, named, question)
          await assert.rejects(
            toNumbers.echo(message),
            (error: RpcError) => named(error) && error.code === 'invalid_argument' && error.executed === 'no',
            question,
          )
        }
      }
      assert.equal(handled, expected)
    },
  )

  it('maps keep __proto__, constructor and the empty key, and have no others', LIMIT, async (t) => {
    const { Integers } = await load('bigint')
    const { echo, echoQC } = await connectTo(t, Integers, Integers, (request) => {
      assert.equal((request.texts as Value).hasOwnProperty, undefined)
      return request
    })
    const texts = JSON.parse('{"__proto__":"p","constructor":"c","":"e"}') as Value
    for (const reply of [await echo({ texts }), ...(await echoQC({ texts }).all()).values()]) {
      assert.deepEqual(Object.entries(reply.texts as Value), Object.entries(texts))
      assert.equal((reply.texts as Value).toString, undefined)
    }
  })

  it('values of enums that nobody has declared are kept', LIMIT, async (t) => {
    const { Integers } = await load('bigint')
    const { echo } = await connectTo(t, Integers, Integers, (request) => request)
    const { mood, moods } = await echo({ mood: 77, moods: [1, -5, 2 ** 31 - 1] })
    assert.deepEqual([mood, moods], [77, [1, -5, 2 ** 31 - 1]])
  })

  it('fields that only the other side knows are ignored, in requests and in replies', LIMIT, async (t) => {
    const { Integers, Everywhere } = await load('bigint')
    const codec = withMore(Everywhere)
    const Later = service('corpus.integers.Integers', { echo: rpc({ name: 'Echo', request: codec, reply: codec }) })
    const message: Value = { aSint64: -5n, choice: { case: 'chosenUint64', value: 6n } }
    const seen: Value[] = []
    const handle = (request: Value): Value => {
      seen.push(request)
      return request
    }
    const fromLater = await connectTo(t, Later, Integers, handle)
    assertHas(await fromLater.echo(message), message, 'a later client')
    const toLater = await connectTo(t, Integers, Later, handle)
    assertHas(await toLater.echo(message), message, 'a later server')
    for (const request of seen) assertHas(request, message, 'what arrived')
    assert.equal(codec.added, 2)
  })
})

/** A codec of messages that have, behind their fields, one of each wire type with numbers from 1000 on. */
function withMore(inner: Codec<Value>): Codec<Value> & { readonly added: number } {
  const more = Buffer.from('c03e01' + 'c93e0102030405060708' + 'd23e026869' + 'db3e0801dc3e' + 'e53e01020304', 'hex')
  return {
    name: inner.name,
    added: 0,
    encode(value, target) {
      inner.encode(value, target)
      const whole = Buffer.concat([target.buffer.subarray(0, target.position), more])
      target.buffer = whole
      target.position = whole.length
      ;(this as { added: number }).added++
    },
    decode: (bytes, start, end) => inner.decode(bytes, start, end),
  }
}
