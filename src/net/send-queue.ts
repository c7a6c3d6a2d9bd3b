// The calls that wait for one node, in order, bounded in bytes by whoever adds them. A call that was withdrawn says so
// itself when it is asked; its place in the queue is cleared later, in bulk.

import type { RpcError } from '../errors.ts'
import { Deque } from '../wire/deque.ts'
import type { Channel } from './channel.ts'
import type { OutgoingCall } from './channel-ports.ts'

/** A call costs memory beside its frame: no more wait than fit with frames of this size, bytes. */
const CALL_BYTES = 128
/** So many may wait in any case. */
const CALLS_MIN = 1_024
/** Withdrawn calls are cleared out when there are this many and they are the larger part of the queue. */
const WITHDRAWN_MIN = 64

export class SendQueue {
  readonly #channel: Channel
  readonly #calls = new Deque<OutgoingCall>()
  #bytes = 0
  #withdrawn = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Bytes of the frames that wait, without those that were withdrawn. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many calls wait, without those that were withdrawn. */
  get calls(): number {
    return this.#calls.length - this.#withdrawn
  }

  /** Whether there is room for a frame when `bytesMax` may wait. */
  hasRoom(frameBytes: number, bytesMax: number): boolean {
    return this.#bytes + frameBytes <= bytesMax && this.calls < Math.max(bytesMax / CALL_BYTES, CALLS_MIN)
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0
  }

  push(call: OutgoingCall, frameBytes: number): void {
    this.#calls.push(call)
    this.#bytes += frameBytes
    call.onQueued(this.#channel)
  }

  /** Puts calls back that have been sent and not been accepted, before all others and in their order. */
  unshift(calls: readonly OutgoingCall[]): void {
    for (let index = calls.length - 1; index >= 0; index--) {
      const call = calls[index]!
      call.onQueued(this.#channel)
      if (!call.isQueuedAt(this.#channel)) continue
      this.#calls.unshift(call)
      this.#bytes += call.frameFor(this.#channel).bytes
    }
  }

  /** The next call that was not withdrawn; it stays in the queue. */
  peek(): OutgoingCall | undefined {
    for (let call = this.#calls.at(0); call !== undefined; call = this.#calls.at(0)) {
      if (call.isQueuedAt(this.#channel)) return call
      this.#calls.shift()
      this.#withdrawn = Math.max(0, this.#withdrawn - 1)
    }
    return undefined
  }

  /** Removes the call that `peek` has just returned. */
  shift(frameBytes: number): void {
    this.#calls.shift()
    this.#bytes -= frameBytes
  }

  /** A call of `frameBytes` was withdrawn. */
  withdraw(frameBytes: number): void {
    this.#bytes -= frameBytes
    if (++this.#withdrawn < WITHDRAWN_MIN || this.#withdrawn * 2 < this.#calls.length) return
    this.#calls.filter((call) => call.isQueuedAt(this.#channel))
    this.#withdrawn = 0
  }

  /** Fails the calls for which `errorFor` gives an error; the others keep their places. */
  fail(errorFor: (call: OutgoingCall) => RpcError | undefined): void {
    const count = this.#calls.length
    for (let index = 0; index < count; index++) {
      const call = this.#calls.shift()!
      if (!call.isQueuedAt(this.#channel)) continue
      const error = errorFor(call)
      if (error === undefined) {
        this.#calls.push(call)
        continue
      }
      this.#bytes -= call.frameFor(this.#channel).bytes
      call.onFailed(this.#channel, error)
    }
    this.#withdrawn = 0
  }
}
