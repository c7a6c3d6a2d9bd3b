// The flags that make the processes of a benchmark write profiles: every process one, where its kind belongs.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { emptyFolder, runCommand } from './command-process.ts'

describe('the flag', () => {
  // Names end with the thread and a number: the thread that loads the sources, which users do not have, writes profiles as well.
  for (const [flag, name, part] of [
    ['--cpuprofile', /^CPU\.\d+\.\d+\.\d+\.0\.001\.cpuprofile$/, 'samples'],
    ['--memprofile', /^Heap\.\d+\.\d+\.\d+\.0\.001\.heapprofile$/, 'selfSize'],
    ['--trace', /^trace-\d+-1\.json$/, 'traceEvents'],
  ] as const) {
    it(`${flag} has a profile of the client and one of each server`, async (t) => {
      const [folder, out] = [emptyFolder(t), emptyFolder(t)]
      const short = ['--rounds', '1', '--time', '20ms', '--warmup', '20ms', '--out', out]
      const { code, output } = await runCommand('--benchmarks', '^QuorumCall$', ...short, flag, folder)
      assert.equal(code, 0, output)
      for (const [whose, count] of [
        ['client', 1],
        ['servers', 4],
      ] as const) {
        const files = readdirSync(path.join(folder, whose)).filter((file) => name.test(file))
        assert.equal(files.length, count, `${whose}: ${files.join(', ')}`)
        for (const file of files) assert.ok(readFileSync(path.join(folder, whose, file), 'utf8').includes(`"${part}"`))
      }
    })
  }
})
