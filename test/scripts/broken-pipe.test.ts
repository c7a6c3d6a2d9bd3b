// What a command does when the program that reads its output has had enough.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')

test('a command whose reader goes away ends with the code of a broken pipe and prints no stack', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/simulation/simulate.ts', '--seed', '1', '--trace'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const ended = once(child, 'close')
  await once(child.stdout, 'data')
  child.stdout.destroy()
  assert.deepEqual(await ended, [141, null])
  assert.equal(complaints, '')
})
