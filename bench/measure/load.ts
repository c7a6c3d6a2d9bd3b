// Load: calls that are kept in flight (closed loop) or begin at fixed times (open loop), and how long they took. A round of a
// closed loop has a ramp, in which calls that all began at once spread out, and then the window that counts: calls that end
// in it.

import { Histogram, type HistogramData } from './histogram.ts'

/** What is called. */
export interface Caller {
  /** Makes one call; resolves when it is done. */
  call(): Promise<unknown>
  /** Looks at what a call resolved with; throws when it is not what it should be. */
  check(result: unknown): void
}

export interface LoadOptions {
  /** How long the window is, ms; it is prolonged by as much until as many calls have ended in it as are in flight. */
  readonly windowMs: number
  /** Closed loop: how long the ramp before it is at least, ms; it lasts until every call in flight was answered once. Default 0. */
  readonly rampMs?: number
  /** Closed loop: calls in flight. Open loop: the most that may be, beyond which calls wait (and their waiting counts). */
  readonly inFlight: number
  /** Open loop: calls per second. */
  readonly rate?: number | undefined
}

export interface LoadResult {
  /** Calls that ended in the window. */
  readonly calls: number
  readonly seconds: number
  /** All calls, those of the ramp and after the window too. */
  readonly allCalls: number
  /** How long they took: of every call in the window, or of one in eight from 64 in flight on. */
  readonly latency: HistogramData
}

/** From so many calls in flight on, every eighth of them is timed: reading the clock would weigh on the floor. */
const SAMPLED_FROM = 64
export const SAMPLED_EACH = 8

/** Runs one round. Rejects with the first call's error. */
export function runLoad(callers: readonly Caller[], options: LoadOptions): Promise<LoadResult> {
  if (callers.length === 0) throw new RangeError('there is nobody to call')
  return options.rate === undefined
    ? new ClosedLoop(callers, options).run()
    : new OpenLoop(callers, options, options.rate).run()
}

class ClosedLoop {
  readonly #callers: readonly Caller[]
  readonly #options: LoadOptions
  readonly #latency = new Histogram()
  #phase: 'ramp' | 'window' | 'end' = 'ramp'
  #rampLeft: number
  readonly #beganAt = performance.now()
  #startedAt = 0
  #seconds = 0
  #calls = 0
  #allCalls = 0

  constructor(callers: readonly Caller[], options: LoadOptions) {
    this.#callers = callers
    this.#options = options
    this.#rampLeft = options.inFlight
  }

  async run(): Promise<LoadResult> {
    const { inFlight } = this.#options
    const workers = Array.from({ length: inFlight }, (_, position) => {
      const caller = this.#callers[position % this.#callers.length]!
      const isTimed = inFlight < SAMPLED_FROM || position % SAMPLED_EACH === 0
      return isTimed ? this.#workTimed(caller) : this.#work(caller)
    })
    try {
      await Promise.all(workers)
    } catch (error) {
      this.#phase = 'end'
      await Promise.allSettled(workers)
      throw error
    }
    return { calls: this.#calls, seconds: this.#seconds, allCalls: this.#allCalls, latency: this.#latency.toData() }
  }

  async #work(caller: Caller): Promise<void> {
    caller.check(await caller.call())
    this.#onRamped()
    while (this.#phase !== 'end') {
      caller.check(await caller.call())
      this.#allCalls++
      if (this.#phase === 'window') this.#calls++
    }
  }

  /** The end of one call is the beginning of the next: the clock is read once per call. */
  async #workTimed(caller: Caller): Promise<void> {
    caller.check(await caller.call())
    this.#onRamped()
    let beganAt = performance.now()
    while (this.#phase !== 'end') {
      caller.check(await caller.call())
      const endedAt = performance.now()
      this.#allCalls++
      if (this.#phase === 'window') {
        this.#calls++
        this.#latency.record(endedAt - beganAt)
      }
      beganAt = endedAt
    }
  }

  #onRamped(): void {
    this.#allCalls++
    if (--this.#rampLeft > 0) return
    const left = this.#beganAt + (this.#options.rampMs ?? 0) - performance.now()
    if (left > 0) setTimeout(() => this.#onRampOver(), left)
    else this.#onRampOver()
  }

  #onRampOver(): void {
    if (this.#phase !== 'ramp') return
    this.#phase = 'window'
    this.#startedAt = performance.now()
    setTimeout(() => this.#onWindowOver(), this.#options.windowMs)
  }

  #onWindowOver(): void {
    if (this.#phase !== 'window') return
    if (this.#calls < this.#options.inFlight) {
      setTimeout(() => this.#onWindowOver(), this.#options.windowMs)
      return
    }
    this.#phase = 'end'
    this.#seconds = (performance.now() - this.#startedAt) / 1000
  }
}

/**
 * Calls that should begin at fixed times. A call that begins late, because the one who calls was busy or too many were in
 * flight, is timed from when it should have begun: otherwise a stall would hide the calls that it held up (coordinated
 * omission, Gil Tene's term).
 */
class OpenLoop {
  readonly #callers: readonly Caller[]
  readonly #options: LoadOptions
  readonly #intervalMs: number
  readonly #latency = new Histogram()

  constructor(callers: readonly Caller[], options: LoadOptions, rate: number) {
    this.#callers = callers
    this.#options = options
    this.#intervalMs = 1000 / rate
  }

  async run(): Promise<LoadResult> {
    const { windowMs, inFlight } = this.#options
    const total = Math.max(1, Math.floor(windowMs / this.#intervalMs))
    const startedAt = performance.now()
    let begun = 0
    let ended = 0
    let failure: { readonly error: unknown } | undefined
    await new Promise<void>((resolve) => {
      const end = (): void => {
        ended++
        if (ended === begun && (begun === total || failure !== undefined)) resolve()
      }
      const begin = (): void => {
        const intendedAt = startedAt + begun * this.#intervalMs
        const caller = this.#callers[begun % this.#callers.length]!
        begun++
        caller
          .call()
          .then((result) => {
            caller.check(result)
            this.#latency.record(performance.now() - intendedAt)
          })
          .catch((error: unknown) => {
            failure ??= { error }
          })
          .then(end)
      }
      const turn = (): void => {
        if (failure !== undefined) return
        const now = performance.now()
        while (begun < total && begun - ended < inFlight && startedAt + begun * this.#intervalMs <= now) begin()
        if (begun < total) setImmediate(turn)
      }
      turn()
    })
    if (failure !== undefined) throw (failure as { error: unknown }).error
    return {
      calls: ended,
      seconds: (performance.now() - startedAt) / 1000,
      allCalls: ended,
      latency: this.#latency.toData(),
    }
  }
}
