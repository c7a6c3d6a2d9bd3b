// A picture of a history: a lane per client, a bar per operation, and the longest order that explains it. What can not be
// placed in any order stands out. SVG without anything from elsewhere; legible on paper and on a dark screen.

import type { Model, PartitionCheck } from './checker.ts'
import type { Operation } from './history.ts'

const WIDTH = 1000
const LEFT = 80
const LANE = 44
const TOP = 60
const BAR = 20
/** So many operations are drawn: those around the first that has no place. */
const SHOWN = 40

/** Draws what is worth seeing of one key's check, as the text of an SVG document. */
export function drawHistory<State, Input, Output>(
  model: Model<State, Input, Output>,
  check: PartitionCheck<Input, Output>,
  title = `key "${check.key}": ${check.verdict}`,
): string {
  const places = new Map(check.longest.map((operation, place) => [operation, place + 1]))
  const shown = window(check.operations, places)
  const clients = [...new Set(shown.map(({ operation }) => operation.client))].sort()
  const from = Math.min(...shown.map(({ operation }) => operation.invokedAt))
  const until = Math.max(...shown.map(({ operation }) => finite(operation))) + 1
  const height = TOP + clients.length * LANE + 24
  const x = (at: number): number => LEFT + ((Math.min(at, until) - from) / (until - from)) * (WIDTH - LEFT - 24)
  const lanes = clients.map((client, index) => {
    const y = TOP + index * LANE + LANE / 2
    return `<text class="ink" x="14" y="${y + 4}">${escapeXml(client)}</text><line class="lane" x1="${LEFT}" x2="${WIDTH - 16}" y1="${y}" y2="${y}"/>`
  })
  const bars = shown.map(({ operation, index }) => {
    const place = places.get(index)
    const y = TOP + clients.indexOf(operation.client) * LANE + (LANE - BAR) / 2
    const start = x(operation.invokedAt)
    const width = Math.max(8, x(operation.returnedAt) - start)
    const kind = place === undefined ? (operation.isKnown ? 'wrong' : 'open') : 'right'
    const text = model.describe(operation.input, operation.output, operation.isKnown)
    const label = place === undefined ? text : `${place}. ${text}`
    return `<g><title>${escapeXml(text)}</title><rect class="${kind}" x="${start}" y="${y}" width="${width}" height="${BAR}" rx="4"/><text class="ink" font-size="10" x="${start + 3}" y="${y - 3}">${escapeXml(label)}</text></g>`
  })
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    STYLE,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    `<text class="ink" x="14" y="24" font-size="15" font-weight="bold">${escapeXml(title)}</text>`,
    `<text class="faint" x="14" y="42">numbers: the longest order that explains the answers; red: has no place in it; hatched: outcome unknown</text>`,
    ...lanes,
    ...bars,
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

interface Shown<Input, Output> {
  readonly operation: Operation<Input, Output>
  readonly index: number
}

/** The operations around the first that was answered and has no place. */
function window<Input, Output>(
  operations: readonly Operation<Input, Output>[],
  places: ReadonlyMap<number, number>,
): Shown<Input, Output>[] {
  const all = operations.map((operation, index) => ({ operation, index }))
  all.sort((one, other) => one.operation.invokedAt - other.operation.invokedAt)
  const wrong = all.findIndex(({ operation, index }) => operation.isKnown && !places.has(index))
  const start = Math.max(0, Math.min(wrong < 0 ? 0 : wrong - SHOWN / 2, all.length - SHOWN))
  return all.slice(start, start + SHOWN)
}

function finite({ returnedAt, invokedAt }: Operation<unknown, unknown>): number {
  return returnedAt === Infinity ? invokedAt + 4 : returnedAt
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const STYLE = `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" x2="0" y1="0" y2="6"/></pattern></defs>
<style>
.paper { fill: #fff } .ink { fill: #1a1a1a } .faint { fill: #666 } .lane { stroke: #ccc }
.right { fill: #8fc1e3 } .wrong { fill: #e0665a } .open { fill: url(#hatch); stroke: #999 } .hatch { stroke: #999; stroke-width: 2 }
@media screen and (prefers-color-scheme: dark) {
  .paper { fill: #14171a } .ink { fill: #e8e8e8 } .faint { fill: #9aa0a6 } .lane { stroke: #3a4046 }
  .right { fill: #2f6690 } .wrong { fill: #b8453a }
}
</style>`
