// Many worlds, one after the other, and what came of all of them.

import { runSeed } from './campaign.ts'
import { WIRE_EDGES } from './wire-edges.ts'
import { EDGES } from './witness.ts'

export interface CampaignSummary {
  readonly from: number
  readonly seeds: number
  gentleSeeds: number
  rollingSeeds: number
  virtualHours: number
  events: number
  calls: number
  runs: number
  connections: number
  sessions: number
  resumes: number
  readonly outcomes: Record<string, number>
  /** Edge cases of going on with a session. */
  readonly edges: Record<string, number>
  /** Faults that had an effect, and in how many seeds each kind occurred. */
  readonly faults: Record<string, number>
  readonly seedsWithFault: Record<string, number>
  readonly violations: { readonly seed: number; readonly invariant: string; readonly what: string }[]
  seconds: number
}

export async function runSeeds(
  from: number,
  seeds: number,
  onSeed: (done: number) => void = () => {},
): Promise<CampaignSummary> {
  const startedAt = performance.now()
  const summary: CampaignSummary = {
    from,
    seeds,
    gentleSeeds: 0,
    rollingSeeds: 0,
    virtualHours: 0,
    events: 0,
    calls: 0,
    runs: 0,
    connections: 0,
    sessions: 0,
    resumes: 0,
    outcomes: {},
    edges: Object.fromEntries([...EDGES, ...WIRE_EDGES].map((edge) => [edge, 0])),
    faults: {},
    seedsWithFault: {},
    violations: [],
    seconds: 0,
  }
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed(seed)
    for (const key of ['events', 'calls', 'runs', 'connections', 'sessions', 'resumes'] as const)
      summary[key] += result[key]
    summary.virtualHours += result.virtualMs / 3_600_000
    if (result.isGentle) summary.gentleSeeds++
    if (result.isRolling) summary.rollingSeeds++
    for (const [outcome, count] of Object.entries(result.outcomes)) add(summary.outcomes, outcome, count)
    for (const [edge, count] of Object.entries(result.edges)) add(summary.edges, edge, count)
    for (const [kind, count] of Object.entries(result.faults)) {
      add(summary.faults, kind, count)
      add(summary.seedsWithFault, kind, 1)
    }
    if (result.violation !== undefined)
      summary.violations.push({ seed, invariant: result.violation.invariant, what: result.violation.what })
    onSeed(seed - from + 1)
  }
  summary.seconds = (performance.now() - startedAt) / 1000
  return summary
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count
}
