// The framework keeps its promises in every simulated world, with every fault, and every edge of sessions is met. Long: what
// is shown by a few worlds is in seeds.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeeds } from './seeds.ts'
import { WIRE_EDGES } from './wire-edges.ts'
import { EDGES } from './witness.ts'

const SEEDS = 2_000

/** Every kind of fault that a schedule can have, as it is counted. */
const KINDS = [
  'partition',
  'one-way partition',
  'delay',
  'reset',
  'one-sided reset',
  'half-close',
  'blackhole',
  'refuse',
  'pause',
  'crash',
  'silent crash',
  'restart',
  'clock-jump',
  'move',
]

test(`${SEEDS} worlds with every kind of fault: no promise is broken`, async (t) => {
  const summary = await runSeeds(1, SEEDS)
  assert.deepEqual(summary.violations, [])
  for (const kind of KINDS) assert.ok((summary.faults[kind] ?? 0) > 0, `no world had a ${kind}`)
  for (const edge of [...EDGES, ...WIRE_EDGES])
    assert.ok((summary.edges[edge] ?? 0) > 0, `no session went on like this: ${edge}`)
  for (const outcome of ['ok', 'failed', 'no', 'unknown', 'sent'] as const)
    assert.ok(summary.outcomes[outcome]! > 0, outcome)
  assert.ok(summary.rollingSeeds > SEEDS / 20, `${summary.rollingSeeds} worlds of rolling restarts`)
  const { calls, resumes, edges } = summary
  t.diagnostic(`${calls} calls, ${resumes} sessions went on; ${JSON.stringify({ ...summary.faults, ...edges })}`)
  assert.ok(summary.calls > 100 * SEEDS && summary.resumes > SEEDS, JSON.stringify(summary))
})
