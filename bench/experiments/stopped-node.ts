// One node of three is stopped (SIGSTOP): what it takes from the others, and from the client's memory.

import type { Benchmark, Section } from './benchmark.ts'
import { echoPoint } from './goal-points.ts'
import type { Point } from './point.ts'
import { type Round, resultOf } from './result.ts'
import { Runner } from './runner.ts'

const STOPPED: Point = { ...echoPoint('stopped', 64, 16), title: 'one node of 3 stopped, 64 in flight, 16 B' }
const TWO: Point = { ...echoPoint('two-nodes', 64, 16), title: 'two nodes only, 64 in flight, 16 B', nodes: 2 }
/** Longer than calls wait by default: what is kept for the stopped node has reached its limit, or its calls their deadline, ms. */
const FILLING_MS = 11_000

export const stoppedNode: Benchmark = {
  name: 'stopped',
  title: STOPPED.title,
  group: 'goals',
  async run(bench): Promise<Section> {
    const target = bench.choose('gorums')[0]!
    // A round of twice the length: of a 99th percentile there is less in each than of calls a second.
    const settings = {
      ...bench.settings,
      windowMs: 2 * bench.settings.windowMs,
      clientFlags: [...bench.settings.clientFlags, '--expose-gc'],
    }
    // What the client holds beside its calls is no part of what they take.
    const { heapBytes } = bench.options
    const runners: Runner[] = []
    try {
      for (const point of [STOPPED, TWO]) {
        const runner = await Runner.start(target, point, settings)
        runners.push(runner)
        await runner.warmUp()
      }
      const [stopped, two] = runners as [Runner, Runner]
      const rounds = { stopped: [] as Round[], two: [] as Round[] }
      await stopped.setting.stopLast()
      await stopped.setting.round({ windowMs: FILLING_MS, inFlight: STOPPED.inFlight })
      // To be told how much memory is in use takes a collection, after which calls are slower for a while: not between rounds.
      const before = await stopped.memoryBytes()
      for (const runner of runners) await runner.warmUpAgain()
      for (let round = 0; round < settings.rounds; round++) {
        rounds.stopped.push(await stopped.round())
        rounds.two.push(await two.round())
      }
      const after = await stopped.memoryBytes()
      await stopped.setting.resume()
      const results = [
        resultOf(target.name, rounds.stopped, await stopped.observe()),
        resultOf(target.name, rounds.two, await two.observe()),
      ] as const
      const toMiB = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)
      settings.progress(
        `  p99 ${results[0].latency.p99Ms.toFixed(3)} ms, with two nodes ${results[1].latency.p99Ms.toFixed(3)} ms; memory ${toMiB(before)} MiB, then ${toMiB(after)} MiB`,
      )
      return {
        name: 'stopped',
        title: STOPPED.title,
        points: [
          { point: STOPPED, results: [results[0]] },
          { point: TWO, results: [results[1]] },
        ],
        facts: [
          {
            name: 'p99 / p99 with two nodes',
            value: results[0].latency.p99Ms / results[1].latency.p99Ms,
            unit: 'ratio',
          },
          { name: 'memory growth', value: (after - heapBytes) / (before - heapBytes) - 1, unit: 'share' },
          { name: 'memory at the end', value: after, unit: 'bytes' },
        ],
      }
    } finally {
      await Promise.all(runners.map((runner) => runner.end()))
    }
  },
}
