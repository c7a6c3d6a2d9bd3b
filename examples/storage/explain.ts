// Draws what a call did at each node, from its record: one bar per node, on one scale of time. Record in, lines out; it
// neither makes calls nor prints.

import type { CallRecord, NodeRecord } from 'gorums'
import { createPaint, type Paint } from './paint.ts'

export interface ExplainOptions {
  /** How many characters the longest bar has. Default 40. */
  readonly width?: number
  readonly paint?: Paint
}

const QUEUED = '░'
const UNDER_WAY = '█'

/**
 * The lines to print: a heading, a bar per node, and what the bars mean.
 *
 *     storage.Storage/ReadQC: 2 of 4 replied, the last after 1.20 ms
 *       a ░░██████████████████████       replied  queued 0.10 ms, answered 0.90 ms later
 *       b ░░████████████████████████████ replied  queued 0.10 ms, answered 1.10 ms later
 *       c ░░████████████████████████████ failed   deadline_exceeded (may have run), queued 0.10 ms
 *       d                                failed   unavailable (did not run), never written
 *       ░ queued   █ written, waiting for the answer
 */
export function explain(record: CallRecord, options: ExplainOptions = {}): string[] {
  const { width = 40, paint = createPaint(false) } = options
  const { nodes } = record
  const totalMs = Math.max(0, ...nodes.map((node) => node.answeredMs ?? node.writtenMs ?? 0))
  const idWidth = Math.max(0, ...nodes.map((node) => node.nodeID.length))
  const replied = nodes.filter((node) => node.outcome === 'replied').length
  const last = replied === 0 ? '' : `, the last after ${milliseconds(totalMs)}`
  return [
    `${paint.bold(record.method)}: ${replied} of ${nodes.length} replied${last}`,
    ...nodes.map((node) => {
      const id = node.nodeID.padEnd(idWidth)
      const more = details(node)
      return `  ${id} ${bar(node, totalMs, width, paint)} ${outcome(node, paint)}${more === '' ? '' : paint.dim(` ${more}`)}`
    }),
    paint.dim(`  ${QUEUED} queued   ${UNDER_WAY} written, waiting for the answer`),
  ]
}

function bar(node: NodeRecord, totalMs: number, width: number, paint: Paint): string {
  const scale = (ms: number): number => (totalMs === 0 ? 0 : Math.round((ms / totalMs) * width))
  // What was written and never answered waited for as long as this picture goes.
  const answered = node.answeredMs === undefined ? width : scale(node.answeredMs)
  // What was written can be seen, however short it was beside the longest.
  const end = node.writtenMs === undefined ? 0 : Math.max(1, answered)
  const queued = Math.min(scale(node.writtenMs ?? 0), end)
  const colour = node.outcome === 'replied' ? paint.green : paint.red
  return paint.yellow(QUEUED.repeat(queued)) + colour(UNDER_WAY.repeat(end - queued)) + ' '.repeat(width - end)
}

function outcome(node: NodeRecord, paint: Paint): string {
  const text = node.outcome.padEnd(7)
  if (node.outcome === 'replied') return paint.green(text)
  return node.outcome === 'failed' ? paint.red(text) : paint.dim(text)
}

function details(node: NodeRecord): string {
  const parts: string[] = []
  if (node.error !== undefined) parts.push(`${node.error.code} (${EXECUTED[node.error.executed]})`)
  if (node.writtenMs !== undefined) parts.push(`queued ${milliseconds(node.writtenMs)}`)
  else if (node.outcome === 'failed') parts.push('never written')
  if (node.writtenMs !== undefined && node.answeredMs !== undefined)
    parts.push(`answered ${milliseconds(Math.max(0, node.answeredMs - node.writtenMs))} later`)
  return parts.join(', ')
}

const EXECUTED = { yes: 'it ran', no: 'did not run', unknown: 'may have run' } as const

export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 100 ? 2 : 0)} ms`
}
