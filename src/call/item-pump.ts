// Pulls the items of a streaming handler and sends them, as fast as the connection takes them and without holding up the
// event loop; stops the generator when nobody wants the rest.

import type { Abortable } from './abort.ts'

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/** A generator that never waits gives way to everything else after so many items, however fast they are. */
const ITEMS_PER_TURN = 256

/** What a pump works between. */
export interface ItemPumpPorts {
  /** Sends an item; returns the bytes of its frame, 0 when nobody listens any more. Throws for an item that can not be sent. */
  send(item: unknown): number
  /** Whether the connection takes more now. */
  hasRoom(): boolean
  /** Items are about to be made and sent: a slice begins, unless one has. */
  beginSlice(): void
  /** Whether that has gone on for long enough: an item of so many bytes has been sent. */
  isSliceOver(bytes: number): boolean
  /** Calls back after everything else had a turn. */
  later(callback: () => void): void
  /** Told once, with the error if it ended with one. */
  onEnd(error: unknown): void
}

export class ItemPump implements Abortable {
  readonly #ports: ItemPumpPorts
  readonly #iterable: unknown
  #iterator: AnyIterator | undefined
  #isPulling = false
  #isStopping = false
  #isOver = false

  constructor(iterable: unknown, ports: ItemPumpPorts) {
    this.#ports = ports
    this.#iterable = iterable
  }

  /** Pulls until there is no room; called again when there is. */
  goOn(): void {
    if (this.#isPulling || this.#isStopping || this.#isOver) return
    this.#isPulling = true
    void this.#pull()
  }

  async #pull(): Promise<void> {
    try {
      this.#iterator ??= iteratorOf(this.#iterable)
      const iterator = this.#iterator
      if (iterator === undefined) throw new TypeError('a streaming handler must return an iterable or be a generator')
      this.#ports.beginSlice()
      for (let items = 1; !this.#isStopping && this.#ports.hasRoom(); items++) {
        const step = iterator.next()
        // Waiting for what is there already takes longer than sending it.
        const { done, value } = isPromise(step) ? await step : step
        if (this.#isStopping) return
        if (done) return this.#end(undefined)
        const bytes = this.#ports.send(value)
        if (bytes === 0) return this.#stop(undefined)
        if (this.#ports.isSliceOver(bytes) || items % ITEMS_PER_TURN === 0) {
          await this.#othersFirst()
          this.#ports.beginSlice()
        }
      }
      this.#isPulling = false
    } catch (error) {
      this.#stop(error ?? new Error('thrown without a reason'))
    }
  }

  #othersFirst(): Promise<void> {
    return new Promise((resolve) => this.#ports.later(resolve))
  }

  /** Nobody wants the rest. */
  onAbort(reason: unknown): void {
    this.#stop(reason)
  }

  /**
   * Runs the generator's `finally`, once it is where it can, and ends when that has run: until then the generator runs.
   * What it says or throws is nobody's business.
   */
  #stop(error: unknown): void {
    if (this.#isOver || this.#isStopping) return
    this.#isStopping = true
    const end = (): void => this.#end(error)
    Promise.resolve()
      .then(() => this.#iterator?.return?.())
      .then(end, end)
  }

  #end(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ports.onEnd(error)
  }
}

function isPromise<T>(step: T | Promise<T>): step is Promise<T> {
  return typeof (step as Partial<Promise<T>>).then === 'function'
}

function iteratorOf(iterable: unknown): AnyIterator | undefined {
  if (typeof iterable !== 'object' || iterable === null) return undefined
  const asyncIterable = iterable as Partial<AsyncIterable<unknown>>
  if (typeof asyncIterable[Symbol.asyncIterator] === 'function') return asyncIterable[Symbol.asyncIterator]!()
  const plain = iterable as Partial<Iterable<unknown>>
  return typeof plain[Symbol.iterator] === 'function' ? plain[Symbol.iterator]!() : undefined
}
