// The errors of calls that were not sent to a node. One error serves all calls that were refused in the same way: making
// one per call would cost more than the call.

import { type ErrorCode, RpcError } from '../errors.ts'

export class UnsentErrors {
  readonly #nodeID: string
  /** The node as messages name it: its id, with its address when that is another. */
  readonly who: string
  #last: RpcError | undefined
  /** Why the node was down, and how its queue was full, when that was last said: most calls behind it are told the same. */
  #lastDown: RpcError | undefined
  #lastFull:
    | { readonly calls: number; readonly bytes: number; readonly frameBytes: number; readonly error: RpcError }
    | undefined

  constructor(nodeID: string, address: string) {
    this.#nodeID = nodeID
    this.who = address === nodeID ? `node ${nodeID}` : `node ${nodeID} (${address})`
  }

  down(cause: RpcError | undefined): RpcError {
    if (this.#lastDown === undefined || this.#lastDown.cause !== cause)
      this.#lastDown = this.of('unavailable', ` is down: ${cause?.message ?? 'not connected'}`, cause)
    return this.#lastDown
  }

  late(downAfterMs: number): RpcError {
    return this.of('unavailable', ` has not connected within ${downAfterMs} ms`)
  }

  /** Closed for good: by this side, or because the other has gone. */
  closed(why: RpcError): RpcError {
    return this.of(why.code, ` is closed: ${why.message}`)
  }

  tooLarge(frameBytes: number, frameMaxBytes: number, requestWindowBytes: number): RpcError {
    const takes = `frameMaxBytes ${frameMaxBytes}, requestWindowBytes ${requestWindowBytes}`
    return this.of('resource_exhausted', `: frame of ${frameBytes} bytes exceeds what it takes (${takes})`)
  }

  queueFull(queued: { calls: number; bytes: number }, frameBytes: number, queueMaxBytes: number): RpcError {
    const { calls, bytes } = queued
    const last = this.#lastFull
    if (last?.calls === calls && last.bytes === bytes && last.frameBytes === frameBytes) return last.error
    const waiting = `${bytes} bytes of ${calls} calls wait`
    const numbers = `${waiting}, the request has ${frameBytes}, queueMaxBytes is ${queueMaxBytes}`
    const error = this.of('resource_exhausted', `: queue is full (${numbers})`)
    this.#lastFull = { calls, bytes, frameBytes, error }
    return error
  }

  /** Any other; `what` follows the node's name. */
  of(code: ErrorCode, what: string, cause?: RpcError): RpcError {
    const message = `${this.who}${what}`
    const last = this.#last
    if (last !== undefined && last.message === message && last.code === code && last.cause === cause) return last
    this.#last = new RpcError(code, message, { nodeID: this.#nodeID, executed: 'no', cause })
    return this.#last
  }
}
