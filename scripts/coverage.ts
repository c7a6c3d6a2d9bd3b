// Runs the tests of src and codec and measures what of them is run. Prints a summary, leaves pages in `coverage/`, and
// fails when it is below the floor.
//   npm run coverage [-- --badge]     --badge draws docs/badges/coverage.svg from the result, and the other badges

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { drawBadge } from './badge.ts'
import { toolPath } from './tool-path.ts'

/** Percent that have to be covered: what was measured in November 2026, rounded down. */
const FLOOR = { lines: 98, branches: 96, functions: 97 } as const
/** Not run: tests that run changed sources under the names of the right ones, and the package, which is no source. */
const PLANTED = ['test/fuzz', 'test/simulation/planting', 'test/package']
/** Not run either, for their time: tests of something else, and tests that run at length what others run as well. */
const ELSEWHERE = [
  'examples/hello',
  'examples/storage',
  'test/bench',
  'test/chaos',
  'test/docs',
  'test/evidence',
  'test/exploration',
  'test/hostile',
  'test/interop',
  'test/remote',
  'test/scripts',
  'test/simulation/campaign/campaign.test.ts',
]

const root = path.resolve(import.meta.dirname, '..')
const { values } = parseArgs({ options: { badge: { type: 'boolean' } } })
const command = ['tsx', 'scripts/test.ts', ...testFiles()]
const places = ['--include', 'src/**', '--include', 'codec/**', '--temp-directory', 'coverage/raw']
const reports = ['--reporter', 'text', '--reporter', 'html', '--reporter', 'json-summary', '--reports-dir', 'coverage']
const failures = path.join(root, 'coverage/failures.txt')
mkdirSync(path.dirname(failures), { recursive: true })
rmSync(failures, { force: true })
const { status } = spawnSync(toolPath('c8'), [...places, ...reports, ...command], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, GORUMS_TEST_FAILURES: failures },
})
if (status !== 0) {
  // Said again behind the table: the end of a log is what is read first.
  if (existsSync(failures)) console.error(`\n${readFileSync(failures, 'utf8')}\n`)
  fail('the tests failed')
}

const { total } = JSON.parse(readFileSync(path.join(root, 'coverage/coverage-summary.json'), 'utf8')) as {
  total: Record<keyof typeof FLOOR, { pct: number }>
}
for (const [what, floor] of Object.entries(FLOOR) as [keyof typeof FLOOR, number][]) {
  console.log(`coverage: ${total[what].pct} % of ${what} (floor ${floor} %)`)
  if (total[what].pct < floor) process.exitCode = 1
}
if (process.exitCode === 1) console.error('coverage: below the floor of scripts/coverage.ts')
else if (values.badge === true) writeBadges()

function testFiles(): string[] {
  return ['test', 'examples'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.join(folder, name))
      .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
      .filter((name) => ![...PLANTED, ...ELSEWHERE].some((place) => name === place || name.startsWith(`${place}/`)))
      .sort(),
  )
}

function writeBadges(): void {
  const { license, engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const folder = path.join(root, 'docs/badges')
  mkdirSync(folder, { recursive: true })
  const write = (name: string, label: string, value: string): void =>
    writeFileSync(path.join(folder, `${name}.svg`), drawBadge(label, value))
  write('coverage', 'coverage', `${Math.floor(total.lines.pct)} %`)
  write('licence', 'licence', license)
  write('node', 'Node.js', engines.node.replace('>=', '≥ '))
}

function fail(message: string): never {
  console.error(`coverage: ${message}`)
  process.exit(1)
}
