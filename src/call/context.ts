// What a handler is given beside its request, and the life of one request on the serving side: running, released, finished.

import { type Metadata, type RpcError, tracelessError } from '../errors.ts'
import { Expiring } from '../net/deadlines.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { checkMetadata } from '../wire/metadata.ts'
import type { Abortable } from './abort.ts'
import type { Configuration } from './configuration.ts'
import type { Lane } from './lane.ts'
import type { Node } from './node.ts'
import type { RegisteredMethod } from './registry.ts'

/** What a handler is given beside its request. */
export interface Context {
  /** Who called: `peer.client(Service)` calls back over its connection. */
  readonly peer: Node
  /** What travelled with the request. */
  readonly metadata: Metadata
  /** What will travel with the reply (and with an error): set keys before the handler returns. */
  readonly replyMetadata: Record<string, string | Uint8Array>
  /** Aborts when the caller cancels, its deadline passes, or the session with it ends. The reason is an RpcError. */
  readonly signal: AbortSignal
  /** When the caller stops waiting, as a time of `Date.now()`; Infinity when it does not. */
  readonly deadline: number
  /** The remaining time of the call, ms: what to pass on as `timeoutMs` to calls that the handler makes. Infinity without a deadline. */
  readonly remainingMs: number
  /** The members, on a replica. Throws TypeError on a server that has none. */
  readonly configuration: Configuration
  /** Lets the next request of this peer start before this handler has finished. Further calls do nothing. */
  release(): void
}

/** One request on the serving side. */
export class ServedRequest implements Context {
  readonly method: RegisteredMethod
  readonly msgID: number
  readonly frameBytes: number
  /** When the caller stops waiting, in the runtime's ms; Infinity when it does not. */
  readonly expiresAt: number
  isFinished = false
  readonly metadata: Metadata
  readonly #lane: Lane
  #controller: AbortController | undefined
  #abortable: Abortable | undefined
  /** Runs while somebody waits to hear of it: most handlers are done before anybody has. */
  #deadline: RequestDeadline | undefined
  #abortReason: RpcError | undefined
  #replyMetadata: Record<string, string | Uint8Array> | undefined

  constructor(lane: Lane, method: RegisteredMethod, frame: IncomingFrame, metadata: Metadata, expiresAt: number) {
    this.#lane = lane
    this.method = method
    this.msgID = frame.msgID
    this.frameBytes = frame.frameBytes
    this.metadata = metadata
    this.expiresAt = expiresAt
  }

  get isOneWay(): boolean {
    return this.method.bound.isOneWay
  }

  get peer(): Node {
    return this.#lane.peer
  }

  get replyMetadata(): Record<string, string | Uint8Array> {
    this.#replyMetadata ??= {}
    return this.#replyMetadata
  }

  get remainingMs(): number {
    return this.expiresAt === Infinity ? Infinity : Math.max(0, this.expiresAt - this.#lane.now())
  }

  get deadline(): number {
    return this.#lane.wallTime() + this.remainingMs
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
      else this.#startDeadline()
    }
    return this.#controller.signal
  }

  get configuration(): Configuration {
    return this.#lane.configuration
  }

  release(): void {
    this.#lane.release(this)
  }

  /** Why nobody wants the answer; undefined while somebody does. */
  get abortReason(): RpcError | undefined {
    return this.#abortReason
  }

  /** What to send with the answer; undefined when there is nothing. Throws for metadata that is not allowed. */
  takeReplyMetadata(): Metadata | undefined {
    if (this.#replyMetadata === undefined) return undefined
    checkMetadata(this.#replyMetadata)
    return Object.keys(this.#replyMetadata).length === 0 ? undefined : this.#replyMetadata
  }

  /** Tells `abortable`, which is the only one, when nobody wants the answer any more: as the signal, at less cost. */
  tellAborted(abortable: Abortable): void {
    if (this.#abortReason !== undefined) return abortable.onAbort(this.#abortReason)
    this.#abortable = abortable
    this.#startDeadline()
  }

  /** Nobody wants the answer any more. */
  abort(reason: RpcError): void {
    if (this.isFinished || this.#abortReason !== undefined) return
    this.#abortReason = reason
    this.#stopDeadline()
    this.#controller?.abort(reason)
    this.#abortable?.onAbort(reason)
  }

  /** Its handler has finished. */
  finish(): void {
    this.isFinished = true
    this.#stopDeadline()
  }

  #startDeadline(): void {
    if (this.#deadline !== undefined || this.expiresAt === Infinity || this.isFinished) return
    const remainingMs = Math.ceil(this.remainingMs)
    this.#deadline = new RequestDeadline(this, this.#lane.now() + remainingMs)
    this.#lane.watchDeadline(this.#deadline, remainingMs)
  }

  #stopDeadline(): void {
    if (this.#deadline === undefined) return
    this.#lane.unwatchDeadline(this.#deadline)
    this.#deadline = undefined
  }
}

/** Tells a request that its caller has stopped waiting. */
class RequestDeadline extends Expiring {
  readonly dueAt: number
  readonly #request: ServedRequest

  constructor(request: ServedRequest, dueAt: number) {
    super()
    this.dueAt = dueAt
    this.#request = request
  }

  onDeadline(): void {
    const { fullName } = this.#request.method.bound
    this.#request.abort(tracelessError('deadline_exceeded', `${fullName}: the caller's deadline has passed`))
  }
}
