// What a benchmark is, and what it leaves in the report.

import type { Options } from '../options.ts'
import type { Target } from '../targets/target.ts'
import type { TargetName } from '../targets/targets.ts'
import type { PointResult, Settings } from './point.ts'

/** A figure that is no point: its name says what, its unit how. */
export interface Fact {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** What one benchmark has found. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly points: readonly PointResult[]
  /** When the points are a curve: what grows from one to the next. */
  readonly axis?: { readonly label: string; readonly values: readonly number[] }
  readonly facts?: readonly Fact[]
}

/** What a benchmark runs with. */
export interface Bench {
  readonly options: Options
  readonly settings: Settings
  /** The targets of these names, or those that the command line names, as far as they are installed. */
  choose(...names: TargetName[]): Target[]
}

export interface Benchmark {
  readonly name: string
  readonly title: string
  /** `goals`: of `npm run bench`. `full`: of `--full` too. `gorums`: upstream's, run when `--benchmarks` names them. */
  readonly group: 'goals' | 'gorums' | 'full'
  run(bench: Bench): Promise<Section>
}
