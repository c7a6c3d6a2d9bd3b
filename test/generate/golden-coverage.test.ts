// Nothing that the generator writes is dead: the tests of the golden outputs run every function and every branch of them.
// They are run once more, in a process of their own that V8 counts for; tools that need a source map per file are not.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { keptFiles } from './generated.ts'

const root = path.resolve(import.meta.dirname, '../..')
const TESTS = ['every-field', 'messages', 'values'].map((name) => path.join(import.meta.dirname, `${name}.test.ts`))
const GOLDEN = keptFiles()
  .map(({ name }) => name)
  .filter((name) => name.startsWith('test/generate/golden'))

/** What V8 writes: places are offsets in what has been run, which is not what is in the file. */
interface Coverage {
  readonly result: readonly Script[]
  readonly 'source-map-cache': Readonly<Record<string, { lineLengths: number[]; data: SourceMapPayload }>>
}

interface Script {
  readonly url: string
  readonly functions: readonly { readonly functionName: string; readonly ranges: readonly Range[] }[]
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

test('the tests of the golden outputs run every function and branch of them: no dead code is generated', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-coverage-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const program = TESTS.map((file) => `await import(${JSON.stringify(file)})`).join('\n')
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program],
    { cwd: root, encoding: 'utf8', env: { ...env, NODE_V8_COVERAGE: folder } },
  )
  assert.equal(status, 0, `${stdout}${stderr}`)
  // Threads and programs that the tests start leave files too; one process has loaded everything.
  const coverage = readdirSync(folder)
    .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Coverage)
    .find((each) => GOLDEN.every((name) => scriptOf(each, name) !== undefined))
  assert.ok(coverage !== undefined, 'the tests load every golden output')
  assert.deepEqual(
    GOLDEN.flatMap((name) => notRun(coverage, name)),
    [],
  )
})

function scriptOf({ result }: Coverage, name: string): Script | undefined {
  const url = pathToFileURL(path.join(root, name)).href
  return result.find((each) => each.url.split('?')[0] === url)
}

/** The lines of a file where something was not run. */
function notRun(coverage: Coverage, name: string): string[] {
  const { url, functions } = scriptOf(coverage, name)!
  assert.ok(functions.length > 1, `${name}: no functions were counted`)
  const { lineLengths, data } = coverage['source-map-cache'][url]!
  const map = new SourceMap(data)
  const ranges = functions.flatMap((each) => each.ranges.filter(({ count }) => count === 0))
  return ranges.map(({ startOffset }) => `${name}:${lineOf(startOffset, lineLengths, map)}`)
}

/** The line in the file of an offset in what has been run. */
function lineOf(offset: number, lineLengths: readonly number[], map: SourceMap): number | string {
  let line = 0
  let start = 0
  while (line < lineLengths.length && start + lineLengths[line]! < offset) start += lineLengths[line++]! + 1
  const entry = map.findEntry(line, offset - start)
  return 'originalLine' in entry ? entry.originalLine + 1 : '?'
}
