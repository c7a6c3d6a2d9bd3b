// Generated services over sockets: every call type, values that are hard to carry, and the check of the runtime's version.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Correctable, connect, createServer, type QuorumCall, type Replies } from '../../src/index.ts'
import { generatedFor } from '../../src/runtime.ts'
import { checkLeaks, startLocalCluster } from '../../src/testing/index.ts'
import * as generated from './golden/services_gorums.ts'
import { Calls, Quiet, type Reply, type RequestInput } from './golden/services_gorums.ts'

describe('a generated service', () => {
  it('carries every call type, with names on the wire as in the .proto file', async (t) => {
    checkLeaks(t)
    const told: string[] = []
    const server = createServer()
    server.handle(Calls, {
      getRPC: (request) => ({ ...request, value: request.key }),
      tellUnicast: (request) => void told.push(request.key),
      tellAll: (request) => void told.push(request.key),
      readQC: (request) => ({ time: request.time, attributes: request.attributes }),
      *rpcWatch() {
        yield { value: 'first' }
        yield { value: 'second' }
      },
    })
    const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 })
    const config = await connect([`${host}:${port}`])
    t.after(async () => {
      await config.close()
      await server.close()
    })
    const calls = config.client(Calls)
    const node = config.node(`${host}:${port}`).client(Calls)

    assert.equal((await node.getRPC({ key: 'k' })).value, 'k')
    await node.tellUnicast({ key: 'one' })
    await calls.tellAll({ key: 'all' })
    const seen: string[] = []
    for await (const { value } of calls.rpcWatch({})) if (value !== undefined) seen.push(value.value)
    assert.deepEqual(seen, ['first', 'second'])
    // The handlers of both have started before this one, in this order.
    assert.deepEqual(told, ['one', 'all'])
    for (const time of [0n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
      assert.equal((await calls.readQC({ time }).first()).time, time)
    }
    const attributes = JSON.parse('{"__proto__":"p","constructor":"c"}')
    const reply = await calls.readQC({ attributes }).first()
    assert.deepEqual(Object.entries(reply.attributes), Object.entries(attributes))
    assert.throws(() => calls.readQC({ time: 2n ** 64n }), /RangeError: golden.services.Request.time/)
    assert.throws(() => calls.readQC(undefined as unknown as RequestInput), TypeError)
    assert.deepEqual(
      [...Calls.bound.values()].map(({ fullName }) => fullName),
      ['GetRPC', 'TellUnicast', 'TellAll', 'ReadQC', 'RPCWatch'].map((name) => `golden.services.Calls/${name}`),
    )
    assert.equal(Quiet.bound.size, 0)
  })

  it('has no types of replies, futures or correctables of its own: one generic type serves all methods', async (t) => {
    checkLeaks(t)
    const reply = (value: string) => ({ value, time: 5n })
    const cluster = await startLocalCluster(3, (server, nodeID) => {
      server.handle(Calls, { readQC: () => reply(nodeID), rpcWatch: () => [reply(nodeID)] })
    })
    t.after(() => cluster.close())
    const calls = (await cluster.connect({ waitFor: 'all' })).client(Calls)
    // As types: what the methods give is what the library calls it, of the message that the .proto file names.
    const asked: QuorumCall<RequestInput, Reply> = calls.readQC({})
    const watched: QuorumCall<RequestInput, Reply> = calls.rpcWatch({})
    const replies: Replies<Reply> = await asked.all()
    assert.deepEqual(new Set(replies.keys()), new Set(['a', 'b', 'c']))
    const correctables: Correctable<Replies<Reply>>[] = [calls.readQC({}).correctable(), watched.correctable()]
    for (const each of correctables) assert.ok((await each.reached(2)).value.size >= 2)
    // As values.
    assert.equal(asked.constructor, watched.constructor)
    assert.equal(correctables[0]!.constructor, correctables[1]!.constructor)
    assert.deepEqual(Object.keys(generated).sort(), ['Calls', 'Nothing', 'Quiet', 'Reply', 'Request'])
  })

  it('needs neither the parser of protobufjs nor msgpackr', async () => {
    const file = path.join(import.meta.dirname, 'golden/services_gorums.ts')
    const program = `
      import { createRequire } from 'node:module'
      await import(${JSON.stringify(file)})
      console.log(Object.keys(createRequire(${JSON.stringify(file)}).cache).filter((name) => /node_modules/.test(name)).join('\\n'))`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { cwd: path.resolve(import.meta.dirname, '../..') },
    )
    const modules = stdout.split('\n').filter((name) => /protobufjs|msgpackr/.test(name))
    assert.ok(modules.some((name) => /protobufjs.minimal\.js/.test(name)))
    assert.deepEqual(
      modules.filter((name) => /msgpackr|protobufjs.(index|light)|src.(parse|root|type|reflect)\.js/.test(name)),
      [],
    )
  })

  it('says what to run when it was generated for another version of the runtime', () => {
    assert.throws(() => generatedFor(0, 'a/b.proto'), /version 0 .* this is version 2: run "npx gorums gen a\/b.proto"/)
    generatedFor(2, 'a/b.proto')
  })
})
