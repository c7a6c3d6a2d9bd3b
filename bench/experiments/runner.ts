// Measures one target at one point: its processes, their warm-up, its rounds, and what they say together.

import { Histogram, type HistogramData } from '../measure/histogram.ts'
import { readMachineTime, shareOfOthers } from '../measure/machine.ts'
import { median, summarize } from '../measure/statistics.ts'
import { Setting } from '../processes/setting.ts'
import { readUsage } from '../processes/usage.ts'
import type { Received, Target } from '../targets/target.ts'
import { type LatencyFigures, type Point, type Settings, settingOptions, type TargetResult } from './point.ts'

/** How long a target may take until every call in flight has been answered once, and its warm-up is over, ms. */
const WARMUP_MAX_MS = 30_000

/** A warm-up goes on, up to so many times as long as it should, while calls get faster by this factor. */
const WARMUPS_MAX = 4
const STILL_FASTER = 1.05

/** A target is too slow for a point: its rounds would take minutes. */
export class TooSlow extends Error {}

/** A round in which others had more than this share of the machine is measured again. */
const OTHERS_MAX = 0.1
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
  readonly #rounds: Round[] = []

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
      await withinTime(runner.#warmUp(), settings.warmupMaxMs ?? WARMUP_MAX_MS, point)
    } catch (error) {
      await setting.end()
      throw error
    }
    return runner
  }

  /** Rounds in which the machine was as good as ours alone. */
  get quietRounds(): number {
    return this.#rounds.filter(({ others }) => others <= OTHERS_MAX).length
  }

  async round(): Promise<void> {
    const machineBefore = readMachineTime()
    const ownBefore = readUsage().cpuMicros
    const serversBefore = await this.setting.serverCpuMicros()
    const figures = await this.#load(this.#settings.windowMs)
    const serverCpuMicros = (await this.setting.serverCpuMicros()) - serversBefore
    const own = readUsage().cpuMicros - ownBefore + figures.clientCpuMicros
    const ours = own + (this.setting.isLocal ? serverCpuMicros : 0)
    this.#rounds.push({ ...figures, serverCpuMicros, others: shareOfOthers(machineBefore, readMachineTime(), ours) })
  }

  async result(): Promise<TargetResult> {
    const rounds = leastDisturbed(this.#rounds, this.#settings.rounds)
    const histogram = Histogram.from(...rounds.flatMap(({ latency }) => latency))
    const { inFlight, operation } = this.#point
    const observation = await this.setting.observe({ windowMs: OBSERVED_MS, inFlight, rate: this.#point.rate })
    const bytesPerCall =
      operation === 'slow' ? 0 : await this.setting.bytesPerCall({ calls: countedCalls(this.#point), inFlight })
    const { servers } = this.setting
    const speeds = rounds.map(({ callsPerSecond }) => callsPerSecond)
    return {
      target: this.#target.name,
      rounds: speeds,
      repeated: this.#rounds.length - rounds.length,
      others: Math.max(...rounds.map(({ others }) => others)),
      callsPerSecond: summarize(speeds),
      latency: latencyFigures(histogram),
      distribution: thin(histogram.distribution()),
      clientCpuMicros: median(rounds.map(({ clientCpuMicros, allCalls }) => clientCpuMicros / allCalls)),
      serverCpuMicros: median(rounds.map(({ serverCpuMicros, allCalls }) => serverCpuMicros / allCalls)),
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

  /** Runs until it gets no faster: compilers take as many calls as they need, and a slow target has few of them in a second. */
  async #warmUp(): Promise<void> {
    const { warmupMs } = this.#settings
    const endsAt = performance.now() + WARMUPS_MAX * warmupMs
    let best = (await this.#load(warmupMs)).callsPerSecond
    while (performance.now() < endsAt) {
      const { callsPerSecond } = await this.#load(warmupMs / 2)
      if (callsPerSecond < best * STILL_FASTER) return
      best = callsPerSecond
    }
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

/** One round, with what its servers have used and what others have. */
interface Round extends RoundFigures {
  readonly serverCpuMicros: number
  readonly others: number
}

/** The first `count` rounds that nobody has disturbed; where there are not enough, those that were disturbed least. */
export function leastDisturbed<R extends { readonly others: number }>(rounds: readonly R[], count: number): R[] {
  const disturbance = ({ others }: R): number => Math.max(others, OTHERS_MAX)
  return [...rounds].sort((one, other) => disturbance(one) - disturbance(other)).slice(0, count)
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
