// The benchmark's command: reads the flags, runs what they ask for, prints and writes the report. scripts/bench.ts builds
// and starts it.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { complaints, unjudged } from './ci.ts'
import type { Bench, Section } from './experiments/benchmark.ts'
import { benchmarks, chosenBenchmarks } from './experiments/benchmarks.ts'
import { type Options, parseOptions, USAGE, UsageError } from './options.ts'
import { Agents, startAgent } from './processes/remote.ts'
import { localServers, modulePath, type ServerSource } from './processes/server-handle.ts'
import { changes, readReport } from './report/baseline.ts'
import { page } from './report/page.ts'
import { throughputPlot } from './report/plots.ts'
import { makeReport, type Report } from './report/report.ts'
import { goalsTable, markdown, pointTable, serversTable } from './report/text.ts'
import type { Target } from './targets/target.ts'
import { isAvailable, loadTargets } from './targets/targets.ts'

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(`bench: ${(error as Error).message}${isUsage ? '\nnpm run bench -- --help lists the flags' : ''}`)
  process.exitCode = isUsage ? 2 : 1
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (options === undefined) console.log(USAGE)
  else if (options.list)
    for (const { name, title, group } of benchmarks) console.log(`${name.padEnd(18)} ${group.padEnd(7)} ${title}`)
  else if (options.server !== undefined) await serve(options.server)
  else return conclude(options)
  return 0
}

/** Tells and writes what a run has found, or one that was kept; the exit code. */
async function conclude(options: Options): Promise<number> {
  // An older report that can not be read is found out before the run, not after it.
  const baseline = options.baseline === undefined ? undefined : readReport(options.baseline)
  const report = options.from === undefined ? await run(options) : readReport(options.from)
  print(report, options)
  if (baseline !== undefined) {
    const found = changes(baseline, report)
    console.log(`\nagainst ${options.baseline}: ${found.length === 0 ? 'nothing has changed beyond noise' : ''}`)
    for (const line of found) console.log(`  ${line}`)
  }
  write(report, options)
  if (!options.ci) return 0
  for (const line of unjudged(report.sections)) console.log(line)
  const wrong = complaints(report.sections)
  for (const line of wrong) console.error(`bench: ${line}`)
  return wrong.length === 0 ? 0 : 1
}

/** Serves benchmarks until SIGINT or SIGTERM. */
async function serve(address: string): Promise<void> {
  const colon = address.lastIndexOf(':')
  const agent = await startAgent(address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1)))
  console.log(`serves benchmarks on ${agent.address}; Ctrl-C ends it`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  await agent.close()
}

/** Runs the benchmarks that are asked for. */
async function run(options: Options): Promise<Report> {
  const chosen = chosenBenchmarks(options)
  const startedAt = performance.now()
  const targets = await loadTargets()
  const agents = options.remotes.length === 0 ? undefined : await Agents.connect(options.remotes)
  const sections: Section[] = []
  try {
    const bench = makeBench(options, targets, agents ?? localServers)
    for (const [position, benchmark] of chosen.entries()) {
      console.log(`[${position + 1}/${chosen.length}] ${benchmark.title}`)
      sections.push(await benchmark.run(bench))
    }
  } finally {
    await agents?.close()
  }
  return makeReport(sections, targets, {
    rounds: options.rounds,
    launches: options.launches,
    windowMs: options.timeMs,
    warmupMs: options.warmupMs,
    seconds: (performance.now() - startedAt) / 1000,
    remotes: options.remotes,
    heapBytes: options.heapBytes,
  })
}

function makeBench(options: Options, targets: readonly Target[], source: ServerSource): Bench {
  return {
    options,
    settings: {
      rounds: options.rounds,
      launches: options.launches,
      windowMs: options.timeMs,
      warmupMs: options.warmupMs,
      pointMaxMs: options.pointMaxMs,
      clientFlags: processFlags(options, 'client'),
      serverFlags: processFlags(options, 'servers'),
      source,
      sendBufferBytes: options.sendBufferBytes,
      serverBufferBytes: options.serverBufferBytes,
      progress: (line) => console.log(line),
    },
    choose: (...names) =>
      (options.targets ?? names).map((name) => targets.find((each) => each.name === name)!).filter(isAvailable),
  }
}

/**
 * Flags of Node.js under which each process holds what an application would, and writes its profiles into a folder when it
 * ends: one for the client, one for the servers.
 */
function processFlags({ heapBytes, cpuprofile, memprofile, trace }: Options, whose: 'client' | 'servers'): string[] {
  const folder = (name: string): string => {
    const folder = path.resolve(name, whose)
    mkdirSync(folder, { recursive: true })
    return folder
  }
  const flags: string[] = []
  if (heapBytes > 0) flags.push(`--import=${pathToFileURL(modulePath('application-heap')).href}?bytes=${heapBytes}`)
  if (cpuprofile !== undefined) flags.push('--cpu-prof', `--cpu-prof-dir=${folder(cpuprofile)}`)
  if (memprofile !== undefined) flags.push('--heap-prof', `--heap-prof-dir=${folder(memprofile)}`)
  if (trace !== undefined)
    flags.push(
      '--trace-event-categories=v8,node',
      `--trace-event-file-pattern=${folder(trace)}/trace-\${pid}-\${rotation}.json`,
    )
  return flags
}

function print(report: Report, options: Options): void {
  for (const section of report.sections) {
    for (const each of section.points) {
      console.log(`\n${each.point.title}\n${pointTable(each)}`)
      if (options.serverStats) console.log(serversTable(each))
    }
  }
  if (report.verdicts.length > 0) console.log(`\n${goalsTable(report.verdicts)}`)
}

function write(report: Report, options: Options): void {
  const json = `${JSON.stringify(report, undefined, 1)}\n`
  mkdirSync(options.out, { recursive: true })
  writeFileSync(path.join(options.out, 'bench.json'), json)
  writeFileSync(path.join(options.out, 'bench.md'), markdown(report))
  writeFileSync(path.join(options.out, 'bench.html'), page(report))
  const plot = throughputPlot(report)
  if (options.plot !== undefined && plot !== undefined) writeFileSync(options.plot, `${plot}\n`)
  if (options.json !== undefined) writeFileSync(options.json, json)
  console.log(
    `\nwritten: ${options.out}/bench.json, bench.md, bench.html${options.json === undefined ? '' : `, ${options.json}`}`,
  )
}
