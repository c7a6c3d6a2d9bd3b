// Reports of figures that are given, for tests of what is said of them.

import type { Section } from '../../bench/experiments/benchmark.ts'
import { echoPoint } from '../../bench/experiments/goal-points.ts'
import type { TargetResult } from '../../bench/experiments/point.ts'
import { summarize } from '../../bench/measure/statistics.ts'
import { makeReport, type Report } from '../../bench/report/report.ts'
import { loadTargets } from '../../bench/targets/targets.ts'

/** What a target would have been measured with: calls per second of each round; all else is the same for every target. */
export function result(target: string, ...rounds: number[]): TargetResult {
  return {
    target,
    rounds,
    repeated: 0,
    others: 0,
    callsPerSecond: summarize(rounds),
    latency: { samples: 9, meanMs: 1, deviationMs: 0.5, p50Ms: 1, p90Ms: 2, p99Ms: 3, p999Ms: 4, maxMs: 5 },
    distribution: [
      [1, 0.5],
      [5, 1],
    ],
    clientCpuMicros: 10,
    serverCpuMicros: 20,
    observation: { heapPerCall: 100, externalPerCall: 0, loopDelay: { p50Ms: 1, p99Ms: 2, maxMs: 3 } },
    bytesPerCall: 186,
    servers: [],
  }
}

/** A section of one point: 64 calls in flight with 16 bytes each, to 3 nodes. */
export function section(name: string, ...results: TargetResult[]): Section {
  return { name, title: '64 in flight, 16 B', points: [{ point: echoPoint(name, 64, 16), results }] }
}

const targets = await loadTargets()

/** A report of this commit and this machine. */
export function report(...sections: Section[]): Report {
  const run = { rounds: 3, launches: 1, windowMs: 1, warmupMs: 1, seconds: 1, remotes: [], heapBytes: 0 }
  return makeReport(sections, targets, run)
}
