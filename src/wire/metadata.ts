// Metadata on the wire and its limits: what keys and values may be, and how entries are written and read.

import type { Metadata } from '../errors.ts'
import { ProtocolViolation } from '../errors.ts'
import { type FieldReader, FieldWriter } from './fields.ts'
import { METADATA_ENTRIES_MAX } from './frame.ts'

export const NO_METADATA: Metadata = Object.freeze({})

const KEY = /^[\x21-\x40\x5b-\x7e]{1,64}$/

/**
 * Checks metadata that a caller gave: keys of 1 to 64 lower-case ASCII characters without spaces, values text or bytes,
 * at most 64 entries. Throws TypeError or RangeError.
 */
export function checkMetadata(metadata: Metadata): void {
  if (typeof metadata !== 'object' || metadata === null)
    throw new TypeError(`metadata must be an object, not ${String(metadata)}`)
  const keys = Object.keys(metadata)
  if (keys.length > METADATA_ENTRIES_MAX)
    throw new RangeError(`metadata has ${keys.length} entries, at most ${METADATA_ENTRIES_MAX} are allowed`)
  for (const key of keys) {
    if (!KEY.test(key) || key === '__proto__')
      throw new RangeError(
        `metadata key ${JSON.stringify(key.slice(0, 80))} is not 1 to 64 characters of lower-case ASCII`,
      )
    const value = metadata[key]
    if (typeof value !== 'string' && !(value instanceof Uint8Array))
      throw new TypeError(`metadata value of "${key}" must be a string or a Uint8Array`)
    if (
      typeof value === 'string' &&
      /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)
    ) {
      throw new RangeError(`metadata value of "${key}" has a lone surrogate, which UTF-8 can not represent`)
    }
  }
}

/** Writes the entries of checked metadata as repeated field `field`. */
export function writeMetadata(writer: FieldWriter, field: number, metadata: Metadata): void {
  for (const key of Object.keys(metadata)) {
    const value = metadata[key]!
    const entry = new FieldWriter()
    entry.text(1, key)
    if (typeof value === 'string') entry.present(2, Buffer.from(value, 'utf8'))
    else entry.present(3, value)
    writer.present(field, entry.finish())
  }
}

/** Gathers the entries of one message. */
export class MetadataReader {
  #entries: Record<string, string | Uint8Array> | undefined
  #count = 0

  /** Reads one entry; throws ProtocolViolation when it is malformed, repeated, or one too many. */
  add(entry: FieldReader): void {
    if (++this.#count > METADATA_ENTRIES_MAX)
      throw new ProtocolViolation(`metadata has more than ${METADATA_ENTRIES_MAX} entries`)
    let key = ''
    let value: string | Uint8Array = ''
    for (let field = entry.next(); field !== 0; field = entry.next()) {
      if (field === 1) key = entry.text()
      else if (field === 2) value = entry.text()
      else if (field === 3) value = new Uint8Array(entry.slice())
      else entry.skip()
    }
    if (!KEY.test(key) || key === '__proto__')
      throw new ProtocolViolation(`metadata key ${JSON.stringify(key.slice(0, 80))} is not allowed`)
    this.#entries ??= {}
    if (Object.hasOwn(this.#entries, key)) throw new ProtocolViolation(`metadata key "${key}" is there twice`)
    this.#entries[key] = value
  }

  finish(): Metadata {
    return this.#entries === undefined ? NO_METADATA : Object.freeze(this.#entries)
  }
}
