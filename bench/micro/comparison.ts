// One comparison: candidates that do the same work, measured in turns, printed as a table with ratios. What a candidate
// computes is compared with what the others have computed, so that none can do less, and the compiler can leave nothing out.

import { Bench } from 'tinybench'

/** A way to do the work. */
export interface Candidate {
  readonly name: string
  /** Does the comparison's number of operations. Returns a number that depends on each of them: the same for all candidates. */
  readonly run: () => number | Promise<number>
}

/** What was measured of one candidate. */
export interface Measured {
  readonly name: string
  /** Nanoseconds per operation: the median of the rounds' medians. */
  readonly nanoseconds: number
  /** The distance between the second best and the second worst round, as a share of the median. */
  readonly spread: number
}

/** Rounds are interleaved: what disturbs the machine for a moment disturbs all candidates. */
const ROUNDS = 5

/** How long one candidate runs in one round, ms. */
const timeMs = Number(process.argv[2] ?? '100')

/**
 * Measures candidates that each do `operations` operations per run, and prints them. The first is the simplest one: what
 * the others are divided by. Rejects when candidates disagree about the result.
 */
export async function compare(
  title: string,
  operations: number,
  candidates: readonly [Candidate, ...Candidate[]],
): Promise<readonly Measured[]> {
  await checkAgreement(title, candidates)
  const rounds: number[][] = candidates.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    // The first round also warms up: the compiler has its say before anything is counted.
    const bench = new Bench({ time: timeMs, iterations: 3, warmup: true, warmupTime: timeMs, warmupIterations: 3 })
    for (const { name, run } of candidates) {
      const isAsync = run() instanceof Promise
      bench.add(name, isAsync ? async () => consume(await run()) : () => consume(run() as number), { async: isAsync })
    }
    await bench.run()
    for (const [index, { name, result }] of bench.tasks.entries()) {
      if (result.state !== 'completed') throw new Error(`${title}: ${name}: ${result.state}`)
      rounds[index]!.push((result.latency.p50 * 1e6) / operations)
    }
  }
  const measured = candidates.map(({ name }, index) => summary(name, rounds[index]!))
  print(title, measured)
  return measured
}

let consumed = 0

/** Makes a result count for something, whatever the compiler thinks of it. */
function consume(result: number): void {
  consumed = (consumed + result) % 1_000_003
  if (Number.isNaN(consumed)) throw new Error('a candidate returned no number')
}

async function checkAgreement(title: string, candidates: readonly Candidate[]): Promise<void> {
  const results: number[] = []
  for (const { run } of candidates) results.push(await run())
  if (results.every((result) => result === results[0])) return
  const texts = candidates.map(({ name }, index) => `${name} ${results[index]}`)
  throw new Error(`${title}: the candidates do not agree about the result: ${texts.join(', ')}`)
}

function summary(name: string, rounds: readonly number[]): Measured {
  const sorted = rounds.toSorted((one, other) => one - other)
  const nanoseconds = sorted[Math.floor(sorted.length / 2)]!
  return { name, nanoseconds, spread: (sorted.at(-2)! - sorted[1]!) / nanoseconds }
}

function print(title: string, measured: readonly Measured[]): void {
  const simplest = measured[0]!.nanoseconds
  const width = Math.max(...measured.map(({ name }) => name.length))
  console.log(`\n${title}`)
  for (const { name, nanoseconds, spread } of measured) {
    const cells = [
      name.padEnd(width),
      `${digits(nanoseconds)} ns`.padStart(12),
      `±${(50 * spread).toFixed(0)} %`.padStart(6),
      `× ${(nanoseconds / simplest).toFixed(2)}`.padStart(8),
    ]
    console.log(`  ${cells.join('  ')}`)
  }
}

/** Three digits that count. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
