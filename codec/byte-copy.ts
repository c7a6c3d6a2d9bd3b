// Copies of bytes out of a read buffer. Memory of its own for each costs many times the copying, so those of middling size
// share a slab, as small Buffers do in Node: what keeps one of them keeps its slab.

/** Up to this many bytes V8 keeps an array within its heap, which is cheap. */
const SMALL_BYTES = 64
/** Beyond this many, memory of its own is worth its price. */
const LARGE_BYTES = 4 * 1024
const SLAB_BYTES = 16 * 1024
/** Up to this many bytes are copied one by one: a call costs more. */
const SHORT_BYTES = 32

let slab = new ArrayBuffer(0)
let used = 0

/** A copy of `bytes[start, end)`. */
export function copyBytes(bytes: Buffer, start: number, end: number): Uint8Array<ArrayBuffer> {
  const length = end - start
  if (length > LARGE_BYTES) return copyLarge(bytes, start, length)
  if (length > SMALL_BYTES) return copyToSlab(bytes, start, length)
  const copy = new Uint8Array(length)
  if (length > SHORT_BYTES) copy.set(bytes.subarray(start, end))
  else for (let i = 0; i < length; i++) copy[i] = bytes[start + i]!
  return copy
}

function copyToSlab(bytes: Buffer, start: number, length: number): Uint8Array<ArrayBuffer> {
  if (slab.byteLength - used < length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer as ArrayBuffer
    used = 0
  }
  const copy = new Uint8Array(slab, used, length)
  used += length
  // Cheaper than Buffer's own copy, and a plain view cheaper than Buffer's subarray.
  copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length))
  return copy
}

function copyLarge(bytes: Buffer, start: number, length: number): Uint8Array<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(length)
  bytes.copy(copy, 0, start, start + length)
  return new Uint8Array(copy.buffer as ArrayBuffer)
}
