// The answers to one peer's requests: replies, items, ends and errors, encoded and sent. What can not be sent becomes an
// error; what a handler's error says to its caller is decided here.

import { type ErrorCode, type Metadata, RpcError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import type { NodeManager } from '../net/node-manager.ts'
import { encodeMetadata } from '../wire/call-header.ts'
import { encodeStatus } from '../wire/control.ts'
import { Kind } from '../wire/frame.ts'
import { checkMetadata, NO_METADATA } from '../wire/metadata.ts'
import type { ServedRequest } from './context.ts'

/** Why no handler has seen a request. No Error: strangers can have any number of these made, and a stack costs time. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
}

export class Answers {
  readonly #channel: Channel
  readonly #manager: NodeManager

  constructor(channel: Channel, manager: NodeManager) {
    this.#channel = channel
    this.#manager = manager
  }

  reply(context: ServedRequest, value: unknown): void {
    try {
      this.#send(context, Kind.reply, value)
    } catch (error) {
      this.error(context, error)
    }
  }

  /** Sends an item of a stream; returns the bytes of its frame. Throws RpcError for one that can not be sent: the stream ends with that. */
  item(context: ServedRequest, value: unknown): number {
    return this.#send(context, Kind.item, value)
  }

  /** Ends a stream. */
  end(context: ServedRequest): void {
    const { methodID } = context.method.bound
    this.#channel.answer(this.#manager.writer.writeBytes(Kind.end, context.msgID, methodID, undefined))
  }

  /** A handler has failed: its own RpcError is what its caller gets, of anything else only that it failed. */
  error(context: ServedRequest, error: unknown): void {
    const told = this.#told(context, error)
    const metadata = this.#errorMetadata(context, told)
    const status = { code: told.code, message: told.message, metadata, notExecuted: false }
    const { methodID } = context.method.bound
    this.#channel.answer(
      this.#manager.writer.writeBytes(Kind.error, context.msgID, methodID, undefined, encodeStatus(status)),
    )
  }

  /** Answers a request that no handler has seen. */
  refusal(msgID: number, methodID: number, { code, message }: Refusal): void {
    const payload = encodeStatus({ code, message, metadata: NO_METADATA, notExecuted: true })
    this.#channel.refuse(this.#manager.writer.writeBytes(Kind.error, msgID, methodID, undefined, payload))
  }

  /** Logs what no caller hears of. Does nothing without an error. */
  report(context: ServedRequest, error: unknown): void {
    if (error === undefined) return
    this.#manager.transport.logger.error?.(`the handler of ${context.method.bound.fullName} failed`, error)
  }

  /** Returns the bytes of the frame. */
  #send(context: ServedRequest, kind: number, value: unknown): number {
    const { methodID, reply, fullName } = context.method.bound
    let bytes: number
    try {
      const metadata = context.takeReplyMetadata()
      const frame = this.#manager.writer.write(kind, context.msgID, methodID, 0, metadata, reply, value)
      bytes = frame.bytes
      if (bytes <= this.#channel.frameBytesMax) {
        this.#channel.answer(frame)
        return bytes
      }
    } catch (cause) {
      this.report(context, cause)
      throw new RpcError('internal', `the reply of ${fullName} can not be encoded`, { cause })
    }
    const max = this.#channel.frameBytesMax
    throw new RpcError(
      'resource_exhausted',
      `the reply of ${fullName} has a frame of ${bytes} bytes, the caller takes ${max}`,
    )
  }

  /** What travels with an error. Metadata that is not allowed is not worth losing the error for. */
  #errorMetadata(context: ServedRequest, told: RpcError): Metadata {
    try {
      const metadata = { ...context.takeReplyMetadata(), ...told.metadata }
      checkMetadata(metadata)
      encodeMetadata(metadata)
      return metadata
    } catch (error) {
      this.report(context, error)
      return NO_METADATA
    }
  }

  #told(context: ServedRequest, error: unknown): RpcError {
    if (error instanceof RpcError && error.nodeID === undefined) return error
    if (context.abortReason !== undefined) return context.abortReason
    this.report(context, error)
    return new RpcError('internal', `the handler of ${context.method.bound.fullName} failed`)
  }
}
