// Looks for a seed that shows what a missing `sync` does, and makes what led to it as small as it can.

import { shrinkSchedule } from 'gorums/testing'
import { runCounter } from './world.ts'

const SEEDS = 300

for (const syncs of [true, false]) {
  let wrong: Awaited<ReturnType<typeof runCounter>> | undefined
  let seeds = 0
  while (wrong === undefined && seeds < SEEDS) {
    const outcome = await runCounter(++seeds, syncs)
    if (!outcome.isRight) wrong = outcome
  }
  console.log(
    `${syncs ? 'with' : 'without'} sync: ${wrong === undefined ? `${seeds} seeds, none wrong` : `seed ${seeds} is wrong`}`,
  )
  if (wrong === undefined) continue
  const faults = await shrinkSchedule(wrong.faults, async (each) => !(await runCounter(seeds, syncs, each)).isRight)
  for (const fault of faults) console.log(`  ${JSON.stringify(fault)}`)
  const { hash, acknowledged, unknown, count } = await runCounter(seeds, syncs, faults)
  console.log(`  ${acknowledged} additions were acknowledged and ${unknown} may have run, but the count is ${count}`)
  console.log(`  trace ${hash}`)
}
