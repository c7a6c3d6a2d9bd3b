// The experiments behind what docs/reliability.md promises, each as a function whose result can be written down.

import { runKills } from '../chaos/kills.ts'
import { runRollingRestart } from '../chaos/rolling-restart.ts'
import { runSoak } from '../chaos/soak.ts'
import { runChaos } from '../chaos/storage-chaos.ts'
import { explore, largeWorld, smallWorlds } from '../exploration/explore.ts'
import { looseningNames, loosenings } from '../exploration/loosenings.ts'
import { COST_TARGETS } from '../fuzz/cost/inputs.ts'
import { worstCost } from '../fuzz/cost/worst-cost.ts'
import { fuzz, targetNames } from '../fuzz/fuzz.ts'
import { measureDeadPeer } from '../links/dead-peer.ts'
import { runLinkCuts } from '../links/link-cuts.ts'
import { runSeed } from '../simulation/campaign/campaign.ts'
import { runSeeds } from '../simulation/campaign/seeds.ts'
import { median, medianSeeds } from '../simulation/planting/hunt.ts'
import { plantedBugs } from '../simulation/planting/planted-bugs.ts'
import { brokenVariants, runRegisters } from '../simulation/registers/registers.ts'
import { hostileInput } from './hostile-input.ts'

/** What an experiment has found. */
export interface Finding {
  readonly title: string
  /** Whether everything was as promised. */
  readonly isAsPromised: boolean
  /** Whether times were as promised, where there are any: what else the machine does makes them longer. */
  readonly isInTime?: boolean
  readonly figures: Readonly<Record<string, unknown>>
}

export interface Experiment {
  readonly name: string
  /** `isTimed`: times decide. */
  run(isLong: boolean, isTimed: boolean): Promise<Finding>
}

const SHORT_SEEDS = 2_000
const LONG_SEEDS = 100_000
const LONG_STATES = 2_500_000
/** Where the seeds begin: others than those of the tests. */
const FIRST_SEED = 1_000_001

export const experiments: readonly Experiment[] = [
  { name: 'simulation', run: simulation },
  { name: 'exploration', run: exploration },
  { name: 'determinism', run: determinism },
  { name: 'teeth', run: teeth },
  { name: 'linearizability', run: linearizability },
  { name: 'links', run: links },
  { name: 'dead peer', run: deadPeer },
  { name: 'hostile input', run: hostileInput },
  { name: 'fuzzing', run: fuzzing },
  { name: 'restarts', run: restarts },
  { name: 'storage processes', run: storageProcesses },
  { name: 'soak', run: soak },
]

async function simulation(isLong: boolean): Promise<Finding> {
  const summary = await runSeeds(FIRST_SEED, isLong ? LONG_SEEDS : SHORT_SEEDS)
  return {
    title: 'Simulated worlds: every promise checked after every few events, and at the end',
    isAsPromised: summary.violations.length === 0,
    figures: { ...summary },
  }
}

async function exploration(isLong: boolean): Promise<Finding> {
  const worlds = smallWorlds.map((bounds) => ({ bounds, ...explore(bounds) }))
  // The states of the large world that are nearest to its beginning.
  if (isLong) worlds.push({ bounds: largeWorld, ...explore(largeWorld, undefined, LONG_STATES) })
  const missed = looseningNames.filter((each) => explore(loosenings[each], each).broken === undefined)
  return {
    title: 'Every state of small worlds; every rule of sessions left out once',
    isAsPromised: worlds.every(({ broken }) => broken === undefined) && missed.length === 0,
    figures: { worlds, rulesLeftOut: looseningNames.length, missed },
  }
}

async function determinism(isLong: boolean): Promise<Finding> {
  const seeds = isLong ? 1_000 : 100
  let different = 0
  for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
    const { hash } = await runSeed(seed)
    const again = await runSeed(seed)
    if (again.hash !== hash) different++
  }
  return { title: 'The same seed twice: the same trace', isAsPromised: different === 0, figures: { seeds, different } }
}

async function teeth(isLong: boolean): Promise<Finding> {
  const medians = await medianSeeds(
    plantedBugs.map(({ name }) => name),
    isLong ? 20_000 : 4_000,
  )
  const missed = Object.keys(medians).filter((name) => medians[name] === undefined)
  return {
    title: 'Planted bugs: how many seeds until each is found, the median of three hunts that begin elsewhere',
    isAsPromised: missed.length === 0 && plantedBugs.length >= 12,
    figures: { bugs: plantedBugs.length, medianOfAll: median(Object.values(medians)), medians, missed },
  }
}

/** So many of a hundred histories may stay undecided. */
const UNDECIDED_MAX_PERCENT = 1

async function linearizability(isLong: boolean): Promise<Finding> {
  const histories = isLong ? 3_000 : 1_000
  const verdicts: Record<string, number> = { linearizable: 0, violation: 0, undecided: 0 }
  const brokenVariantsFound: Record<string, { seeds: number; violations: number }> = {}
  let operations = 0
  let unknown = 0
  let concurrency = Infinity
  for (let seed = 1; seed <= histories; seed++) {
    const run = await runRegisters(seed, 'abd')
    verdicts[run.result.verdict]!++
    operations += run.result.operations
    unknown += run.unknown
    concurrency = Math.min(concurrency, run.result.concurrency)
  }
  for (const variant of brokenVariants) {
    const found = { seeds: 0, violations: 0 }
    while (found.seeds < 1_000 && (isLong || found.violations < 3)) {
      if ((await runRegisters(++found.seeds, variant)).result.verdict === 'violation') found.violations++
    }
    brokenVariantsFound[variant] = found
  }
  const undecidedPercent = (100 * verdicts.undecided!) / histories
  return {
    title: 'Histories of the storage example under faults; in how many seeds its broken variants were found out',
    isAsPromised:
      verdicts.violation === 0 &&
      undecidedPercent < UNDECIDED_MAX_PERCENT &&
      Object.values(brokenVariantsFound).every(({ violations }) => violations > 0),
    figures: {
      histories,
      operations,
      unknown,
      leastConcurrency: concurrency,
      verdicts,
      undecidedPercent,
      brokenVariantsFound,
    },
  }
}

async function links(isLong: boolean): Promise<Finding> {
  const result = await runLinkCuts({ cuts: isLong ? 1_000 : 200 })
  const { failures, twice, lost, disordered } = result
  return {
    title: 'Real sockets, links cut under load, calls in both directions',
    isAsPromised: Object.keys(failures).length + twice + lost + disordered === 0,
    figures: { ...result },
  }
}

async function deadPeer(isLong: boolean): Promise<Finding> {
  const result = await measureDeadPeer(isLong ? 20 : 5)
  return {
    title: 'A peer that falls silent, on the real clock: until it is noticed',
    isAsPromised: true,
    isInTime: result.maxMs <= result.promisedMs,
    figures: { ...result },
  }
}

async function fuzzing(isLong: boolean): Promise<Finding> {
  const figures: Record<string, object> = {}
  let failures = 0
  for (const name of targetNames) {
    const bytes = (isLong ? 100_000_000 : 3_000_000) / (name === 'handshake' ? 20 : 1)
    const found = await fuzz(name, 1, { bytes })
    failures += found.failures.length
    figures[name] = found
  }
  for (const target of COST_TARGETS) {
    const { worstMsPerMiB, worstHeapFactor, mostHeapMiB } = await worstCost({
      target,
      seed: 1,
      seconds: isLong ? 120 : 4,
    })
    figures[`dearest for ${target}`] = { worstMsPerMiB, worstHeapFactor, mostHeapMiB }
  }
  return {
    title: 'Changed inputs for everything that reads bytes of strangers; the dearest inputs',
    isAsPromised: failures === 0,
    figures,
  }
}

async function restarts(isLong: boolean): Promise<Finding> {
  const killed = await runKills({ kills: isLong ? 200 : 10, callsPerLife: 2_000 })
  const rolling = await runRollingRestart({ calls: isLong ? 1_000_000 : 100_000, rounds: isLong ? 20 : 2 })
  const { acknowledged, counted, failed, twice, lies, disordered } = killed
  const isCounted = counted >= acknowledged && counted <= acknowledged + failed.unknown
  const unanswered = rolling.requests - rolling.answered
  const rollingLost = Object.keys(rolling.failures).length + rolling.twice + rolling.lost + unanswered
  return {
    title: 'Servers that are killed under load: the counter against the answers; a rolling restart that loses nothing',
    isAsPromised: isCounted && twice + lies + disordered + failed.yes + rollingLost === 0,
    figures: { killed, rolling },
  }
}

async function storageProcesses(isLong: boolean): Promise<Finding> {
  const results = []
  for (const replicas of [3, 5, 7] as const) {
    const faults = isLong ? 75 : SHORT_FAULTS
    results.push(await runChaos({ replicas, clients: 3, faults, stopMaxMs: isLong ? 60_000 : 2_000, seed: replicas }))
  }
  return {
    title: 'The storage example as processes with faults in and between them: histories of its clients',
    isAsPromised: results.every(({ verdict }) => verdict === 'linearizable'),
    figures: { results },
  }
}

/** Every kind of fault once; the more replicas, the longer it takes to start them again. */
const SHORT_FAULTS = 15

/** So much more heap in the end than after a tenth of the calls, MiB, is what a collector leaves behind. */
const SOAK_NOISE_MIB = 2

async function soak(isLong: boolean): Promise<Finding> {
  const result = await runSoak(isLong ? 10_000_000 : 300_000)
  const { failed, handles, heapMiB } = result
  const isFlat = globalThis.gc === undefined || heapMiB.at(-1)! - heapMiB[1]! < SOAK_NOISE_MIB
  return {
    title: 'A soak with a connection cut every second: the heap meanwhile, and what is left',
    isAsPromised: failed + handles === 0 && isFlat,
    figures: { ...result, isCollected: globalThis.gc !== undefined },
  }
}
