// A point: one load on one layout of nodes, measured for several targets in rounds that take turns (A B C A B C …), so that
// what changes on the machine meanwhile meets all of them.

import { Histogram, type HistogramData } from '../measure/histogram.ts'
import { type Summary, summarize } from '../measure/statistics.ts'
import type { Observation } from '../processes/client-process.ts'
import type { ServerSource } from '../processes/server-handle.ts'
import { Setting, type SettingOptions } from '../processes/setting.ts'
import type { Usage } from '../processes/usage.ts'
import type { Operation, Received, Target } from '../targets/target.ts'

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
  readonly rounds: number
  /** How long a round counts, ms. */
  readonly windowMs: number
  /** How long each target is warmed up before the first round, ms. */
  readonly warmupMs: number
  readonly clientFlags: readonly string[]
  readonly serverFlags: readonly string[]
  readonly source: ServerSource
  /** A target that has not ended its warm-up by then is left out of a point, ms. Default: WARMUP_MAX_MS. */
  readonly warmupMaxMs?: number
  readonly sendBufferBytes?: number | undefined
  readonly serverBufferBytes?: number | undefined
  readonly progress: (line: string) => void
}

export interface TargetResult {
  readonly target: string
  /** Calls per second, of each round. */
  readonly rounds: readonly number[]
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

/** How long a target may take until every call in flight has been answered once, and its warm-up is over, ms. */
const WARMUP_MAX_MS = 30_000

/** A target is too slow for a point: its rounds would take minutes. */
class TooSlow extends Error {}

/** Measures a point for those of the targets that can do it. A target that is too slow for it is left out. */
export async function measurePoint(
  point: Point,
  contenders: readonly Target[],
  settings: Settings,
): Promise<PointResult> {
  const able = contenders.filter((target) => target.operations.includes(point.operation))
  const runners: Runner[] = []
  const leftOut: LeftOut[] = []
  try {
    for (const target of able) {
      try {
        runners.push(await Runner.start(target, point, settings))
      } catch (error) {
        if (!(error instanceof TooSlow)) throw error
        leftOut.push({ target: target.name, reason: error.message })
        settings.progress(`  ${target.name.padEnd(20)} left out: ${error.message}`)
      }
    }
    for (let round = 0; round < settings.rounds; round++) for (const runner of runners) await runner.round()
    const results: TargetResult[] = []
    for (const runner of runners) {
      results.push(await runner.result())
      settings.progress(`  ${lineOf(results.at(-1)!)}`)
    }
    return { point, results, ...(leftOut.length === 0 ? {} : { leftOut }) }
  } finally {
    await Promise.all(runners.map((runner) => runner.end()))
  }
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

/** How long the rounds are in which instruments disturb, ms. */
const OBSERVED_MS = 250
/** Calls whose bytes are counted: at least so many, and all that are in flight at once… */
const COUNTED_CALLS = 64
/** …but not more than these requests, bytes. */
const COUNTED_BYTES = 32 * 1024 * 1024
/** How long servers may take to receive what was sent to them, ms. */
const DELIVERY_MS = 10_000

/** Measures one target of a point. */
export class Runner {
  readonly setting: Setting
  readonly #target: Target
  readonly #point: Point
  readonly #settings: Settings
  readonly #rounds: number[] = []
  readonly #latency: HistogramData[] = []
  readonly #clientCpu: number[] = []
  readonly #serverCpu: number[] = []

  private constructor(target: Target, setting: Setting, point: Point, settings: Settings) {
    this.setting = setting
    this.#target = target
    this.#point = point
    this.#settings = settings
  }

  /** Starts its processes and warms them up. */
  static async start(target: Target, point: Point, settings: Settings): Promise<Runner> {
    const setting = await Setting.start(target, settingOptions(point, settings))
    const runner = new Runner(target, setting, point, settings)
    try {
      await withinTime(runner.#load(settings.warmupMs), settings.warmupMaxMs ?? WARMUP_MAX_MS, point)
    } catch (error) {
      await setting.end()
      throw error
    }
    return runner
  }

  async round(): Promise<void> {
    const serversBefore = await this.setting.serverCpuMicros()
    const result = await this.#load(this.#settings.windowMs)
    const serverCpu = (await this.setting.serverCpuMicros()) - serversBefore
    this.#rounds.push(result.callsPerSecond)
    this.#latency.push(...result.latency)
    this.#clientCpu.push(result.clientCpuMicros / result.allCalls)
    this.#serverCpu.push(serverCpu / result.allCalls)
  }

  async result(): Promise<TargetResult> {
    const histogram = Histogram.from(...this.#latency)
    const { inFlight, operation } = this.#point
    const observation = await this.setting.observe({ windowMs: OBSERVED_MS, inFlight, rate: this.#point.rate })
    const bytesPerCall =
      operation === 'slow' ? 0 : await this.setting.bytesPerCall({ calls: countedCalls(this.#point), inFlight })
    const { servers } = this.setting
    return {
      target: this.#target.name,
      rounds: this.#rounds,
      callsPerSecond: summarize(this.#rounds),
      latency: latencyFigures(histogram),
      distribution: thin(histogram.distribution()),
      clientCpuMicros: summarize(this.#clientCpu).median,
      serverCpuMicros: summarize(this.#serverCpu).median,
      observation,
      bytesPerCall,
      servers: await Promise.all(
        servers.map(async (server) => ({ address: server.address, ...(await server.usage()) })),
      ),
    }
  }

  /** The client's heap and what it holds outside, after a collection, bytes. Its process must have `--expose-gc`. */
  memoryBytes(): Promise<number> {
    return this.setting.client.ask('memory')
  }

  end(): Promise<void> {
    return this.setting.end()
  }

  async #load(windowMs: number): Promise<RoundFigures> {
    const { inFlight, rate, operation } = this.#point
    const result = await this.setting.round({ windowMs, inFlight, rate })
    const { allCalls, clientCpuMicros } = result
    if (operation !== 'multicast')
      return {
        callsPerSecond: result.calls / result.seconds,
        latency: [result.latency],
        allCalls,
        clientCpuMicros,
      }
    const received = await this.#delivered(allCalls)
    // What the slowest server took in, and how fast.
    const rates = received.map(({ count, firstAt, lastAt }) => (count / (lastAt - firstAt)) * 1000)
    return {
      callsPerSecond: Math.min(...rates),
      latency: received.map(({ latency }) => latency),
      allCalls,
      clientCpuMicros,
    }
  }

  /** Waits until every server has received all that was sent. Rejects, naming the server, when one does not. */
  async #delivered(sent: number): Promise<Received[]> {
    const until = performance.now() + DELIVERY_MS
    return Promise.all(
      this.setting.servers.map(async (server) => {
        let total = await server.takeReceived()
        while (total.count < sent) {
          if (performance.now() > until)
            throw new Error(`node ${server.address} received ${total.count} of ${sent} messages in ${DELIVERY_MS} ms`)
          const more = await server.takeReceived()
          if (more.count === 0) continue
          total = {
            count: total.count + more.count,
            firstAt: total.count === 0 ? more.firstAt : total.firstAt,
            lastAt: more.lastAt,
            latency: Histogram.from(total.latency, more.latency).toData(),
          }
        }
        return total
      }),
    )
  }
}

/** What `warmup` does, or TooSlow. */
async function withinTime(warmup: Promise<unknown>, timeMs: number, { inFlight }: Point): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    const text = `its warm-up with ${inFlight} calls in flight had not ended after ${timeMs} ms`
    timer = setTimeout(() => reject(new TooSlow(text)), timeMs)
  })
  // Its processes are ended then: what it was asked fails, and nobody is waiting for that.
  warmup.catch(() => {})
  try {
    await Promise.race([warmup, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

function countedCalls({ inFlight, nodes, payloadBytes }: Point): number {
  const most = Math.floor(COUNTED_BYTES / (nodes * Math.max(1, payloadBytes)))
  return Math.max(1, Math.min(Math.max(inFlight, COUNTED_CALLS), most))
}

interface RoundFigures {
  readonly callsPerSecond: number
  readonly latency: readonly HistogramData[]
  readonly allCalls: number
  readonly clientCpuMicros: number
}

export function latencyFigures(histogram: Histogram): LatencyFigures {
  return {
    samples: histogram.count,
    meanMs: histogram.meanMs,
    deviationMs: histogram.deviationMs,
    p50Ms: histogram.quantile(0.5),
    p90Ms: histogram.quantile(0.9),
    p99Ms: histogram.quantile(0.99),
    p999Ms: histogram.quantile(0.999),
    maxMs: histogram.maxMs,
  }
}

const CURVE_POINTS = 60

/** So many points as a plot can show, the first and the last among them. */
function thin(points: readonly [number, number][]): [number, number][] {
  if (points.length <= CURVE_POINTS) return [...points]
  const step = (points.length - 1) / (CURVE_POINTS - 1)
  return Array.from({ length: CURVE_POINTS }, (_, index) => points[Math.round(index * step)]!)
}

function lineOf({ target, callsPerSecond, latency }: TargetResult): string {
  const { median, min, max } = callsPerSecond
  const whole = (value: number): string => Math.round(value).toString()
  const times = latency.samples === 0 ? '' : `, p50 ${latency.p50Ms.toFixed(3)} ms, p99 ${latency.p99Ms.toFixed(3)} ms`
  return `${target.padEnd(20)} ${whole(median).padStart(8)}/s (${whole(min)} – ${whole(max)})${times}`
}
