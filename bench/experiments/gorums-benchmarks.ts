// The benchmarks of Gorums' own tool, by their names there; their settings come from the command line.

import type { Options } from '../options.ts'
import type { Operation } from '../targets/target.ts'
import type { Bench, Benchmark, Section } from './benchmark.ts'
import { sizeOf } from './goal-points.ts'
import type { Point } from './point.ts'
import { measurePoint } from './turns.ts'

const SLOW_MS = 10
const SLOW_NODE_MS = 10_000

interface Kind {
  readonly name: string
  readonly title: string
  readonly operation: Operation
  inFlight(options: Options): number
  readonly delayMs?: number
  /** Only the last node is slow. */
  readonly slowNodes?: 1
}

const kinds: readonly Kind[] = [
  {
    name: 'QuorumCall',
    title: 'quorum calls, --concurrent at a time',
    operation: 'echo',
    inFlight: ({ concurrent }) => concurrent,
  },
  {
    name: 'AsyncQuorumCall',
    title: 'quorum calls, --max-async in flight',
    operation: 'echo',
    inFlight: ({ maxAsync }) => maxAsync,
  },
  {
    name: 'SlowServer',
    title: 'quorum calls whose handlers take 10 ms',
    operation: 'slow',
    inFlight: ({ concurrent }) => concurrent,
    delayMs: SLOW_MS,
  },
  {
    name: 'SlowNode',
    title: 'quorum calls, the handlers of one node take 10 s',
    operation: 'slow',
    inFlight: ({ concurrent }) => concurrent,
    delayMs: SLOW_NODE_MS,
    slowNodes: 1,
  },
  {
    name: 'Multicast',
    title: 'one-way messages, in bursts of --max-async; servers measure latency and throughput',
    operation: 'multicast',
    inFlight: ({ maxAsync }) => maxAsync,
  },
]

export const gorumsBenchmarks: readonly Benchmark[] = kinds.map((kind) => ({
  name: kind.name,
  title: kind.title,
  group: 'gorums',
  run: (bench) => run(kind, bench),
}))

async function run(kind: Kind, bench: Bench): Promise<Section> {
  const { options } = bench
  const inFlight = kind.inFlight(options)
  const quorum = options.quorumSize ?? Math.floor(options.configSize / 2) + 1
  const point: Point = {
    name: kind.name,
    title: `${kind.name}: ${options.configSize} nodes, quorum ${quorum}, ${inFlight} in flight, ${sizeOf(options.payloadBytes)}`,
    operation: kind.operation,
    nodes: options.configSize,
    quorum,
    inFlight,
    payloadBytes: options.payloadBytes,
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(kind.delayMs === undefined ? {} : { delayMs: kind.delayMs }),
    ...(kind.slowNodes === undefined ? {} : { slowNodes: kind.slowNodes }),
  }
  return {
    name: kind.name,
    title: kind.title,
    points: [await measurePoint(point, bench.choose('gorums'), bench.settings)],
  }
}
