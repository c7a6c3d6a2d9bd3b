// Short forms of what `npm run chaos` does for longer: processes that are killed, stopped, and restarted under load.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKills } from './kills.ts'
import { runRollingRestart } from './rolling-restart.ts'
import { runChaos } from './storage-chaos.ts'

const LIMIT = { timeout: 120_000 }

test('a server that is killed: every call is answered, and the counter says what the answers say', LIMIT, async (t) => {
  const result = await runKills({ kills: 3, callsPerLife: 2_000 })
  const { acknowledged, counted, failed } = result
  assert.deepEqual([result.twice, result.lies, result.disordered, failed.yes], [0, 0, 0, 0])
  assert.ok(counted >= acknowledged && counted <= acknowledged + failed.unknown)
  t.diagnostic(JSON.stringify(result))
})

test('a rolling restart, with links that are cut while servers drain, loses nothing', LIMIT, async (t) => {
  const result = await runRollingRestart({ calls: 20_000, rounds: 1 })
  assert.deepEqual([result.failures, result.twice, result.lost], [{}, 0, 0])
  assert.deepEqual([result.requests, result.answered], [30_000, 30_000])
  assert.equal(result.restarts, 3)
  assert.ok(result.cuts >= 3)
  t.diagnostic(JSON.stringify(result))
})

test(
  'the storage example is linearizable while its processes and their connections suffer every kind of fault',
  LIMIT,
  async (t) => {
    const result = await runChaos({ replicas: 3, clients: 3, faults: 15, stopMaxMs: 2_000, seed: 1 })
    assert.equal(result.verdict, 'linearizable')
    assert.equal(Object.keys(result.faults).length, 15)
    assert.ok(result.minorityKilled.times > 0 && result.majorityKilled.times > 0)
    t.diagnostic(JSON.stringify(result))
  },
)

// Whatever is written anew before it is read says nothing: one power failure in four goes unnoticed.
test('replicas that have forgotten what they wrote before all were killed are found out', LIMIT, async () => {
  const kinds = ['kill all']
  const result = await runChaos({
    replicas: 3,
    clients: 3,
    faults: 8,
    kinds,
    stopMaxMs: 100,
    seed: 1,
    isForgetful: true,
  })
  assert.equal(result.verdict, 'violation')
})
