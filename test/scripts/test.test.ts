// The test script says last what has failed, and leaves it in a file for those who print more behind it.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')

const TESTS = `
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
describe('sums', () => {
  it('adds', () => assert.equal(1 + 1, 2))
  it('subtracts', () => assert.equal(3 - 1, 1, 'three less one'))
})
`

test('what has failed is said last, and left in the file that GORUMS_TEST_FAILURES names', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-failures-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'sums.test.ts')
  const left = path.join(folder, 'left.txt')
  writeFileSync(file, TESTS)
  // This process is a test file itself: the one below must not take itself for a part of it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/test.ts', file], {
    cwd: root,
    env: { ...env, GORUMS_TEST_FAILURES: left },
    encoding: 'utf8',
  })
  assert.equal(status, 1, stdout)
  assert.ok(existsSync(left), stdout)
  const said = readFileSync(left, 'utf8')
  assert.match(said, /^✖ .*sums\.test\.ts(:\d+)?: subtracts\n {4}AssertionError.*three less one/)
  assert.doesNotMatch(said, /: adds/)
  assert.ok(stdout.endsWith(`\n${said}\n\n1 files: 1 passed, 1 failed, 0 skipped\n1 passed, 1 failed\n`), stdout)
})
