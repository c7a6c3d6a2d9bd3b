// The simulator has teeth: bugs that are planted are found, each by few seeds.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hunt } from './hunt.ts'
import { plantedBugs } from './planted-bugs.ts'

const SEEDS = 1_500

test('bugs that are planted are caught', { concurrency: 2 }, async (t) => {
  const seeds: number[] = []
  const hunts = plantedBugs.map(({ name, what }) =>
    t.test(`${name}: ${what}`, async () => {
      const { seed } = await hunt(name, SEEDS)
      assert.ok(seed !== undefined, `${SEEDS} seeds have not found it`)
      seeds.push(seed)
    }),
  )
  await Promise.all(hunts)
  seeds.sort((one, other) => one - other)
  t.diagnostic(`${seeds.length} bugs; median number of seeds ${seeds[seeds.length >> 1]}, at most ${seeds.at(-1)}`)
  assert.ok(seeds.length >= 12)
})
