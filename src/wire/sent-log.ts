// The counted frames that were written and not yet acknowledged, by their implicit number. Only those that somebody
// wants back are kept (calls); every counted frame is counted.

import { ProtocolViolation } from '../errors.ts'
import { Deque } from './deque.ts'

export class SentLog<T> {
  #entries = new Deque<T>()
  #numbers = new Deque<number>()
  #sent = 0
  #acknowledged = 0

  /** How many counted frames have been written. */
  get sent(): number {
    return this.#sent
  }

  /** How many counted frames the other side has said to have. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Counts a frame that nobody wants back. */
  count(): void {
    this.#sent++
  }

  /** Counts a frame and keeps its entry until it is acknowledged. */
  push(entry: T): void {
    this.#entries.push(entry)
    this.#numbers.push(++this.#sent)
  }

  /** Takes an acknowledgement: everything up to number `received` has arrived. */
  acknowledge(received: number): void {
    if (received < this.#acknowledged || received > this.#sent) {
      throw new ProtocolViolation(`acknowledges frame ${received}, outside of ${this.#acknowledged} to ${this.#sent}`)
    }
    this.#acknowledged = received
    while (this.#numbers.length > 0 && this.#numbers.at(0)! <= received) {
      this.#numbers.shift()
      this.#entries.shift()
    }
  }

  /** Takes the entries above number `last`, in order: those that the other side has not accepted and will not. */
  takeAbove(last: number): T[] {
    const taken: T[] = []
    const numbers = new Deque<number>()
    const entries = new Deque<T>()
    for (let number = this.#numbers.shift(); number !== undefined; number = this.#numbers.shift()) {
      const entry = this.#entries.shift()!
      if (number > last) {
        taken.push(entry)
      } else {
        numbers.push(number)
        entries.push(entry)
      }
    }
    this.#numbers = numbers
    this.#entries = entries
    return taken
  }

  /** Begins anew, as a new connection does; returns what was not acknowledged, in order. */
  reset(): T[] {
    const rest = this.takeAbove(0)
    this.#sent = 0
    this.#acknowledged = 0
    return rest
  }
}
