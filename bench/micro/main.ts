// Micro-benchmarks: parts of the framework beside the simplest thing that could stand in their place. Each group runs in a
// process of its own, so that what one has taught the compiler does not colour the next.
//   npm run bench:micro [-- [--time <ms per candidate and round>] [groups]]

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'

/** What there is, in the order of a call's way down: each is a file of this folder. */
const GROUPS = ['codec', 'generated', 'encoder', 'decoder', 'pending', 'tally', 'call', 'clock']

const { values, positionals } = parseArgs({ options: { time: { type: 'string' } }, allowPositionals: true })
const unknown = positionals.filter((name) => !GROUPS.includes(name))
if (unknown.length > 0) fail(`no group is called ${unknown.join(', ')}; there are ${GROUPS.join(', ')}`)
const timeMs = Number(values.time ?? '100')
if (!(timeMs > 0)) fail(`--time must be a number of milliseconds above 0, got ${values.time}`)

for (const group of positionals.length > 0 ? positionals : GROUPS) {
  console.log(`\n▶ ${group}`)
  const script = path.join(import.meta.dirname, `${group}.ts`)
  const { status, signal } = spawnSync(process.execPath, ['--import', 'tsx', script, String(timeMs)], {
    cwd: path.resolve(import.meta.dirname, '../..'),
    stdio: 'inherit',
  })
  if (status !== 0) fail(`${group} failed (${signal ?? `exit code ${status}`})`)
}

function fail(message: string): never {
  console.error(`bench:micro: ${message}`)
  process.exit(1)
}
