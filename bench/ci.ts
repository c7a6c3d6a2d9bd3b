// What a short run may fail on: nothing that noise explains. Ratios far below their goals, memory that grows, bytes on the
// wire.

import type { Section } from './experiments/benchmark.ts'
import { goals, ratio } from './report/goals.ts'

/** The benchmarks of a short run: points at which half of the goal is far below what is seen, so that noise does not reach it. */
export const CI_BENCHMARKS = /^(1x16B|64x16B|stopped)$/
/**
 * What every process of a short run holds beside, as applications do. A bare process may be too small for V8 to collect all of
 * it, ever: whether that happens within a few seconds would decide a ratio.
 */
export const CI_HEAP = '16MiB'
/** Where others had more of the machine than this in a round that counts, a ratio says more of them than of us. */
const OTHERS_MAX = 0.25
/** A ratio to the floor must be at least this share of its goal. */
const SHARE_OF_GOAL = 0.5
/** The most by which the client's memory may grow while a node is stopped. */
const GROWTH_MAX = 0.5
/** The most that a message may take on the wire beyond its payload, on average, bytes. A call has one each way for each node. */
const OVERHEAD_MAX = 32

/** What is wrong, one line each; nothing measured is wrong as well. */
export function complaints(sections: readonly Section[]): string[] {
  if (sections.length === 0) return ['nothing was measured']
  return sections.flatMap((section) => {
    const found: string[] = []
    const goal = goals.find(({ benchmark, against }) => benchmark === section.name && against === 'floor')?.atLeast
    const seen = ratio(section, 'floor')
    if (goal !== undefined && seen === undefined)
      found.push(`${section.name}: there is no ratio to the floor: not both of gorums and floor were measured`)
    if (goal !== undefined && seen !== undefined && seen < goal * SHARE_OF_GOAL && !isDisturbed(section))
      found.push(`${section.name}: ${seen.toFixed(3)} of the floor, below half of the goal of ${goal}`)
    const growth = section.facts?.find(({ name }) => name === 'memory growth')?.value
    if (growth !== undefined && growth > GROWTH_MAX)
      found.push(`${section.name}: the client's memory grew by ${Math.round(growth * 100)} %`)
    for (const { point, results } of section.points) {
      const ours = results.find(({ target }) => target === 'gorums')
      const messages = 2 * point.nodes
      const overhead = (ours?.bytesPerCall ?? 0) - messages * point.payloadBytes
      if (overhead > messages * OVERHEAD_MAX)
        found.push(
          `${section.name}: a call to ${point.nodes} nodes has ${Math.round(overhead)} bytes on the wire beyond its payloads, more than ${messages * OVERHEAD_MAX}`,
        )
    }
    return found
  })
}

/** Ratios that are not judged, and why, one line each. */
export function unjudged(sections: readonly Section[]): string[] {
  return sections
    .filter((section) => isDisturbed(section))
    .map(
      (section) =>
        `${section.name}: its ratio is not judged: others had ${Math.round(othersOf(section) * 100)} % of the machine`,
    )
}

function isDisturbed(section: Section): boolean {
  return othersOf(section) > OTHERS_MAX && ratio(section, 'floor') !== undefined
}

function othersOf({ points }: Section): number {
  return Math.max(0, ...points.flatMap(({ results }) => results.map(({ others }) => others)))
}
