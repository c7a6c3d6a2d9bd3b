// The example finds its mistake, and only that.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCounter } from './world.ts'

test('a counter that waits for its disk is right, whatever happens', async () => {
  let unknown = 0
  for (let seed = 1; seed <= 150; seed++) {
    const outcome = await runCounter(seed, true)
    assert.ok(outcome.isRight, JSON.stringify(outcome))
    unknown += outcome.unknown
  }
  assert.ok(unknown > 0)
})

test('one that does not is found out, by the same seed each time', async () => {
  let seed = 1
  while (seed < 300 && (await runCounter(seed, false)).isRight) seed++
  const [once, twice] = [await runCounter(seed, false), await runCounter(seed, false)]
  assert.equal(once.isRight, false)
  assert.deepEqual(once, twice)
})
