// Runs the tests: every test/**/*.test.ts, or the files and folders that are named. Fails when no test ran. What has failed
// is said last, and, for whoever prints more behind it, left in the file that GORUMS_TEST_FAILURES names.
//   npm test [-- [--only <words of a title>] [files or folders]]

import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { endWithReader } from './broken-pipe.ts'
import { describeFailure } from './test-failure.ts'

/** A file that has not ended by then is killed and fails: it may have leaked what keeps it alive. */
const FILE_TIMEOUT_MS = 240_000

endWithReader()
const root = path.resolve(import.meta.dirname, '..')
const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true })

const files = (positionals.length > 0 ? positionals : ['test', 'examples']).flatMap((name) =>
  testFiles(path.resolve(root, name)),
)
if (files.length === 0) fail('no test file was found')

let passed = 0
let failed = 0
let skipped = 0
const failures: string[] = []
const stream = run({
  files,
  concurrency: Math.max(1, availableParallelism()),
  timeout: FILE_TIMEOUT_MS,
  ...(values.only === undefined ? {} : { testNamePatterns: [values.only] }),
})
stream.on('test:pass', (test) => {
  if (test.details.type === 'suite' || isFile(test.name)) return
  if (test.skip === undefined) passed++
  else skipped++
})
stream.on('test:fail', (test) => {
  if (test.details.type === 'suite') return
  failed++
  failures.push(describeFailure(root, test))
})
stream.on('end', () => {
  // The reporter's own output ends first.
  setImmediate(() => {
    for (const failure of failures) console.log(`\n${failure}`)
    const { GORUMS_TEST_FAILURES } = process.env
    if (GORUMS_TEST_FAILURES !== undefined) writeFileSync(GORUMS_TEST_FAILURES, failures.join('\n\n'))
    console.log(`\n${files.length} files: ${passed} passed, ${failed} failed, ${skipped} skipped`)
    console.log(`${passed} passed, ${failed} failed`)
    if (passed === 0) fail('no test ran')
    if (failed > 0) process.exitCode = 1
  })
})
stream.compose(new spec()).pipe(process.stdout)

/** A file that has no test of its own counts as a test that passes: it is not one. */
function isFile(name: string): boolean {
  return files.includes(path.resolve(root, name)) || name.endsWith('.test.ts')
}

function testFiles(place: string): string[] {
  const stat = statSync(place, { throwIfNoEntry: false })
  if (stat === undefined) fail(`there is no ${place}`)
  if (!stat.isDirectory()) return [place]
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.split(path.sep).includes('node_modules'))
    .map((name) => path.join(place, name))
    .sort()
}

function fail(message: string): never {
  console.error(`test: ${message}`)
  process.exit(1)
}
