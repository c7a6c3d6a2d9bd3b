// Which plots a report has.

import type { Section } from '../experiments/benchmark.ts'
import { sizeOf } from '../experiments/goal-points.ts'
import type { TargetResult } from '../experiments/point.ts'
import { goals } from './goals.ts'
import type { Report } from './report.ts'
import { type Axis, type BarGroup, barPlot, linePlot } from './svg.ts'

const GOAL_POINTS = new Set(goals.filter(({ against }) => against === 'grpc-stream').map(({ benchmark }) => benchmark))

/** Calls per second at the points of the goals table: the plot of the README. Undefined when none was measured. */
export function throughputPlot(report: Report): string | undefined {
  return bars(
    report,
    'Quorum calls per second, 3 nodes, majority (more is better)',
    'calls/s',
    (result) => result.callsPerSecond.median,
  )
}

/** All plots of a report, as SVG. */
export function plotsOf(report: Report): string[] {
  const plots = [
    throughputPlot(report),
    bars(report, 'Latency, p50 (less is better)', 'ms', ({ latency }) => latency.p50Ms),
    bars(report, 'Latency, p99 (less is better)', 'ms', ({ latency }) => latency.p99Ms),
  ]
  for (const section of report.sections) {
    if (section.axis !== undefined)
      plots.push(
        growth(section, 'throughput', 'calls/s', (result) => result.callsPerSecond.median),
        growth(section, 'p99', 'ms', ({ latency }) => latency.p99Ms),
      )
    else if (GOAL_POINTS.has(section.name)) plots.push(distribution(section))
  }
  return plots.filter((plot) => plot !== undefined)
}

function bars(report: Report, title: string, unit: string, read: (result: TargetResult) => number): string | undefined {
  const sections = report.sections.filter(({ name }) => GOAL_POINTS.has(name))
  if (sections.length === 0) return undefined
  const names = targetsOf(sections)
  const groups = sections.map((section): BarGroup => {
    const results = section.points[0]!.results
    return {
      label: section.title.replace(' in flight,', ' ×'),
      values: names.map((name) => {
        const result = results.find(({ target }) => target === name)
        return result === undefined ? undefined : read(result)
      }),
    }
  })
  return barPlot(title, unit, names, groups)
}

function distribution(section: Section): string {
  const { results } = section.points[0]!
  const series = results.map(({ target, distribution: values }) => ({ name: target, values }))
  return linePlot(
    `Latency, ${section.title}`,
    series,
    { label: 'ms', isLog: true },
    { label: 'share of calls', isLog: false },
  )
}

function growth(section: Section, what: string, unit: string, read: (result: TargetResult) => number): string {
  const { axis, points } = section
  const series = targetsOf([section]).map((name) => ({
    name,
    values: points.flatMap(({ results }, position): [number, number][] => {
      const result = results.find(({ target }) => target === name)
      return result === undefined ? [] : [[axis!.values[position]!, read(result)]]
    }),
  }))
  const { label, values } = axis!
  const x: Axis = {
    // A logarithmic axis has no place for it.
    label: values.includes(0) ? `${label} (0 is in the table only)` : label,
    isLog: true,
    marks: values.map((value) => ({ value, text: label === 'bytes' ? sizeOf(value) : String(value) })),
  }
  return linePlot(`${section.title}: ${what}`, series, x, { label: unit, isLog: true })
}

function targetsOf(sections: readonly Section[]): string[] {
  return [
    ...new Set(sections.flatMap(({ points }) => points.flatMap(({ results }) => results.map(({ target }) => target)))),
  ]
}
