// What has changed against an older report, beyond noise: medians that differ, and rounds that do not overlap.

import { readFileSync } from 'node:fs'
import type { TargetResult } from '../experiments/point.ts'
import type { Report } from './report.ts'

/** Differences below are not told, whatever the rounds say. */
const LEAST = 0.05

/** Reads a report that was written before. Throws Error for what is none. */
export function readReport(file: string): Report {
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} can not be read as a report: ${(error as Error).message}`, { cause: error })
  }
  if (report?.format !== 1 || !Array.isArray(report.sections)) throw new Error(`${file} is no report of this benchmark`)
  return report
}

/** One line for each target and point whose throughput has changed. */
export function changes(before: Report, after: Report): string[] {
  const old = new Map(resultsOf(before))
  return resultsOf(after).flatMap(([key, { callsPerSecond: now }]) => {
    const was = old.get(key)?.callsPerSecond
    if (was === undefined) return []
    const change = now.median / was.median - 1
    const overlaps = now.min <= was.max && was.min <= now.max
    if (overlaps || Math.abs(change) < LEAST) return []
    return [
      `${key}: ${change > 0 ? '+' : ''}${Math.round(change * 100)} % (${Math.round(was.median)} to ${Math.round(now.median)} calls/s)`,
    ]
  })
}

function resultsOf({ sections }: Report): [string, TargetResult][] {
  return sections.flatMap(({ name, points }) =>
    points.flatMap(({ point, results }) =>
      results.map((result): [string, TargetResult] => [`${name}, ${point.title}, ${result.target}`, result]),
    ),
  )
}
