// The command line: one server, a prompt on servers that run, and what is said of what can not be done. The tour and
// the split brain have tests of their own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Program, runProgram } from '../run-program.ts'

test('--help tells what there is', async (t) => {
  const { code, stdout } = await runProgram(t, 'storage/main.ts', ['--help'])
  assert.equal(code, 0)
  for (const option of ['--connect', '--serve', '--split-brain', '--interceptors', '--repl'])
    assert.ok(stdout.includes(option), option)
})

test('what can not be done is said in one line, with exit code 1', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--fly'], /Unknown option '--fly'/],
    [['--interceptors', 'speed'], /there is no interceptor "speed"/],
    [['--serve', 'nowhere'], /--serve takes host:port, not "nowhere"/],
    [['--connect', 'nowhere'], /address "nowhere" must look like/],
  ]
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, stdout, stderr } = await runProgram(t, 'storage/main.ts', args)
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.match(stderr, message)
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    }),
  )
})

test('a script can be run on servers that run; SIGTERM ends those when they have finished', async (t) => {
  const servers = ['a', 'b', 'c'].map(
    (id) => new Program(t, 'storage/main.ts', ['--serve', '127.0.0.1:0', '--id', id, '--interceptors', 'logging']),
  )
  const addresses = await Promise.all(servers.map(async (server) => (await server.printed(/listens on (\S+),/))[1]))
  const nodes = ['a', 'b', 'c'].map((id, index) => `${id}=${addresses[index]}`).join()
  const { code, stdout } = await runProgram(
    t,
    'storage/main.ts',
    ['--connect', nodes],
    ['qc write x "hello"', 'qc read x', 'exit'],
  )
  assert.equal(code, 0)
  assert.match(stdout, /^\d of 3 servers are connected/)
  assert.match(stdout, /^x = "hello" \(timestamp 1 by \S+\), acknowledged by a majority$/m)
  assert.match(stdout, /^x = "hello" \(timestamp 1 by \S+\)$/m)
  const failed = await runProgram(t, 'storage/main.ts', ['--connect', addresses.join()], ['nonsense'])
  assert.equal(failed.code, 1)
  for (const server of servers) {
    await server.printed(/writeQC "x": done/)
    server.child.kill('SIGTERM')
    assert.equal((await server.ended).code, 0)
  }
})
