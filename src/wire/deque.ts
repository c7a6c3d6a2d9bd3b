// A first-in first-out queue over a ring of slots that doubles when it is full. Both ends in constant time.
//
//        head            tail
//         v               v
//   [ . . a b c d e f g h . . ]      a leaves first, the next to come goes to the tail

export class Deque<T> {
  #slots: (T | undefined)[] = new Array(16).fill(undefined)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The element at `index`, counted from the head; undefined beyond the tail. */
  at(index: number): T | undefined {
    return index < this.#length ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined
  }

  /** Replaces the element at `index`, which there must be. */
  set(index: number, element: T): void {
    this.#slots[(this.#head + index) & (this.#slots.length - 1)] = element
  }

  push(element: T): void {
    if (this.#length === this.#slots.length) this.#double()
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = element
    this.#length++
  }

  unshift(element: T): void {
    if (this.#length === this.#slots.length) this.#double()
    this.#head = (this.#head - 1) & (this.#slots.length - 1)
    this.#slots[this.#head] = element
    this.#length++
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const element = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#length--
    return element
  }

  /** Removes every element that `keep` says no to, in order. */
  filter(keep: (element: T) => boolean): void {
    const length = this.#length
    for (let index = 0; index < length; index++) {
      const element = this.shift()!
      if (keep(element)) this.push(element)
    }
  }

  #double(): void {
    const slots = this.#slots
    const { length } = slots
    // V8 takes what is there along in one go; only what has come round to the front is moved, behind the rest.
    slots.length = 2 * length
    for (let index = 0; index < this.#head; index++) {
      slots[length + index] = slots[index]
      slots[index] = undefined
    }
  }
}
