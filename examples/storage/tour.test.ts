// The tour as `npm start` gives it without a terminal: it comes to its end, and its books balance. How fast it was is
// told to the reader and not tested.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '../run-program.ts'
import { majoritiesOf } from './tour-failures.ts'

test('the tour ends with code 0 and an account in which no call failed and nothing was lost', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, 'storage/main.ts')
  assert.equal(stderr, '')
  assert.equal(code, 0, stdout)
  for (const chapter of [
    'A majority is enough',
    'A correctable',
    'A multicast',
    'A nested call',
    'A sub-configuration',
  ])
    assert.match(stdout, new RegExp(`^\\d\\. ${chapter}`, 'm'))
  assert.match(stdout, /anna reads capital = "Stavanger"/)
  assert.match(stdout, /level 3: "blue", a majority has it/)
  assert.match(stdout, /a "in order", b "in order", c "in order", d "in order", e "in order"/)
  assert.match(stdout, /as e has read it from/)
  assert.match(stdout, /QuorumError: .*needs 3 of\s+5/)
  assert.match(stdout, /●●◌●✕ {2}two of five are out: \d+ calls, 0 failed/)
  assert.match(stdout, /c has worked off what had waited for it after \d+ ms/)
  assert.match(stdout, /e was reconnected to \d+ ms later/)
  for (const phase of ['before', 'during', 'coming back', 'after'])
    assert.match(stdout, new RegExp(`^ +${phase} +\\d+ +0 +[\\d.]+ +[\\d.]+$`, 'm'))
  assert.match(stdout, /keys, 0 missing or too old; 0 stale reads/)
  assert.match(stdout, /\d+ calls, 0 failed, nothing lost/)
  assert.ok(!stdout.includes('\u001b'), 'no colours without a terminal')
})

test('the majorities of five nodes are ten, and every two of them have a node in common', () => {
  const sets = majoritiesOf(['a', 'b', 'c', 'd', 'e'])
  assert.equal(new Set(sets.map((set) => set.join())).size, 10)
  for (const one of sets) for (const other of sets) assert.ok(one.some((id) => other.includes(id)))
  assert.deepEqual(majoritiesOf(['a']), [['a']])
})
