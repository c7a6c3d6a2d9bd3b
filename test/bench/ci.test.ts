// What the short run of continuous integration fails on, with results that are made up: exit codes and messages.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { complaints, unjudged } from '../../bench/ci.ts'
import type { Section } from '../../bench/experiments/benchmark.ts'
import { chosenBenchmarks } from '../../bench/experiments/benchmarks.ts'
import { parseOptions } from '../../bench/options.ts'
import { emptyFolder, runCommand } from './command-process.ts'
import { report, result, section } from './made-report.ts'

/** The goal of 64x16B against the floor is 0.75. */
function throughput(ours: number, floor: number): Section {
  return section('64x16B', result('gorums', ours, ours, ours), result('floor', floor, floor, floor))
}

function stopped(growth: number): Section {
  return { ...section('stopped'), facts: [{ name: 'memory growth', value: growth, unit: 'share' }] }
}

/** Calls to 3 nodes with 16 bytes: six messages, which have 96 bytes of payload. */
function wire(bytesPerCall: number): Section {
  const made = section('64x16B')
  const results = [{ ...result('gorums', 100), bytesPerCall }, result('floor', 100)]
  return { ...made, points: [{ ...made.points[0]!, results }] }
}

describe('bench --ci', () => {
  it('runs two points and the stopped node, ours and the floor, in processes as large as those of applications', () => {
    const options = parseOptions(['--ci'])!
    assert.deepEqual(
      chosenBenchmarks(options).map(({ name }) => name),
      ['1x16B', '64x16B', 'stopped'],
    )
    assert.deepEqual(options.targets, ['gorums', 'floor'])
    assert.equal(options.heapBytes, 16 * 1024 * 1024)
  })

  for (const [what, made, message] of [
    ['a ratio to the floor of half of the goal', throughput(375, 1000), undefined],
    ['less than half of the goal', throughput(374, 1000), '64x16B: 0.374 of the floor, below half of the goal of 0.75'],
    ['memory that has grown by half', stopped(0.5), undefined],
    ['memory that has grown by more', stopped(0.51), "stopped: the client's memory grew by 51 %"],
    ['memory that has shrunk', stopped(-0.3), undefined],
    ['32 bytes a message beyond the payload', wire(96 + 192), undefined],
    [
      'more bytes on the wire',
      wire(96 + 193),
      '64x16B: a call to 3 nodes has 193 bytes on the wire beyond its payloads, more than 192',
    ],
    [
      'a point without the floor',
      section('64x16B', result('gorums', 1)),
      '64x16B: there is no ratio to the floor: not both of gorums and floor were measured',
    ],
  ] as const) {
    it(`${message === undefined ? 'passes' : 'fails for'} ${what}`, () => {
      assert.deepEqual(complaints([made]), message === undefined ? [] : [message])
    })
  }

  it('does not judge a ratio, and says so, when others had more than a quarter of the machine', () => {
    const disturbed = (others: number): Section => {
      const made = throughput(100, 1000)
      const results = made.points[0]!.results.map((each) => ({ ...each, others }))
      return { ...made, points: [{ ...made.points[0]!, results }] }
    }
    assert.deepEqual(complaints([disturbed(0.26)]), [])
    assert.deepEqual(unjudged([disturbed(0.26), stopped(0)]), [
      '64x16B: its ratio is not judged: others had 26 % of the machine',
    ])
    assert.equal(complaints([disturbed(0.25)]).length, 1)
    assert.deepEqual(unjudged([disturbed(0.25)]), [])
  })

  it('fails when nothing was measured', () => {
    assert.deepEqual(complaints([]), ['nothing was measured'])
  })

  it('ends with exit code 1 and one line for each thing that is wrong, and with 0 when nothing is', async (t) => {
    const folder = emptyFolder(t)
    const judge = (name: string, ...sections: Section[]): Promise<{ code: number; output: string }> => {
      const file = path.join(folder, name)
      writeFileSync(file, JSON.stringify(report(...sections)))
      return runCommand('--ci', '--from', file, '--out', folder)
    }
    const good = await judge('good.json', throughput(700, 1000), stopped(0.1))
    assert.equal(good.code, 0, good.output)
    assert.doesNotMatch(good.output, /^bench: /m)
    const bad = await judge('bad.json', throughput(100, 1000), stopped(2))
    assert.equal(bad.code, 1)
    assert.deepEqual(bad.output.match(/^bench: .*$/gm), [
      'bench: 64x16B: 0.100 of the floor, below half of the goal of 0.75',
      "bench: stopped: the client's memory grew by 200 %",
    ])
  })
})
