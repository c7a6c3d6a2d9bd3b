// The flag that makes every process of a benchmark hold what an application would.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import type { Report } from '../../bench/report/report.ts'
import { emptyFolder, runCommand } from './command-process.ts'

const MIB = 1024 * 1024

it('--heap has every process hold so many bytes of objects, and the report says so', async (t) => {
  const heapsWith = async (...flags: string[]): Promise<{ servers: number[]; layout: string }> => {
    const out = emptyFolder(t)
    const short = ['--rounds', '1', '--launches', '1', '--time', '20ms', '--warmup', '20ms', '--out', out]
    const { code, output } = await runCommand('--benchmarks', '^QuorumCall$', ...short, ...flags)
    assert.equal(code, 0, output)
    const { sections, layout } = JSON.parse(readFileSync(path.join(out, 'bench.json'), 'utf8')) as Report
    return { servers: sections[0]!.points[0]!.results[0]!.servers.map(({ heapBytes }) => heapBytes / MIB), layout }
  }
  const held = await heapsWith('--heap', '64MiB')
  assert.equal(held.servers.length, 4)
  for (const heap of held.servers) assert.ok(heap >= 64, `${heap} MiB`)
  assert.match(held.layout, /each with 64 MiB of objects/)
  const { servers, layout } = await heapsWith()
  for (const heap of servers) assert.ok(heap < 64, `${heap} MiB without the flag`)
  assert.doesNotMatch(layout, /objects/)
})
