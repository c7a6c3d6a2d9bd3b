// One call in flight, of any type: what happens to it at each node, and who consumes the answers. All call types are this
// class with another consumer; it is what the channels of its nodes talk to. What is known of it is in call-state.ts.
//
//                 ┌── withdrawn, failed ──► failed
//   idle ─► queued ─► written ─► replied
//     └► skipped          └──► abandoned (settled for the caller, answer still to come) ─► gone

import type { RpcError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import type { OutgoingCall } from '../net/channel-ports.ts'
import { tell } from '../tell.ts'
import { decodeCallHeader } from '../wire/call-header.ts'
import { Kind } from '../wire/frame.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { type Abortable, addAbortable, removeAbortable } from './abort.ts'
import { AnswerHooks } from './answer-hooks.ts'
import {
  answeredError,
  droppedError,
  lostError,
  mismatchError,
  overflowError,
  stopError,
  undecodableError,
} from './call-errors.ts'
import { type CallConsumer, type CallSetup, Fate, type StopReason } from './call-setup.ts'
import { CallState } from './call-state.ts'
import { Inbox } from './inbox.ts'
import type { Response } from './response.ts'

export class Call extends CallState implements OutgoingCall, Abortable {
  /** Nodes at which something is queued, or an answer still to come. */
  #live = 0
  /** Items that came before there was a consumer. */
  #inbox: Inbox | undefined
  #signal: AbortSignal | undefined
  #onSettled: (() => void)[] | undefined
  #isConfirmed = true
  /** Whether it has been in a node's queue. */
  #hasWaited = false
  readonly #hooks: AnswerHooks | undefined

  constructor(setup: CallSetup) {
    super(setup)
    this.#hooks = setup.hooks.length === 0 ? undefined : new AnswerHooks(this, setup.hooks)
  }

  /** Leaves a node out: nothing is sent to it, and it never counts as a reply. */
  skip(position: number): void {
    this.setFate(position, Fate.skipped)
    this.undecided--
  }

  /** Sends to every node that was not skipped, in the order of the configuration. */
  start(signal: AbortSignal | undefined): void {
    if (this.undecided === 0) return
    const { timeoutMs } = this.setup
    if (signal?.aborted) return this.stop('cancelled', signal.reason)
    if (timeoutMs <= 0) return this.stop('deadline', undefined)
    // Most one-way calls are over when they have been sent: they need no place in the table, and no timer.
    if (!this.isOneWay) this.#await()
    const { channels } = this.contacts
    // While it starts it is alive: a node that fails at once must not give back the id that others will answer to.
    this.#live++
    for (let position = 0; position < channels.length; position++) {
      if (this.fateAt(position) === Fate.idle) channels[position]!.send(this)
    }
    this.#live--
    if (this.isOneWay && this.undecided > 0) this.#await()
    if (this.#hasWaited) this.#keepOwnBytes()
    if (signal !== undefined && this.undecided > 0) {
      this.#signal = signal
      addAbortable(signal, this)
    }
    this.#forgetWhenGone()
  }

  /** Answers, the deadline, and whoever closes its configuration find it from here on. */
  #await(): void {
    const { manager, timeoutMs } = this.setup
    manager.calls.set(this.msgID, this)
    manager.deadlines.add(this, timeoutMs)
  }

  /** Nobody waits for the sending of a one-way call: its failures are events. */
  unconfirmed(): void {
    this.#isConfirmed = false
  }

  onQueued(channel: Channel): void {
    const position = this.contacts.positionOf(channel)
    const state = this.fateAt(position)
    if (state === Fate.idle || (this.isOneWay && state === Fate.replied)) this.#enter(channel)
    else if (state !== Fate.written) return
    this.setFate(position, Fate.queued)
    this.setWrittenAt(position, 0)
    this.#hasWaited = true
  }

  onWritten(channel: Channel, now: number): void {
    const position = this.contacts.positionOf(channel)
    const state = this.fateAt(position)
    if (state === Fate.idle) this.#enter(channel)
    this.setWrittenAt(position, now)
    if (!this.isOneWay) {
      this.setFate(position, Fate.written)
      return
    }
    this.#leave(channel)
    this.setFate(position, Fate.replied)
    this.setAnsweredAt(position, now)
    // Written again after the other side had refused it: it was decided the first time.
    if (this.undecided === 0) return this.#forgetWhenGone()
    this.addArrival(position)
    this.undecided--
    this.consumer?.onReply(position)
    this.#forgetWhenGone()
    this.#settleWhenDecided()
  }

  onAnswer(channel: Channel, frame: IncomingFrame): void {
    const { kind } = frame
    const position = this.contacts.positionOf(channel)
    const state = this.fateAt(position)
    if (state !== Fate.written && state !== Fate.abandoned) {
      channel.strayAnswers++
      return
    }
    const now = this.setup.manager.turn.now()
    const isFinal = kind !== Kind.item
    if (isFinal) this.#leave(channel)
    if (state === Fate.abandoned) {
      if (isFinal) this.setFate(position, Fate.failed)
      this.#forgetWhenGone()
      return
    }
    this.setAnsweredAt(position, now)
    channel.noteLatency(now - this.writtenAt(position))
    try {
      if (frame.methodID !== this.methodID || !this.fits(kind))
        this.#fail(position, mismatchError(this.setup, channel.nodeID), isFinal)
      else if (kind === Kind.error) this.#fail(position, answeredError(channel.nodeID, frame), true)
      else if (kind === Kind.end) this.#onEnd(position)
      else this.#onReply(position, isFinal, frame)
    } finally {
      if (isFinal) this.#forgetWhenGone()
    }
    this.#settleWhenDecided()
  }

  onFailed(channel: Channel, error: RpcError): void {
    const position = this.contacts.positionOf(channel)
    if (this.fateAt(position) === Fate.queued) this.#leave(channel)
    if (this.isOneWay && this.answeredAt(position) > 0) {
      this.setFate(position, Fate.failed)
      this.#forgetWhenGone()
      this.setup.defaults.onLost(this, channel.nodeID)
      return
    }
    this.#fail(position, error, true)
    this.#forgetWhenGone()
    this.#settleWhenDecided()
  }

  onLost(channel: Channel, error: RpcError): void {
    const position = this.contacts.positionOf(channel)
    if (this.contacts.channels[position] !== channel) return
    const state = this.fateAt(position)
    if (state !== Fate.written && state !== Fate.abandoned) return
    this.#leave(channel)
    if (state === Fate.abandoned) this.setFate(position, Fate.failed)
    else this.#fail(position, lostError(this.setup, channel, error), true)
    this.#forgetWhenGone()
    this.#settleWhenDecided()
  }

  onSkipped(channel: Channel): void {
    const position = this.contacts.positionOf(channel)
    if (this.fateAt(position) !== Fate.abandoned) return
    this.#leave(channel)
    this.setFate(position, Fate.failed)
    this.#forgetWhenGone()
  }

  onUnacknowledged(channel: Channel): void {
    this.setup.defaults.onLost(this, channel.nodeID)
  }

  onAbort(reason: unknown): void {
    this.stop('cancelled', reason)
  }

  onDeadline(): void {
    this.stop('deadline', undefined)
  }

  /** Gives the call its consumer, and tells it what has happened already, in order. */
  feed(consumer: CallConsumer): void {
    this.consumer = consumer
    const inbox = this.#inbox
    this.#inbox = undefined
    this.unconsumed = 0
    if (inbox !== undefined) inbox.replay(this, consumer)
    else for (let index = 0; index < this.arrived && !this.isDone; index++) consumer.onReply(this.arrivalAt(index))
    if (this.setup.method.isStream) {
      for (const position of this.contacts.positions)
        if (this.fateAt(position) === Fate.replied && !this.isDone) consumer.onEnd(position)
    }
    if (this.stopReason !== undefined && !this.isDone) consumer.onStop(this.stopReason, this.stopCause)
    for (const position of this.contacts.positions) {
      const error = this.errorAt(position)
      if (error !== undefined && !this.isDone) consumer.onFailure(position, error)
    }
    if (this.undecided === 0 && !this.isDone) consumer.onSettled()
  }

  /** The consumer has what it wants. What is still on its way goes on or is cancelled, as the caller said; streams are. */
  finish(): void {
    this.isDone = true
    this.consumer = undefined
    const { method, stragglers } = this.setup
    if (this.undecided > 0 && (method.isStream || stragglers === 'cancel')) this.stop('cancelled', undefined)
  }

  /** Ends the call before its nodes are done. */
  stop(reason: StopReason, cause: unknown): void {
    if (this.undecided === 0) return
    this.stopReason = reason
    this.stopCause = cause
    if (!this.isDone) this.consumer?.onStop(reason, cause)
    const { channels } = this.contacts
    for (let position = 0; position < channels.length; position++)
      this.#stopAt(position, channels[position]!, reason, cause)
    this.#forgetWhenGone()
    this.#settleWhenDecided()
  }

  /**
   * For interceptors, within their `response` hook: sends the call to a node again whose failure says `executed: 'no'`.
   * Throws RangeError for a node that has not just failed so.
   */
  resend(nodeID: string): void {
    this.#hooks?.resend(nodeID)
  }

  /** Calls back when every node is decided; at once when they are. */
  whenSettled(callback: () => void): void {
    if (this.undecided === 0) callback()
    else if (this.#onSettled === undefined) this.#onSettled = [callback]
    else this.#onSettled.push(callback)
  }

  #onReply(position: number, isFinal: boolean, frame: IncomingFrame): void {
    if (this.isDone && this.onResponse === undefined && this.#hooks === undefined) {
      if (isFinal) {
        this.setFate(position, Fate.replied)
        this.undecided--
      }
      return
    }
    let value: unknown
    try {
      value = this.setup.method.reply.decode(frame.bytes, frame.payloadStart, frame.end, frame.isOwned)
      if (frame.hasHeader) {
        this.replyMetadata ??= []
        this.replyMetadata[position] = decodeCallHeader(frame.bytes, frame.headerStart, frame.payloadStart).metadata
      }
    } catch (error) {
      this.#fail(position, undecodableError(this.setup, this.nodeAt(position).id, error), isFinal)
      return
    }
    this.setValue(position, value)
    const objection = this.#hooks?.onReply(position)
    if (objection !== undefined) return this.#object(position, objection, isFinal)
    if (isFinal) {
      this.setFate(position, Fate.replied)
      this.undecided--
    }
    if (isFinal || !this.hasReplied(position)) this.addArrival(position)
    this.#respond(this.replyOf, position)
    if (this.isDone) return
    if (this.consumer !== undefined) this.consumer.onReply(position)
    else if (!isFinal) this.#keepItem(position)
    if (!isFinal && this.unconsumed > this.setup.manager.transport.limits.itemsMax) {
      this.#fail(position, overflowError(this.setup, this.nodeAt(position).id), false)
    }
  }

  /** An interceptor does not let a reply through. A dropped item leaves a stream as it was. */
  #object(position: number, objection: RpcError | 'drop', isFinal: boolean): void {
    if (objection !== 'drop') this.#fail(position, objection, isFinal)
    else if (isFinal) this.#fail(position, droppedError(this.nodeAt(position).id), true)
  }

  #keepItem(position: number): void {
    this.#inbox ??= new Inbox()
    this.#inbox.add(position, this.valueAt(position), this.replyMetadata?.[position])
    this.unconsumed = this.#inbox.size
  }

  #onEnd(position: number): void {
    this.setFate(position, Fate.replied)
    this.undecided--
    if (!this.isDone) this.consumer?.onEnd(position)
  }

  /** A node has failed. Without its final answer (`isFinal` false) the rest of it is cancelled. */
  #fail(position: number, error: RpcError, isFinal: boolean): void {
    const before = this.fateAt(position)
    if (before === Fate.failed || before === Fate.replied || before === Fate.abandoned) return
    if (isFinal && error.executed === 'no' && this.#hooks !== undefined && this.#isResent(position, error)) return
    this.#endAt(position, isFinal)
    this.setError(position, error)
    if (!this.#isConfirmed) this.setup.defaults.onUndelivered(this, this.nodeAt(position).id, error)
    this.#respond(this.failureOf, position)
    if (!this.isDone) this.consumer?.onFailure(position, error)
  }

  #endAt(position: number, isFinal: boolean): void {
    this.setFate(position, isFinal ? Fate.failed : Fate.abandoned)
    if (!isFinal) this.contacts.channels[position]!.cancel(this.msgID, this.methodID)
    this.undecided--
  }

  /** Tells the caller's `onReply`. What it throws is its own matter: it must not end up in the reading of a socket. */
  #respond(responseOf: (position: number) => Response<unknown>, position: number): void {
    const { onResponse } = this
    if (onResponse !== undefined) tell(() => onResponse(responseOf.call(this, position)))
  }

  /** Whether an interceptor has a request that never ran sent again. */
  #isResent(position: number, error: RpcError): boolean {
    if (this.stopReason !== undefined || !this.#hooks!.onFailure(position, error)) return false
    this.setFate(position, Fate.idle)
    // Until it is sent again it keeps its msgID.
    this.#live++
    this.setup.manager.turn.runtime.afterReading(() => this.#sendAgain(position))
    return true
  }

  #sendAgain(position: number): void {
    this.#live--
    if (this.fateAt(position) === Fate.idle) this.contacts.channels[position]!.send(this)
    this.#forgetWhenGone()
  }

  #stopAt(position: number, channel: Channel, reason: StopReason, cause: unknown): void {
    const state = this.fateAt(position)
    if (state !== Fate.idle && state !== Fate.queued && state !== Fate.written) return
    const isWritten = state === Fate.written
    if (state === Fate.queued) {
      this.setFate(position, Fate.idle)
      channel.withdraw(this.frameFor(channel).bytes)
      this.#leave(channel)
    }
    // Very many may be stopped at once behind a node that is silent: errors that nobody is told of are not made.
    if (this.isDone && this.onResponse === undefined) this.#endAt(position, !isWritten)
    else this.#fail(position, stopError(this.setup, channel, reason, cause, isWritten), !isWritten)
  }

  /** It waits for a node, maybe for long: of the buffers that it shares with other calls it keeps its own part only. */
  #keepOwnBytes(): void {
    this.frame = this.frame?.alone
    this.frames = this.frames?.map((frame) => frame?.alone)
  }

  #enter(channel: Channel): void {
    this.#live++
    channel.pending++
  }

  #leave(channel: Channel): void {
    this.#live--
    channel.pending--
  }

  /** Gives the msgID back when no node has anything of it any more. */
  #forgetWhenGone(): void {
    if (this.#live === 0) this.setup.manager.calls.delete(this.msgID)
  }

  #settleWhenDecided(): void {
    if (this.undecided > 0) return
    this.setup.manager.deadlines.remove(this)
    if (this.#signal !== undefined) removeAbortable(this.#signal, this)
    this.#signal = undefined
    if (!this.isDone) this.consumer?.onSettled()
    const callbacks = this.#onSettled
    this.#onSettled = undefined
    if (callbacks !== undefined) for (const callback of callbacks) tell(callback)
  }
}
