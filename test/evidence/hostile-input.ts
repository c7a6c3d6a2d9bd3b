// What attackers do to a server and to the honest client beside them, one deed at a time and several at once.

import { CEILING, compileProcesses, DEEDS, Siege } from '../hostile/siege.ts'
import type { Strictness } from '../hostile/target-service.ts'
import type { Finding } from './experiments.ts'

const MIB = 1024 * 1024
/** How many times as long honest calls may take as without attackers, at the 99th percentile. */
const FACTOR_MAX = 2
/** What else the machine does makes either time longer: so many rounds at most, until one is within the bound. */
const ROUNDS_MAX = 4

/** Messages as dear as they may be: with the default limits they are the exception. */
const DEAR = ['bombs', 'protobuf bombs', 'salvos', 'protobuf salvos']

/** What is tried, and how long honest calls may take meanwhile at the 99th percentile. */
interface Trial {
  readonly name: string
  readonly deeds: readonly string[]
  readonly factorMax?: number
  /** In place of a factor, where a message is so dear that what calls take otherwise says nothing. */
  readonly p99MaxMs?: number
  /** It is left out of the short form. */
  readonly isLong?: boolean
}

const alone = (name: string): Trial => ({ name, deeds: [name] })

/** Those with a bound that is not FACTOR_MAX are the exceptions of docs/reliability.md. */
const TRIALS: Readonly<Record<Strictness, readonly Trial[]>> = {
  strict: [
    ...DEEDS.map(alone),
    { name: 'memory ceiling', deeds: CEILING },
    { name: 'all at once', deeds: DEEDS, factorMax: 8 },
  ],
  usual: [
    ...DEEDS.filter((name) => !DEAR.includes(name)).map((name) => ({ ...alone(name), isLong: true })),
    { name: 'bombs', deeds: ['bombs'], p99MaxMs: 150 },
    { name: 'protobuf bombs', deeds: ['protobuf bombs'], p99MaxMs: 150 },
    { name: 'all at once', deeds: DEEDS, p99MaxMs: 300 },
  ],
}

/** Honest calls beside attackers, against those before. */
interface Slowdown {
  /** How often attackers did what they do. */
  readonly times: number
  readonly p99BeforeMs: number
  readonly p99Ms: number
  /** `p99Ms` by `p99BeforeMs`. */
  readonly factor: number
  readonly bound: string
  readonly isException: boolean
  readonly isWithin: boolean
  readonly rounds: number
}

/** What came of all that was tried against one server. */
interface Endurance {
  readonly areCoresOwn: boolean
  readonly honestCalls: number
  /** How often the honest client lost its connection. */
  readonly disconnections: number
  readonly failures: readonly string[]
  readonly crashes: readonly string[]
  readonly peakMiB: number
  readonly boundMiB: number
  readonly beside: Readonly<Record<string, Slowdown>>
}

export async function hostileInput(isLong: boolean, isTimed: boolean): Promise<Finding> {
  compileProcesses()
  const roundsMax = isTimed ? ROUNDS_MAX : 1
  const strict = await endure('strict', isLong, roundsMax)
  const usual = await endure('usual', isLong, roundsMax)
  const both = [strict, usual]
  const slower = both.flatMap(({ beside }) => Object.keys(beside).filter((name) => !beside[name]!.isWithin))
  return {
    title:
      `Attackers against a server with a heap of 128 MB, beside an honest client: no deed alone, nor those of the row "memory ceiling" together, may make honest calls more than ${FACTOR_MAX} times as slow; ` +
      'all at once, and, with the default limits, messages of 1 MiB made to be slow to decode, have bounds of their own',
    isAsPromised: both.every(
      ({ crashes, failures, disconnections, peakMiB, boundMiB }) =>
        crashes.length + failures.length + disconnections === 0 && peakMiB <= boundMiB,
    ),
    isInTime: slower.length === 0,
    figures: { strictLimits: strict, usualLimits: usual, slowerThanAllowed: slower },
  }
}

async function endure(strictness: Strictness, isLong: boolean, roundsMax: number): Promise<Endurance> {
  const siege = await Siege.begin(strictness)
  const failures: string[] = []
  const beside: Record<string, Slowdown> = {}
  let honestCalls = 0
  let disconnections = 0
  const trials = TRIALS[strictness].filter((trial) => isLong || trial.isLong !== true)
  for (const { name, deeds, factorMax = FACTOR_MAX, p99MaxMs = Infinity } of trials) {
    const [baselineMs, attackMs] = isLong ? [5_000, 10_000] : [1_000, deeds.length === 1 ? 2_000 : 5_000]
    const isException = factorMax !== FACTOR_MAX || p99MaxMs < Infinity
    let best = { before: 0, during: 0, factor: Infinity }
    let times = 0
    let rounds = 0
    const isWithin = (): boolean => (p99MaxMs < Infinity ? best.during <= p99MaxMs : best.factor <= factorMax)
    do {
      rounds++
      const { before, during, deeds: done } = await siege.attack(deeds, baselineMs, attackMs)
      failures.push(...before.failures, ...during.failures)
      honestCalls += during.calls
      disconnections += before.reconnects + during.reconnects
      times += Object.values(done).reduce((sum, count) => sum + count, 0)
      const factor = during.p99Ms / before.p99Ms
      if (factor < best.factor) best = { before: before.p99Ms, during: during.p99Ms, factor }
    } while (!isWithin() && rounds < roundsMax)
    beside[name] = {
      times,
      p99BeforeMs: toHundredths(best.before),
      p99Ms: toHundredths(best.during),
      factor: toHundredths(best.factor),
      bound: p99MaxMs < Infinity ? `${p99MaxMs} ms` : `${factorMax} times`,
      isException,
      isWithin: isWithin(),
      rounds,
    }
  }
  const { health, formulaBytes } = await siege.end()
  return {
    areCoresOwn: siege.areCoresOwn,
    honestCalls,
    disconnections,
    failures,
    crashes: health.crashes,
    peakMiB: toHundredths(health.peakRssBytes / MIB),
    boundMiB: toHundredths(formulaBytes / MIB),
    beside,
  }
}

function toHundredths(value: number): number {
  return Number(value.toFixed(2))
}
