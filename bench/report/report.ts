// A run as it is kept: what was measured on what, and what was found. JSON is this and nothing else.

import { execFileSync } from 'node:child_process'
import os from 'node:os'
import type { Section } from '../experiments/benchmark.ts'
import { projectFolder } from '../targets/project.ts'
import type { Target, TargetDescription } from '../targets/target.ts'
import { judge, type Verdict } from './goals.ts'

export interface Report {
  readonly format: 1
  readonly at: string
  readonly commit: string
  readonly node: string
  readonly machine: string
  readonly rounds: number
  /** How often the processes of a target were started at a point, but in sweeps. */
  readonly launches: number
  readonly windowMs: number
  readonly warmupMs: number
  readonly seconds: number
  readonly layout: string
  readonly targets: readonly (TargetDescription & { readonly name: string; readonly title: string })[]
  readonly sections: readonly Section[]
  readonly verdicts: readonly Verdict[]
}

export interface RunFacts {
  readonly rounds: number
  /** How often the processes of a target were started at a point, but in sweeps. */
  readonly launches: number
  readonly windowMs: number
  readonly warmupMs: number
  readonly seconds: number
  readonly remotes: readonly string[]
  /** Objects that every process held beside what it measured, bytes. */
  readonly heapBytes: number
}

const MIB = 1024 * 1024

/** Makes the report of a run. */
export function makeReport(sections: readonly Section[], targets: readonly Target[], run: RunFacts): Report {
  const measured = new Set(
    sections.flatMap(({ points }) => points.flatMap(({ results }) => results.map(({ target }) => target))),
  )
  return {
    format: 1,
    at: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    machine: `${os.availableParallelism()} × ${os.cpus()[0]?.model ?? 'unknown'}, ${os.platform()} ${os.release()} ${os.arch()}`,
    rounds: run.rounds,
    launches: run.launches,
    windowMs: run.windowMs,
    warmupMs: run.warmupMs,
    seconds: run.seconds,
    layout:
      run.remotes.length > 0
        ? `one process per server on ${run.remotes.join(', ')}, one client process here`
        : `one process per server and one client process for each target, new ones at each point, on one machine over loopback${held(run.heapBytes)}`,
    targets: targets
      .filter(({ name }) => measured.has(name))
      .map((target) => ({ name: target.name, title: target.title, ...target.describe() })),
    sections,
    verdicts: judge(sections),
  }
}

function held(heapBytes: number): string {
  return heapBytes > 0 ? `, each with ${Math.round(heapBytes / MIB)} MiB of objects beside what it measures` : ''
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: projectFolder, stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .trim()
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src', 'codec') === '' ? '' : ' and changes'}`
  } catch {
    return 'unknown'
  }
}
