// The split brain: a real cut, two ways to count. The program runs as a person would run it; what it prints is compared
// with what must happen.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '../run-program.ts'

test('counting connected nodes acknowledges on both sides of a cut, counting members on one', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, 'storage/main.ts', ['--split-brain'])
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const [naive, sound] = stdout.split(/^2\. /m) as [string, string]
  assert.match(naive, /left {2}\(2 connected\) writes x = "left": acknowledged by/)
  assert.match(naive, /right \(3 connected\) writes x = "right": acknowledged by/)
  assert.match(naive, /left was told that its write is done: it is gone/)
  assert.match(sound, /left {2}\(2 connected\) writes y = "left": refused/)
  assert.match(sound, /QuorumError: .*needs 3 of\s+5/)
  assert.match(
    sound,
    /right \(3 connected\) writes y = "right": acknowledged by c, d, e|acknowledged by [cde], [cde], [cde]/,
  )
  assert.doesNotMatch(sound, /it is gone/)
})
