// Benchmarks that leave facts, not points: memory, and reconnecting. Each runs once, whole, as the command runs it. What they
// measure is judged by goals, not here; here it is that they measure something.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import type { Fact, Section } from '../../bench/experiments/benchmark.ts'
import { emptyFolder, runCommand } from './command-process.ts'

/** Runs one benchmark of ours alone; its section, and what was printed. */
async function measure(
  t: { after(hook: () => Promise<void>): void },
  name: string,
): Promise<{ section: Section; output: string }> {
  const folder = emptyFolder(t)
  const short = ['--rounds', '1', '--time', '50ms', '--warmup', '20ms', '--targets', 'gorums', '--out', folder]
  const { code, output } = await runCommand('--benchmarks', `^${name}$`, ...short)
  assert.equal(code, 0, output)
  const { sections } = JSON.parse(readFileSync(path.join(folder, 'bench.json'), 'utf8'))
  assert.equal(sections.length, 1)
  // The page shows each fact.
  const html = readFileSync(path.join(folder, 'bench.html'), 'utf8')
  for (const fact of sections[0].facts) assert.ok(html.includes(`<td>${fact.name}</td>`), fact.name)
  return { section: sections[0], output }
}

function figureOf({ facts }: Section, name: string): number {
  const fact = facts?.find((each: Fact) => each.name === name)
  assert.ok(fact !== undefined, `there is no "${name}" among ${facts?.map((each: Fact) => each.name).join(', ')}`)
  return fact.value
}

describe('the benchmark', () => {
  it('reconnect-storm tells when every client has been answered by the new server', async (t) => {
    const { section, output } = await measure(t, 'reconnect-storm')
    const [median, all] = ['median client', 'all clients'].map((who) => figureOf(section, `answered again, ${who}`))
    assert.ok(median! > 0 && all! >= median!, output)
    assert.ok(figureOf(section, 'CPU time of the new server') > 0, output)
  })

  it('waiting-calls tells what a call costs that nobody answers', async (t) => {
    const { section, output } = await measure(t, 'waiting-calls')
    // Its promise and its request alone take more than this; calls that had failed would have left nothing.
    const bytes = figureOf(section, 'a call in flight')
    assert.ok(bytes > 200, output)
    // What its parts are adds up to it, but for what is shared by all calls.
    const parts = section.facts!.filter(({ name }) => name.startsWith('Call'))
    const sum = parts.reduce((total, { value }) => total + value, 0)
    assert.ok(sum > bytes * 0.8 && sum < bytes * 1.25, output)
  })

  it('large-writes tells what a call allocates beyond its value, which is encoded once for all nodes', async (t) => {
    const { section, output } = await measure(t, 'large-writes')
    // The request is encoded once, for all nodes: one copy of it, not two.
    const MiB = figureOf(section, 'allocated by a call beyond the value')
    assert.ok(MiB >= 1 && MiB < 2, output)
    // 1 MiB to each of five nodes, and nothing back.
    const { bytesPerCall } = section.points[0]!.results[0]!
    assert.ok(bytesPerCall > 5 * 2 ** 20 && bytesPerCall < 5.1 * 2 ** 20, output)
  })
})
