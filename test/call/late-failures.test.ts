// What a call that its caller has done with says of a node at which it was stopped later: errors of such calls are made
// for who asks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type NodeRecord, type QuorumCall } from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { controlFrame, encodeGoAway } from '../../src/wire/control.ts'
import { Kind } from '../../src/wire/frame.ts'
import { playNode } from '../net/played-node.ts'
import { LIMIT, startCluster } from './cluster.ts'
import { Puppet } from './puppets.ts'

const QUESTION = { text: 'what?' }

/** Two nodes that answer at once, and a third, `c`, that is played by hand and allows requests of so many bytes. */
async function start(t: TestContextLike, requestBytesAllowed: number) {
  const cluster = await startCluster(t, 2, (server) =>
    server.handle(Puppet, {
      call: () => 0,
      ask: () => 0,
      follow: async function* () {},
      tell: () => {},
      tellAll: () => {},
    }),
  )
  const node = await playNode(t, { sessionID: Buffer.alloc(16, 7), requestBytesAllowed })
  const addresses = { ...cluster.addresses, c: node.address }
  const config = await connect(addresses, { waitFor: 'all', callTimeoutMs: Infinity })
  t.after(() => config.close())
  const silent = await node.peer
  return { client: config.client(Puppet), silent }
}

async function recordOfC(call: QuorumCall<unknown, unknown>): Promise<NodeRecord> {
  const { nodes } = await call.settled
  return nodes.find(({ nodeID }) => nodeID === 'c')!
}

test('stopped where it had been written, it is unknown whether it ran', LIMIT, async (t) => {
  const { client, silent } = await start(t, 1_000)
  const abort = new AbortController()
  const call = client.ask(QUESTION, { signal: abort.signal })
  const replies = await call.majority()
  await silent.next(Kind.request)
  const why = new Error('enough')
  abort.abort(why)
  await silent.next(Kind.cancel)
  const { outcome, error, writtenMs } = await recordOfC(call)
  assert.equal(outcome, 'failed')
  assert.equal(error?.code, 'cancelled')
  assert.equal(error.executed, 'unknown')
  assert.equal(error.nodeID, 'c')
  assert.equal(error.cause, why)
  assert.match(error.message, /ask\+msgpack" on node c was cancelled/)
  assert.ok(writtenMs !== undefined)
  assert.equal((await recordOfC(call)).error, error, 'asked again, it is the same')
  assert.deepEqual([...replies.values()], [0, 0], 'the replies are still there')
  assert.equal(replies.errors.size, 0, 'and say what was so when they were given')
})

test('stopped where it was still waiting, it has not run', LIMIT, async (t) => {
  const { client, silent } = await start(t, 40)
  const first = client.ask(QUESTION)
  await first.majority()
  await silent.next(Kind.request)
  const second = client.ask(QUESTION, { stragglers: 'cancel' })
  await second.majority()
  const { outcome, error, writtenMs } = await recordOfC(second)
  assert.equal(outcome, 'failed')
  assert.equal(error?.code, 'cancelled')
  assert.equal(error.executed, 'no')
  assert.equal(writtenMs, undefined)
})

test('stopped where it had been written and was given back by a node that drains, it has not run', LIMIT, async (t) => {
  const { client, silent } = await start(t, 1_000)
  const abort = new AbortController()
  const call = client.ask(QUESTION, { signal: abort.signal })
  await call.majority()
  await silent.next(Kind.request)
  const why = { code: 'unavailable', message: 'drains', metadata: {}, notExecuted: true } as const
  silent.send(controlFrame(Kind.goaway, encodeGoAway({ lastFrame: 0, why })))
  await silent.next(Kind.ack)
  abort.abort()
  const { error, writtenMs } = await recordOfC(call)
  assert.equal(error?.executed, 'no')
  assert.equal(writtenMs, undefined)
})
