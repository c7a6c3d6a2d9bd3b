// The CallHeader: the remaining time and the metadata of a call, between a frame's head and its payload. The time comes
// first and has a fixed size, so that a late frame's copy can be given its new remaining time at a known place.

import type { Metadata } from '../errors.ts'
import { ProtocolViolation } from '../errors.ts'
import { FieldReader, FieldWriter } from './fields.ts'
import { HEAD_BYTES, HEADER_BYTES_MAX } from './frame.ts'
import { MetadataReader, NO_METADATA, writeMetadata } from './metadata.ts'

/** The bytes of `timeout_ms` in a header: a tag and four bytes, little-endian. */
export const TIMEOUT_BYTES = 5
const TIMEOUT_TAG = 0x0d
/** The longest time that the wire can say, ms (49 days). Longer timeouts travel as none. */
export const TIMEOUT_MAX_MS = 0xffffffff

/** Writes `timeout_ms` at `offset`. */
export function writeTimeout(buffer: Buffer, offset: number, timeoutMs: number): void {
  buffer[offset] = TIMEOUT_TAG
  buffer[offset + 1] = timeoutMs
  buffer[offset + 2] = timeoutMs >>> 8
  buffer[offset + 3] = timeoutMs >>> 16
  buffer[offset + 4] = timeoutMs >>> 24
}

/** The remaining time that a header at `start` begins with, ms; 0 for none. The headers that we write begin with it. */
export function readTimeout(buffer: Buffer, start: number, end: number): number {
  if (end - start < TIMEOUT_BYTES || buffer[start] !== TIMEOUT_TAG) return 0
  const low = buffer[start + 1]! | (buffer[start + 2]! << 8) | (buffer[start + 3]! << 16)
  return (low | (buffer[start + 4]! << 24)) >>> 0
}

/** The bytes of the metadata in a header. Throws RangeError when they do not fit one. */
export function encodeMetadata(metadata: Metadata): Buffer {
  const writer = new FieldWriter()
  writeMetadata(writer, 2, metadata)
  const bytes = writer.finish()
  if (bytes.length + TIMEOUT_BYTES > HEADER_BYTES_MAX) {
    throw new RangeError(
      `metadata of ${bytes.length} bytes exceeds the ${HEADER_BYTES_MAX - TIMEOUT_BYTES} that a header holds`,
    )
  }
  return bytes
}

/** A copy of a frame's head and header (`buffer[start, headEnd)`) that says a new remaining time. */
export function headWithTimeout(buffer: Buffer, start: number, headEnd: number, timeoutMs: number): Buffer {
  const head = Buffer.from(buffer.subarray(start, headEnd))
  if (readTimeout(head, HEAD_BYTES, head.length) > 0) {
    writeTimeout(head, HEAD_BYTES, Math.max(1, Math.min(Math.ceil(timeoutMs), TIMEOUT_MAX_MS)))
  }
  return head
}

export interface CallHeader {
  /** The remaining time when the frame was sent, ms; 0 for none. */
  timeoutMs: number
  metadata: Metadata
}

export const NO_HEADER: CallHeader = Object.freeze({ timeoutMs: 0, metadata: NO_METADATA })

/** Whether the header in `buffer[start, end)` says nothing but the remaining time, as most do. */
export function isPlainHeader(buffer: Buffer, start: number, end: number): boolean {
  return end - start === TIMEOUT_BYTES && buffer[start] === TIMEOUT_TAG
}

/** Reads the header in `buffer[start, end)`. Throws ProtocolViolation when it is malformed or beyond its limits. */
export function decodeCallHeader(buffer: Buffer, start: number, end: number): CallHeader {
  if (start === end) return NO_HEADER
  if (isPlainHeader(buffer, start, end)) return { timeoutMs: readTimeout(buffer, start, end), metadata: NO_METADATA }
  if (end - start > HEADER_BYTES_MAX)
    throw new ProtocolViolation(`header of ${end - start} bytes exceeds ${HEADER_BYTES_MAX}`)
  const reader = new FieldReader(buffer, start, end)
  const metadata = new MetadataReader()
  let timeoutMs = 0
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) timeoutMs = reader.fixed32()
    else if (field === 2) metadata.add(reader.message())
    else reader.skip()
  }
  return { timeoutMs, metadata: metadata.finish() }
}
