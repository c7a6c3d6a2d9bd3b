// npm run evidence: runs the experiments of docs/reliability.md and writes what they have found as JSON and as a page.
//
//   npm run evidence                        a few minutes
//   npm run evidence -- --long              an hour
//   npm run evidence -- --only links --out folder
//   npm run evidence -- --skip teeth --skip exploration
//   npm run evidence -- --untimed           times are measured and shown, and decide nothing: for machines that are shared

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform } from 'node:os'
import path from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { endWithReader } from '../../scripts/broken-pipe.ts'
import { experiments, type Finding } from './experiments.ts'
import { pageOf, type Report, type ReportedFinding } from './page.ts'

endWithReader()
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    skip: { type: 'string', multiple: true, default: [] },
    untimed: { type: 'boolean', default: false },
    out: { type: 'string', default: 'evidence' },
  },
})

const chosen = experiments.filter(({ name }) => values.only?.includes(name) !== false && !values.skip.includes(name))
const names = experiments.map(({ name }) => name)
const unknown = [...(values.only ?? []), ...values.skip].filter((name) => !names.includes(name))
if (chosen.length === 0 || unknown.length > 0) {
  console.error(
    `${unknown[0] === undefined ? 'nothing is left to run' : `no experiment "${unknown[0]}"`}; there are: ${names.join(', ')}`,
  )
  process.exit(2)
}

/** Of what is run, whatever is committed meanwhile. */
const revision = commit()
const findings: ReportedFinding[] = []
for (const { name, run } of chosen) {
  const startedAt = performance.now()
  const { isInTime = true, ...found } = await run(values.long, !values.untimed)
  const finding = { ...found, isAsPromised: found.isAsPromised && (isInTime || values.untimed) }
  const seconds = (performance.now() - startedAt) / 1000
  findings.push({ name, seconds, ...finding })
  console.log(`${finding.isAsPromised ? '✔' : '✖'} ${name} (${seconds.toFixed(1)} s): ${finding.title}`)
  if (!isInTime && values.untimed)
    console.log('  slower than promised, which decides nothing on a machine that is shared')
  console.log(shown(finding.figures))
}

const report: Report = {
  commit: revision,
  form: values.long ? 'long' : 'short',
  at: new Date().toISOString(),
  machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${platform()} ${arch()}`,
  node: process.version,
  seconds: findings.reduce((sum, { seconds }) => sum + seconds, 0),
  isAsPromised: findings.every(({ isAsPromised }) => isAsPromised),
  findings,
}
mkdirSync(values.out, { recursive: true })
writeFileSync(path.join(values.out, 'evidence.json'), `${JSON.stringify(report, undefined, 2)}\n`)
writeFileSync(path.join(values.out, 'evidence.html'), pageOf(report))
console.log(`written: ${path.join(values.out, 'evidence.json')}, ${path.join(values.out, 'evidence.html')}`)
if (!report.isAsPromised) {
  const broken = findings.filter(({ isAsPromised }) => !isAsPromised).map(({ name }) => name)
  console.error(`evidence: not as promised: ${broken.join(', ')}`)
  process.exitCode = 1
}

/** Figures for people, without the digits that say nothing. */
function shown(figures: Finding['figures']): string {
  const toDigits = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toFixed(3)) : value
  const short: unknown = JSON.parse(JSON.stringify(figures, toDigits))
  return inspect(short, { depth: null, compact: 5, breakLength: 140, maxArrayLength: null })
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return 'unknown'
  }
}
