// Looks for a planted bug in a process of its own, into which the bug is loaded.

import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../../..')

export interface Hunt {
  readonly name: string
  /** The seed that has found the bug; undefined when none has. */
  readonly seed: number | undefined
  /** How many seeds it took. */
  readonly seeds: number | undefined
  /** The promise that was broken. */
  readonly invariant: string | undefined
}

/** Runs simulated worlds with a bug in the product, at most `seeds` of them, from seed `from` on. */
export async function hunt(name: string, seeds: number, from = 1): Promise<Hunt> {
  let text = ''
  const args = ['--bug', name, '--seeds', String(seeds), '--from', String(from), '--quick']
  const code = await runWithBug(name, args, (chunk) => {
    text += chunk
  })
  if (!text.includes('caught by')) throw new Error(`the hunt for "${name}" ended with exit code ${code}: ${text}`)
  const [, caughtBy, invariant] = /was caught by seed (\d+) \((.*)\)/.exec(text) ?? []
  const seed = caughtBy === undefined ? undefined : Number(caughtBy)
  return { name, seed, seeds: seed === undefined ? undefined : seed - from + 1, invariant }
}

/** Where the hunts for one bug begin; the median of what they take says more than one of them. */
const HUNTS = [1, 100_001, 200_001]

/** How many seeds it takes to find each bug: the median of three hunts; undefined for one that two of them have not found. */
export async function medianSeeds(
  names: readonly string[],
  seedsPerHunt: number,
): Promise<Record<string, number | undefined>> {
  const left = names.flatMap((name) => HUNTS.map((from) => ({ name, from })))
  const caught = Object.fromEntries(names.map((name) => [name, [] as (number | undefined)[]]))
  const keepHunting = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      caught[next.name]!.push((await hunt(next.name, seedsPerHunt, next.from)).seeds)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, keepHunting))
  return Object.fromEntries(Object.entries(caught).map(([name, seeds]) => [name, median(seeds)]))
}

/** One that was never found took longer than any that was. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.map((value) => value ?? Infinity).sort((one, other) => one - other)
  const middle = sorted[sorted.length >> 1]
  return middle === Infinity ? undefined : middle
}

/** Runs the simulator with a bug and these arguments; resolves with its exit code. */
export function runWithBug(name: string, args: readonly string[], onText?: (text: string) => void): Promise<number> {
  const preloads = ['--import', 'tsx', '--import', './test/simulation/planting/plant.ts']
  const child = spawn(process.execPath, [...preloads, 'test/simulation/simulate.ts', ...args], {
    cwd: root,
    env: { ...process.env, GORUMS_PLANT: name },
    stdio: ['ignore', onText === undefined ? 'inherit' : 'pipe', 'inherit'],
  })
  if (onText !== undefined) child.stdout?.setEncoding('utf8').on('data', onText)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
