// The ends of a call: consumers that settle one promise. A single reply, every node decided, a quorum reached, a quorum
// function satisfied.

import { QuorumError, type QuorumErrorReason, RpcError, traceless } from '../errors.ts'
import type { Tally } from '../quorum/index.ts'
import type { Call } from './call.ts'
import { type CallConsumer, Fate, type StopReason } from './call-setup.ts'
import type { Configuration } from './configuration.ts'
import { Replies } from './response.ts'

/** What settles the promise that was made last: one executor for all of them. */
let settle: (value: never) => void = ignore
function capture(resolve: (value: never) => void): void {
  settle = resolve
}
function ignore(): void {}

/** Settles a promise with what a call brings. */
abstract class Terminal<R> implements CallConsumer {
  readonly promise: Promise<R>
  protected readonly call: Call
  readonly #settle: (value: R | Promise<never>) => void

  constructor(call: Call) {
    this.call = call
    this.promise = new Promise<R>(capture)
    this.#settle = settle as (value: R | Promise<never>) => void
  }

  abstract onReply(position: number): void
  abstract onFailure(position: number, error: RpcError): void
  abstract onStop(reason: StopReason, cause: unknown): void
  abstract onSettled(): void
  onEnd(_position: number): void {}

  protected resolve(value: R): void {
    this.#settle(value)
    this.call.finish()
  }

  protected reject(error: unknown): void {
    // Asking for a result and not waiting for it is no reason to end the process.
    this.promise.catch(ignore)
    // A function of its own for this would be kept by every call that waits.
    this.#settle(Promise.reject(error))
    this.call.finish()
  }
}

/** The reply of one node: an RPC, or a one-way call to one node. */
export class SingleTerminal extends Terminal<unknown> {
  onReply(position: number): void {
    this.resolve(this.call.isOneWay ? undefined : this.call.valueAt(position))
  }

  onFailure(_position: number, error: RpcError): void {
    this.reject(error)
  }

  // The node's own failure says it all.
  onStop(): void {}

  onSettled(): void {
    const { id } = this.call.nodeAt(0)
    const text = `${this.call.setup.method.fullName}: an interceptor skipped node ${id}`
    this.reject(new RpcError('cancelled', text, { nodeID: id, executed: 'no' }))
  }
}

/** Every node decided, none failed: a multicast. */
export class DeliveryTerminal extends Terminal<void> {
  onReply(): void {}
  onFailure(): void {}
  onStop(): void {}

  onSettled(): void {
    const { call } = this
    const { length: nodes } = call.contacts.nodes
    const { skipped } = call
    if (!call.hasFailed && skipped < nodes) return this.resolve(undefined)
    const reason = call.stopReason ?? 'impossible'
    const what =
      skipped === nodes
        ? nodes === 0
          ? 'there is no node to send to'
          : 'every node was skipped'
        : `sent to ${call.arrived} of ${nodes - skipped} nodes`
    this.reject(callError(call, undefined, reason, `not sent to every node (${what}`, undefined))
  }
}

/** What a tally decides over, when it is not the members: the nodes that were contacted. */
export interface Decision<R> {
  readonly tally: Tally
  /** The position in the tally of each node of the call; -1 for one that does not count. */
  readonly positions: readonly number[]
  /** For messages: `needs 3 of 5`. */
  readonly needed: string
  /** Asked when the tally is reached; undefined means not yet: the next reply asks again. */
  conclude(call: Call, configuration: Configuration | undefined): Concluded<R> | undefined
}

/** A result in a box: it may be undefined in itself. */
export interface Concluded<R> {
  readonly result: R
}

export function concluded<R>(result: R): Concluded<R> {
  return { result }
}

/** A quorum, as a tally decides it. */
export class QuorumTerminal<R> extends Terminal<R> {
  readonly #tally: Tally
  readonly #positions: readonly number[]
  readonly #needed: string
  readonly #conclude: Decision<R>['conclude']
  readonly #configuration: Configuration | undefined
  /** Which nodes have been counted, where a node may reply more than once. */
  readonly #counted: boolean[] | undefined
  #failure: RpcError | undefined
  #isConcluded = false

  constructor(
    call: Call,
    configuration: Configuration | undefined,
    { tally, positions, needed, conclude }: Decision<R>,
  ) {
    super(call)
    this.#configuration = configuration
    this.#tally = tally
    this.#positions = positions
    this.#needed = needed
    this.#conclude = conclude
    this.#counted = call.setup.method.isStream ? [] : undefined
    for (const position of call.contacts.positions)
      if (call.fateAt(position) === Fate.skipped) this.#countFailure(position)
  }

  /** Decides on what is known before any answer: a quorum may be impossible from the start. */
  begin(): void {
    this.#decide()
  }

  onReply(position: number): void {
    const index = this.#positions[position]!
    if (index >= 0 && this.#isFirst(position)) {
      try {
        this.#tally.reply(index)
      } catch (error) {
        // A caller's own comparison of replies has thrown.
        this.#isConcluded = true
        return this.reject(error)
      }
    }
    this.#decide()
  }

  onFailure(position: number, error: RpcError): void {
    this.#countFailure(position)
    this.#failure = error
    this.#decide()
  }

  override onEnd(position: number): void {
    // A node that ended without an item is not a reply.
    if (this.call.hasReplied(position)) return
    this.#countFailure(position)
    this.#decide()
  }

  onStop(reason: StopReason, cause: unknown): void {
    this.#rejectFor(reason, cause)
  }

  onSettled(): void {
    if (!this.#isConcluded) this.#rejectFor(reasonOf(this.call, this.#failure), undefined)
  }

  #countFailure(position: number): void {
    const index = this.#positions[position]!
    if (index >= 0 && this.#isFirst(position)) this.#tally.fail(index)
  }

  /** Whether a node has not been counted yet. It is from now on. */
  #isFirst(position: number): boolean {
    const counted = this.#counted
    if (counted === undefined) return true
    if (counted[position] === true) return false
    counted[position] = true
    return true
  }

  #decide(): void {
    if (this.#isConcluded) return
    const { state } = this.#tally
    if (state === 'impossible') this.#rejectFor(reasonOf(this.call, this.#failure), undefined)
    if (state !== 'reached') return
    let conclusion: Concluded<R> | undefined
    try {
      conclusion = this.#conclude(this.call, this.#configuration)
    } catch (error) {
      this.#isConcluded = true
      this.reject(error)
      return
    }
    if (conclusion === undefined) return
    this.#isConcluded = true
    this.resolve(conclusion.result)
    this.call.forgetReplies()
  }

  #rejectFor(reason: QuorumErrorReason, cause: unknown): void {
    if (this.#isConcluded) return
    this.#isConcluded = true
    this.reject(quorumError(this.call, this.#configuration, reason, this.#needed, cause))
    this.call.forgetReplies()
  }
}

/** Timers of two processes may differ by this much over one deadline, ms. */
const CLOCK_SLACK_MS = 5

/**
 * Why a call has failed when this was its last failure. A node may notice the deadline that travelled with the request a
 * moment before its caller does; a handler that says `deadline_exceeded` of something else has only failed.
 */
export function reasonOf(call: Call, failure: RpcError | undefined): 'impossible' | 'deadline' {
  const isOver = call.setup.manager.turn.now() >= call.dueAt - CLOCK_SLACK_MS
  return isOver && failure?.code === 'deadline_exceeded' ? 'deadline' : 'impossible'
}

const REASONS: Record<QuorumErrorReason, string> = {
  impossible: 'the quorum has become impossible',
  deadline: 'the deadline has passed',
  cancelled: 'cancelled by the caller',
  closed: 'the configuration is closed',
}

/** The error of a call that needed a quorum, or another number of replies: `needed` says which. */
export function quorumError(
  call: Call,
  configuration: Configuration | undefined,
  reason: QuorumErrorReason,
  needed: string,
  cause: unknown,
): QuorumError<Replies<unknown>> {
  const within = reason === 'deadline' ? ` within ${call.setup.timeoutMs} ms` : ''
  const what = `${REASONS[reason]} (${needed}; ${call.arrived} replied${within}`
  return callError(call, configuration, reason, what, cause)
}

/** The error of a call on a configuration: who answered, who failed and why, who is silent. `what` opens a parenthesis. */
function callError(
  call: Call,
  configuration: Configuration | undefined,
  reason: QuorumErrorReason,
  what: string,
  cause: unknown,
): QuorumError<Replies<unknown>> {
  const replies = new Replies<unknown>(call, configuration)
  const { errors, pending } = replies
  const parts = [`${call.setup.method.fullName}: ${what}`]
  if (errors.size > 0) parts.push(`failed: ${[...errors].map(([id, error]) => `${id}: ${error.code}`).join(', ')}`)
  const silence = call.setup.method.isStream ? 'not ended' : 'no answer'
  if (pending.length > 0) parts.push(`${silence}: ${pending.join(', ')}`)
  const absent = call.contacts.members.filter((id) => !call.contacts.nodes.some((node) => node.id === id))
  if (absent.length > 0) parts.push(`not contacted: ${absent.join(', ')}`)
  const first = [...errors.values()][0]
  const message = `${parts.join('; ')})${first === undefined ? '' : `. First failure: ${first.message}`}`
  const why = cause ?? (reason === 'impossible' ? first : undefined)
  return traceless(() => new QuorumError(message, { reason, errors, replies, pending, cause: why }))
}
