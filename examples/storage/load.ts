// A steady load of majority reads and writes that keeps books: how many calls, how many failed, how long they took, and
// whether anything that was acknowledged can not be read any more.

import { type Configuration, QuorumError } from 'gorums'
import { newest } from './entry.ts'
import { Storage } from './storage_gorums.ts'

export interface LoadOptions {
  /** Half of them writes. Default 200. */
  readonly callsPerSecond?: number
  /** How many keys they are spread over. Default 50. */
  readonly keys?: number
  /** Part of the keys' names: two loads with different ids do not meet. */
  readonly writerID: string
}

/** What the keys of every load begin with. */
export const LOAD_PREFIX = 'load/'

const TICK_MS = 10
const CALL_TIMEOUT_MS = 5_000

/** The calls that were made in some stretch of time. */
export class LoadWindow {
  failed = 0
  readonly #durationsMs: number[] = []

  get calls(): number {
    return this.#durationsMs.length + this.failed
  }

  record(durationMs: number): void {
    this.#durationsMs.push(durationMs)
  }

  /** The duration that this share of the calls did not exceed, ms; NaN when there was none. */
  percentileMs(share: number): number {
    const sorted = [...this.#durationsMs].sort((one, other) => one - other)
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
  }
}

export class Load {
  /** Calls that have ended, and how many of them failed. */
  calls = 0
  failed = 0
  /** Reads that returned something older than what had been acknowledged before they began. Must stay 0. */
  stale = 0
  /** The first failure, for people. */
  firstError: Error | undefined
  readonly #storage
  readonly #options: Required<LoadOptions>
  /** What has been acknowledged, by key: the timestamp. */
  readonly #acknowledged = new Map<string, number>()
  readonly #underWay = new Set<Promise<void>>()
  #made = 0
  #timer: NodeJS.Timeout | undefined
  #window: LoadWindow | undefined

  constructor(configuration: Configuration, options: LoadOptions) {
    this.#storage = configuration.client(Storage)
    this.#options = { callsPerSecond: 200, keys: 50, ...options }
  }

  get isRunning(): boolean {
    return this.#timer !== undefined
  }

  /** Calls per second. */
  get rate(): number {
    return this.#options.callsPerSecond
  }

  /** Makes calls at its rate, whatever becomes of the earlier ones. */
  start(): void {
    if (this.#timer !== undefined) return
    let startedAt = performance.now()
    let made = 0
    this.#timer = setInterval(() => {
      const now = performance.now()
      // After a pause of our own process there is no rush to catch up.
      if (now - startedAt > made * (1000 / this.rate) + 1_000) {
        startedAt = now
        made = 0
      }
      for (; made < ((now - startedAt) / 1000) * this.rate; made++) this.#call()
    }, TICK_MS)
  }

  /** Makes no more calls; resolves when those that were made have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await Promise.all(this.#underWay)
  }

  /** From now on calls belong to a new window. Those that are under way stay with theirs. */
  beginWindow(): LoadWindow {
    this.#window = new LoadWindow()
    return this.#window
  }

  endWindow(): void {
    this.#window = undefined
  }

  /** Reads every key that was acknowledged through a configuration; returns how many are missing there or too old. */
  async missing(through: Configuration): Promise<number> {
    const storage = through.client(Storage)
    const found = await Promise.all(
      [...this.#acknowledged].map(async ([key, timestamp]) => {
        const replies = await storage.readQC({ key }, { timeoutMs: CALL_TIMEOUT_MS }).majority()
        return newest(replies.values()).timestamp >= timestamp
      }),
    )
    return found.filter((isThere) => !isThere).length
  }

  /** How many keys have been acknowledged. */
  get keys(): number {
    return this.#acknowledged.size
  }

  #call(): void {
    const number = ++this.#made
    const window = this.#window
    const startedAt = performance.now()
    const call = number % 2 === 1 ? this.#write(number) : this.#read(number)
    const ended = call.then(
      () => window?.record(performance.now() - startedAt),
      (error: Error) => {
        // Whoever closes the configuration under us does not lose a call.
        if (error instanceof QuorumError && error.reason === 'closed') return
        this.failed++
        this.firstError ??= error
        if (window !== undefined) window.failed++
      },
    )
    const counted = ended.then(() => {
      this.calls++
      this.#underWay.delete(counted)
    })
    this.#underWay.add(counted)
  }

  /** Numbers only grow, so they serve as timestamps. */
  async #write(number: number): Promise<void> {
    const { writerID } = this.#options
    const key = this.#keyOf(number)
    const request = { key, value: `value ${number}`, timestamp: number, writer: writerID }
    await this.#storage.writeQC(request, { timeoutMs: CALL_TIMEOUT_MS }).majority()
    this.#acknowledged.set(key, Math.max(number, this.#acknowledged.get(key) ?? 0))
  }

  async #read(number: number): Promise<void> {
    const key = this.#keyOf(number)
    const acknowledged = this.#acknowledged.get(key) ?? 0
    const replies = await this.#storage.readQC({ key }, { timeoutMs: CALL_TIMEOUT_MS }).majority()
    if (newest(replies.values()).timestamp < acknowledged) this.stale++
  }

  #keyOf(number: number): string {
    const { writerID, keys } = this.#options
    return `${LOAD_PREFIX}${writerID}/${Math.floor(number / 2) % keys}`
  }
}
