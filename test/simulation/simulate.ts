// npm run simulate: runs simulated worlds, replays one, or plants a bug and looks for it.
//
//   npm run simulate -- --seeds 2000 --from 1
//   npm run simulate -- --seed 123 --trace
//   npm run simulate -- --bug no-fence --svg violation.svg

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { endWithReader } from '../../scripts/broken-pipe.ts'
import { endOfFaults } from '../../src/testing/simulation/faults.ts'
import { shrinkSchedule } from '../../src/testing/simulation/shrink.ts'
import { drawTimeline } from '../../src/testing/simulation/timeline.ts'
import { planOf, runSeed, type SeedResult } from './campaign/campaign.ts'
import { runSeeds } from './campaign/seeds.ts'
import { runWithBug } from './planting/hunt.ts'
import { plantedBugs } from './planting/planted-bugs.ts'
import { ruleTable } from './planting/rule-table.ts'

endWithReader()
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean' },
    bug: { type: 'string' },
    bugs: { type: 'boolean' },
    rules: { type: 'boolean' },
    quick: { type: 'boolean' },
    svg: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
})

const USAGE = `npm run simulate -- [options]
  --seeds N [--from M]   run N worlds, from seed M (default 500 from 1), and sum up
  --seed S [--trace]     run one world; --trace prints everything that happens in it
  --bug NAME [--seeds N] [--from M]
                         plant a bug, and look for a seed that finds it (default 2000 from 1)
  --quick                with --bug: no picture, no smaller schedule
  --bugs                 the bugs that can be planted
  --rules [--seeds N]    the rules of sessions, each with its bugs and the seeds that they take (three hunts of at most
                         4000 each), and with how soon the exploration misses it: some minutes
  --svg FILE             where the picture of a violation goes (default violation.svg)
  --json FILE            where the figures go`

if (values.help) console.log(USAGE)
else if (values.bugs) for (const { name, what } of plantedBugs) console.log(`${name.padEnd(28)} ${what}`)
else if (values.rules) console.log((await ruleTable(number('seeds', values.seeds ?? '4000'))).join('\n'))
else if (values.bug !== undefined) await findBug(values.bug)
else if (values.seed !== undefined) await replay(number('seed', values.seed))
else await runMany(number('seeds', values.seeds ?? '500'), number('from', values.from ?? '1'))

async function runMany(count: number, from: number): Promise<void> {
  const summary = await runSeeds(from, count, (done) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${count} seeds`)
  })
  if (process.stdout.isTTY) process.stdout.write('\r')
  console.log(JSON.stringify(summary, undefined, 2))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary, undefined, 2)}\n`)
  const [first] = summary.violations
  if (first !== undefined) await show(await runSeed(first.seed))
}

async function replay(seed: number): Promise<void> {
  const result = await runSeed(seed, { traceLines: values.trace ? Infinity : 0 })
  const { trace, ...figures } = result
  for (const line of trace) console.log(line)
  console.log(JSON.stringify(planOf(seed), undefined, 2))
  console.log(JSON.stringify(figures, undefined, 2))
  if (result.violation !== undefined) await show(result)
}

async function findBug(name: string): Promise<void> {
  if (!plantedBugs.some((bug) => bug.name === name)) {
    console.error(`no bug is called "${name}": npm run simulate -- --bugs lists them`)
    process.exitCode = 2
    return
  }
  if (process.env.GORUMS_PLANT === name) return catchIt(name)
  process.exitCode = await runWithBug(name, process.argv.slice(2))
}

/** Runs within the process that has the bug. */
async function catchIt(name: string): Promise<void> {
  const startedAt = performance.now()
  const count = number('seeds', values.seeds ?? '2000')
  const from = number('from', values.from ?? '1')
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed(seed)
    if (result.violation === undefined) continue
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`"${name}" was caught by seed ${seed} (${result.violation.invariant}), after ${seconds} s`)
    return values.quick ? undefined : show(result)
  }
  console.log(`"${name}" was not caught by ${count} seeds`)
  process.exitCode = 1
}

/** Prints a violation with the smallest schedule that still leads to one, and draws it. */
async function show({ seed, violation }: SeedResult): Promise<void> {
  if (violation === undefined) return
  process.exitCode = process.env.GORUMS_PLANT === undefined ? 1 : 0
  const plan = planOf(seed)
  console.log(`seed ${seed}, at ${violation.atMs.toFixed(1)} ms: ${violation.what}`)
  const isTheSame = async (faults: typeof plan.faults): Promise<boolean> =>
    (await runSeed(seed, { change: { faults } })).violation?.invariant === violation.invariant
  const faults = await shrinkSchedule(plan.faults, isTheSame)
  const again = await runSeed(seed, { change: { faults }, traceLines: Number.POSITIVE_INFINITY })
  const last = again.violation ?? violation
  console.log(`of ${plan.faults.length} faults, these ${faults.length} are enough:`)
  for (const fault of faults) console.log(`  ${JSON.stringify(fault)}`)
  console.log(`then, at ${last.atMs.toFixed(1)} ms: ${last.what}`)
  const endMs = faults.length === 0 ? Number.POSITIVE_INFINITY : Math.max(2 * endOfFaults(faults), 100)
  const file = values.svg ?? 'violation.svg'
  writeFileSync(
    file,
    drawTimeline({
      title: `seed ${seed}: ${last.what.split('\n')[0]!.slice(0, 110)}`,
      hosts: [...plan.clients, ...plan.servers],
      faults,
      connections: connectionsOf(again.trace),
      // What is noticed long after the faults stands at the edge: the faults are what one wants to see.
      marks: [{ atMs: Math.min(last.atMs, endMs), text: `${last.invariant}: at ${last.atMs.toFixed(1)} ms` }],
      endMs: Math.min(last.atMs, endMs),
    }),
  )
  console.log(`drawn in ${file}; replay the whole run with: npm run simulate -- --seed ${seed} --trace`)
}

/** When hosts made and lost connections, as a trace tells it. */
function connectionsOf(trace: readonly string[]): { atMs: number; host: string; isLost: boolean }[] {
  return trace.flatMap((line) => {
    const [, atMs, host, what] = /^ *([\d.]+) {2}(\S+) +(connected|close)$/.exec(line) ?? []
    return host === undefined ? [] : [{ atMs: Number(atMs), host, isLost: what === 'close' }]
  })
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  console.error(`--${name} must be a positive integer, not "${text}"\n${USAGE}`)
  process.exit(2)
}
