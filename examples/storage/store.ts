// What one replica remembers: the newest entry of each key, in memory, and in a journal when it is given one. A replica
// that has acknowledged a write must still have it after a crash; otherwise quorums of the past prove nothing.

import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { isNewer, NOTHING } from './entry.ts'
import type { Entry, WriteRequest } from './storage_gorums.ts'

/** Timestamped entries by key. */
export class Store {
  readonly #entries = new Map<string, Entry>()
  readonly #watchers = new Map<string, Set<() => void>>()
  readonly #journal: number | undefined

  /**
   * With a `journal`, a file, it begins with what is in there and appends every entry before it counts as written. That
   * outlives the process; to outlive a power failure it would have to wait for the disk too.
   */
  constructor(journal?: string) {
    if (journal === undefined) return
    if (existsSync(journal)) this.#recover(journal)
    this.#journal = openSync(journal, 'a')
  }

  /** How many keys have been written. */
  get size(): number {
    return this.#entries.size
  }

  get(key: string): Entry {
    return this.#entries.get(key) ?? NOTHING
  }

  /** Keeps what is newer; returns whether it was. */
  put(request: WriteRequest): boolean {
    const { key, value, timestamp, writer } = request
    const entry: Entry = { value, timestamp, writer }
    if (!isNewer(entry, this.get(key))) return false
    if (this.#journal !== undefined) writeSync(this.#journal, `${JSON.stringify({ key, ...entry })}\n`)
    this.#entries.set(key, entry)
    for (const wake of [...(this.#watchers.get(key) ?? [])]) wake()
    return true
  }

  /** What the key holds, then what it holds after each later write, until the signal fires. A slow reader gets the newest. */
  async *changes(key: string, signal: AbortSignal): AsyncGenerator<Entry, undefined> {
    while (!signal.aborted) {
      const entry = this.get(key)
      yield entry
      while (!signal.aborted && this.get(key) === entry) await this.#nextWrite(key, signal)
    }
    return undefined
  }

  close(): void {
    if (this.#journal !== undefined) closeSync(this.#journal)
  }

  /** Resolves at the next write of a key, or when the signal fires. */
  #nextWrite(key: string, signal: AbortSignal): Promise<void> {
    const watchers = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, watchers)
    return new Promise((resolve) => {
      const wake = (): void => {
        watchers.delete(wake)
        if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      watchers.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  #recover(journal: string): void {
    const text = readFileSync(journal, 'utf8')
    const end = text.lastIndexOf('\n') + 1
    for (const line of text.slice(0, end).split('\n')) {
      if (line === '') continue
      const { key, value, timestamp, writer } = JSON.parse(line) as WriteRequest
      const entry: Entry = { value, timestamp, writer }
      if (isNewer(entry, this.get(key))) this.#entries.set(key, entry)
    }
    // A crash may have cut the last line short. It was never acknowledged, and the next one must not be glued to it.
    if (end < text.length) truncateSync(journal, Buffer.byteLength(text.slice(0, end)))
  }
}
