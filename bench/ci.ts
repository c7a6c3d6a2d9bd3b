// What a short run may fail on: nothing that noise explains. Ratios far below their goals, memory that grows, bytes on the
// wire.

import type { Section } from './experiments/benchmark.ts'
import { goals, ratio } from './report/goals.ts'

/** The benchmarks of a short run. */
export const CI_BENCHMARKS = /^(64x16B|64x1KiB|stopped)$/
/** A ratio to the floor must be at least this share of its goal. */
const SHARE_OF_GOAL = 0.5
/** The most by which the client's memory may grow while a node is stopped. */
const GROWTH_MAX = 0.5
/** The most that a call to three nodes and their answers may take on the wire beyond its payloads, bytes. */
const OVERHEAD_MAX = 6 * 32

/** What is wrong, one line each. */
export function complaints(sections: readonly Section[]): string[] {
  return sections.flatMap((section) => {
    const found: string[] = []
    const goal = goals.find(({ benchmark, against }) => benchmark === section.name && against === 'floor')?.atLeast
    const seen = ratio(section, 'floor')
    if (goal !== undefined && seen !== undefined && seen < goal * SHARE_OF_GOAL)
      found.push(`${section.name}: ${seen.toFixed(3)} of the floor, below half of the goal of ${goal}`)
    const growth = section.facts?.find(({ name }) => name === 'memory growth')?.value
    if (growth !== undefined && growth > GROWTH_MAX)
      found.push(`${section.name}: the client's memory grew by ${Math.round(growth * 100)} %`)
    for (const { point, results } of section.points) {
      const ours = results.find(({ target }) => target === 'gorums')
      const overhead = (ours?.bytesPerCall ?? 0) - 2 * point.nodes * point.payloadBytes
      if (overhead > OVERHEAD_MAX)
        found.push(
          `${section.name}: a call has ${Math.round(overhead)} bytes on the wire beyond its payloads, more than ${OVERHEAD_MAX}`,
        )
    }
    return found
  })
}
