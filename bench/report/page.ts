// A report as one HTML page that needs nothing else: readable on light and dark screens and on paper.

import { plotsOf } from './plots.ts'
import type { Report } from './report.ts'
import { escapeXml } from './svg.ts'
import { markdown } from './text.ts'

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{margin:.8rem 0}td{white-space:nowrap}.text td{white-space:normal}.text td:first-child{white-space:nowrap}.plots{display:grid;margin:1.5rem 0;grid-template-columns:repeat(auto-fit,minmax(30rem,1fr));gap:1rem}svg{width:100%;height:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:13px}td,th{border:1px solid #8886;padding:.15rem .5rem;text-align:right;font-variant-numeric:tabular-nums}
td:first-child,th:first-child,.text td,.text th{text-align:left}@media print{body{max-width:none;font-size:11px}.plots{grid-template-columns:1fr 1fr}svg,tr{break-inside:avoid}table{font-size:8px}.wide{overflow:visible}}`

export function page(report: Report): string {
  const parts = markdown(report).trimEnd().split('\n\n')
  const goalsEnd = parts.findIndex((part, index) => index > 1 && part.startsWith('## ') && part !== '## Goals')
  const plots = `<div class="plots">${plotsOf(report).join('\n')}</div>`
  const body = [...parts.slice(0, goalsEnd).map(html), plots, ...parts.slice(goalsEnd).map(html)]
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>gorums: benchmark</title><style>${STYLE}</style>\n${body.join('\n')}\n</html>\n`
}

/** One part of our own Markdown: a heading, a table, or a paragraph. */
function html(part: string): string {
  const heading = /^(#+) (.*)$/.exec(part)
  if (heading !== null) return `<h${heading[1]!.length}>${escapeXml(heading[2]!)}</h${heading[1]!.length}>`
  if (!part.startsWith('|')) return `<p>${escapeXml(part)}</p>`
  const [head, , ...rows] = part.split('\n').map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => escapeXml(cell.trim())),
  )
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
  const kind = head?.includes('code') || head?.includes('goal') ? ' text' : ''
  return `<div class="wide${kind}"><table>${row(head!, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table></div>`
}
