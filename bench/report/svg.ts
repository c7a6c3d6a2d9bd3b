// Plots as SVG: bars on a log scale, and lines on log or linear ones. Colours are CSS variables with fallbacks that change
// with the reader's colour scheme, so that one file is readable on light and dark pages and on paper.

export interface Series {
  readonly name: string
  readonly values: readonly (readonly [number, number])[]
}

export interface Axis {
  readonly label: string
  readonly isLog: boolean
  /** Where marks stand, and what is written there; the axis ends with them. Default: round numbers. */
  readonly marks?: readonly { readonly value: number; readonly text: string }[]
}

export interface BarGroup {
  readonly label: string
  /** One value per series; undefined where nothing was measured. */
  readonly values: readonly (number | undefined)[]
}

const WIDTH = 720
const HEIGHT = 330
const LEFT = 70
const RIGHT = 16
const TOP = 48
const BOTTOM = 52
/** Between the ends of a marked axis and its outermost marks. */
const MARGIN = 24
const COLOURS = [
  ['#0b62c4', '#6db1ff'],
  ['#5c6670', '#aab4be'],
  ['#b3470b', '#ff9a5c'],
  ['#7a2a8c', '#d793e6'],
  ['#0a7a52', '#4fd0a0'],
] as const

/** Text as it may stand in XML. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Bars in groups; heights on a log scale, with the figure above each bar. */
export function barPlot(title: string, unit: string, names: readonly string[], groups: readonly BarGroup[]): string {
  const values = groups.flatMap((group) =>
    group.values.filter((value): value is number => value !== undefined && value > 0),
  )
  const scale = makeScale(values, true, HEIGHT - BOTTOM, TOP)
  const groupWidth = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length)
  const barWidth = (groupWidth * 0.86) / Math.max(1, names.length)
  const bars = groups.flatMap((group, position) => {
    const left = LEFT + groupWidth * (position + 0.07)
    return [
      ...group.values.map((value, series) => {
        if (value === undefined || !(value > 0)) return ''
        const [x, y] = [left + barWidth * series, scale.at(value)]
        return `<rect class="f${series % COLOURS.length}" x="${round(x)}" y="${round(y)}" width="${round(barWidth - 1.5)}" height="${round(HEIGHT - BOTTOM - y)}"><title>${escapeXml(`${names[series]}, ${group.label}: ${short(value)} ${unit}`)}</title></rect><text class="v" x="${round(x + barWidth / 2)}" y="${round(y - 3)}" text-anchor="middle">${short(value)}</text>`
      }),
      `<text x="${round(LEFT + groupWidth * (position + 0.5))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escapeXml(group.label)}</text>`,
    ]
  })
  return frame(
    title,
    names,
    `${scale.ticks.map((tick) => horizontal(tick, scale.at(tick))).join('')}${bars.join('')}${yLabel(unit)}`,
  )
}

/** Lines through points. */
export function linePlot(title: string, series: readonly Series[], x: Axis, y: Axis): string {
  const points = series.flatMap(({ values }) => values)
  const marks = x.marks?.filter(({ value }) => !x.isLog || value > 0)
  const across =
    marks === undefined
      ? makeScale(
          points.map(([value]) => value),
          x.isLog,
          LEFT,
          WIDTH - RIGHT,
        )
      : markedScale(marks)
  const up = makeScale(
    points.map(([, value]) => value),
    y.isLog,
    HEIGHT - BOTTOM,
    TOP,
  )
  const lines = series.map(({ values }, position) => {
    const at = values
      .filter(([first, second]) => (!x.isLog || first > 0) && (!y.isLog || second > 0))
      .map(([first, second]) => `${round(across.at(first))},${round(up.at(second))}`)
    const dots =
      at.length > 20
        ? ''
        : at
            .map(
              (place) =>
                `<circle class="f${position % COLOURS.length}" cx="${place.split(',')[0]}" cy="${place.split(',')[1]}" r="2.6"/>`,
            )
            .join('')
    return `<polyline class="s${position % COLOURS.length}" points="${at.join(' ')}"/>${dots}`
  })
  const ticks = [
    ...up.ticks.map((tick) => horizontal(tick, up.at(tick))),
    ...across.ticks.map((tick) =>
      vertical(marks?.find(({ value }) => value === tick)?.text ?? short(tick), across.at(tick)),
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escapeXml(x.label)}</text>`,
  ]
  return frame(
    title,
    series.map(({ name }) => name),
    `${ticks.join('')}${lines.join('')}${yLabel(y.label)}`,
  )
}

interface Scale {
  readonly ticks: readonly number[]
  at(value: number): number
}

/** Maps values to pixels between two ends. */
function makeScale(values: readonly number[], isLog: boolean, from: number, to: number): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0))
  if (usable.length === 0) return { ticks: [], at: () => from }
  if (!isLog) {
    const max = Math.max(...usable) || 1
    const step = stepFor(max)
    const ticks = Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, index) => index * step)
    return { ticks, at: (value) => from + (value / max) * (to - from) }
  }
  const low = Math.floor(Math.log10(Math.min(...usable)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...usable)) + 1e-9))
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
  return { ticks, at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) }
}

/** A logarithmic scale across, from the first mark to the last. */
function markedScale(marks: readonly { readonly value: number }[]): Scale {
  const ticks = marks.map(({ value }) => value)
  const [low, high] = [Math.log(Math.min(...ticks)), Math.log(Math.max(...ticks))]
  const [from, to] = [LEFT + MARGIN, WIDTH - RIGHT - MARGIN]
  return { ticks, at: (value) => from + ((Math.log(value) - low) / (high - low || 1)) * (to - from) }
}

function stepFor(max: number): number {
  const rough = max / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  return ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power
}

function frame(title: string, names: readonly string[], inside: string): string {
  let at = LEFT
  const legend = names.map((name, position) => {
    const x = at
    at += name.length * 6.6 + 26
    return `<rect class="f${position % COLOURS.length}" x="${round(x)}" y="26" width="10" height="10"/><text x="${round(x + 14)}" y="35">${escapeXml(name)}</text>`
  })
  const rules = (shade: 0 | 1): string =>
    COLOURS.map(
      (pair, index) => `.f${index}{fill:${pair[shade]}}.s${index}{stroke:${pair[shade]};fill:none;stroke-width:2}`,
    ).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(title)}" font-family="system-ui, sans-serif" font-size="12"><style>text{fill:#1b1f24}.t{font-weight:600;font-size:14px}.v{font-size:9px}.g{stroke:#8884;stroke-width:1}${rules(0)}@media (prefers-color-scheme:dark){text{fill:#e4e8ec}${rules(1)}}@media print{text{fill:#000}${rules(0)}}</style><text class="t" x="${LEFT}" y="16">${escapeXml(title)}</text>${legend.join('')}${inside}</svg>`
}

function horizontal(value: number, y: number): string {
  return `<line class="g" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y)}" y2="${round(y)}"/><text x="${LEFT - 6}" y="${round(y + 4)}" text-anchor="end">${short(value)}</text>`
}

function vertical(text: string, x: number): string {
  return `<line class="g" y1="${TOP}" y2="${HEIGHT - BOTTOM}" x1="${round(x)}" x2="${round(x)}"/><text x="${round(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escapeXml(text)}</text>`
}

function yLabel(label: string): string {
  const middle = (TOP + HEIGHT - BOTTOM) / 2
  return `<text x="16" y="${middle}" text-anchor="middle" transform="rotate(-90 16 ${middle})">${escapeXml(label)}</text>`
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** `1.2k`, `35M`, `0.05`: a number in a few characters. */
export function short(value: number): string {
  const size = Math.abs(value)
  const digits = (scaled: number): string => String(Number(scaled.toPrecision(scaled >= 100 ? 3 : 2)))
  if (size >= 1e6) return `${digits(value / 1e6)}M`
  if (size >= 1e3) return `${digits(value / 1e3)}k`
  return size === 0 ? '0' : digits(value)
}
