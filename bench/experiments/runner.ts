// One target at one point, from the start of its processes to their end: its warm-up and its rounds.

import { Histogram } from '../measure/histogram.ts'
import { readMachineTime, shareOfOthers } from '../measure/machine.ts'
import { Setting } from '../processes/setting.ts'
import { readUsage } from '../processes/usage.ts'
import type { Received, Target } from '../targets/target.ts'
import { type Point, type Settings, settingOptions } from './point.ts'
import type { Observed, Round, RoundFigures } from './result.ts'

/** How long a target may take until every call in flight has been answered once, and its warm-up is over, ms. */
const WARMUP_MAX_MS = 30_000

/** A second warm-up takes this part of the first. */
const AGAIN = 0.5

/** A target has been idle while the others had their rounds: how long it calls again before a round counts, ms. */
const RAMP_MS = 100

/** A target is too slow for a point: its rounds would take minutes. */
export class TooSlow extends Error {}

/** How long the rounds are in which instruments disturb, ms. */
const OBSERVED_MS = 250
/** Calls whose bytes are counted: at least so many, and all that are in flight at once… */
const COUNTED_CALLS = 64
/** …but not more than these requests, bytes. */
const COUNTED_BYTES = 32 * 1024 * 1024
/** How long servers may take to receive what was sent to them, ms. */
const DELIVERY_MS = 10_000

export class Runner {
  readonly target: Target
  readonly setting: Setting
  readonly #point: Point
  readonly #settings: Settings

  private constructor(target: Target, setting: Setting, point: Point, settings: Settings) {
    this.target = target
    this.setting = setting
    this.#point = point
    this.#settings = settings
  }

  /** Starts the processes of a target. */
  static async start(target: Target, point: Point, settings: Settings): Promise<Runner> {
    return new Runner(target, await Setting.start(target, settingOptions(point, settings)), point, settings)
  }

  /** Calls until what compilers make of it is fast. TooSlow when that takes too long. */
  warmUp(): Promise<void> {
    const { warmupMs, warmupMaxMs = WARMUP_MAX_MS } = this.#settings
    return withinTime(this.#load(warmupMs), warmupMaxMs, this.#point)
  }

  /** The same, shorter: a target that was idle while the others were warmed up is slower for a while. */
  async warmUpAgain(): Promise<void> {
    await this.#load(this.#settings.warmupMs * AGAIN)
  }

  async round(): Promise<Round> {
    const machineBefore = readMachineTime()
    const ownBefore = readUsage().cpuMicros
    const serversBefore = await this.setting.serverCpuMicros()
    const figures = await this.#load(this.#settings.windowMs, RAMP_MS)
    const serverCpuMicros = (await this.setting.serverCpuMicros()) - serversBefore
    const own = readUsage().cpuMicros - ownBefore + figures.clientCpuMicros
    const ours = own + (this.setting.isLocal ? serverCpuMicros : 0)
    return { ...figures, serverCpuMicros, others: shareOfOthers(machineBefore, readMachineTime(), ours) }
  }

  /** What is measured in rounds of its own, because measuring it disturbs. */
  async observe(): Promise<Observed> {
    const { inFlight, operation, rate } = this.#point
    const observation = await this.setting.observe({ windowMs: OBSERVED_MS, inFlight, rate })
    const bytesPerCall =
      operation === 'slow' ? 0 : await this.setting.bytesPerCall({ calls: countedCalls(this.#point), inFlight })
    const servers = this.setting.servers.map(async (server) => ({ address: server.address, ...(await server.usage()) }))
    return { observation, bytesPerCall, servers: await Promise.all(servers) }
  }

  /** The client's heap and what it holds outside, after a collection, bytes. Its process must have `--expose-gc`. */
  memoryBytes(): Promise<number> {
    return this.setting.client.ask('memory')
  }

  end(): Promise<void> {
    return this.setting.end()
  }

  async #load(windowMs: number, rampMs = 0): Promise<RoundFigures> {
    const { inFlight, rate, operation } = this.#point
    const result = await this.setting.round({ windowMs, rampMs, inFlight, rate })
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

/** Resolves when `warmup` does; or rejects with TooSlow. */
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
