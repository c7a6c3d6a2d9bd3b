// The micro-benchmarks run, and say so when candidates do not do the same work. What they measure is not judged here.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { compare } from '../../bench/micro/comparison.ts'

const root = path.resolve(import.meta.dirname, '../..')

function micro(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', 'bench/micro/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  })
}

test('each group prints its candidates with their time and their ratio to the simplest one', () => {
  const groups = ['encoder', 'decoder', 'pending', 'tally', 'call', 'clock']
  const { status, stdout, stderr } = micro('--time', '1', ...groups)
  assert.equal(status, 0, stderr)
  const [, ...sections] = stdout.split('▶ ')
  assert.deepEqual(
    sections.map((section) => section.slice(0, section.indexOf('\n'))),
    groups,
  )
  for (const section of sections) {
    const ratios = [...section.matchAll(/^ {2}\S.* [\d.]+ ns +±\d+ % +× ([\d.]+)$/gm)].map((match) => Number(match[1]))
    assert.ok(ratios.length >= 2, section)
    assert.equal(ratios[0], 1, section)
  }
})

test('a group that there is not, and a time that is none, are refused with what there is', () => {
  const unknown = micro('pendnig')
  assert.equal(unknown.status, 1)
  assert.match(unknown.stderr, /no group is called pendnig; there are codec, .*pending/)
  assert.match(micro('--time', 'soon').stderr, /--time must be a number of milliseconds above 0, got soon/)
})

test('candidates that do not agree about the result are not compared', async () => {
  await assert.rejects(
    compare('sums', 1, [
      { name: 'right', run: () => 2 },
      { name: 'wrong', run: () => 3 },
    ]),
    /sums: the candidates do not agree about the result: right 2, wrong 3/,
  )
})
