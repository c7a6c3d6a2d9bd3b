// The command line of the benchmark: its flags, their units and defaults. Upstream's flags keep upstream's names.

import { parseArgs } from 'node:util'
import { CI_BENCHMARKS, CI_HEAP } from './ci.ts'
import { type TargetName, targetNames } from './targets/targets.ts'

export interface Options {
  readonly full: boolean
  readonly ci: boolean
  readonly list: boolean
  readonly benchmarks: RegExp | undefined
  readonly targets: readonly TargetName[] | undefined
  readonly rounds: number
  readonly launches: number
  readonly timeMs: number
  readonly warmupMs: number
  /** How long a point may take before it does with fewer rounds, ms. */
  readonly pointMaxMs: number
  readonly concurrent: number
  readonly configSize: number
  readonly quorumSize: number | undefined
  readonly maxAsync: number
  readonly payloadBytes: number
  readonly rate: number | undefined
  readonly remotes: readonly string[]
  readonly server: string | undefined
  readonly serverStats: boolean
  readonly sendBufferBytes: number | undefined
  readonly serverBufferBytes: number | undefined
  readonly heapBytes: number
  readonly cpuprofile: string | undefined
  readonly memprofile: string | undefined
  readonly trace: string | undefined
  readonly baseline: string | undefined
  readonly json: string | undefined
  readonly from: string | undefined
  readonly plot: string | undefined
  readonly out: string
}

/** What is wrong with the command line; the command ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Rounds of each target, over all launches. */
const ROUNDS = '10'
/** From here on a point of the goals table takes no more rounds than it must: all of them are to take less than four minutes, ms. */
const POINT_MAX_MS = 25_000

const FLAGS = {
  help: { type: 'boolean', default: false },
  full: { type: 'boolean', default: false },
  ci: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  benchmarks: { type: 'string' },
  targets: { type: 'string' },
  rounds: { type: 'string' },
  launches: { type: 'string', default: '1' },
  time: { type: 'string', default: '150ms' },
  warmup: { type: 'string', default: '2s' },
  concurrent: { type: 'string', default: '1' },
  'config-size': { type: 'string', default: '4' },
  'quorum-size': { type: 'string' },
  'max-async': { type: 'string', default: '1000' },
  payload: { type: 'string', default: '0' },
  rate: { type: 'string' },
  remotes: { type: 'string' },
  server: { type: 'string' },
  'server-stats': { type: 'boolean', default: false },
  'send-buffer': { type: 'string' },
  'server-buffer': { type: 'string' },
  heap: { type: 'string' },
  cpuprofile: { type: 'string' },
  memprofile: { type: 'string' },
  trace: { type: 'string' },
  baseline: { type: 'string' },
  json: { type: 'string' },
  from: { type: 'string' },
  plot: { type: 'string' },
  out: { type: 'string', default: 'bench-results' },
} as const

export const USAGE = `npm run bench                         the goals table with default settings, in less than four minutes
npm run bench -- --full               also variants, sweeps, single-node RPC, memory, reconnecting
npm run bench -- --benchmarks <regexp>  those whose names match; --list shows them

  --targets a,b        which targets (default: those of each benchmark)
  --rounds n           rounds of each target, taken in turns (10; of the goals table fewer, but five with each launch, at a
                       point that takes long)
  --launches n         how often processes are started, for a part of the rounds each (1; in sweeps, and where a
                       target other than the first is far from the fastest, always 1)
  --time 150ms         how long a round counts; ms or s
  --warmup 2s          before the first round; half as long again when all targets have had theirs
  --heap 16MiB         objects that every process holds beside what it measures, as applications do (0; 16MiB with --ci)
  --json file          also writes the report there; --out folder (bench-results) gets JSON, Markdown and HTML
  --plot file.svg      the plot of the README, of the goals table's points
  --from file          runs nothing: prints and writes a report that was written before; --baseline and --ci judge it
  --baseline file      an older report: says what has changed beyond noise
  --ci                 a short run that fails only on what is not noise

For the benchmarks that are Gorums' (QuorumCall, AsyncQuorumCall, SlowServer, SlowNode, Multicast):
  --config-size n      nodes (4)             --quorum-size n   answers that make a quorum (a majority)
  --concurrent n       calls in flight (1)   --max-async n     calls in flight of AsyncQuorumCall (1000)
  --payload n          bytes: 16, 64KiB (0)  --rate n          calls per second: open loop
  --send-buffer n      bytes that may wait for one node: limits.queueMaxBytes
  --server-buffer n    bytes accepted and not started: limits.requestWindowBytes
  --server-stats       CPU time and memory of each server
  --cpuprofile dir, --memprofile dir, --trace dir   profiles, in dir/client and dir/servers

Several machines:
  --server host:port   serves benchmarks on this machine until Ctrl-C
  --remotes a:1,b:1    servers are started by those, in place of this machine`

/** Reads the command line; undefined when help was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options | undefined {
  let values: ReturnType<typeof parse>
  try {
    values = parse(args)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  if (values.help) return undefined
  const remotes = list(values.remotes) ?? []
  const options: Options = {
    full: values.full,
    ci: values.ci,
    list: values.list,
    benchmarks: regexp(values.benchmarks) ?? (values.ci ? CI_BENCHMARKS : undefined),
    targets: chosenTargets(values.targets) ?? (values.ci ? ['gorums', 'floor'] : undefined),
    rounds: whole('rounds', values.rounds ?? ROUNDS, 1),
    launches: whole('launches', values.launches, 1),
    timeMs: duration('time', values.time),
    warmupMs: duration('warmup', values.warmup),
    pointMaxMs: isWholeTable(values) ? POINT_MAX_MS : Number.POSITIVE_INFINITY,
    concurrent: whole('concurrent', values.concurrent, 1),
    configSize: remotes.length > 0 ? remotes.length : whole('config-size', values['config-size'], 1),
    quorumSize: values['quorum-size'] === undefined ? undefined : whole('quorum-size', values['quorum-size'], 1),
    maxAsync: whole('max-async', values['max-async'], 1),
    payloadBytes: bytes('payload', values.payload),
    rate: values.rate === undefined ? undefined : whole('rate', values.rate, 1),
    remotes,
    server: values.server,
    serverStats: values['server-stats'],
    sendBufferBytes: values['send-buffer'] === undefined ? undefined : bytes('send-buffer', values['send-buffer']),
    serverBufferBytes:
      values['server-buffer'] === undefined ? undefined : bytes('server-buffer', values['server-buffer']),
    heapBytes: bytes('heap', values.heap ?? (values.ci ? CI_HEAP : '0')),
    cpuprofile: values.cpuprofile,
    memprofile: values.memprofile,
    trace: values.trace,
    baseline: values.baseline,
    json: values.json,
    from: values.from,
    plot: values.plot,
    out: values.out,
  }
  check(options)
  return options
}

/** Whether it is the goals table as a whole that is asked for, of which it is promised how long it takes. */
function isWholeTable({ full, ci, benchmarks, rounds }: ReturnType<typeof parse>): boolean {
  return !full && !ci && benchmarks === undefined && rounds === undefined
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: FLAGS, allowPositionals: false }).values
}

function check({ configSize, quorumSize, remotes, server, heapBytes }: Options): void {
  if (heapBytes > 0 && remotes.length > 0)
    throw new UsageError('--heap is for processes of this machine, without --remotes')
  if (quorumSize !== undefined && quorumSize > configSize)
    throw new UsageError(`--quorum-size ${quorumSize}: there are ${configSize} nodes (--config-size, or --remotes)`)
  for (const address of [...remotes, ...(server === undefined ? [] : [server])]) {
    const port = Number(/^(?:\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(address)?.[1])
    if (!(port >= (server === address ? 0 : 1) && port <= 65535))
      throw new UsageError(`"${address}" must look like host:port, with a port up to 65535`)
  }
}

function list(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

function chosenTargets(text: string | undefined): TargetName[] | undefined {
  const names = list(text) as TargetName[] | undefined
  const unknown = names?.find((name) => !targetNames.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`--targets: there is no "${unknown}"; there are ${targetNames.join(', ')}`)
  return names
}

function regexp(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined
  try {
    return new RegExp(text)
  } catch (error) {
    throw new UsageError(`--benchmarks: ${(error as Error).message}`)
  }
}

function whole(name: string, text: string, min: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
    throw new UsageError(`--${name} ${text}: must be a whole number of at least ${min}`)
  return value
}

/** Milliseconds of `600ms`, `1.5s` or `1m`. */
function duration(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text)
  const value = match === null ? 0 : Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm']
  if (!(value > 0)) throw new UsageError(`--${name} ${text}: must be a time like 600ms, 1.5s or 1m`)
  return value
}

/** Bytes of `16`, `64KiB` or `1MiB`. */
function bytes(name: string, text: string): number {
  const match = /^(\d+)(B|KiB|MiB)?$/.exec(text)
  if (match === null) throw new UsageError(`--${name} ${text}: must be a number of bytes like 16, 64KiB or 1MiB`)
  return Number(match[1]) * { B: 1, KiB: 1024, MiB: 1024 * 1024 }[(match[2] ?? 'B') as 'B' | 'KiB' | 'MiB']
}
