// A call to n nodes encodes its request once: counted at the codec, seen in the buffers that are written, and in the memory
// that a large call takes. Replies that nobody will read are not decoded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Codec, multicast, quorumCall, quorumStream, rpc, service, unicast } from 'gorums'
import { msgpack } from 'gorums/codec/msgpack'
import { protobuf } from 'gorums/codec/protobuf'
import type { TestContextLike } from 'gorums/testing'
import protobufjs from 'protobufjs'
import { eventually, Gate, LIMIT, startCluster } from './cluster.ts'
import { RuntimeSpy } from './runtime-spy.ts'

interface Message {
  readonly text: string
}

/** A codec that counts its work. */
class CountingCodec implements Codec<Message> {
  readonly name = 'msgpack'
  encoded = 0
  decoded = 0
  readonly #inner = msgpack<Message>()

  encode(value: Message, target: { buffer: Buffer; position: number }): void {
    this.encoded++
    this.#inner.encode(value, target)
  }

  decode(bytes: Buffer, start: number, end: number): Message {
    this.decoded++
    return this.#inner.decode(bytes, start, end)
  }
}

/** Five nodes that answer; the last two only when the gate is open. */
async function startCounting(t: TestContextLike) {
  const request = new CountingCodec()
  const reply = new CountingCodec()
  const plain = msgpack<Message>()
  const declare = (codecs: { request: Codec<Message>; reply: Codec<Message> }) =>
    service('once.Counted', {
      call: rpc(codecs),
      tell: unicast({ request: codecs.request }),
      tellAll: multicast({ request: codecs.request }),
      ask: quorumCall(codecs),
      follow: quorumStream(codecs),
    })
  const gate = new Gate()
  const cluster = await startCluster(t, 5, (server, nodeID) => {
    const answer = async (message: Message): Promise<Message> => {
      if ('de'.includes(nodeID) && message.text === 'gated') await gate.opened
      return message
    }
    server.handle(declare({ request: plain, reply: plain }), {
      call: answer,
      ask: answer,
      tell: () => {},
      tellAll: () => {},
      async *follow(message) {
        yield await answer(message)
      },
    })
  })
  return { cluster, service: declare({ request, reply }), request, reply, gate }
}

test('a call to five nodes encodes its request once, whatever the call type', LIMIT, async (t) => {
  const { cluster, service: Counted, request } = await startCounting(t)
  const configuration = await cluster.connect({ interceptors: [() => ({ send: (value) => value })] })
  const plain = await cluster.connect()
  for (const each of [plain, configuration]) {
    const client = each.client(Counted)
    const calls: readonly (() => Promise<unknown>)[] = [
      () => client.ask({ text: 'x' }).all(),
      () => client.follow({ text: 'x' }).all(),
      () => client.tellAll({ text: 'x' }),
      () => each.node('a').client(Counted).call({ text: 'x' }),
      () => each.node('a').client(Counted).tell({ text: 'x' }),
      () => client.ask({ text: 'x' }, { perNode: (message) => message }).all(),
      () => client.ask({ text: 'x' }, { metadata: { trace: '1' }, timeoutMs: 5_000 }).all(),
    ]
    for (const call of calls) {
      request.encoded = 0
      await call()
      assert.equal(request.encoded, 1, String(call))
    }
  }
})

test('per-node requests are encoded once per different object', LIMIT, async (t) => {
  const { cluster, service: Counted, request } = await startCounting(t)
  const client = (await cluster.connect()).client(Counted)
  const even = { text: 'even' }
  await client.ask({ text: 'x' }, { perNode: (message, { id }) => ('bd'.includes(id) ? even : message) }).all()
  assert.equal(request.encoded, 2)
  request.encoded = 0
  await client.ask({ text: 'x' }, { perNode: (_, { id }) => ({ text: id }) }).all()
  assert.equal(request.encoded, 5)
})

test('replies behind the quorum are not decoded, unless somebody reads them', LIMIT, async (t) => {
  const { cluster, service: Counted, reply, gate } = await startCounting(t)
  const configuration = await cluster.connect()
  const call = configuration.client(Counted).ask({ text: 'gated' })
  await call.majority()
  assert.equal(reply.decoded, 3)
  const read = configuration.client(Counted).ask({ text: 'gated' }, { onReply: () => {} })
  await read.majority()
  assert.equal(reply.decoded, 6)
  gate.open()
  await call.settled
  await read.settled
  assert.equal(reply.decoded, 8)
})

const MIB = 1024 * 1024
/** What a call of 1 MiB may take beside the value, bytes. */
const ROOM_BYTES = 1.3 * MIB

const { root } = protobufjs.parse(`
  syntax = "proto3";
  message Blob { bytes bytes = 1; string text = 2; repeated string list = 3; }
`)

interface Blob {
  readonly bytes?: Uint8Array
  readonly text?: string
  readonly list?: string[]
}

const VALUES: Readonly<Record<string, Blob>> = {
  'one field of bytes': { bytes: new Uint8Array(MIB).fill(7) },
  'one text': { text: 'x'.repeat(MIB) },
  'a thousand texts': { list: Array.from({ length: 1024 }, () => 'y'.repeat(1024)) },
}

for (const [codecName, codec] of Object.entries({
  msgpack: msgpack<Blob>(),
  protobuf: protobuf<Blob>(root.lookupType('Blob')),
})) {
  for (const [what, value] of Object.entries(VALUES)) {
    test(
      `1 MiB to five nodes (${what}, ${codecName}): one buffer for all, under 1.3 MiB beside the value`,
      LIMIT,
      async (t) => {
        const Large = service('once.Large', { ask: quorumCall({ request: codec, reply: codec }) })
        const cluster = await startCluster(t, 5, (server) => server.handle(Large, { ask: () => ({}) }))
        const spy = new RuntimeSpy()
        const configuration = await cluster.connect({ runtime: spy.runtime })
        const client = configuration.client(Large)
        await client.ask({}).all()
        for (const pieces of spy.written.values()) pieces.length = 0
        // The call is made and written before anything can be read: what is allocated until then is the caller's.
        const { bytes: allocated, result } = await countAllocations(async () => {
          const call = client.ask(value).all()
          await new Promise((resolve) => process.nextTick(resolve))
          return { call }
        })
        const large = cluster.nodeIDs.map((id) => {
          const pieces = spy.written.get(cluster.addresses[id]!)!
          return pieces.filter((piece) => piece.length >= MIB)
        })
        for (const pieces of large) assert.equal(pieces.length, 1)
        const [first] = large[0]!
        for (const [piece] of large) {
          assert.equal(piece!.buffer, first!.buffer, 'the same memory')
          assert.deepEqual([piece!.byteOffset, piece!.length], [first!.byteOffset, first!.length])
        }
        assert.ok(allocated >= MIB, `${allocated} bytes: something was not counted`)
        assert.ok(allocated <= ROOM_BYTES, `${allocated} bytes were allocated`)
        assert.equal((await result.call).size, 5)
        await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
      },
    )
  }
}

/** The bytes of all buffers that are made while `run` runs. */
async function countAllocations<T>(run: () => Promise<T>): Promise<{ bytes: number; result: T }> {
  let bytes = 0
  const { allocUnsafeSlow, allocUnsafe, alloc, concat, from } = Buffer
  const counted = <F extends (...rest: never[]) => Buffer>(make: F): F =>
    ((...rest: never[]) => {
      const buffer = make.apply(Buffer, rest)
      bytes += buffer.length
      return buffer
    }) as F
  Object.assign(Buffer, {
    allocUnsafeSlow: counted(allocUnsafeSlow),
    allocUnsafe: counted(allocUnsafe),
    alloc: counted(alloc),
    concat: counted(concat),
    from: counted(from as (...rest: never[]) => Buffer),
  })
  try {
    return { result: await run(), bytes }
  } finally {
    Object.assign(Buffer, { allocUnsafeSlow, allocUnsafe, alloc, concat, from })
  }
}
