// Judges whether an execution has gone where none has gone before: by branch and by how often, in eight buckets.

import { type EdgeRange, edges, rangesOf } from './edges.ts'
import type { Features, Target } from './target.ts'

/** The bucket of a count, as a bit: 1, 2, 3, 4–7, 8–15, 16–31, 32–127, 128 and more. */
function bucketOf(count: number): number {
  if (count <= 3) return 1 << (count - 1)
  if (count < 8) return 8
  if (count < 16) return 16
  if (count < 32) return 32
  return count < 128 ? 64 : 128
}

const BUCKETS = new Uint8Array(1 << 16).map((_, count) => (count === 0 ? 0 : bucketOf(count)))

interface Region {
  readonly counts: Uint16Array
  /** The first of its places in `#seen`. */
  readonly start: number
  /** Of a file of the target itself: its name and its counters' lines. */
  readonly own: Pick<EdgeRange, 'file' | 'lines'> | undefined
}

export class Coverage {
  readonly #regions: Region[] = []
  readonly #seen: Uint8Array

  constructor(target: Target, features?: Features) {
    let places = 0
    const add = (counts: Uint16Array, own: Region['own']): void => {
      this.#regions.push({ counts, start: places, own })
      places += counts.length
    }
    for (const range of rangesOf(target.variant))
      add(edges.counts.subarray(range.start, range.end), target.owns.test(range.file) ? range : undefined)
    if (features !== undefined) add(features.counts, undefined)
    this.#seen = new Uint8Array(places)
  }

  /** To be called before each execution. */
  reset(): void {
    for (const { counts } of this.#regions) counts.fill(0)
  }

  /** Whether the execution has something new; it is not new any more after this. */
  takeNew(): boolean {
    let isNew = false
    for (const { counts, start } of this.#regions) {
      for (let index = 0; index < counts.length; index++) {
        const count = counts[index]!
        if (count === 0) continue
        const bit = BUCKETS[count]!
        const seen = this.#seen[start + index]!
        if ((seen & bit) !== 0) continue
        this.#seen[start + index] = seen | bit
        isNew = true
      }
    }
    return isNew
  }

  /** Where the execution has gone: place and bucket in one number each. */
  footprint(): number[] {
    const places: number[] = []
    for (const { counts, start } of this.#regions)
      for (let index = 0; index < counts.length; index++)
        if (counts[index] !== 0) places.push((start + index) * 256 + BUCKETS[counts[index]!]!)
    return places
  }

  /** The branches of the target's own files, and how many of them have been taken. */
  get figures(): { readonly edgesCovered: number; readonly edgesTotal: number } {
    let edgesCovered = 0
    let edgesTotal = 0
    for (const { counts, start, own } of this.#regions) {
      if (own === undefined) continue
      edgesTotal += counts.length
      for (let index = 0; index < counts.length; index++) if (this.#seen[start + index] !== 0) edgesCovered++
    }
    return { edgesCovered, edgesTotal }
  }

  /** Where the branches are that have not been taken: `file:line`. */
  get uncovered(): string[] {
    return this.#regions.flatMap(({ own, start }) =>
      (own?.lines ?? []).flatMap((line, index) => (this.#seen[start + index] === 0 ? [`${own?.file}:${line}`] : [])),
    )
  }
}
