// What attackers do to a server and to the honest client beside them: all at once, and each deed alone.

import { DEEDS, runCombined } from '../hostile/combined.ts'
import type { Strictness } from '../hostile/target-service.ts'
import type { Finding } from './experiments.ts'

const MIB = 1024 * 1024
/** How many times as long honest calls may take as without attackers, at the 99th percentile: beside each deed, with strict limits. */
const FACTOR_MAX = 2
/** How many times at most in whatever else is tried: the exceptions of docs/reliability.md. */
const EXCEPTIONS: readonly { strictness: Strictness; deeds: readonly string[]; factorMax: number }[] = [
  { strictness: 'strict', deeds: DEEDS, factorMax: 20 },
  { strictness: 'usual', deeds: ['bombs'], factorMax: 40 },
  { strictness: 'usual', deeds: ['protobuf bombs'], factorMax: 60 },
  { strictness: 'usual', deeds: DEEDS, factorMax: 120 },
]
/** What else the machine does makes either time longer: so many rounds at most, until one is within the bound. */
const ROUNDS_MAX = 4

/** Honest calls beside attackers, against those before. */
interface Slowdown {
  readonly times: number
  readonly p99BeforeMs: number
  readonly p99Ms: number
  /** `p99Ms` by `p99BeforeMs`. */
  readonly factor: number
  readonly factorMax: number
  readonly isException: boolean
  readonly isWithin: boolean
  readonly rounds: number
}

export async function hostileInput(isLong: boolean, isTimed: boolean): Promise<Finding> {
  const roundsMax = isTimed ? ROUNDS_MAX : 1
  const crashes: string[] = []
  const failures: string[] = []
  const memory = { strict: { peakMiB: 0, boundMiB: Infinity }, usual: { peakMiB: 0, boundMiB: Infinity } }
  let honestCalls = 0
  const slowdown = async (strictness: Strictness, deeds: readonly string[], factorMax: number): Promise<Slowdown> => {
    const [baselineMs, attackMs] = isLong ? [3_000, 10_000] : [1_000, deeds.length === 1 ? 2_000 : 8_000]
    let best = { before: 0, during: 0, factor: Infinity }
    let times = 0
    let rounds = 0
    do {
      rounds++
      const outcome = await runCombined(baselineMs, attackMs, deeds, strictness)
      crashes.push(...outcome.health.crashes)
      failures.push(...outcome.during.failures)
      honestCalls += outcome.during.calls
      const { peakMiB, boundMiB } = memory[strictness]
      memory[strictness] = {
        peakMiB: Math.max(peakMiB, toTenths(outcome.health.peakRssBytes / MIB)),
        boundMiB: Math.min(boundMiB, toTenths(outcome.formulaBytes / MIB)),
      }
      times += Object.values(outcome.deeds).reduce((sum, count) => sum + count, 0)
      const { before, during } = outcome
      const factor = during.p99Ms / before.p99Ms
      if (factor < best.factor) best = { before: before.p99Ms, during: during.p99Ms, factor }
    } while (best.factor > factorMax && rounds < roundsMax)
    const isException = factorMax > FACTOR_MAX
    return {
      times,
      p99BeforeMs: toTenths(best.before),
      p99Ms: toTenths(best.during),
      factor: toTenths(best.factor),
      factorMax,
      isException,
      isWithin: best.factor <= factorMax,
      rounds,
    }
  }
  const found: Record<string, Slowdown> = {}
  for (const deed of DEEDS) found[deed] = await slowdown('strict', [deed], FACTOR_MAX)
  for (const { strictness, deeds, factorMax } of EXCEPTIONS)
    found[`${deeds === DEEDS ? 'all at once' : deeds.join(', ')}, ${strictness} limits`] = await slowdown(
      strictness,
      deeds,
      factorMax,
    )
  const slower = Object.keys(found).filter((deed) => !found[deed]!.isWithin)
  return {
    title:
      `Attackers against a server with a heap of 128 MB, beside an honest client: with strict limits no deed alone may make honest calls more than ${FACTOR_MAX} times as slow; ` +
      'all at once, and messages of 1 MiB made to be slow to decode, have bounds of their own',
    isAsPromised:
      crashes.length + failures.length === 0 &&
      Object.values(memory).every(({ peakMiB, boundMiB }) => peakMiB <= boundMiB),
    isInTime: slower.length === 0,
    figures: {
      crashes,
      failuresOfTheHonestClient: failures,
      honestCalls,
      memory,
      honestCallsBeside: found,
      slowerThanAllowed: slower,
    },
  }
}

function toTenths(value: number): number {
  return Number(value.toFixed(1))
}
