// Sessions keep their promises in every state that a small world can reach, and every rule that is left out is missed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore, smallWorlds } from './explore.ts'
import { looseningNames, loosenings } from './loosenings.ts'

for (const bounds of smallWorlds) {
  test(`no promise is broken in any state of ${JSON.stringify(bounds)}`, (t) => {
    const { states, depth, broken, isCut } = explore(bounds)
    assert.equal(broken, undefined)
    assert.equal(isCut, false)
    t.diagnostic(`${states} states, depth ${depth}`)
    assert.ok(states > 1_000)
  })
}

for (const loosening of looseningNames) {
  test(`without its rule a promise is broken: ${loosening}`, (t) => {
    const { states, broken } = explore(loosenings[loosening], loosening)
    assert.ok(broken !== undefined, `not noticed in ${states} states`)
    t.diagnostic(`${broken.what} (${broken.steps.length} steps, ${states} states)`)
  })
}
