// All benchmarks, in the order in which they run.

import type { Options } from '../options.ts'
import type { Benchmark } from './benchmark.ts'
import { fullBenchmarks } from './full-benchmarks.ts'
import { goalMulticast, goalPoints } from './goal-points.ts'
import { gorumsBenchmarks } from './gorums-benchmarks.ts'
import { stoppedNode } from './stopped-node.ts'

export const benchmarks: readonly Benchmark[] = [
  ...goalPoints,
  stoppedNode,
  goalMulticast,
  ...fullBenchmarks,
  ...gorumsBenchmarks,
]

/** The benchmarks that a command line asks for. RangeError when there is none. */
export function chosenBenchmarks({ benchmarks: pattern, full }: Options): Benchmark[] {
  const chosen = benchmarks.filter(({ name, group }) =>
    pattern === undefined ? group === 'goals' || (full && group === 'full') : pattern.test(name),
  )
  if (chosen.length === 0)
    throw new RangeError(`--benchmarks ${pattern?.source}: there are ${benchmarks.map(({ name }) => name).join(', ')}`)
  return chosen
}
