// How entries are ordered. It is part of the contract as the service in storage.proto is: servers and clients must agree on
// which of two is newer.

import type { Entry } from './storage_gorums.ts'

/** What a key holds before its first write. */
export const NOTHING: Entry = Object.freeze({ value: '', timestamp: 0, writer: '' })

/** Whether `one` was written after `other`. */
export function isNewer(one: Entry, other: Entry): boolean {
  return one.timestamp === other.timestamp ? one.writer > other.writer : one.timestamp > other.timestamp
}

/** Whether both are the same write. */
export function isSame(one: Entry, other: Entry): boolean {
  return one.timestamp === other.timestamp && one.writer === other.writer
}

/** The newest of some entries: the quorum function of every read. */
export function newest(entries: Iterable<Entry>): Entry {
  let found = NOTHING
  for (const entry of entries) if (isNewer(entry, found)) found = entry
  return found
}
