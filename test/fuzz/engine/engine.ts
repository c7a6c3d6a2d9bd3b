// The loop: changes inputs, runs them, keeps those that have gone where none has gone before. The same seed, target and
// budget of executions or bytes lead to the same executions.

import { Random } from '../../../src/testing/simulation/random.ts'
import { Coverage } from './coverage.ts'
import { havoc } from './havoc.ts'
import { type Features, Mismatch, type Target } from './target.ts'
import type { Watchdog } from './watchdog.ts'

/** An execution that takes longer than so many ms is a hang, when it does so again. */
const HANG_MS = 1_000
/** So many different failures are kept. */
const FAILURES_MAX = 20

/** When to stop: whatever comes first. At least one must be given. */
export interface Budget {
  readonly executions?: number
  /** Of inputs. Each is counted once, however often a target reads it. */
  readonly bytes?: number
  readonly seconds?: number
  /** Stop at the first failure. */
  readonly untilFailure?: boolean
}

export interface Failure {
  readonly kind: 'crash' | 'hang' | 'mismatch'
  readonly message: string
  /** The input, base64. */
  readonly input: string
  /** The number of the execution that found it. */
  readonly execution: number
}

export interface FuzzFigures {
  readonly target: string
  readonly seed: number
  readonly executions: number
  readonly bytes: number
  readonly seconds: number
  readonly edgesCovered: number
  readonly edgesTotal: number
  /** Inputs that are kept. */
  readonly corpus: number
  readonly crashes: number
  readonly hangs: number
  readonly mismatches: number
  readonly failures: readonly Failure[]
}

export class Fuzzer {
  readonly corpus: Buffer[] = []
  readonly coverage: Coverage
  readonly #target: Target
  readonly #seed: number
  readonly #random: Random
  readonly #watchdog: Watchdog | undefined
  readonly #failures: Failure[] = []
  readonly #counts = { crash: 0, hang: 0, mismatch: 0 }
  #executions = 0
  #bytes = 0
  #seconds = 0
  /** What nobody caught during the execution. */
  #uncaught: unknown[] = []

  constructor(target: Target, seed: number, features?: Features, watchdog?: Watchdog) {
    this.#target = target
    this.#seed = seed
    this.#random = new Random(seed, target.name)
    this.#watchdog = watchdog
    this.coverage = new Coverage(target, features)
  }

  /** Runs the given inputs, then changes of them until the budget is used up. */
  async run(inputs: readonly Buffer[], budget: Budget): Promise<FuzzFigures> {
    const startedAt = performance.now()
    const { executions = Infinity, bytes = Infinity, seconds = Infinity, untilFailure = false } = budget
    const isOver = (): boolean =>
      this.#executions >= executions ||
      this.#bytes >= bytes ||
      (this.#executions % 64 === 0 && performance.now() - startedAt >= seconds * 1000) ||
      (untilFailure && this.#failures.length > 0)
    const onUncaught = (error: unknown): void => void this.#uncaught.push(error)
    process.on('uncaughtException', onUncaught)
    process.on('unhandledRejection', onUncaught)
    try {
      for (const input of inputs) await this.execute(input)
      while (!isOver()) await this.execute(this.#nextInput())
      await this.#close()
    } finally {
      process.off('uncaughtException', onUncaught)
      process.off('unhandledRejection', onUncaught)
    }
    this.#seconds += (performance.now() - startedAt) / 1000
    return this.figures
  }

  /** Runs one input; keeps it when it is new. */
  async execute(input: Buffer): Promise<void> {
    this.#executions++
    this.#bytes += input.length
    this.coverage.reset()
    this.#watchdog?.begin(input)
    const startedAt = performance.now()
    try {
      const running = this.#target.run(input)
      if (running !== undefined) await running
      if (this.#uncaught.length > 0) throw new Error('nobody caught an error', { cause: this.#uncaught.shift() })
    } catch (error) {
      this.#fail(error instanceof Mismatch ? 'mismatch' : 'crash', error, input)
    }
    if (performance.now() - startedAt > HANG_MS) await this.#confirmHang(input)
    if (this.coverage.takeNew()) this.corpus.push(Buffer.from(input))
  }

  get figures(): FuzzFigures {
    return {
      target: this.#target.name,
      seed: this.#seed,
      executions: this.#executions,
      bytes: this.#bytes,
      seconds: Math.round(this.#seconds * 100) / 100,
      ...this.coverage.figures,
      corpus: this.corpus.length,
      crashes: this.#counts.crash,
      hangs: this.#counts.hang,
      mismatches: this.#counts.mismatch,
      failures: this.#failures,
    }
  }

  #nextInput(): Buffer {
    const { corpus } = this
    const random = this.#random
    const target = this.#target
    if (corpus.length === 0) return random.bytes(random.int(1, 32))
    // What is new leads on more often.
    const isRecent = random.chance(0.3)
    const input = corpus[random.int(isRecent ? Math.floor(corpus.length * 0.9) : 0, corpus.length - 1)]!
    const formed = random.chance(0.5) ? target.mutate?.(input, random) : undefined
    if (formed !== undefined) return formed.length > target.maxBytes ? formed.subarray(0, target.maxBytes) : formed
    return havoc(input, random, target.dictionary, random.pick(corpus), target.maxBytes)
  }

  /** The machine may have been busy with something else: only what is slow again counts. */
  async #confirmHang(input: Buffer): Promise<void> {
    const startedAt = performance.now()
    try {
      await this.#target.run(input)
    } catch {
      // It has been told of above.
    }
    const ms = performance.now() - startedAt
    if (ms > HANG_MS) this.#fail('hang', new Error(`took ${Math.round(ms)} ms`), input)
  }

  async #close(): Promise<void> {
    try {
      await this.#target.close?.()
    } catch (error) {
      this.#fail('crash', error, Buffer.alloc(0))
    }
  }

  #fail(kind: Failure['kind'], error: unknown, input: Buffer): void {
    this.#counts[kind]++
    const message = describe(error)
    const isKnown = this.#failures.some((failure) => failure.message === message)
    if (isKnown || this.#failures.length >= FAILURES_MAX) return
    this.#failures.push({ kind, message, input: input.toString('base64'), execution: this.#executions })
  }
}

/** An error with where it came from, in one line. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `not an Error: ${String(error)}`
  const at = /\n\s+at ([^\n]*)/.exec(error.stack ?? '')?.[1] ?? ''
  const where = at.replace(/file:\/\/\S*\/(src|codec|test|node_modules)\//, '$1/').replace(/\?edges[^:]*/, '')
  const cause = error.cause === undefined ? '' : `; because of ${describe(error.cause)}`
  const what = error instanceof Mismatch ? '' : ` (${where})`
  return `${error.name}: ${error.message.replace(/\s+/g, ' ').slice(0, 600)}${what}${cause}`
}
