// Measures several targets at one point in rounds that take turns (A B C A B C …), so that what changes on the machine
// meanwhile meets all of them; and with processes that are started anew for a part of the turns, because two processes of
// one program are not equally fast for as long as they live.

import { median } from '../measure/statistics.ts'
import type { Target } from '../targets/target.ts'
import type { LeftOut, Point, PointResult, Settings, TargetResult } from './point.ts'
import { type Observed, type Round, resultOf } from './result.ts'
import { Runner, TooSlow } from './runner.ts'

/**
 * Processes are started anew for the first target, with which all are compared, and for those up to so many times as slow as
 * the fastest: others are told from it by one launch.
 */
const CLOSE = 5
/** A turn in one of whose rounds others had more than this share of the machine is measured again. */
const OTHERS_MAX = 0.1
/** The least turns of a launch at a point that takes long, if as many were asked for. */
const TURNS_MIN = 5

/** One round of each target. */
interface Turn {
  readonly rounds: ReadonlyMap<Target, Round>
  /** The most of the machine that others had in one of them, as a share. */
  readonly others: number
}

/** Measures a point for those of the targets that can do it. A target that is too slow for it is left out. */
export async function measurePoint(
  point: Point,
  contenders: readonly Target[],
  settings: Settings,
): Promise<PointResult> {
  const measured = new Measurement(point, settings)
  let targets = contenders.filter((target) => target.operations.includes(point.operation))
  for (let launch = 0; launch < settings.launches; launch++) {
    // As even as can be, the first have one more.
    const turns = Math.ceil((settings.rounds - launch) / settings.launches)
    if (turns > 0) await measured.launch(targets, turns)
    targets = measured.closeToFastest()
  }
  return measured.result()
}

class Measurement {
  readonly #point: Point
  readonly #settings: Settings
  readonly #rounds = new Map<Target, Round[]>()
  readonly #observed = new Map<Target, Observed>()
  #repeated = 0
  /** When it has taken so long that it does with fewer turns, ms. */
  readonly #longFrom: number
  readonly #leftOut: LeftOut[] = []

  constructor(point: Point, settings: Settings) {
    this.#point = point
    this.#settings = settings
    this.#longFrom = performance.now() + (settings.pointMaxMs ?? Number.POSITIVE_INFINITY)
  }

  /** Starts the processes of targets, and takes so many turns: fewer when the point has taken long. */
  async launch(targets: readonly Target[], count: number): Promise<void> {
    const runners = await startAll(targets, this.#point, this.#settings)
    try {
      const able = await this.#warmUp(runners)
      for (const runner of able) await runner.warmUpAgain()
      const turns: Turn[] = []
      while (turns.length < count && (turns.length < TURNS_MIN || !this.#isLong)) turns.push(await takeTurn(able))
      const wanted = turns.length
      // What others have disturbed is measured again, half as often at most: a machine that is never quiet ends as well.
      while (turns.length < wanted * 1.5 && quietTurns(turns) < wanted && !this.#isLong)
        turns.push(await takeTurn(able))
      this.#repeated += turns.length - wanted
      const counted = leastDisturbed(turns, wanted)
      for (const runner of able) {
        const rounds = counted.map((turn) => turn.rounds.get(runner.target)!)
        this.#rounds.set(runner.target, [...(this.#rounds.get(runner.target) ?? []), ...rounds])
        if (!this.#observed.has(runner.target)) this.#observed.set(runner.target, await runner.observe())
      }
    } finally {
      await Promise.all(runners.map((runner) => runner.end()))
    }
  }

  get #isLong(): boolean {
    return performance.now() >= this.#longFrom
  }

  closeToFastest(): Target[] {
    return closeToFastest(this.#rounds)
  }

  result(): PointResult {
    const results = [...this.#rounds].map(([target, rounds]) =>
      resultOf(target.name, rounds, this.#observed.get(target)!, this.#repeated),
    )
    for (const each of results) this.#settings.progress(`  ${lineOf(each)}`)
    return { point: this.#point, results, ...(this.#leftOut.length === 0 ? {} : { leftOut: this.#leftOut }) }
  }

  async #warmUp(runners: readonly Runner[]): Promise<Runner[]> {
    const able: Runner[] = []
    for (const runner of runners) {
      try {
        await runner.warmUp()
        able.push(runner)
      } catch (error) {
        if (!(error instanceof TooSlow)) throw error
        const { name } = runner.target
        this.#leftOut.push({ target: name, reason: error.message })
        this.#settings.progress(`  ${name.padEnd(20)} left out: ${error.message}`)
        this.#rounds.delete(runner.target)
        await runner.end()
      }
    }
    return able
  }
}

/** Rejects, with nothing left running, when the processes of one can not be started. */
async function startAll(targets: readonly Target[], point: Point, settings: Settings): Promise<Runner[]> {
  const started = await Promise.allSettled(targets.map((target) => Runner.start(target, point, settings)))
  const runners = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const failed = started.find((each) => each.status === 'rejected')
  if (failed === undefined) return runners
  await Promise.all(runners.map((runner) => runner.end()))
  throw failed.reason
}

async function takeTurn(runners: readonly Runner[]): Promise<Turn> {
  const rounds = new Map<Target, Round>()
  for (const runner of runners) rounds.set(runner.target, await runner.round())
  return { rounds, others: Math.max(0, ...[...rounds.values()].map(({ others }) => others)) }
}

function quietTurns(turns: readonly Turn[]): number {
  return turns.filter(({ others }) => others <= OTHERS_MAX).length
}

/** The first, and those that are compared with the fastest closely enough for another launch to matter. */
export function closeToFastest<T>(rounds: ReadonlyMap<T, readonly Pick<Round, 'callsPerSecond'>[]>): T[] {
  const speeds = [...rounds].map(([target, its]) => {
    return { target, speed: median(its.map(({ callsPerSecond }) => callsPerSecond)) }
  })
  const fastest = Math.max(...speeds.map(({ speed }) => speed))
  const [first] = speeds
  return speeds.filter((each) => each === first || each.speed * CLOSE >= fastest).map(({ target }) => target)
}

/** The first `count` turns that nobody has disturbed; where there are not enough, those that were disturbed least. */
export function leastDisturbed<T extends { readonly others: number }>(turns: readonly T[], count: number): T[] {
  const disturbance = ({ others }: T): number => Math.max(others, OTHERS_MAX)
  return [...turns].sort((one, other) => disturbance(one) - disturbance(other)).slice(0, count)
}

function lineOf({ target, callsPerSecond, latency }: TargetResult): string {
  const { median, min, max } = callsPerSecond
  const whole = (value: number): string => Math.round(value).toString()
  const times = latency.samples === 0 ? '' : `, p50 ${latency.p50Ms.toFixed(3)} ms, p99 ${latency.p99Ms.toFixed(3)} ms`
  return `${target.padEnd(20)} ${whole(median).padStart(8)}/s (${whole(min)} – ${whole(max)})${times}`
}
