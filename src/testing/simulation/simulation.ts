// A simulation: hosts, the network between them, and a clock that jumps from one event to the next. One event at a time
// runs, with every promise job that it sets off, before the next begins; so a seed decides everything that happens.

import { EventQueue, PlannedEvent } from './event-queue.ts'
import { applyFault, type Fault } from './faults.ts'
import { type Program, SimulatedHost } from './host.ts'
import { Network, type Weather } from './network.ts'
import { Random } from './random.ts'
import { Trace } from './trace.ts'

/** Options of a simulated world. */
export interface SimulationOptions {
  /** Decides everything. Default 1. */
  readonly seed?: number | string
  /** What is not given is drawn from the seed. */
  readonly weather?: Partial<Weather>
  /** How many of the last lines of the trace are kept. Default 0; Infinity for all. */
  readonly traceLines?: number
  /** Called after every event, when all that it set off has run. What it throws ends the simulation. */
  readonly afterEvent?: (simulation: Simulation) => void
}

/** What has happened so far. */
export interface SimulationCounters {
  events: number
  /** Attempts to connect, and connections that they have made. */
  dials: number
  connections: number
  /** Faults that have had an effect, by kind. */
  faults: Record<string, number>
}

interface Job {
  readonly callback: () => void
  readonly host: SimulatedHost
  readonly life: number
}

/** So many steps are prepared at once: Node runs all promise jobs between two of them without looking at sockets. */
const STEPS_PER_TURN = 64

/** A simulated world: hosts, a network between them, and one virtual time. */
export class Simulation {
  readonly seed: number | string
  readonly network: Network
  readonly trace: Trace
  readonly counters: SimulationCounters = { events: 0, dials: 0, connections: 0, faults: {} }
  readonly #queue = new EventQueue()
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #afterEvent: ((simulation: Simulation) => void) | undefined
  #jobs: Job[] = []
  #nextJob = 0
  #now = 0
  #order = 0
  #failure: { readonly error: unknown } | undefined
  #isRunning = false

  constructor(options: SimulationOptions = {}) {
    this.seed = options.seed ?? 1
    this.trace = new Trace(options.traceLines ?? 0)
    this.#afterEvent = options.afterEvent
    this.network = new Network(this, { ...drawWeather(this.random('weather')), ...options.weather })
  }

  /** Virtual time since the beginning, ms. */
  get now(): number {
    return this.#now
  }

  get hosts(): SimulatedHost[] {
    return [...this.#hosts.values()]
  }

  /** A stream of random numbers that depends on the seed and its name only. */
  random(name: string): Random {
    return new Random(this.seed, name)
  }

  /** The host of this name. With a program it is made, and booted. Throws TypeError for a name that is not there, or twice. */
  host(name: string, program?: Program): SimulatedHost {
    const there = this.#hosts.get(name)
    if ((there === undefined) === (program === undefined))
      throw new TypeError(`host "${name}" is ${there === undefined ? 'not there' : 'there already'}`)
    if (there !== undefined) return there
    const host = new SimulatedHost(this, name, program!)
    this.#hosts.set(name, host)
    host.boot()
    return host
  }

  /** Plans faults, each at its time from now. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) this.plan('fault', fault.atMs, () => applyFault(this, fault))
  }

  /** Calls back after `delayMs` of virtual time, in the life of a host or, without one, in the world. @internal */
  plan(kind: string, delayMs: number, action: () => void, host?: SimulatedHost, life = 0): PlannedEvent {
    const event = new PlannedEvent(this.#now + delayMs, this.#order++, kind, host, life, action)
    this.#queue.push(event)
    return event
  }

  /** Calls back when what runs now, and all that it sets off, has run. */
  afterJobs(callback: () => void, host: SimulatedHost, life: number): void {
    this.#jobs.push({ callback, host, life })
  }

  /** Resolves after `ms` of virtual time: for the code around a simulation. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.plan('sleep', ms, resolve))
  }

  /** Counts a fault that had an effect. */
  count(kind: string, times = 1): void {
    if (times > 0) this.counters.faults[kind] = (this.counters.faults[kind] ?? 0) + times
  }

  /** Ends the simulation with an error: `run` rejects with it. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /**
   * Lets time pass: until `until` (virtual ms) has passed, or, given a function, until that is true, at the longest
   * `limitMs`. Resolves with whether it is. Rejects with what a program, a callback or an invariant has thrown.
   */
  async run(until: number | (() => boolean), limitMs = Infinity): Promise<boolean> {
    if (this.#isRunning) throw new TypeError('the simulation runs already')
    const end = this.#now + (typeof until === 'number' ? until : limitMs)
    const isReached = typeof until === 'number' ? () => false : until
    this.#isRunning = true
    try {
      await new Promise<void>((resolve) => this.#runTurn(isReached, end, resolve))
    } finally {
      this.#isRunning = false
    }
    if (this.#failure !== undefined) throw this.#failure.error
    if (typeof until === 'number') {
      this.#now = end
      return true
    }
    return until()
  }

  #runTurn(isReached: () => boolean, end: number, resolve: () => void): void {
    let isOver = false
    const step = (): void => {
      if (isOver) return
      if (this.#failure === undefined && !this.#atRest(isReached) && this.#step(end)) return
      isOver = true
      resolve()
    }
    for (let count = 0; count < STEPS_PER_TURN; count++) setImmediate(step)
    setImmediate(() => {
      if (!isOver) this.#runTurn(isReached, end, resolve)
    })
  }

  /** Between two events: whether the run is over. */
  #atRest(isReached: () => boolean): boolean {
    if (this.#nextJob < this.#jobs.length) return false
    try {
      if (this.counters.events > 0) this.#afterEvent?.(this)
    } catch (error) {
      this.fail(error)
      return true
    }
    return isReached()
  }

  /** One job, or one event. False when there is nothing left until `end`. */
  #step(end: number): boolean {
    try {
      if (this.#nextJob < this.#jobs.length) this.#runJob()
      else return this.#runEvent(end)
    } catch (error) {
      this.fail(error)
    }
    return true
  }

  #runJob(): void {
    const { callback, host, life } = this.#jobs[this.#nextJob++]!
    if (this.#nextJob === this.#jobs.length) {
      this.#jobs = []
      this.#nextJob = 0
    }
    if (host.lives(life)) callback()
  }

  #runEvent(end: number): boolean {
    for (let event = this.#queue.peek(); event !== undefined; event = this.#queue.peek()) {
      const { action, host } = event
      if (action !== undefined && event.at > end) return false
      this.#queue.pop()
      if (action === undefined || (host !== undefined && !host.lives(event.life))) continue
      this.#now = Math.max(this.#now, event.at)
      if (host?.isPaused) {
        host.defer(event)
        continue
      }
      this.counters.events++
      this.trace.add(this.#now, host?.name ?? '', event.kind)
      action()
      return true
    }
    return false
  }
}

function drawWeather(random: Random): Weather {
  const delayMinMs = random.magnitude(0.05, 5)
  return {
    delayMinMs,
    delayMaxMs: delayMinMs * random.between(1, 10),
    stallChance: random.chance(0.5) ? 0 : random.magnitude(0.0005, 0.05),
    chunkMaxBytes: Math.round(random.magnitude(1, 64 * 1024)),
    pipeBytes: Math.round(random.magnitude(512, 512 * 1024)),
  }
}
