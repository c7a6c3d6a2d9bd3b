// What a protobuf message may take in memory when it has been decoded, and what its parts take: objects that cost two bytes
// on the wire cost hundreds on the heap. Measured on Node 20 (64-bit). All in words of eight bytes, so that the numbers of
// any message stay small integers.

const WORD_BYTES = 8
/** Any message may take so much. */
const FLOOR_BYTES = 32 * 1024 * 1024
const FLOOR_WORDS = FLOOR_BYTES / WORD_BYTES
/** A larger one so many times its bytes: more than lists of small messages, of numbers and of text take. */
const FACTOR = 48
/** Counted for each byte of a message from the start: what numbers, text and places in lists take at most. */
const WORDS_PER_BYTE = 2

/** Words of the parts that take more than that. */
export const words = {
  /** A message without fields. */
  message: 5,
  /** Its place in the message, and a number that needs memory of its own. */
  field: 2,
  list: 4,
  /** What a list reserves for its first elements. */
  firstElements: 19,
  map: 23,
  /** With a key that has not been seen before. */
  mapEntry: 20,
  bytes: 26,
  bigint: 3,
} as const

/** What a message of `length` bytes may take in bytes of memory: what is configured, else 32 MiB or 48 times its length. */
export function decodedBytesMax(length: number, configured: number | undefined): number {
  return configured ?? Math.max(FLOOR_BYTES, length * FACTOR)
}

/** The words of it that are left for what is counted beside the bytes. */
export function wordsBeside(length: number, configured: number | undefined): number {
  // As an integer: the same for all messages of up to half a MiB.
  if (configured === undefined && length * FACTOR <= FLOOR_BYTES) return FLOOR_WORDS - length * WORDS_PER_BYTE
  return Math.floor(decodedBytesMax(length, configured) / WORD_BYTES) - length * WORDS_PER_BYTE
}

/** How long a message may be that can not take too much, when each of its bytes takes so many words at most. */
export function safeBytes(wordsPerByte: number, configured: number | undefined): number {
  return Math.floor(decodedBytesMax(0, configured) / WORD_BYTES / (WORDS_PER_BYTE + wordsPerByte))
}

/** The error for a message of `length` bytes that would take more. Returned, to be thrown. */
export function tooLarge(length: number, configured: number | undefined): RangeError {
  return new RangeError(
    `a message of ${length} bytes would take more than ${decodedBytesMax(length, configured)} bytes of memory: it needs a larger maxDecodedBytes`,
  )
}

/** Throws RangeError unless it is a limit that can be set. */
export function requireLimit(maxBytes: number | undefined): void {
  if (maxBytes === undefined || (Number.isSafeInteger(maxBytes) && maxBytes > 0)) return
  throw new RangeError(`protobuf: maxDecodedBytes is ${maxBytes}, not a positive integer`)
}
