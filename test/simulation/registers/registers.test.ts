// The storage example is linearizable under faults, and the checker notices when it is not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenVariants, runRegisters } from './registers.ts'

const HISTORIES = 400
const SEEDS_MAX = 1_000

test(`${HISTORIES} histories of registers with write-back, under faults, are linearizable`, async (t) => {
  let operations = 0
  let unknown = 0
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const run = await runRegisters(seed, 'abd')
    assert.equal(run.result.verdict, 'linearizable', `seed ${seed}`)
    operations += run.result.operations
    unknown += run.unknown
  }
  t.diagnostic(`${operations} operations, ${unknown} with unknown outcome`)
  assert.ok(operations > 20 * HISTORIES && unknown > 0)
})

for (const variant of brokenVariants) {
  test(`${variant} is found out`, async (t) => {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      if ((await runRegisters(seed, variant)).result.verdict !== 'violation') continue
      t.diagnostic(`by seed ${seed}`)
      return
    }
    assert.fail(`${SEEDS_MAX} seeds have not found it`)
  })
}
