// What a call costs in looks at the clock: at most one per turn of the event loop, however many calls go in it, and yet every
// node has a latency as soon as it has answered once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quorumCall, rpc, service } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { type Handling, LIMIT, startCluster } from './cluster.ts'
import { RuntimeSpy } from './runtime-spy.ts'

const Work = service('clock.Work', { ask: quorumCall<object, number>(), call: rpc<object, number>() })

test(
  'the clock is read at most once per turn, not once per call, and rarely called nodes still have a latency',
  LIMIT,
  async (t) => {
    // Servers whose clock stands still never find that a slice is over: in how many turns answers come is not for the speed of
    // the machine to decide.
    const runtime = { ...nodeRuntime, now: () => 0 }
    const handle = (server: Handling) => server.handle(Work, { ask: () => 1, call: () => 1 })
    const cluster = await startCluster(t, 3, handle, { server: { runtime } })
    const spy = new RuntimeSpy()
    const configuration = await cluster.connect({ runtime: spy.runtime })
    await configuration.client(Work).ask({}).all()
    const before = { reads: spy.clockReads, turns: spy.turns }
    const CALLS = 20_000
    for (let made = 0; made < CALLS; made += 500) {
      const calls = Array.from({ length: 500 }, () => configuration.client(Work).ask({}).all())
      await Promise.all(calls)
    }
    const reads = spy.clockReads - before.reads
    const turns = spy.turns - before.turns
    assert.ok(reads <= turns, `${reads} reads in ${turns} turns`)
    assert.ok(reads <= CALLS / 20, `${reads} reads for ${CALLS} calls of three answers each`)
    const samples = configuration.node('a').latency.samples
    assert.ok(samples > 0)
  },
)

test('one call is enough for a latency', LIMIT, async (t) => {
  const cluster = await startCluster(t, 2, (server) => server.handle(Work, { ask: () => 1, call: () => 1 }))
  const configuration = await cluster.connect()
  assert.equal(configuration.node('b').latency.samples, 0)
  assert.ok(Number.isNaN(configuration.node('b').latency.meanMs))
  await configuration.node('b').client(Work).call({})
  const { meanMs, samples } = configuration.node('b').latency
  assert.equal(samples, 1)
  assert.ok(meanMs > 0 && meanMs < 10_000)
  assert.equal(configuration.node('a').latency.samples, 0)
})
