// A point: one load on one layout of nodes, and what is found there of each target.

import type { Summary } from '../measure/statistics.ts'
import type { Observation } from '../processes/client-process.ts'
import type { ServerSource } from '../processes/server-handle.ts'
import type { SettingOptions } from '../processes/setting.ts'
import type { Usage } from '../processes/usage.ts'
import type { Operation } from '../targets/target.ts'

export interface Point {
  readonly name: string
  readonly title: string
  readonly operation: Operation
  readonly nodes: number
  readonly quorum: number
  readonly inFlight: number
  readonly payloadBytes: number
  /** Open loop: calls per second. Default: closed loop. */
  readonly rate?: number
  /** Clients of one process, each with its own connections. Default 1. */
  readonly clients?: number
  /** `slow`: how long the handler takes, ms. */
  readonly delayMs?: number
  /** `slow`: how many nodes are, the last ones. Default: all. */
  readonly slowNodes?: number
}

export interface Settings {
  /** Rounds of each target, over all its launches. */
  readonly rounds: number
  /** How often processes are started at a point, for a part of the rounds each; those of targets that are far from the fastest once. */
  readonly launches: number
  /** How long a round counts, ms. */
  readonly windowMs: number
  /** How long each target is warmed up before the first round, ms. */
  readonly warmupMs: number
  /** From so long on, ms, a point takes five rounds with each launch, if it was to take more, and none again. Default: never. */
  readonly pointMaxMs?: number
  readonly clientFlags: readonly string[]
  readonly serverFlags: readonly string[]
  readonly source: ServerSource
  /** A target that has not ended its warm-up by then is left out of a point, ms. Default: 30 s. */
  readonly warmupMaxMs?: number
  readonly sendBufferBytes?: number | undefined
  readonly serverBufferBytes?: number | undefined
  readonly progress: (line: string) => void
}

export interface TargetResult {
  readonly target: string
  /** Calls per second, of each round: the rounds of all targets took turns, and those of one turn have one position; a target that is far from the fastest has fewer. */
  readonly rounds: readonly number[]
  /** Turns that were measured again, because others were busy. */
  readonly repeated: number
  /** The most of the machine that others had in a round that counts, as a share. */
  readonly others: number
  readonly callsPerSecond: Summary
  /** Of all rounds together. */
  readonly latency: LatencyFigures
  /** Points of the cumulative distribution: ms, share. */
  readonly distribution: readonly (readonly [number, number])[]
  /** CPU time of a call, µs: of the client, of all servers. */
  readonly clientCpuMicros: number
  readonly serverCpuMicros: number
  /** Measured in a round of its own. */
  readonly observation: Observation
  /** On the wire, both ways, all nodes. */
  readonly bytesPerCall: number
  /** Each server at the end. */
  readonly servers: readonly (Usage & { readonly address: string })[]
}

export interface LatencyFigures {
  readonly samples: number
  readonly meanMs: number
  readonly deviationMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export interface PointResult {
  readonly point: Point
  readonly results: readonly TargetResult[]
  /** Targets that were not measured here, and why. */
  readonly leftOut?: readonly LeftOut[]
}

export interface LeftOut {
  readonly target: string
  readonly reason: string
}

/** What it takes to measure a point. */
export function settingOptions(point: Point, settings: Settings): SettingOptions {
  return {
    nodes: point.nodes,
    clients: point.clients ?? 1,
    slowFrom: point.nodes - (point.slowNodes ?? point.nodes),
    serve: {
      operation: point.operation,
      delayMs: point.delayMs ?? 0,
      payloadMaxBytes: point.payloadBytes,
      bufferBytes: settings.serverBufferBytes,
    },
    connect: {
      operation: point.operation,
      payloadBytes: point.payloadBytes,
      quorum: point.quorum,
      waitForAll: true,
      bufferBytes: settings.sendBufferBytes,
    },
    clientFlags: settings.clientFlags,
    serverFlags: settings.serverFlags,
    source: settings.source,
  }
}
