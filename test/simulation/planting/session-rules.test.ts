// Every part of every rule of sessions has what shows it to be needed, and nothing is planted or loosened beside the table.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { looseningNames } from '../../exploration/loosenings.ts'
import { plantedBugs } from './planted-bugs.ts'
import { otherBugs, sessionRules } from './session-rules.ts'

test('every rule is there', () => {
  const rules = new Set(sessionRules.map(({ rule }) => Number(rule)))
  assert.deepEqual(
    [...rules],
    Array.from({ length: 11 }, (_, index) => index + 1),
  )
})

for (const { rule, part, bugs, loosenings, why } of sessionRules) {
  test(`rule ${rule}, ${part}: a planted bug and a loosening, or why there is none`, () => {
    assert.ok(bugs.length + loosenings.length > 0)
    assert.equal(why !== undefined, bugs.length === 0 || loosenings.length === 0)
  })
}

test('every planted bug and every loosening belongs to one part', () => {
  const bugs = [...sessionRules.flatMap((each) => each.bugs), ...otherBugs]
  assert.deepEqual(bugs.sort(), plantedBugs.map(({ name }) => name).sort())
  const loosenings = sessionRules.flatMap((each) => each.loosenings)
  assert.deepEqual(loosenings.sort(), [...looseningNames].sort())
})
