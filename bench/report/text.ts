// A report as text: tables for a terminal, which are Markdown as well.

import type { Section } from '../experiments/benchmark.ts'
import type { LatencyFigures, PointResult, TargetResult } from '../experiments/point.ts'
import type { Verdict } from './goals.ts'
import type { Report } from './report.ts'

/** What others may have of a machine that is called quiet, as a share. */
const QUIET = 0.1

/** Lines of a Markdown table whose columns stand under each other. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** The goals, and whether they are met. */
export function goalsTable(verdicts: readonly Verdict[]): string {
  return table(
    ['point', 'what', 'goal', 'seen', 'met'],
    verdicts.map((verdict) => [
      verdict.title,
      verdict.fact ?? `gorums / ${verdict.against}`,
      verdict.atLeast === undefined ? `≤ ${verdict.atMost}` : `≥ ${verdict.atLeast}`,
      figure(verdict.value),
      verdict.isMet ? 'yes' : 'NO',
    ]),
  )
}

/** What was measured of each target at one point. */
export function pointTable({ results }: PointResult): string {
  return table(
    [
      'target',
      'calls/s',
      'spread',
      'p50 ms',
      'p90 ms',
      'p99 ms',
      'p99.9 ms',
      'max ms',
      'mean ± sd ms',
      'CPU µs/call client',
      'servers',
      'wire B/call',
      'heap B/call',
      'outside',
      'loop p99 ms',
      'others',
    ],
    results.map(rowOf),
  )
}

function rowOf(result: TargetResult): string[] {
  const { latency, callsPerSecond, observation } = result
  return [
    result.target,
    figure(callsPerSecond.median),
    `${Math.round(callsPerSecond.spread * 100)} %`,
    ...latencyCells(latency),
    figure(result.clientCpuMicros),
    figure(result.serverCpuMicros),
    result.bytesPerCall === 0 ? '–' : figure(result.bytesPerCall),
    figure(observation.heapPerCall),
    figure(observation.externalPerCall),
    figure(observation.loopDelay.p99Ms),
    othersCell(result),
  ]
}

/** How much of the machine others had in the round that was disturbed most, and how many rounds were measured again for it. */
function othersCell({ others, repeated }: TargetResult): string {
  if (others === undefined) return '–'
  return `${Math.round(others * 100)} %${repeated === 0 ? '' : `, ${repeated} again`}`
}

function latencyCells({ samples, p50Ms, p90Ms, p99Ms, p999Ms, maxMs, meanMs, deviationMs }: LatencyFigures): string[] {
  if (samples === 0) return ['–', '–', '–', '–', '–', '–']
  return [...[p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map(figure), `${figure(meanMs)} ± ${figure(deviationMs)}`]
}

/** Each server of a point, for `--server-stats`. */
export function serversTable({ results }: PointResult): string {
  return table(
    ['target', 'server', 'CPU s', 'RSS MiB', 'heap MiB'],
    results.flatMap(({ target, servers }) =>
      servers.map(({ address, cpuMicros, rssBytes, heapBytes }) => [
        target,
        address,
        figure(cpuMicros / 1e6),
        figure(rssBytes / 2 ** 20),
        figure(heapBytes / 2 ** 20),
      ]),
    ),
  )
}

/** The whole report as Markdown. */
export function markdown(report: Report): string {
  const parts = [
    '# Benchmark',
    `Commit ${report.commit}, ${report.at}, Node.js ${report.node}, ${report.machine}. ${rounds(report)} rounds of ${report.windowMs} ms at least, taken in turns, after ${report.warmupMs} ms of warm-up${launches(report)}; ${Math.round(report.seconds)} s in all. Layout: ${report.layout}.`,
  ]
  if (report.verdicts.length > 0)
    parts.push(
      '## Goals',
      `The medians of the ratios of rounds that were measured side by side.${disturbance(report)}`,
      goalsTable(report.verdicts),
    )
  for (const section of report.sections) parts.push(`## ${section.title}`, ...sectionParts(section))
  parts.push(
    '## Targets',
    table(
      ['target', 'version', 'options', 'code'],
      report.targets.map(({ name, version, options, code }) => [name, version, options, code]),
    ),
  )
  return `${parts.join('\n\n')}\n`
}

/** How many rounds the points had, of their first target: not all have what was asked for. */
function rounds({ sections }: Report): string {
  const counts = sections.flatMap(({ points }) =>
    points.flatMap(({ results }) => results.slice(0, 1).map(({ rounds }) => rounds.length)),
  )
  if (counts.length === 0) return 'No'
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return least === most ? `${most}` : `${least} to ${most}`
}

/** How often processes were started at a point. Reports from before it was more than once do not say. */
function launches({ launches = 1 }: Partial<Report>): string {
  return launches === 1 ? '' : `, of processes that were started ${launches} times where targets are close`
}

/** Said where others had more than a tenth of the machine in rounds that count: runs agree no better than they are quiet. */
function disturbance({ sections }: Report): string {
  const others = sections.flatMap(({ points }) =>
    points.flatMap(({ results }) => results.map((each) => each.others ?? 0)),
  )
  const most = Math.max(0, ...others)
  if (most <= QUIET) return ''
  return ` The machine was not quiet: others had up to ${Math.round(most * 100)} % of it in rounds that count, so that another run will differ.`
}

function sectionParts({ points, facts }: Section): string[] {
  const parts = points.flatMap((each) => [
    ...(points.length > 1 ? [`### ${each.point.title}`] : []),
    pointTable(each),
    ...(each.leftOut ?? []).map(({ target, reason }) => `${target} is left out: ${reason}.`),
  ])
  if (facts !== undefined && facts.length > 0)
    parts.push(
      table(
        ['figure', 'value', 'unit'],
        facts.map(({ name, value, unit }) => [name, figure(value), unit]),
      ),
    )
  return parts
}

/** A number with three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
  if (size === 0) return '0'
  return value.toPrecision(size >= 10 ? 3 : size >= 0.001 ? 3 : 2)
}
