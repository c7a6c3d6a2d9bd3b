// Files that use every construct of Gorums' own, of both generations, as their users have them: what is generated passes
// strict type checks, and every method of every service is called over sockets, the way that its call type is.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Configuration, QuorumCall, Service } from 'gorums'
import { checkLeaks, startLocalCluster } from 'gorums/testing'
import type { Service as Declared } from '../../src/generate/model.ts'
import { methodKey } from '../../src/generate/names.ts'
import type { MessageCodec } from '../../src/runtime.ts'
import { CORPUS, corpusFiles, type GeneratedCorpus, generateCorpus } from './corpus.ts'
import { bytesOf } from './load-generated.ts'
import { assertHas, SampleMessages, type Value } from './sample-messages.ts'
import { typeErrors } from './strict-types.ts'

const LIMIT = { timeout: 20_000 }
const NODES = 3
const ITEMS = 2

const files = corpusFiles()
const samples = new SampleMessages(files, { int64: 'bigint', timestampAsDate: false })

type Method = Declared['methods'][number]
type Bound = NonNullable<ReturnType<Service['bound']['get']>>
/** A client whose methods are known by name only. */
type Client = Readonly<Record<string, (request: Value) => unknown>>

/** A service on a cluster: what its nodes answer is known, and what they are asked is told. */
class ServedService {
  readonly #service: Service
  readonly #declared: Declared
  /** By node id. */
  readonly #arrivals = new EventEmitter()
  /** What each node answers to each method: one or several replies, other ones from each. */
  readonly #replies = new Map<string, Value[]>()
  #configuration: Configuration | undefined

  constructor(service: Service, declared: Declared) {
    this.#service = service
    this.#declared = declared
  }

  async start(t: TestContext): Promise<void> {
    checkLeaks(t)
    let node = 0
    const cluster = await startLocalCluster(NODES, (server, nodeID) => {
      server.handle(this.#service, this.#handlers(nodeID, node++) as never)
    })
    t.after(() => cluster.close())
    this.#configuration = await cluster.connect({ waitFor: 'all' })
  }

  #handlers(nodeID: string, node: number): Record<string, unknown> {
    const entries = this.#declared.methods.map(({ name, reply, callType }) => {
      const count = callType === 'quorumStream' ? ITEMS : 1
      const replies = Array.from({ length: count }, (_, item) => samples.fillNamed(reply.fullName, node + item))
      this.#replies.set(`${name} ${nodeID}`, replies)
      const answer = (request: unknown): Value | undefined => {
        this.#arrivals.emit(`${name} ${nodeID}`, request)
        return replies[0]
      }
      function* stream(request: unknown): Generator<Value> {
        answer(request)
        yield* replies
      }
      return [methodKey(name), callType === 'quorumStream' ? stream : answer]
    })
    return Object.fromEntries(entries)
  }

  /** Calls a method as its call type is called; every contacted node gets the request, and its reply comes back. */
  async call(method: Method): Promise<void> {
    const bound = this.#service.bound.get(methodKey(method.name))!
    assert.equal(bound.fullName, `${this.#declared.fullName}/${method.name}`)
    assert.equal(bound.type, method.callType)
    const request = samples.fillNamed(method.request.fullName, 1)
    const { nodeIDs } = this.#configuration!
    const asked = method.callType === 'unicast' ? nodeIDs.slice(0, 1) : nodeIDs
    const arrivals = Promise.all(asked.map((nodeID) => once(this.#arrivals, `${method.name} ${nodeID}`)))
    const answers = await this.#answers(method, bound, request)
    for (const [arrived] of await arrivals) assertSame(bound.request, arrived, request, `${bound.fullName} request`)
    for (const [nodeID, replies] of answers) this.#assertReplies(method, bound, nodeID, replies)
    const isOneWay = method.callType === 'unicast' || method.callType === 'multicast'
    assert.deepEqual([...answers.keys()].sort(), isOneWay ? [] : nodeIDs)
    if (method.callType === 'quorumStream') await this.#correct(method, bound, request)
  }

  /** What each node has answered. */
  async #answers(method: Method, bound: Bound, request: Value): Promise<Map<string, unknown[]>> {
    const configuration = this.#configuration!
    const client = configuration.client(this.#service) as unknown as Client
    const nodes = configuration.nodes.map((node) => {
      return { id: node.id, client: node.client(this.#service) as unknown as Client }
    })
    const answers = new Map<string, unknown[]>()
    switch (method.callType) {
      case 'rpc':
        for (const { id, client } of nodes) answers.set(id, [await client[bound.key]!(request)])
        break
      case 'unicast':
        await nodes[0]!.client[bound.key]!(request)
        break
      case 'multicast':
        await client[bound.key]!(request)
        break
      case 'quorumCall': {
        const call = client[bound.key]!(request) as QuorumCall<unknown, unknown>
        for (const [id, reply] of await call.all()) answers.set(id, [reply])
        break
      }
      case 'quorumStream':
        for await (const { nodeID, value, error } of client[bound.key]!(request) as QuorumCall<unknown, unknown>) {
          assert.equal(error, undefined)
          answers.set(nodeID, [...(answers.get(nodeID) ?? []), value])
        }
    }
    return answers
  }

  /** Reads a stream as a correctable: the level is how many nodes have answered, and ends at a majority. */
  async #correct(method: Method, bound: Bound, request: Value): Promise<void> {
    const client = this.#configuration!.client(this.#service) as unknown as Client
    const correctable = (client[bound.key]!(request) as QuorumCall<unknown, unknown>).correctable()
    const { value, level, done } = await correctable.reached(2)
    assert.deepEqual([value.size >= 2, level, done], [true, 2, true])
    for (const [nodeID, reply] of value) {
      const expected = this.#replies.get(`${method.name} ${nodeID}`)!.map((each) => bytesOf(codecOf(bound.reply), each))
      const bytes = bytesOf(codecOf(bound.reply), reply as object)
      assert.ok(
        expected.some((each) => each.equals(bytes)),
        bound.fullName,
      )
    }
  }

  #assertReplies(method: Method, bound: Bound, nodeID: string, replies: unknown[]): void {
    const expected = this.#replies.get(`${method.name} ${nodeID}`)!
    assert.equal(replies.length, expected.length)
    for (const [at, reply] of replies.entries()) assertSame(bound.reply, reply, expected[at]!, bound.fullName)
  }
}

/** Whether what has come has everything that was sent, and nothing else. */
function assertSame(codec: unknown, received: unknown, sent: Value, where: string): void {
  assertHas(received, sent, where)
  assert.deepEqual(bytesOf(codecOf(codec), received as object), bytesOf(codecOf(codec), sent), where)
}

function codecOf(codec: unknown): MessageCodec<object, object> {
  return codec as MessageCodec<object, object>
}

describe('what is generated of the corpus', () => {
  let generated: GeneratedCorpus
  before(() => {
    generated = generateCorpus(CORPUS)
  })
  after(() => generated.remove())

  it('is a file of each .proto file, and passes strict type checks', () => {
    assert.equal(generated.paths.length, CORPUS.length)
    assert.deepEqual(typeErrors(generated.paths), [])
  })

  const called = new Set<string>()
  for (const proto of CORPUS) {
    for (const declared of files.get(proto)!.services) {
      it(`${declared.fullName} serves calls of its ${declared.methods.length} methods`, LIMIT, async (t) => {
        const service = (await generated.load(proto))[declared.name] as Service
        assert.equal(service.bound.size, declared.methods.length)
        const served = new ServedService(service, declared)
        await served.start(t)
        for (const method of declared.methods) {
          await served.call(method)
          called.add(method.callType)
        }
      })
    }
  }

  it('has methods of every call type', () => {
    assert.deepEqual([...called].sort(), ['multicast', 'quorumCall', 'quorumStream', 'rpc', 'unicast'])
  })
})
