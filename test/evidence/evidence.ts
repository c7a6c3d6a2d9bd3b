// npm run evidence: runs the experiments of docs/reliability.md and writes what they have found as JSON and as a page.
//
//   npm run evidence                        a few minutes
//   npm run evidence -- --long              an hour
//   npm run evidence -- --only links --out folder

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { endWithReader } from '../../scripts/broken-pipe.ts'
import { experiments, type Finding } from './experiments.ts'

endWithReader()
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    out: { type: 'string', default: 'evidence' },
  },
})

const chosen = experiments.filter(({ name }) => values.only === undefined || values.only.includes(name))
if (chosen.length === 0) {
  console.error(`no such experiment; there are: ${experiments.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const findings: (Finding & { readonly name: string; readonly seconds: number })[] = []
for (const { name, run } of chosen) {
  const startedAt = performance.now()
  const finding = await run(values.long)
  const seconds = (performance.now() - startedAt) / 1000
  findings.push({ name, seconds, ...finding })
  console.log(`${finding.isAsPromised ? '✔' : '✖'} ${name} (${seconds.toFixed(1)} s): ${finding.title}`)
  console.log(JSON.stringify(finding.figures, undefined, 2))
}

const report = {
  commit: commit(),
  form: values.long ? 'long' : 'short',
  at: new Date().toISOString(),
  machine: `${os.availableParallelism()} × ${os.cpus()[0]?.model ?? 'unknown'}, ${os.platform()} ${os.arch()}`,
  node: process.version,
  isAsPromised: findings.every(({ isAsPromised }) => isAsPromised),
  findings,
}
mkdirSync(values.out, { recursive: true })
writeFileSync(path.join(values.out, 'evidence.json'), `${JSON.stringify(report, undefined, 2)}\n`)
writeFileSync(path.join(values.out, 'evidence.html'), page())
console.log(`written: ${path.join(values.out, 'evidence.json')}, ${path.join(values.out, 'evidence.html')}`)
process.exitCode = report.isAsPromised ? 0 : 1

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return 'unknown'
  }
}

function page(): string {
  const sections = findings.map(
    ({ name, title, isAsPromised, seconds, figures }) =>
      `<section><h2>${isAsPromised ? '✔' : '✖'} ${escapeXml(name)}</h2><p>${escapeXml(title)} (${seconds.toFixed(1)} s).</p>${table(figures)}</section>`,
  )
  const { commit: at, machine, node, form } = report
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>gorums: evidence</title>
<style>
:root { color-scheme: light dark } body { font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } td { border: 1px solid #8886; padding: .15rem .6rem; vertical-align: top }
td + td { font-variant-numeric: tabular-nums } h2 { margin-bottom: 0 }
</style>
<h1>Evidence</h1><p>Commit ${escapeXml(at)}, ${form} form, ${escapeXml(report.at)}; Node.js ${node}, ${escapeXml(machine)}.</p>
${sections.join('\n')}
</html>
`
}

function table(figures: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(figures).map(
    ([key, value]) => `<tr><td>${escapeXml(key)}</td><td>${cell(value)}</td></tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : escapeXml(JSON.stringify(value))
  if (typeof value === 'object' && value !== null) return table(value as Record<string, unknown>)
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toFixed(2)
  return escapeXml(String(value))
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
