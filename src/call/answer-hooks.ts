// What the interceptors of one call do with its answers: change a reply, drop it, make it a failure, have a request that
// never ran sent again.

import type { RpcError } from '../errors.ts'
import type { Call } from './call.ts'
import { hookError } from './call-errors.ts'
import type { MethodHooks } from './interceptor.ts'
import type { Response } from './response.ts'

const NONE = -1
const RESEND = -2

export class AnswerHooks {
  readonly #call: Call
  /** The innermost first: an answer passes them the other way round than its request. */
  readonly #hooks: readonly MethodHooks[]
  /** The node whose failure is being looked at; NONE, or RESEND when one of them wants it sent again. */
  #failing = NONE

  constructor(call: Call, hooks: readonly MethodHooks[]) {
    this.#call = call
    this.#hooks = [...hooks].reverse()
  }

  /**
   * Shows a reply (or an item). Returns `'drop'`, or the error to fail the node with; otherwise the call goes on with the
   * value as it now is.
   */
  onReply(position: number): RpcError | 'drop' | undefined {
    const call = this.#call
    const { id } = call.nodeAt(position)
    try {
      for (const hooks of this.#hooks) {
        if (hooks.response === undefined) continue
        const response = hooks.response(call.replyOf(position), call)
        if (response === undefined) return 'drop'
        if (response.error !== undefined) return response.error
        call.setValue(position, response.value)
      }
    } catch (error) {
      return hookError(id, error)
    }
    return undefined
  }

  /** Shows a failure that says `executed: 'no'`. Returns whether the request is to be sent again. */
  onFailure(position: number, error: RpcError): boolean {
    const call = this.#call
    const response: Response<unknown> = {
      nodeID: call.nodeAt(position).id,
      value: undefined,
      error,
      metadata: error.metadata,
    }
    this.#failing = position
    try {
      for (const hooks of this.#hooks) if (this.#failing === position) hooks.response?.(response, call)
    } catch {
      // The failure itself is what the caller hears of.
    }
    const isResent = (this.#failing as number) === RESEND
    this.#failing = NONE
    return isResent
  }

  /** Marks the failure that is being looked at. Throws RangeError when there is none, or it is another node's. */
  resend(nodeID: string): void {
    const position = this.#failing
    if (position < 0 || this.#call.nodeAt(position).id !== nodeID) {
      throw new RangeError(
        `node ${nodeID} has not just failed with executed 'no': the call can not be sent to it again`,
      )
    }
    this.#failing = RESEND
  }
}
