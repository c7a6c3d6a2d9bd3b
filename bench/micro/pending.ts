// The table of unfinished calls, beside a Map and beside slots with generations (the id is a place and how often it has
// been given out). One operation is one call to three nodes: an id, an entry, three look-ups, and the entry's end.

import { CallTable } from '../../src/net/call-table.ts'
import { type Candidate, compare } from './comparison.ts'

/** What a table holds: something with a number, so that what is looked up can be added up. */
interface Entry {
  readonly weight: number
}

const OPERATIONS = 1000
const NODES = 3
const entries: readonly Entry[] = Array.from({ length: 1024 }, (_, index) => ({ weight: index % 7 }))

/** The ids of the calls in flight, and which of them ends next: in the order in which they began, or at random. */
class Flight {
  readonly ids: Float64Array
  readonly #isInOrder: boolean
  #at = 0
  #seed = 1

  constructor(count: number, isInOrder: boolean) {
    this.ids = new Float64Array(count)
    this.#isInOrder = isInOrder
  }

  next(): number {
    if (this.#isInOrder) {
      this.#at = this.#at + 1 === this.ids.length ? 0 : this.#at + 1
      return this.#at
    }
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#seed / 2 ** 32) * this.ids.length)
  }
}

// The loops below are the same but for the table. They are written out because one loop for all would see three classes at
// each call, and measure the compiler's way of telling them apart.

function withMap(count: number, isInOrder: boolean): Candidate {
  const flight = new Flight(count, isInOrder)
  const table = new Map<number, Entry>()
  let nextID = 1
  let made = 0
  const begin = (): number => {
    let id = nextID
    while (table.has(id)) id = id === 2 ** 32 - 1 ? 1 : id + 1
    nextID = id === 2 ** 32 - 1 ? 1 : id + 1
    table.set(id, entries[made++ & 1023]!)
    return id
  }
  for (let index = 0; index < count; index++) flight.ids[index] = begin()
  const run = (): number => {
    let sum = 0
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const at = flight.next()
      const id = flight.ids[at]!
      for (let node = 0; node < NODES; node++) sum += table.get(id)!.weight
      table.delete(id)
      flight.ids[at] = begin()
    }
    return sum
  }
  return { name: 'Map', run }
}

function withCallTable(count: number, isInOrder: boolean): Candidate {
  const flight = new Flight(count, isInOrder)
  const table = new CallTable<Entry>()
  let made = 0
  const begin = (): number => {
    const id = table.nextID()
    table.set(id, entries[made++ & 1023]!)
    return id
  }
  for (let index = 0; index < count; index++) flight.ids[index] = begin()
  const run = (): number => {
    let sum = 0
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const at = flight.next()
      const id = flight.ids[at]!
      for (let node = 0; node < NODES; node++) sum += table.get(id)!.weight
      table.delete(id)
      flight.ids[at] = begin()
    }
    return sum
  }
  return { name: 'CallTable (src/net/call-table.ts)', run }
}

const PLACE_BITS = 20
const PLACE_MASK = 2 ** PLACE_BITS - 1
const GENERATION_MASK = 2 ** (32 - PLACE_BITS) - 1

/**
 * At most 2 ** 20 calls. Free places are a stack: the place that was used last is used next. What an id leads to is known
 * to be right as long as an answer does not come 4 096 calls late.
 */
class GenerationSlots {
  readonly #slots: (Entry | undefined)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []

  add(entry: Entry): number {
    const place = this.#free.pop() ?? this.#slots.push(undefined) - 1
    const generation = ((this.#generations[place] ?? 0) + 1) & GENERATION_MASK
    this.#slots[place] = entry
    this.#generations[place] = generation
    return ((generation << PLACE_BITS) | place) >>> 0
  }

  get(id: number): Entry | undefined {
    const place = id & PLACE_MASK
    return this.#generations[place] === id >>> PLACE_BITS ? this.#slots[place] : undefined
  }

  delete(id: number): void {
    const place = id & PLACE_MASK
    if (this.#generations[place] !== id >>> PLACE_BITS || this.#slots[place] === undefined) return
    this.#slots[place] = undefined
    this.#free.push(place)
  }
}

function withGenerations(count: number, isInOrder: boolean): Candidate {
  const flight = new Flight(count, isInOrder)
  const table = new GenerationSlots()
  let made = 0
  const begin = (): number => table.add(entries[made++ & 1023]!)
  for (let index = 0; index < count; index++) flight.ids[index] = begin()
  const run = (): number => {
    let sum = 0
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const at = flight.next()
      const id = flight.ids[at]!
      for (let node = 0; node < NODES; node++) sum += table.get(id)!.weight
      table.delete(id)
      flight.ids[at] = begin()
    }
    return sum
  }
  return { name: 'slots with generations', run }
}

for (const count of [1, 1_000, 100_000]) {
  for (const isInOrder of count === 1 ? [true] : [true, false]) {
    const title = `${count.toLocaleString('en')} in flight, ${isInOrder ? 'answered in order' : 'answered at random'}`
    await compare(title, OPERATIONS, [
      withMap(count, isInOrder),
      withCallTable(count, isInOrder),
      withGenerations(count, isInOrder),
    ])
  }
}
