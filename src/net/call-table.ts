// The calls of one owner whose answers are still on their way, by msgID. A msgID is given out once per call, for all its
// nodes, and not again until the last of them has given its final answer or was lost.
//
//   ids count up; the entry of an id is in slot id & (slots - 1); an id whose slot is taken is passed over

const SLOTS_MIN = 256
/** One above the largest msgID. */
const IDS = 2 ** 32

export class CallTable<T> {
  #slots: (T | undefined)[]
  #ids: number[]
  #next: number
  #size = 0

  /** `first` is the first msgID that is given out. */
  constructor(first = 1) {
    this.#slots = new Array(SLOTS_MIN).fill(undefined)
    this.#ids = new Array(SLOTS_MIN).fill(0)
    this.#next = first
  }

  get size(): number {
    return this.#size
  }

  /** A msgID that no unfinished call has. Ids are never 0. */
  nextID(): number {
    if (this.#size * 2 >= this.#slots.length) this.#double()
    for (;;) {
      const id = this.#next
      this.#next = id + 1 === IDS ? 1 : id + 1
      if (this.#slots[(id & (this.#slots.length - 1)) >>> 0] === undefined) return id
    }
  }

  set(id: number, call: T): void {
    const slot = (id & (this.#slots.length - 1)) >>> 0
    this.#slots[slot] = call
    this.#ids[slot] = id
    this.#size++
  }

  get(id: number): T | undefined {
    const slot = (id & (this.#slots.length - 1)) >>> 0
    return this.#ids[slot] === id ? this.#slots[slot] : undefined
  }

  delete(id: number): void {
    const slot = (id & (this.#slots.length - 1)) >>> 0
    if (this.#ids[slot] !== id || this.#slots[slot] === undefined) return
    this.#slots[slot] = undefined
    this.#size--
  }

  /** The unfinished calls in the order of their ids, which is the order in which they were made (until ids wrap). */
  values(): T[] {
    const found: number[] = []
    for (let slot = 0; slot < this.#slots.length; slot++) if (this.#slots[slot] !== undefined) found.push(slot)
    found.sort((one, other) => this.#ids[one]! - this.#ids[other]!)
    return found.map((slot) => this.#slots[slot]!)
  }

  #double(): void {
    const slots = this.#slots
    const ids = this.#ids
    this.#slots = new Array(slots.length * 2).fill(undefined)
    this.#ids = new Array(slots.length * 2).fill(0)
    this.#size = 0
    for (let slot = 0; slot < slots.length; slot++) if (slots[slot] !== undefined) this.set(ids[slot]!, slots[slot]!)
  }
}
