// What the rounds of a target at a point say together.

import { Histogram, type HistogramData } from '../measure/histogram.ts'
import { median, summarize } from '../measure/statistics.ts'
import type { LatencyFigures, TargetResult } from './point.ts'

/** What one round has come to. */
export interface RoundFigures {
  readonly callsPerSecond: number
  readonly latency: readonly HistogramData[]
  readonly allCalls: number
  readonly clientCpuMicros: number
}

/** One round, with what its servers have used and what others have. */
export interface Round extends RoundFigures {
  readonly serverCpuMicros: number
  readonly others: number
}

/** What is measured in rounds of its own. */
export type Observed = Pick<TargetResult, 'observation' | 'bytesPerCall' | 'servers'>

/** `repeated`: how many rounds were measured again, because others were busy. */
export function resultOf(target: string, rounds: readonly Round[], observed: Observed, repeated = 0): TargetResult {
  const histogram = Histogram.from(...rounds.flatMap(({ latency }) => latency))
  const speeds = rounds.map(({ callsPerSecond }) => callsPerSecond)
  return {
    target,
    rounds: speeds,
    repeated,
    others: Math.max(...rounds.map(({ others }) => others)),
    callsPerSecond: summarize(speeds),
    latency: latencyFigures(histogram),
    distribution: thin(histogram.distribution()),
    clientCpuMicros: median(rounds.map(({ clientCpuMicros, allCalls }) => clientCpuMicros / allCalls)),
    serverCpuMicros: median(rounds.map(({ serverCpuMicros, allCalls }) => serverCpuMicros / allCalls)),
    ...observed,
  }
}

function latencyFigures(histogram: Histogram): LatencyFigures {
  return {
    samples: histogram.count,
    meanMs: histogram.meanMs,
    deviationMs: histogram.deviationMs,
    p50Ms: histogram.quantile(0.5),
    p90Ms: histogram.quantile(0.9),
    p99Ms: histogram.quantile(0.99),
    p999Ms: histogram.quantile(0.999),
    maxMs: histogram.maxMs,
  }
}

const CURVE_POINTS = 60

/** So many points as a plot can show, the first and the last among them. */
function thin(points: readonly [number, number][]): [number, number][] {
  if (points.length <= CURVE_POINTS) return [...points]
  const step = (points.length - 1) / (CURVE_POINTS - 1)
  return Array.from({ length: CURVE_POINTS }, (_, index) => points[Math.round(index * step)]!)
}
