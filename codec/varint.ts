// The bytes of protobuf's numbers: varints, zig-zag and fixed ones, written at a place of a buffer that has room for them.

/** The most that a tag and a number take, bytes: 5 and 10. */
export const SCALAR_BYTES = 15

/** Writes an unsigned 32-bit integer at `at`; returns where it ends. */
export function putVarint(buf: Uint8Array, at: number, value: number): number {
  while (value > 127) {
    buf[at++] = (value & 127) | 128
    value >>>= 7
  }
  buf[at] = value
  return at + 1
}

/** As `putVarint`, for a signed one: negative ones take ten bytes. */
export function putInt32(buf: Uint8Array, at: number, value: number): number {
  return value >= 0 ? putVarint(buf, at, value) : putVarint64(buf, at, value >>> 0, 0xffff_ffff)
}

/** As `putVarint`, for 64 bits in two unsigned halves. */
export function putVarint64(buf: Uint8Array, at: number, low: number, high: number): number {
  while (high !== 0) {
    buf[at++] = (low & 127) | 128
    low = ((low >>> 7) | (high << 25)) >>> 0
    high >>>= 7
  }
  return putVarint(buf, at, low)
}

/** As `putVarint64`, zig-zag encoded. */
export function putZigzag64(buf: Uint8Array, at: number, low: number, high: number): number {
  const sign = (high | 0) >> 31
  return putVarint64(buf, at, ((low << 1) ^ sign) >>> 0, (((high << 1) | (low >>> 31)) ^ sign) >>> 0)
}

/** Writes the low 32 bits of a number, least significant byte first; returns where they end. */
export function putFixed32(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value & 255
  buf[at + 1] = (value >>> 8) & 255
  buf[at + 2] = (value >>> 16) & 255
  buf[at + 3] = value >>> 24
  return at + 4
}

/** How many bytes an unsigned 32-bit integer takes. */
export function varintBytes(value: number): number {
  if (value < 128) return 1
  if (value < 16_384) return 2
  if (value < 2_097_152) return 3
  return value < 268_435_456 ? 4 : 5
}
