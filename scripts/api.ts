// Compares the public declarations with the committed report of them, docs/api.txt, and says which version has to follow.
//   npm run api [-- --update]         fails when the report is not up to date; --update writes it
//   npm run api -- --since v0.1.0     what has changed since the report of that tag or commit

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { changesBetween, nextVersion } from './api/compare.ts'
import { reportOf } from './api/report.ts'

const REPORT = 'docs/api.txt'
const root = path.resolve(import.meta.dirname, '..')
const { version, exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const { values } = parseArgs({ options: { update: { type: 'boolean' }, since: { type: 'string' } } })

const entries = Object.fromEntries(
  Object.entries(exports as Record<string, { types?: string }>).flatMap(([name, { types }]) =>
    types === undefined ? [] : [[name.replace('.', 'gorums'), sourceOf(types)]],
  ),
)
const report = reportOf(root, entries)
const committed = values.since === undefined ? readReport() : reportAt(values.since)
const changes = changesBetween(committed, report)
for (const { breaks, text } of changes) console.log(`${breaks ? 'breaks' : 'adds  '} ${text}`)
const next = nextVersion(version, changes)
console.log(`api: ${next === undefined ? 'no change' : `${changes.length} changes; after ${version} comes ${next}`}`)

if (values.update === true) writeFileSync(path.join(root, REPORT), report)
else if (values.since === undefined && report !== committed) {
  console.error(`api: ${REPORT} is not up to date: npm run api -- --update`)
  process.exitCode = 1
}

function sourceOf(types: string): string {
  return types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')
}

function readReport(): string {
  const file = path.join(root, REPORT)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function reportAt(commit: string): string {
  const { status, stdout, stderr } = spawnSync('git', ['show', `${commit}:${REPORT}`], { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout
  console.error(`api: there is no ${REPORT} at ${commit}: ${stderr.trim()}`)
  process.exit(1)
}
