// The lane of one peer: its requests start in the order in which it sent them; the next starts when the running one has
// returned or released. Answers never pass through here on their way in, so they never wait behind requests.

import { ProtocolViolation, type RpcError, tracelessError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import type { RequestReceiver } from '../net/channel-ports.ts'
import type { Expiring } from '../net/deadlines.ts'
import type { NodeManager } from '../net/node-manager.ts'
import type { Laborious } from '../net/turn.ts'
import { decodeCallHeader, isPlainHeader, readTimeout } from '../wire/call-header.ts'
import { Deque } from '../wire/deque.ts'
import { Kind } from '../wire/frame.ts'
import type { QueuedFrame } from '../wire/frame-chunk.ts'
import { FrameQueue } from '../wire/frame-queue.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import { Answers, type Refusal } from './answers.ts'
import { messageOf } from './call-errors.ts'
import type { Configuration } from './configuration.ts'
import { ServedRequest } from './context.ts'
import { ItemPump } from './item-pump.ts'
import type { Node } from './node.ts'
import type { Registry } from './registry.ts'
import type { BoundMethod } from './service.ts'

/** Whose lanes they are. */
export interface LaneOwner {
  readonly manager: NodeManager
  readonly registry: Registry
  /** The members, on a replica. */
  readonly configuration: Configuration | undefined
  peerOf(channel: Channel): Node
  /** Handlers that have started and hold their lane, and requests that wait behind them: for messages. */
  readonly laneCounts: LaneCounts
}

export interface LaneCounts {
  unreleased: number
  waiting: number
}

export class Lane implements RequestReceiver, Laborious {
  readonly #owner: LaneOwner
  readonly #channel: Channel
  readonly #answers: Answers
  /** Requests that wait, in order. */
  readonly #waiting = new FrameQueue()
  /** Requests whose handlers run, by msgID. */
  readonly #unanswered = new Map<number, ServedRequest>()
  readonly #oneWays = new Set<ServedRequest>()
  readonly #pumps = new Set<ItemPump>()
  #holder: ServedRequest | undefined
  #isStarting = false
  /** A slice of starting is over: the next requests start when others have been served. */
  #isBehind = false
  #running = 0
  /** What finished while answers pile up: answered when there is room again. */
  readonly #finished = new Deque<() => void>()
  /** Bytes of refused requests that are given back when there is room for answers again. */
  #heldBytes = 0
  /** Grows when the session ends: answers to requests from before are not sent. */
  #generation = 0
  #whenIdle: (() => void)[] = []

  constructor(owner: LaneOwner, channel: Channel) {
    this.#owner = owner
    this.#channel = channel
    this.#answers = new Answers(channel, owner.manager)
  }

  get peer(): Node {
    return this.#owner.peerOf(this.#channel)
  }

  get configuration(): Configuration {
    const { configuration } = this.#owner
    if (configuration === undefined) throw new TypeError('this server is no replica: it has no configuration')
    return configuration
  }

  get unfinished(): number {
    return this.#running + this.#waiting.length
  }

  whenIdle(callback: () => void): void {
    if (this.unfinished === 0) callback()
    else this.#whenIdle.push(callback)
  }

  now(): number {
    return this.#owner.manager.turn.now()
  }

  wallTime(): number {
    return this.#owner.manager.turn.runtime.wallTime()
  }

  watchDeadline(deadline: Expiring, remainingMs: number): void {
    this.#owner.manager.deadlines.add(deadline, remainingMs)
  }

  unwatchDeadline(deadline: Expiring): void {
    this.#owner.manager.deadlines.remove(deadline)
  }

  onRequest(frame: IncomingFrame): void {
    const { msgID } = frame
    const isOneWay = frame.kind === Kind.oneway
    if (!isOneWay && (this.#unanswered.has(msgID) || this.#waiting.has(msgID))) {
      throw new ProtocolViolation(`REQUEST reuses msgID ${msgID} of an unfinished one`)
    }
    const refusal = this.#admit(frame, isOneWay)
    if (refusal !== undefined) this.#refuse(isOneWay, msgID, frame.methodID, frame.frameBytes, refusal)
  }

  /** Starts what a frame asks for, or has it wait; or returns why no handler will see it. */
  #admit(frame: IncomingFrame, isOneWay: boolean): Refusal | undefined {
    const { registry, manager } = this.#owner
    const method = registry.get(frame.methodID)
    if (method === undefined)
      return { code: 'unimplemented', message: `method ${registry.nameOf(frame.methodID)} is not implemented` }
    const { bound } = method
    if (bound.isOneWay !== isOneWay)
      return { code: 'invalid_argument', message: `${bound.fullName} is ${bound.isOneWay ? '' : 'not '}one-way` }
    const { handlersMax } = manager.transport.limits
    if (!isOneWay && this.#running >= handlersMax) {
      const message = `${handlersMax} handlers run for this peer already (handlersMax)`
      return { code: 'resource_exhausted', message }
    }
    const { bytes, headerStart, payloadStart } = frame
    let timeoutMs: number
    let metadata = NO_METADATA
    try {
      if (isPlainHeader(bytes, headerStart, payloadStart)) timeoutMs = readTimeout(bytes, headerStart, payloadStart)
      else ({ timeoutMs, metadata } = decodeCallHeader(bytes, headerStart, payloadStart))
    } catch (error) {
      return undecodable(bound, error)
    }
    const expiresAt = timeoutMs === 0 ? Infinity : this.now() + timeoutMs
    if (this.#waiting.length === 0 && !this.#isStarting && this.#mayStart(isOneWay)) {
      this.#isStarting = true
      this.#start(new ServedRequest(this, method, frame, metadata, expiresAt), frame)
      this.#isStarting = false
    } else {
      this.#waiting.push(frame, expiresAt)
      this.#owner.laneCounts.waiting++
    }
    if (this.#waiting.length > 0 && this.#holder === undefined) this.#startNext()
    return undefined
  }

  onCancel(msgID: number): void {
    const withdrawn = this.#waiting.withdraw(msgID)
    if (withdrawn === undefined) {
      const context = this.#unanswered.get(msgID)
      context?.abort(tracelessError('cancelled', cancelled(context.method.bound)))
      return
    }
    const { methodID, frameBytes } = withdrawn
    this.#left(1)
    const { bound } = this.#owner.registry.get(methodID)!
    this.#refuse(false, msgID, methodID, frameBytes, { code: 'cancelled', message: cancelled(bound) })
    this.#noteIdle()
  }

  onRoom(): void {
    if (this.#heldBytes > 0 && !this.#channel.isCongested) {
      this.#channel.requestStarted(this.#heldBytes)
      this.#heldBytes = 0
    }
    while (this.#finished.length > 0 && !this.#channel.isCongested) this.#finished.shift()!()
    this.#startNext()
    for (const pump of [...this.#pumps]) pump.goOn()
  }

  onDrained(frame: IncomingFrame): void {
    const message = 'this side is shutting down and accepts no more requests'
    const refusal: Refusal = { code: 'unavailable', message }
    this.#refuse(frame.kind === Kind.oneway, frame.msgID, frame.methodID, frame.frameBytes, refusal)
  }

  onLost(reason: RpcError): void {
    this.#generation++
    this.#heldBytes = 0
    this.#left(this.#waiting.length)
    this.#waiting.clear()
    for (const context of [...this.#unanswered.values(), ...this.#oneWays]) context.abort(reason)
    this.#unanswered.clear()
    for (let finish = this.#finished.shift(); finish !== undefined; finish = this.#finished.shift()) finish()
    this.#unhold()
    this.#noteIdle()
  }

  /** A handler lets the next request start. */
  release(context: ServedRequest): void {
    if (this.#holder !== context) return
    this.#unhold()
    this.#startNext()
  }

  #unhold(): void {
    if (this.#holder === undefined) return
    this.#holder = undefined
    this.#owner.laneCounts.unreleased--
  }

  /** So many do not wait any more. */
  #left(count: number): void {
    this.#owner.laneCounts.waiting -= count
  }

  #mayStart(isOneWay: boolean): boolean {
    if (this.#holder !== undefined || this.#channel.isCongested) return false
    return !isOneWay || this.#running < this.#owner.manager.transport.limits.handlersMax
  }

  /** Starts what may start. A handler that releases at once does not start the next within itself. */
  #startNext(): void {
    if (this.#isStarting || this.#isBehind) return
    this.#isBehind = this.#startSlice()
    if (this.#isBehind) this.#owner.manager.turn.goOnLater(this)
  }

  goOn(): boolean {
    this.#isBehind = this.#startSlice()
    return this.#isBehind
  }

  /** Starts what may start within a slice; returns whether there may be more. */
  #startSlice(): boolean {
    this.#isStarting = true
    let isOver = false
    for (let frame = this.#waiting.first(); frame !== undefined && !isOver; frame = this.#waiting.first()) {
      const { frameBytes } = frame
      if (!this.#mayStart(frame.kind === Kind.oneway)) break
      this.#waiting.shift()
      this.#left(1)
      this.#startWaiting(frame)
      isOver = this.#owner.manager.turn.isSliceOver(frameBytes)
    }
    this.#isStarting = false
    return isOver && this.#waiting.length > 0
  }

  #startWaiting(frame: QueuedFrame): void {
    const { kind, msgID, methodID, frameBytes, dueAt } = frame
    const method = this.#owner.registry.get(methodID)!
    if (dueAt <= this.now()) {
      const message = `${method.bound.fullName}: the deadline passed while the request waited in its lane`
      this.#refuse(kind === Kind.oneway, msgID, methodID, frameBytes, { code: 'deadline_exceeded', message })
      return this.#noteIdle()
    }
    const { bytes, headerStart, payloadStart } = frame
    const metadata = isPlainHeader(bytes, headerStart, payloadStart)
      ? NO_METADATA
      : decodeCallHeader(bytes, headerStart, payloadStart).metadata
    this.#start(new ServedRequest(this, method, frame, metadata, dueAt), frame)
  }

  /** Decodes a request and starts its handler. Whatever that or its result throws ends in its own answer. */
  #start(context: ServedRequest, { bytes, payloadStart, end, isOwned }: IncomingFrame): void {
    const generation = this.#generation
    let request: unknown
    try {
      request = context.method.bound.request.decode(bytes, payloadStart, end, isOwned)
    } catch (error) {
      context.finish()
      const { msgID, frameBytes, method, isOneWay } = context
      this.#refuse(isOneWay, msgID, method.bound.methodID, frameBytes, undecodable(method.bound, error))
      return this.#noteIdle()
    }
    this.#channel.requestStarted(context.frameBytes)
    this.#running++
    if (!context.method.bound.concurrent) {
      this.#holder = context
      this.#owner.laneCounts.unreleased++
    }
    try {
      const result = context.method.invoke(request, context)
      if (context.method.bound.isStream) this.#stream(context, generation, result)
      else if (isThenable(result)) this.#await(context, generation, result)
      else this.#finish(context, generation, result, undefined)
    } catch (error) {
      this.#finish(context, generation, undefined, error ?? NO_REASON)
    }
  }

  #await(context: ServedRequest, generation: number, result: PromiseLike<unknown>): void {
    this.#track(context)
    result.then(
      (value) => this.#finishLater(context, generation, value, undefined),
      (error: unknown) => this.#finishLater(context, generation, undefined, error ?? NO_REASON),
    )
  }

  #stream(context: ServedRequest, generation: number, result: unknown): void {
    this.#track(context)
    const { turn } = this.#owner.manager
    const pump = new ItemPump(result, {
      send: (item) => (generation === this.#generation ? this.#answers.item(context, item) : 0),
      hasRoom: () => this.#channel.hasItemRoom,
      beginSlice: () => turn.now(),
      isSliceOver: (bytes) => turn.isSliceOver(bytes),
      later: (callback) => turn.goOnLater({ goOn: () => callback() ?? false }),
      onEnd: (error) => {
        this.#pumps.delete(pump)
        this.#finishLater(context, generation, STREAM_END, error)
      },
    })
    this.#pumps.add(pump)
    context.tellAborted(pump)
    pump.goOn()
  }

  #track(context: ServedRequest): void {
    if (context.isOneWay) this.#oneWays.add(context)
    else this.#unanswered.set(context.msgID, context)
  }

  #finishLater(context: ServedRequest, generation: number, value: unknown, error: unknown): void {
    this.#finish(context, generation, value, error)
    this.#startNext()
  }

  /** A handler has finished: its answer is sent if anybody waits for it, and its turn is over. */
  #finish(context: ServedRequest, generation: number, value: unknown, error: unknown): void {
    if (context.isFinished) return
    if (this.#channel.isCongested && generation === this.#generation) {
      this.#track(context)
      this.#finished.push(() => this.#finish(context, generation, value, error))
      return
    }
    this.#running--
    if (generation === this.#generation) {
      if (this.#unanswered.size > 0) this.#unanswered.delete(context.msgID)
      if (context.isOneWay) this.#answers.report(context, error)
      else if (error !== undefined) this.#answers.error(context, error)
      else if (value === STREAM_END) this.#answers.end(context)
      else this.#answers.reply(context, value)
    }
    context.finish()
    if (this.#oneWays.size > 0) this.#oneWays.delete(context)
    if (this.#holder === context) this.#unhold()
    this.#noteIdle()
  }

  /** Answers a request that no handler has seen. */
  #refuse(isOneWay: boolean, msgID: number, methodID: number, frameBytes: number, refusal: Refusal): void {
    // While answers pile up no request bytes are given back, also not those of requests that are refused.
    if (this.#channel.isCongested) this.#heldBytes += frameBytes
    else this.#channel.requestStarted(frameBytes)
    if (!isOneWay) return this.#answers.refusal(msgID, methodID, refusal)
    const { logger } = this.#owner.manager.transport
    logger.warn?.(`a one-way request of ${this.#channel.nodeID} was dropped: ${refusal.message}`)
  }

  #noteIdle(): void {
    if (this.#whenIdle.length === 0 || this.unfinished > 0) return
    const callbacks = this.#whenIdle
    this.#whenIdle = []
    for (const callback of callbacks) callback()
  }
}

/** Stands for the value of a stream that has ended: nothing is encoded for it. */
const STREAM_END = Symbol('end of stream')
/** Stands for a rejection without a reason. */
const NO_REASON = new Error('rejected without a reason')

function cancelled({ fullName }: BoundMethod): string {
  return `${fullName}: the caller has cancelled`
}

function undecodable({ fullName }: BoundMethod, error: unknown): Refusal {
  return { code: 'invalid_argument', message: `${fullName}: the request can not be decoded: ${messageOf(error)}` }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
