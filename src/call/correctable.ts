// Correctables: a result that gets better as replies arrive (Guerraoui, Pavlovic and Seredinschi, "Incremental Consistency
// Guarantees for Replicated Objects", OSDI 2016). Each value has a level; a higher level is worth more.

import type { QuorumError, RpcError } from '../errors.ts'
import type { Call } from './call.ts'
import type { CallConsumer, StopReason } from './call-setup.ts'
import type { Configuration } from './configuration.ts'
import { Replies } from './response.ts'
import { quorumError, reasonOf } from './terminal.ts'

/** A value at its level. */
export interface Level<R> {
  readonly value: R
  readonly level: number
  /** No better one will come. */
  readonly done: boolean
}

/**
 * Looks at the latest reply of each node and says what they amount to; undefined means nothing yet. `last` is what it said
 * before. Runs synchronously.
 */
export type CorrectableFunction<Request, Reply, R> = (
  replies: Replies<Reply>,
  request: Request,
  last: Level<R> | undefined,
) => Level<R> | undefined

/**
 * A result that rises in levels. Iterate over it for each rise (slow readers see the latest), or wait for a level.
 * Leaving the loop tells the servers to stop.
 */
export class Correctable<R> implements AsyncIterable<Level<R>> {
  /** What the call feeds: for the framework. */
  readonly consumer: CallConsumer
  readonly #call: Call
  readonly #configuration: Configuration
  readonly #correct: CorrectableFunction<never, never, R>
  #current: Level<R> | undefined
  #error: unknown
  #failure: RpcError | undefined
  #isOver = false
  #waiting: (() => void)[] = []

  /** Correctables are made by quorum calls. */
  constructor(call: Call, configuration: Configuration, correct: CorrectableFunction<never, never, R> | undefined) {
    this.#call = call
    this.#configuration = configuration
    this.#correct = correct ?? (countingLevels(configuration) as unknown as CorrectableFunction<never, never, R>)
    this.consumer = {
      onReply: () => this.#evaluate(),
      onFailure: (_position, error) => {
        this.#failure = error
      },
      onEnd: () => {},
      onStop: (reason, cause) => this.#stop(reason, cause),
      onSettled: () => this.#endWithout(),
    }
  }

  /** The newest value and its level; undefined while there is none. */
  get current(): Level<R> | undefined {
    return this.#current
  }

  /** Resolves with the first value at `level` or above; rejects with QuorumError when it ends below. */
  reached(level: number): Promise<Level<R>> {
    const reached = this.#reach(level)
    // Asking for a level and not waiting for it is no reason to end the process.
    reached.catch(() => {})
    return reached
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Level<R>, undefined> {
    let seen: Level<R> | undefined
    try {
      for (;;) {
        if (this.#current !== seen && this.#current !== undefined) {
          seen = this.#current
          yield seen
          if (seen.done) return undefined
          continue
        }
        if (this.#isOver) {
          if (this.#error !== undefined) throw this.#error
          return undefined
        }
        await this.#change()
      }
    } finally {
      if (!this.#isOver) this.#end(undefined)
    }
  }

  async #reach(level: number): Promise<Level<R>> {
    for (;;) {
      if (this.#current !== undefined && this.#current.level >= level) return this.#current
      if (this.#isOver) throw this.#error ?? this.#shortError(level)
      await this.#change()
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #evaluate(): void {
    if (this.#isOver) return
    let next: Level<R> | undefined
    try {
      next = this.#correct(
        new Replies(this.#call, this.#configuration) as never,
        this.#call.request as never,
        this.#current,
      )
      if (next !== undefined && (typeof next.level !== 'number' || Number.isNaN(next.level))) {
        throw new TypeError('a correctable function must return { value, level, done } or undefined, and no promise')
      }
    } catch (error) {
      this.#end(error)
      return
    }
    if (next === undefined) return
    const hasRisen = this.#current === undefined || next.level > this.#current.level
    if (!hasRisen && !next.done) return
    this.#current = next
    if (next.done) this.#end(undefined)
    else this.#wake()
  }

  #stop(reason: StopReason, cause: unknown): void {
    this.#end(this.#errorFor(reason, cause))
  }

  /** Every node has ended, and nothing was final. */
  #endWithout(): void {
    if (!this.#isOver) this.#end(this.#errorFor(reasonOf(this.#call, this.#failure), undefined))
  }

  #errorFor(reason: StopReason | 'impossible', cause: unknown): QuorumError<Replies<unknown>> {
    const level =
      this.#current === undefined ? 'no level was reached' : `level ${this.#current.level} was reached, not the last`
    return quorumError(this.#call, this.#configuration, reason, level, cause)
  }

  #shortError(level: number): QuorumError<Replies<unknown>> {
    return quorumError(
      this.#call,
      this.#configuration,
      'impossible',
      `level ${level} was asked for, ${this.#current?.level ?? 'none'} was the last`,
      undefined,
    )
  }

  /** The one end: nothing more is wanted of the call, and its servers are told. */
  #end(error: unknown): void {
    this.#isOver = true
    this.#error = error
    this.#call.finish()
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** Level = the number of different members that have replied, done at a majority. */
function countingLevels(configuration: Configuration): (replies: Replies<unknown>) => Level<unknown> {
  const { members } = configuration
  return (replies) => {
    let level = 0
    for (const id of replies.keys()) if (members.includes(id)) level++
    return { value: replies, level, done: level * 2 > members.length }
  }
}
