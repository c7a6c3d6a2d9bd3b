// What `--full` adds: what codec, sessions and deadlines cost, how figures grow, one node alone, fixed rates, memory.

import { LARGE_PAYLOADS, medianRatio } from '../report/goals.ts'
import type { TargetName } from '../targets/targets.ts'
import type { Bench, Benchmark, Fact, Section } from './benchmark.ts'
import { echoPoint, sizeOf } from './goal-points.ts'
import { largeWrites } from './large-writes.ts'
import type { Point, PointResult } from './point.ts'
import { reconnectStorm } from './reconnect-storm.ts'
import { measurePoint } from './turns.ts'
import { waitingCalls } from './waiting-calls.ts'

const VARIANTS = ['gorums', 'gorums-msgpack', 'gorums-no-sessions', 'gorums-no-deadlines', 'gorums-bare'] as const
const PEERS = ['gorums', 'floor', 'grpc-stream', 'grpc-unary'] as const
const RPC_PEERS = ['gorums', 'floor', 'grpc-unary', 'connect'] as const
const MIB = 1024 * 1024
/** The range in which the goals compare large messages, bytes. */
const LARGE_FROM = 64 * 1024
const LARGE_TO = 4 * MIB
/** From so many bytes in flight on, a longer curve would say nothing more: calls in flight are cut to this. */
const IN_FLIGHT_BYTES = 8 * MIB

const majorityOf = (nodes: number): number => Math.floor(nodes / 2) + 1

function sweep(
  name: string,
  title: string,
  label: string,
  values: readonly number[],
  targets: readonly TargetName[],
  pointAt: (value: number) => Point,
  factsOf?: (points: readonly PointResult[]) => Fact[],
): Benchmark {
  return {
    name,
    title,
    group: 'full',
    async run(bench: Bench): Promise<Section> {
      const points: PointResult[] = []
      // A curve has more points than one, which is enough launches.
      const settings = { ...bench.settings, launches: 1 }
      for (const value of values) {
        settings.progress(` ${label} ${value}`)
        points.push(await measurePoint(pointAt(value), bench.choose(...targets), settings))
      }
      return {
        name,
        title,
        points,
        axis: { label, values },
        ...(factsOf === undefined ? {} : { facts: factsOf(points) }),
      }
    },
  }
}

function payloadPoint(payloadBytes: number): Point {
  const inFlight = Math.max(1, Math.min(64, Math.floor(IN_FLIGHT_BYTES / Math.max(1, payloadBytes))))
  return { ...echoPoint(`payload-${payloadBytes}`, inFlight, payloadBytes) }
}

/** Where messages are large, a stream for each call was faster than ordered calls once: what ours are to it at worst. */
export function largePayloadFacts(points: readonly PointResult[]): Fact[] {
  const ratios = points
    .filter(({ point }) => point.payloadBytes >= LARGE_FROM && point.payloadBytes <= LARGE_TO)
    .map((each) => medianRatio(each, 'grpc-unary'))
    .filter((each) => each !== undefined)
  return ratios.length === 0 ? [] : [{ name: LARGE_PAYLOADS, value: Math.min(...ratios), unit: 'ratio' }]
}

const variants: Benchmark = {
  name: 'variants',
  title: 'protobuf and MessagePack, sessions and deadlines on and off',
  group: 'full',
  async run(bench) {
    const points: PointResult[] = []
    for (const point of [echoPoint('1x16B', 1, 16), echoPoint('512x16B', 512, 16), echoPoint('64x1KiB', 64, 1024)])
      points.push(await measurePoint(point, bench.choose(...VARIANTS), bench.settings))
    return { name: 'variants', title: this.title, points }
  },
}

const openLoop = sweep(
  'open-loop',
  'fixed rates, 16 B, latency from when a call should have begun',
  'calls per second',
  [300, 1_000, 3_000, 10_000, 30_000],
  ['gorums', 'floor'],
  (rate) => ({ ...echoPoint(`rate-${rate}`, 4096, 16), title: `${rate} calls/s, 16 B`, rate }),
)

export const fullBenchmarks: readonly Benchmark[] = [
  variants,
  sweep('sweep-nodes', 'more nodes: 64 in flight, 16 B, a majority', 'nodes', [3, 5, 7, 13, 31], PEERS, (nodes) => ({
    ...echoPoint(`nodes-${nodes}`, 64, 16),
    title: `${nodes} nodes, 64 in flight, 16 B`,
    nodes,
    quorum: majorityOf(nodes),
  })),
  sweep(
    'sweep-in-flight',
    'more calls in flight: 3 nodes, 16 B',
    'calls in flight',
    [1, 4, 16, 64, 256, 1024, 4096],
    PEERS,
    (inFlight) => echoPoint(`in-flight-${inFlight}`, inFlight, 16),
  ),
  sweep(
    'sweep-payload',
    'larger messages: 3 nodes, up to 64 and up to 8 MiB in flight',
    'bytes',
    [0, 16, 256, 4096, 64 * 1024, 256 * 1024, MIB, 4 * MIB, 16 * MIB],
    PEERS,
    payloadPoint,
    largePayloadFacts,
  ),
  sweep(
    'sweep-clients',
    'more clients of one server: 1 call in flight each, 16 B',
    'clients',
    [1, 10, 100, 1000],
    ['gorums', 'floor'],
    (clients) => ({
      ...echoPoint(`clients-${clients}`, clients, 16),
      title: `${clients} clients of one server, ${sizeOf(16)}`,
      nodes: 1,
      quorum: 1,
      clients,
    }),
  ),
  sweep('rpc', 'one node: RPCs of 16 B', 'calls in flight', [1, 64, 512], RPC_PEERS, (inFlight) => ({
    ...echoPoint(`rpc-${inFlight}`, inFlight, 16),
    title: `RPC, ${inFlight} in flight, 16 B`,
    operation: 'rpc',
    nodes: 1,
    quorum: 1,
  })),
  openLoop,
  largeWrites,
  waitingCalls,
  reconnectStorm,
]
