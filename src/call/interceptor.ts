// Interceptors: what users may hang into every call of a client and every handler of a server. They are built once per
// method, so that a call pays only for the hooks that are there.

import type { Context } from './context.ts'
import type { Node } from './node.ts'
import type { CallRecord } from './record.ts'
import type { Response } from './response.ts'
import type { CallType } from './service.ts'

/** What an interceptor is told of the method that it is built for. */
export interface MethodInfo {
  /** `package.Service/Name`, with `+codec` unless the codec is protobuf. */
  readonly fullName: string
  readonly key: string
  readonly type: CallType
}

/** What hooks are told of the call that they are in. */
export interface InterceptedCall {
  readonly msgID: number
  /** When it was made, ms on the monotonic clock. */
  readonly madeAt: number
  /**
   * Within the `response` hook: sends the call to a node again whose failure says `executed: 'no'`. Throws RangeError for a
   * node that has not just failed so.
   */
  resend(nodeID: string): void
}

/**
 * Hooks of a client interceptor; each is optional. Requests pass the first interceptor first, answers last. What `request`
 * and `send` throw, the caller gets at once; what `response` throws fails that node; what `settled` throws is uncaught.
 */
export interface MethodHooks {
  /** Before the call is encoded: returns the request to send. */
  request?(request: unknown, call: InterceptedCall): unknown
  /** Before the call is sent to a node: undefined skips the node; the same object means encode once. */
  send?(request: unknown, node: Node, call: InterceptedCall): unknown
  /**
   * When a node has replied: returns the response to go on with; undefined drops it. Also called with failures that say
   * `executed: 'no'`, which `call.resend(nodeID)` may send again; what it returns for those is ignored.
   */
  response?(response: Response<unknown>, call: InterceptedCall): Response<unknown> | undefined
  /** When every node is decided. */
  settled?(record: CallRecord, call: InterceptedCall): void
}

/** Built once per method: returns the hooks, or undefined for a method that it leaves alone. */
export type ClientInterceptor = (method: MethodInfo) => MethodHooks | undefined

/** Calls the next interceptor, or the handler. */
export type NextHandler = (request: unknown, context: Context) => unknown

/** Built once per method: returns the handler to put around the next, or undefined to leave it alone. */
export type ServerInterceptor = (
  method: MethodInfo,
) => ((request: unknown, context: Context, next: NextHandler) => unknown) | undefined
