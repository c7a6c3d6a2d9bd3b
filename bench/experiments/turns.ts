// Measures several targets at one point in rounds that take turns (A B C A B C …), so that what changes on the machine
// meanwhile meets all of them.

import type { Target } from '../targets/target.ts'
import type { LeftOut, Point, PointResult, Settings, TargetResult } from './point.ts'
import { Runner, TooSlow } from './runner.ts'

/** Measures a point for those of the targets that can do it. A target that is too slow for it is left out. */
export async function measurePoint(
  point: Point,
  contenders: readonly Target[],
  settings: Settings,
): Promise<PointResult> {
  const able = contenders.filter((target) => target.operations.includes(point.operation))
  const runners: Runner[] = []
  const leftOut: LeftOut[] = []
  try {
    for (const target of able) {
      try {
        runners.push(await Runner.start(target, point, settings))
      } catch (error) {
        if (!(error instanceof TooSlow)) throw error
        leftOut.push({ target: target.name, reason: error.message })
        settings.progress(`  ${target.name.padEnd(20)} left out: ${error.message}`)
      }
    }
    for (let round = 0; round < settings.rounds; round++) for (const runner of runners) await runner.round()
    // What others have disturbed is measured again, half as often at most: a machine that is never quiet ends as well.
    for (let round = 0; round < settings.rounds / 2; round++)
      for (const runner of runners) if (runner.quietRounds < settings.rounds) await runner.round()
    const results: TargetResult[] = []
    for (const runner of runners) {
      results.push(await runner.result())
      settings.progress(`  ${lineOf(results.at(-1)!)}`)
    }
    return { point, results, ...(leftOut.length === 0 ? {} : { leftOut }) }
  } finally {
    await Promise.all(runners.map((runner) => runner.end()))
  }
}

function lineOf({ target, callsPerSecond, latency }: TargetResult): string {
  const { median, min, max } = callsPerSecond
  const whole = (value: number): string => Math.round(value).toString()
  const times = latency.samples === 0 ? '' : `, p50 ${latency.p50Ms.toFixed(3)} ms, p99 ${latency.p99Ms.toFixed(3)} ms`
  return `${target.padEnd(20)} ${whole(median).padStart(8)}/s (${whole(min)} – ${whole(max)})${times}`
}
