// The goals of docs/performance.md, and whether a run meets them.

import type { Section } from '../experiments/benchmark.ts'
import type { PointResult } from '../experiments/point.ts'
import { median } from '../measure/statistics.ts'

export interface Goal {
  readonly benchmark: string
  readonly title: string
  /** Ours to this target's: the median of the ratios of rounds that were measured side by side. */
  readonly against?: string
  /** Or a fact of the benchmark. */
  readonly fact?: string
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Verdict extends Goal {
  readonly value: number
  readonly isMet: boolean
}

/** What is expected of the client's memory while a node is stopped: as good as no growth. */
const FLAT = 0.1

/** In MiB. */
const LARGE_WRITE = 'allocated by a call beyond the value'

/** A fact of the sweep of payloads. */
export const LARGE_PAYLOADS = 'gorums / grpc-unary, the least from 64 KiB to 4 MiB'

export const goals: readonly Goal[] = [
  ...ratios('1x16B', '1 in flight, 16 B', 0.9, 1.5, 7),
  ...ratios('64x16B', '64 in flight, 16 B', 0.75, 20, 80),
  ...ratios('512x16B', '512 in flight, 16 B', 0.6, 50, 200),
  ...ratios('64x1KiB', '64 in flight, 1 KiB', 0.75, 10, 40),
  ...ratios('64x64KiB', '64 in flight, 64 KiB', 0.85, 2.5, 3.5),
  ...ratios('4x1MiB', '4 in flight, 1 MiB', 0.85, 1, 1.2),
  { benchmark: 'stopped', title: 'one node of 3 stopped', fact: 'p99 / p99 with two nodes', atMost: 1.2 },
  { benchmark: 'stopped', title: 'one node of 3 stopped', fact: 'memory growth', atMost: FLAT },
  { benchmark: 'sweep-payload', title: 'larger messages', fact: LARGE_PAYLOADS, atLeast: 1 },
  { benchmark: 'large-writes', title: 'writes of 1 MiB to 5 nodes', fact: LARGE_WRITE, atMost: 1.3 },
  { benchmark: 'waiting-calls', title: '100 000 calls in flight', fact: 'a call in flight', atMost: 1024 },
  { benchmark: 'multicast', title: 'multicast, fire and forget', against: 'floor', atLeast: 0.6 },
]

function ratios(benchmark: string, title: string, floor: number, stream: number, unary: number): Goal[] {
  return [
    { benchmark, title, against: 'floor', atLeast: floor },
    { benchmark, title, against: 'grpc-stream', atLeast: stream },
    { benchmark, title, against: 'grpc-unary', atLeast: unary },
  ]
}

/** The goals that what was run can be judged by. */
export function judge(sections: readonly Section[]): Verdict[] {
  return goals.flatMap((goal) => {
    const section = sections.find(({ name }) => name === goal.benchmark)
    const value = section === undefined ? undefined : seenOf(goal, section)
    if (value === undefined) return []
    return [
      {
        ...goal,
        value,
        isMet:
          value >= (goal.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (goal.atMost ?? Number.POSITIVE_INFINITY),
      },
    ]
  })
}

function seenOf({ against, fact }: Goal, section: Section): number | undefined {
  if (fact !== undefined) return section.facts?.find(({ name }) => name === fact)?.value
  return against === undefined ? undefined : ratio(section, against)
}

/** Ours to another target's at a section's first point; undefined when one of them was not measured. */
export function ratio(section: Section, against: string): number | undefined {
  const [first] = section.points
  return first === undefined ? undefined : medianRatio(first, against)
}

/**
 * Ours to another target's at a point: the median of the ratios of rounds that were measured side by side, because a machine
 * that is slow for a second is so for both. Undefined when one of them was not measured.
 */
export function medianRatio({ results }: PointResult, against: string): number | undefined {
  const roundsOf = (target: string): readonly number[] =>
    results.find((result) => result.target === target)?.rounds ?? []
  const theirs = roundsOf(against)
  const ratios = roundsOf('gorums').flatMap((ours, turn) => (theirs[turn] ? [ours / theirs[turn]] : []))
  return ratios.length === 0 ? undefined : median(ratios)
}
