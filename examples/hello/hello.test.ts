// The first programs that somebody runs: they must print what they are about, and end. What the calls promise is tested
// elsewhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '../run-program.ts'

test('hello prints the replies of a majority, also when one server has gone, and ends', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, 'hello/main.ts')
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.ok((stdout.match(/^[abc]: hello world, says [abc]$/gm) ?? []).length >= 2, stdout)
  assert.match(stdout, /^without c: 2 replies$/m)
})

test('two services of a node share one connection', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, 'hello/two-services.ts')
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.match(stdout, /^north has Distributed Algorithms$/m)
  assert.match(stdout, /^south has Distributed Systems$/m)
  assert.match(stdout, /^order 1 was placed in the south$/m)
  assert.match(stdout, /^north serves 2 services on 1 connection$/m)
  assert.match(stdout, /^south serves 2 services on 1 connection$/m)
})
