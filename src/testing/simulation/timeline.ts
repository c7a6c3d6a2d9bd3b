// A schedule of faults as a picture: a lane per host, a bar or a mark per fault, and where it ended. SVG without anything
// from elsewhere; legible on paper and on a dark screen.

import type { Fault } from './faults.ts'

/** What a picture of a run shows. */
export interface TimelineOptions {
  readonly title: string
  readonly hosts: readonly string[]
  readonly faults: readonly Fault[]
  /** When hosts had made a connection, and when they lost one: small marks on their lanes. */
  readonly connections?: readonly { readonly atMs: number; readonly host: string; readonly isLost: boolean }[]
  /** Moments worth a line across all lanes. */
  readonly marks?: readonly { readonly atMs: number; readonly text: string }[]
  readonly endMs: number
}

const WIDTH = 960
const LEFT = 70
const LANE = 46
const TOP = 56
const BAR = 16

/** The picture, as the text of an SVG document. */
export function drawTimeline({ title, hosts, faults, connections = [], marks = [], endMs }: TimelineOptions): string {
  const end = Math.max(endMs, 1) * 1.05
  const x = (ms: number): number => LEFT + (Math.min(ms, end) / end) * (WIDTH - LEFT - 20)
  const laneOf = (host: string): number => TOP + hosts.indexOf(host) * LANE
  const height = TOP + hosts.length * LANE + 40
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    STYLE,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    `<text class="ink" x="16" y="26" font-size="15" font-weight="bold">${escapeXml(title)}</text>`,
    ...hosts.map(
      (host) =>
        `<text class="ink" x="16" y="${laneOf(host) + 26}">${escapeXml(host)}</text>` +
        `<line class="lane" x1="${LEFT}" x2="${WIDTH - 20}" y1="${laneOf(host) + 22}" y2="${laneOf(host) + 22}"/>`,
    ),
    ...ticks(end).map(
      (ms) =>
        `<line class="grid" x1="${x(ms)}" x2="${x(ms)}" y1="${TOP}" y2="${height - 36}"/>` +
        `<text class="faint" x="${x(ms)}" y="${height - 18}" text-anchor="middle">${label(ms)}</text>`,
    ),
    ...faults.flatMap((fault) => hostsOf(fault).map((host) => drawFault(fault, host, x, laneOf(host)))),
    ...connections
      .filter(({ atMs, host }) => atMs <= end && hosts.includes(host))
      .map(({ atMs, host, isLost }) => {
        const what = isLost ? 'connection lost' : 'connected'
        const circle = `<circle class="${isLost ? 'lost' : 'made'}" cx="${x(atMs)}" cy="${laneOf(host) + 22}" r="3.5"/>`
        return `<g><title>${what} at ${label(atMs)}</title>${circle}</g>`
      }),
    ...marks.map(
      ({ atMs, text }) =>
        `<line class="mark" x1="${x(atMs)}" x2="${x(atMs)}" y1="${TOP - 8}" y2="${height - 36}"/>` +
        `<text class="alarm" x="${x(atMs) - 4}" y="${TOP - 10}" text-anchor="end">${escapeXml(text)}</text>`,
    ),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function drawFault(fault: Fault, host: string, x: (ms: number) => number, lane: number): string {
  const text = `${fault.kind} ${detail(fault, host)}`.trim()
  const at = x(fault.atMs)
  const y = lane + 22 - BAR / 2
  const caption = `<text class="ink" x="${at}" y="${y - 4}" font-size="10">${escapeXml(text)}</text>`
  const tip = `<title>${escapeXml(JSON.stringify(fault))}</title>`
  if (!('forMs' in fault)) {
    const middle = lane + 22
    const shape = `M${at - 6} ${middle} l6 -8 l6 8 l-6 8 z`
    return `<g>${tip}<path class="fault" d="${shape}"/>${caption}</g>`
  }
  const width = Math.max(3, x(fault.atMs + fault.forMs) - at)
  return `<g>${tip}<rect class="fault" x="${at}" y="${y}" width="${width}" height="${BAR}" rx="3"/>${caption}</g>`
}

function hostsOf(fault: Fault): readonly string[] {
  if (fault.kind === 'partition') return fault.from
  return 'host' in fault ? [fault.host] : [fault.from]
}

function detail(fault: Fault, host: string): string {
  switch (fault.kind) {
    case 'partition':
      return `${host} ${fault.isOneWay ? '→' : '↔'} ${fault.to.join(' ')}`
    case 'delay':
      return `→ ${fault.to} +${fault.extraMs} ms`
    case 'reset':
      return `→ ${fault.to}${fault.hears === 'both' ? '' : `, ${fault.hears === 'one' ? host : fault.to} is told`}`
    case 'half-close':
    case 'blackhole':
      return `→ ${fault.to}`
    case 'crash':
      return fault.isSilent ? '(power)' : ''
    case 'move':
      return `to ${fault.to}`
    case 'clock-jump':
      return `${fault.byMs} ms`
    default:
      return ''
  }
}

function ticks(end: number): number[] {
  const rough = end / 8
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step)
}

function label(ms: number): string {
  return ms >= 10_000 ? `${+(ms / 1000).toFixed(1)} s` : `${+ms.toFixed(1)} ms`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const STYLE = `<style>
.paper { fill: #fff } .ink { fill: #1a1a1a } .faint { fill: #666 }
.lane { stroke: #999 } .grid { stroke: #e4e4e4 } .fault { fill: #d9822b; fill-opacity: .75 }
.made { fill: #2e8b57 } .lost { fill: #fff; stroke: #c0392b; stroke-width: 1.5 }
.mark { stroke: #c0392b; stroke-width: 2; stroke-dasharray: 5 3 } .alarm { fill: #c0392b; font-weight: bold }
@media screen and (prefers-color-scheme: dark) {
  .paper { fill: #14171a } .ink { fill: #e8e8e8 } .faint { fill: #9aa0a6 } .lane { stroke: #6b7075 }
  .grid { stroke: #2a2f34 } .fault { fill: #f0a04b } .lost { fill: #14171a; stroke: #ff7a6b } .mark { stroke: #ff7a6b } .alarm { fill: #ff7a6b }
}
</style>`
