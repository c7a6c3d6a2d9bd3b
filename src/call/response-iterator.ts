// The responses of a call as an async iteration: each node's, in order of arrival, failures included.

import { Deque } from '../wire/deque.ts'
import type { Call } from './call.ts'
import type { CallConsumer } from './call-setup.ts'
import type { Response } from './response.ts'

const END = Object.freeze({ value: undefined, done: true as const })

export class ResponseIterator<T> implements AsyncIterator<Response<T>, undefined>, CallConsumer {
  readonly #call: Call
  readonly #arrived = new Deque<Response<T>>()
  readonly #waiting = new Deque<(result: IteratorResult<Response<T>, undefined>) => void>()
  #isOver = false

  constructor(call: Call) {
    this.#call = call
  }

  next(): Promise<IteratorResult<Response<T>, undefined>> {
    const response = this.#arrived.shift()
    if (response !== undefined) {
      this.#call.unconsumed = this.#arrived.length
      return Promise.resolve({ value: response, done: false })
    }
    if (this.#isOver) return Promise.resolve(END)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The loop was left. */
  return(): Promise<IteratorResult<Response<T>, undefined>> {
    this.#end()
    this.#call.finish()
    return Promise.resolve(END)
  }

  onReply(position: number): void {
    this.#push(this.#call.replyOf(position) as Response<T>)
  }

  onFailure(position: number): void {
    this.#push(this.#call.failureOf(position) as Response<T>)
  }

  onEnd(): void {}
  // Each node's failure follows as a response.
  onStop(): void {}

  onSettled(): void {
    this.#isOver = true
    if (this.#arrived.length === 0) this.#end()
  }

  #push(response: Response<T>): void {
    if (this.#isOver) return
    const resolve = this.#waiting.shift()
    if (resolve !== undefined) {
      resolve({ value: response, done: false })
      return
    }
    this.#arrived.push(response)
    this.#call.unconsumed = this.#arrived.length
  }

  #end(): void {
    this.#isOver = true
    this.#arrived.filter(() => false)
    for (let resolve = this.#waiting.shift(); resolve !== undefined; resolve = this.#waiting.shift()) resolve(END)
  }
}
