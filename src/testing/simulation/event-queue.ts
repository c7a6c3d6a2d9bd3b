// What is to happen in a simulation, by time; what is due at one time happens in the order in which it was planned. A
// binary heap.

import type { SimulatedHost } from './host.ts'

/** Something that will happen, unless it is cancelled before. */
export class PlannedEvent {
  readonly at: number
  readonly order: number
  readonly kind: string
  /** Whom it happens to; undefined for what happens to the world. */
  readonly host: SimulatedHost | undefined
  /** The life of the host that it belongs to: it does not happen in another. */
  readonly life: number
  action: (() => void) | undefined

  constructor(
    at: number,
    order: number,
    kind: string,
    host: SimulatedHost | undefined,
    life: number,
    action: () => void,
  ) {
    this.at = at
    this.order = order
    this.kind = kind
    this.host = host
    this.life = life
    this.action = action
  }

  cancel(): void {
    this.action = undefined
  }
}

export class EventQueue {
  readonly #heap: PlannedEvent[] = []

  get size(): number {
    return this.#heap.length
  }

  peek(): PlannedEvent | undefined {
    return this.#heap[0]
  }

  push(event: PlannedEvent): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = event
  }

  pop(): PlannedEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

function isBefore(one: PlannedEvent, other: PlannedEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
