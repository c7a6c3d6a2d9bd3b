// Loaded before the process of a server or a client: objects as applications have them, which live as long as the process.
// How much they take together says the query of this module's address. What they are for is told in docs/performance.md.

import { getHeapStatistics } from 'node:v8'

interface Item {
  readonly key: string
  readonly value: { readonly number: number; readonly list: readonly number[] }
}

/** So many are made between two looks at the heap. */
const ITEMS = 1_000

export const application: Item[] = []

const bytes = Number(new URL(import.meta.url).searchParams.get('bytes'))
const used = (): number => getHeapStatistics().used_heap_size
const before = used()
while (used() - before < bytes)
  for (let made = 0; made < ITEMS; made++) {
    const number = application.length
    application.push({ key: `key ${number}`, value: { number, list: [number, number + 1] } })
  }
