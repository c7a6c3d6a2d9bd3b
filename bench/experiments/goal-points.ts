// The points of the goals table: three nodes, majority of two, the default settings.

import type { Benchmark, Section } from './benchmark.ts'
import type { Point } from './point.ts'
import { measurePoint } from './turns.ts'

const PEERS = ['gorums', 'floor', 'grpc-stream', 'grpc-unary'] as const

/** A point of three nodes. */
export function echoPoint(name: string, inFlight: number, payloadBytes: number): Point {
  return {
    name,
    title: `${inFlight} in flight, ${sizeOf(payloadBytes)}`,
    operation: 'echo',
    nodes: 3,
    quorum: 2,
    inFlight,
    payloadBytes,
  }
}

const points: readonly Point[] = [
  echoPoint('1x16B', 1, 16),
  echoPoint('64x16B', 64, 16),
  echoPoint('512x16B', 512, 16),
  echoPoint('64x1KiB', 64, 1024),
  echoPoint('64x64KiB', 64, 64 * 1024),
  echoPoint('4x1MiB', 4, 1024 * 1024),
]

export const goalPoints: readonly Benchmark[] = points.map((point) => ({
  name: point.name,
  title: point.title,
  group: 'goals',
  run: async (bench): Promise<Section> => ({
    name: point.name,
    title: point.title,
    points: [await measurePoint(point, bench.choose(...PEERS), bench.settings)],
  }),
}))

const multicastPoint: Point = {
  ...echoPoint('multicast', 64, 16),
  title: 'multicast, fire and forget, 16 B, bursts of 64',
  operation: 'multicast',
}

export const goalMulticast: Benchmark = {
  name: multicastPoint.name,
  title: multicastPoint.title,
  group: 'goals',
  // The floor changes between two speeds, of which one is half as much again, every few hundred ms: a round has some of both.
  run: async (bench) => {
    const settings = { ...bench.settings, windowMs: 4 * bench.settings.windowMs }
    return {
      name: multicastPoint.name,
      title: multicastPoint.title,
      points: [await measurePoint(multicastPoint, bench.choose('gorums', 'floor'), settings)],
    }
  },
}

/** `16 B`, `64 KiB`, `1 MiB`. */
export function sizeOf(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024} MiB`
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`
}
