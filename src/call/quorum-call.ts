// What a quorum call gives its caller: an object with one end to choose (a quorum, a function, an iteration, levels). The
// call itself has been sent by then.

import { isDeepStrictEqual } from 'node:util'
import { type BoundQuorum, type QuorumSystem, quorum, type Tally } from '../quorum/index.ts'
import type { Call } from './call.ts'
import type { CallConsumer } from './call-setup.ts'
import type { Configuration } from './configuration.ts'
import { Correctable, type CorrectableFunction } from './correctable.ts'
import { type CallRecord, recordOf } from './record.ts'
import { Replies, type Response } from './response.ts'
import { ResponseIterator } from './response-iterator.ts'
import { type Concluded, concluded, type Decision, QuorumTerminal } from './terminal.ts'

/** Looks at the replies so far; undefined means not yet. Runs synchronously. */
export type QuorumFunction<Request, Reply, R> = (replies: Replies<Reply>, request: Request) => R | undefined

/** What a client declared for a method: see ClientOptions. */
export interface Declared {
  readonly quorum: BoundQuorum | undefined
  readonly function: QuorumFunction<never, never, unknown> | undefined
}

/**
 * A quorum call in flight. It was sent when the method was called. Choose one end: a terminal (`majority()`, `all()`, …),
 * `reduce`, `result`, iteration, or `correctable`; a second use throws. It is not a promise: an accidental `await`
 * rejects with a hint. A call whose result nobody asks for goes on and causes no unhandled rejection.
 */
export class QuorumCall<Request, Reply, Result = never> implements AsyncIterable<Response<Reply>> {
  readonly #call: Call
  readonly #configuration: Configuration
  readonly #declared: Declared
  #use: string | undefined
  #settled: Promise<CallRecord> | undefined

  /** Quorum calls are made by clients. */
  constructor(call: Call, configuration: Configuration, declared: Declared) {
    this.#call = call
    this.#configuration = configuration
    this.#declared = declared
  }

  /** Resolves with the replies once more than half of the members have replied. Rejects with QuorumError. */
  majority(): Promise<Replies<Reply>> {
    // The clients of a server may be nobody at the moment: no fault of the program.
    if (this.#configuration.members.length === 0) return this.all()
    return this.#decide('majority()', this.#configuration.bind(MAJORITY), concludeReplies<Reply>)
  }

  /** Resolves with the replies once `k` members have replied. Throws RangeError unless 1 ≤ k ≤ members. */
  threshold(k: number): Promise<Replies<Reply>> {
    return this.#decide(
      `threshold(${k})`,
      quorum.threshold(k).bind(this.#call.contacts.members),
      concludeReplies<Reply>,
    )
  }

  /** Resolves with the replies once the replied members are a quorum of `system`. Throws RangeError when it does not fit. */
  quorum(system: QuorumSystem): Promise<Replies<Reply>> {
    return this.#decide(`quorum(${system.name})`, this.#configuration.bind(system), concludeReplies<Reply>)
  }

  /** Resolves with the replies once every contacted node that was not skipped has replied. */
  all(): Promise<Replies<Reply>> {
    const nodes = this.#call.contacts.nodes.length
    return this.#run('all()', {
      tally: new CountingTally(nodes - this.#call.skipped, nodes),
      positions: this.#call.contacts.positions,
      needed: nodes === 0 ? 'there is no node to ask' : 'needs every node that was contacted',
      conclude: concludeReplies<Reply>,
    })
  }

  /** Resolves with the first reply. */
  first(): Promise<Reply> {
    const nodes = this.#call.contacts.nodes.length
    return this.#run('first()', {
      tally: new CountingTally(1, nodes),
      positions: this.#call.contacts.positions,
      needed: 'needs one reply',
      conclude: () => concluded(this.#call.valueAt(this.#call.arrivalAt(0)) as Reply),
    })
  }

  /**
   * Resolves with a reply that `k` members have given alike: equal by `equal`, by default deeply. Throws RangeError unless
   * 1 ≤ k ≤ members.
   */
  matching(k: number, equal: (one: Reply, other: Reply) => boolean = isDeepStrictEqual): Promise<Reply> {
    quorum.threshold(k).bind(this.#call.contacts.members)
    if (typeof equal !== 'function') throw new TypeError('matching() takes a function that compares two replies')
    const call = this.#call
    const tally = new MatchingTally<Reply>(
      k,
      call.contacts.nodes.length,
      (position) => call.valueAt(position) as Reply,
      equal,
    )
    return this.#run(`matching(${k})`, {
      tally,
      positions: call.contacts.memberPositions.map((member, position) => (member < 0 ? -1 : position)),
      needed: `needs ${k} equal replies of ${call.contacts.members.length} members`,
      conclude: () => concluded(tally.matched as Reply),
    })
  }

  /**
   * Resolves with what `quorumFunction` returns: it sees the replies so far after each reply, and returns undefined for
   * "not yet". What it throws, this rejects with; a promise from it is a TypeError. With a declared quorum it first runs
   * once the quorum holds.
   */
  reduce<R>(
    quorumFunction: (replies: Replies<Reply>, request: Request) => R | undefined,
  ): Promise<Exclude<R, undefined>> {
    if (typeof quorumFunction !== 'function') throw new TypeError('reduce() takes a quorum function')
    return this.#reduce('reduce()', quorumFunction as QuorumFunction<never, never, R>) as Promise<Exclude<R, undefined>>
  }

  /** Resolves with what the client's declared function (`functions`) or quorum (`quorum`) gives. */
  result(): Promise<Result> {
    const { function: declared, quorum: system } = this.#declared
    if (declared !== undefined) return this.#reduce('result()', declared) as Promise<Result>
    if (system !== undefined) return this.#decide('result()', system, concludeReplies<Reply>) as Promise<Result>
    throw new TypeError(`result() needs a quorum or a function for this method: client(Service, { quorum, functions })`)
  }

  /**
   * One response per contacted node, in order of arrival (on a stream: one per item), failures included. Never throws; ends
   * when every node is decided. Leaving the loop follows the straggler policy; on a stream it cancels.
   */
  [Symbol.asyncIterator](): AsyncIterator<Response<Reply>, undefined> {
    const iterator = new ResponseIterator<Reply>(this.#call)
    this.#consume('iteration', iterator)
    return iterator
  }

  /**
   * Levels of confidence: yields whenever `correct` raises the level, ends when it says `done`, or throws QuorumError when
   * every node has ended without. Default: the level is the number of members that have replied, done at a majority.
   * A function that reads `last` says what its values are: `correctable<Value>(…)`.
   */
  correctable(): Correctable<Replies<Reply>>
  correctable<R>(correct: CorrectableFunction<Request, Reply, R>): Correctable<R>
  correctable<R>(correct?: CorrectableFunction<Request, Reply, R>): Correctable<R> {
    if (correct !== undefined && typeof correct !== 'function') throw new TypeError('correctable() takes a function')
    const correctable = new Correctable<R>(
      this.#call,
      this.#configuration,
      correct as CorrectableFunction<never, never, R> | undefined,
    )
    this.#consume('correctable()', correctable.consumer)
    return correctable
  }

  /** What happened at each node, and when; resolves when every node is decided, never rejects. */
  get settled(): Promise<CallRecord> {
    this.#settled ??= new Promise((resolve) => this.#call.whenSettled(() => resolve(recordOf(this.#call))))
    return this.#settled
  }

  /** A hint for who awaits the call itself: a type error, and a rejection. */
  // biome-ignore lint/suspicious/noThenProperty: it is there to reject an accidental await
  get then(): (hint: 'a QuorumCall is not a promise: choose majority(), all(), reduce(), …') => void {
    return rejectAwait as never
  }

  #reduce<R>(use: string, quorumFunction: QuorumFunction<never, never, R>): Promise<R> {
    const system = this.#declared.quorum
    const conclude = (): Concluded<R> | undefined => {
      if (this.#call.arrived === 0) return undefined
      const replies = new Replies<Reply>(this.#call, this.#configuration)
      const result = quorumFunction(replies as never, this.#call.request as never)
      if (isThenable(result))
        throw new TypeError(`${this.#call.setup.method.fullName}: a quorum function must not return a promise`)
      return result === undefined ? undefined : concluded(result)
    }
    if (system !== undefined) return this.#decide(use, system, conclude)
    const nodes = this.#call.contacts.nodes.length
    return this.#run(use, {
      tally: new CountingTally(0, nodes),
      positions: this.#call.contacts.positions,
      needed: 'the quorum function was not satisfied',
      conclude,
    })
  }

  /** Ends with a quorum of the members. Members that are not contacted can never reply. */
  #decide<R>(use: string, system: BoundQuorum, conclude: Decision<R>['conclude']): Promise<R> {
    const { contacts } = this.#call
    const tally = system.tally()
    if (!contacts.isWhole) {
      for (let member = 0; member < contacts.members.length; member++)
        if (!contacts.memberPositions.includes(member)) tally.fail(member)
    }
    return this.#run(use, { tally, positions: contacts.memberPositions, needed: system.needed, conclude })
  }

  #run<R>(use: string, decision: Decision<R>): Promise<R> {
    const terminal = new QuorumTerminal<R>(this.#call, this.#configuration, decision)
    this.#consume(use, terminal)
    terminal.begin()
    return terminal.promise
  }

  /** Gives the call to its one consumer, and tells it what has happened already. */
  #consume(use: string, consumer: CallConsumer): void {
    if (this.#use !== undefined)
      throw new TypeError(
        `${this.#call.setup.method.fullName}: ${use} after ${this.#use}: a call feeds one terminal or one iteration`,
      )
    this.#use = use
    this.#call.feed(consumer)
  }
}

const MAJORITY = quorum.majority()

/** Ends with the replies so far. */
function concludeReplies<Reply>(call: Call, configuration: Configuration | undefined): Concluded<Replies<Reply>> {
  return concluded(new Replies<Reply>(call, configuration))
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function rejectAwait(_resolve: unknown, reject: (error: Error) => void): void {
  reject(
    new TypeError(
      'a QuorumCall is not a promise: choose what to wait for, as in await client.read(request).majority()',
    ),
  )
}

/** Counts to `needed` of `total`. */
class CountingTally implements Tally {
  readonly #needed: number
  readonly #total: number
  #replied = 0
  #failed = 0

  constructor(needed: number, total: number) {
    this.#needed = needed
    this.#total = total
  }

  get state(): 'pending' | 'reached' | 'impossible' {
    if (this.#total === this.#failed) return 'impossible'
    if (this.#replied >= this.#needed) return 'reached'
    return this.#total - this.#failed < this.#needed ? 'impossible' : 'pending'
  }

  reply(): void {
    this.#replied++
  }

  fail(): void {
    this.#failed++
  }
}

/** Looks for `k` equal replies; quadratic in the number of different ones. */
class MatchingTally<T> implements Tally {
  matched: T | undefined
  readonly #k: number
  readonly #valueAt: (position: number) => T
  readonly #equal: (one: T, other: T) => boolean
  readonly #groups: { value: T; count: number }[] = []
  #left: number
  #isReached = false

  constructor(k: number, nodes: number, valueAt: (position: number) => T, equal: (one: T, other: T) => boolean) {
    this.#k = k
    this.#left = nodes
    this.#valueAt = valueAt
    this.#equal = equal
  }

  get state(): 'pending' | 'reached' | 'impossible' {
    if (this.#isReached) return 'reached'
    const largest = this.#groups.reduce((most, group) => Math.max(most, group.count), 0)
    return largest + this.#left < this.#k ? 'impossible' : 'pending'
  }

  reply(position: number): void {
    this.#left--
    const value = this.#valueAt(position)
    let group = this.#groups.find((each) => this.#equal(each.value, value))
    if (group === undefined) {
      group = { value, count: 0 }
      this.#groups.push(group)
    }
    if (++group.count < this.#k || this.#isReached) return
    this.#isReached = true
    this.matched = group.value
  }

  fail(): void {
    this.#left--
  }
}
