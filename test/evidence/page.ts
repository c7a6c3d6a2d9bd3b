// The page of an evidence run: what was found, first whether everything was as promised. Figures that have the same names in
// several places stand in one table, a row for each place.

/** What a run has found, as it is written to evidence.json. */
export interface Report {
  readonly commit: string
  readonly form: string
  readonly at: string
  readonly machine: string
  readonly node: string
  readonly seconds: number
  readonly isAsPromised: boolean
  readonly findings: readonly ReportedFinding[]
}

export interface ReportedFinding {
  readonly name: string
  readonly title: string
  readonly isAsPromised: boolean
  readonly seconds: number
  readonly figures: Readonly<Record<string, unknown>>
}

type Figures = Readonly<Record<string, unknown>>

const STYLE = `
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
section { overflow-x: auto }
table { border-collapse: collapse; margin: .3rem 0 }
td, th { border: 1px solid #8886; padding: .15rem .6rem; vertical-align: top; text-align: left; font-weight: normal }
th { background: #8882 }
.number { text-align: right; font-variant-numeric: tabular-nums }
.pair { display: inline-block; margin-right: .8em; white-space: nowrap }
.pair b { font-variant-numeric: tabular-nums }
h2 { margin: 1.6rem 0 0 }
p { margin: .3rem 0 }
.kept { color: light-dark(#176b2c, #7ddc95) }
.broken { color: light-dark(#b00020, #ff8a8a) }`

export function pageOf(report: Report): string {
  const { commit, form, at, node, machine, seconds, findings, isAsPromised } = report
  const broken = findings.filter((finding) => !finding.isAsPromised).map(({ name }) => name)
  const verdict = isAsPromised
    ? `${findings.length} experiments, everything as promised.`
    : `Not as promised: ${broken.join(', ')}.`
  const run = `Commit ${commit}, ${form} form, ${at}, ${Math.round(seconds)} s; Node.js ${node}, ${machine}.`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>gorums: evidence</title><style>${STYLE}</style></head><body>
<h1>Evidence</h1>
<p class="${isAsPromised ? 'kept' : 'broken'}"><b>${escapeXml(verdict)}</b></p>
<p>${escapeXml(run)}</p>
${findings.map(section).join('\n')}
</body></html>
`
}

function section({ name, title, isAsPromised, seconds, figures }: ReportedFinding): string {
  const mark = isAsPromised ? '<span class="kept">✔</span>' : '<span class="broken">✖ not as promised:</span>'
  const heading = `<h2 id="${name.replaceAll(' ', '-')}">${mark} ${escapeXml(name)}</h2>`
  return `<section>${heading}<p>${escapeXml(title)} (${seconds.toFixed(1)} s).</p>${listOf(figures)}</section>`
}

/** Names and what they stand for, below one another. */
function listOf(figures: Figures): string {
  const rows = Object.entries(figures).map(
    ([name, value]) => `<tr><th>${words(name)}</th><td>${contentOf(value)}</td></tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

/** One row for each of several figures, and a column for each name in them. */
function gridOf(rows: readonly (readonly [string, Figures])[]): string {
  const names = [...new Set(rows.flatMap(([, figures]) => Object.keys(figures)))]
  const isNamed = rows.some(([row]) => row !== '')
  const head = `${isNamed ? '<th></th>' : ''}${names.map((name) => `<th>${words(name)}</th>`).join('')}`
  const body = rows.map(([row, figures]) => {
    const cells = names.map((name) => (name in figures ? cell(figures[name]) : '<td></td>')).join('')
    return `<tr>${isNamed ? `<th>${escapeXml(row)}</th>` : ''}${cells}</tr>`
  })
  return `<table><tr>${head}</tr>${body.join('')}</table>`
}

function cell(value: unknown): string {
  if (typeof value === 'number') return `<td class="number">${numberOf(value)}</td>`
  return `<td>${contentOf(value)}</td>`
}

function contentOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none'
    if (value.every(isFigures)) return gridOf(value.map((each) => ['', each]))
    return value.map(contentOf).join(', ')
  }
  if (!isFigures(value)) return typeof value === 'number' ? numberOf(value) : escapeXml(String(value ?? 'none'))
  const entries = Object.entries(value)
  if (entries.length === 0) return 'none'
  if (entries.every(([, each]) => typeof each !== 'object' || each === null)) {
    return entries.map(([name, each]) => `<span class="pair">${words(name)} <b>${contentOf(each)}</b></span>`).join(' ')
  }
  const rows = entries.flatMap(([name, each]): [string, Figures][] => (isFigures(each) ? [[name, each]] : []))
  return rows.length === entries.length && rows.length > 1 ? gridOf(rows) : listOf(value)
}

function isFigures(value: unknown): value is Figures {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function numberOf(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 }).replaceAll(',', '\u202f')
}

/** `p99BeforeMs` as people write it. Names that have spaces or hyphens are words already. */
function words(name: string): string {
  if (/[ -]/.test(name)) return escapeXml(name)
  const unit = /(MsPerMiB|MiB|Ms)$/.exec(name)?.[0] ?? ''
  const spaced = name.slice(0, name.length - unit.length).replace(/[a-z0-9](?=[A-Z])/g, '$& ')
  return escapeXml(`${spaced.toLowerCase()}${unit === '' ? '' : ` (${UNITS[unit]})`}`)
}

const UNITS: Readonly<Record<string, string>> = { MsPerMiB: 'ms per MiB', MiB: 'MiB', Ms: 'ms' }

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
