// Real connections are cut under load, and nobody notices but by the time it takes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runLinkCuts } from './link-cuts.ts'

test('links that are cut sixty times under load: in order, once each, nothing lost or unknown, both ways', async (t) => {
  const result = await runLinkCuts({ cuts: 60 })
  t.diagnostic(JSON.stringify(result))
  const { failures, twice, lost, disordered, calls, callsBack } = result
  assert.deepEqual({ failures, twice, lost, disordered }, { failures: {}, twice: 0, lost: 0, disordered: 0 })
  assert.ok(calls > 1_000 && callsBack > 300)
})
