// What a call is made of and who it deals with: its setup, the fates of its nodes, its consumer.

import type { RpcError } from '../errors.ts'
import type { NodeManager } from '../net/node-manager.ts'
import type { Call } from './call.ts'
import type { Contacts } from './contacts.ts'
import type { ClientInterceptor, MethodHooks } from './interceptor.ts'
import type { BoundMethod } from './service.ts'

/** What has become of a call at one node. */
export const Fate = {
  idle: 0,
  skipped: 1,
  queued: 2,
  written: 3,
  replied: 4,
  failed: 5,
  /** Failed for the caller; the node's final answer is still to come. */
  abandoned: 6,
} as const

/** What the calls of one configuration or node have in common. */
export interface CallDefaults {
  readonly timeoutMs: number
  readonly waitsWhenDown: boolean
  readonly waitsWhenFull: boolean
  readonly interceptors: readonly ClientInterceptor[]
  /** Handlers of this side that have started and not released, for the text of a deadline error. */
  describeLanes(): string
  /** An unconfirmed one-way call was not sent to a node. */
  onUndelivered(call: Call, nodeID: string, error: RpcError): void
  /** A one-way call was written to a node that may not have got it. */
  onLost(call: Call, nodeID: string): void
}

/** What a caller may say about stragglers: nodes that have not answered when the quorum has. */
export type StragglerPolicy = 'continue' | 'cancel'

/** Takes what a call brings. Calls back at most once per node and answer, and not after it was released. */
export interface CallConsumer {
  onReply(position: number): void
  onFailure(position: number, error: RpcError): void
  /** A node has ended its stream. */
  onEnd(position: number): void
  /** The call ends before its nodes are done; they fail one by one behind this. */
  onStop(reason: StopReason, cause: unknown): void
  /** Every node is decided. */
  onSettled(): void
}

export type StopReason = 'deadline' | 'cancelled' | 'closed'

/** What one call is made of. */
export interface CallSetup {
  readonly manager: NodeManager
  readonly contacts: Contacts
  readonly method: BoundMethod
  readonly defaults: CallDefaults
  readonly hooks: readonly MethodHooks[]
  readonly timeoutMs: number
  readonly stragglers: StragglerPolicy
}
