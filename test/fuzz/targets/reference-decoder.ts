// The frame decoder as one would write it who has all bytes of a stream at once: what the incremental one must agree with.
// It shares no code with it.

export interface ReferenceFrame {
  readonly kind: number
  readonly flags: number
  readonly msgID: number
  readonly methodID: number
  readonly header: Buffer
  readonly payload: Buffer
}

export interface ReferenceResult {
  readonly frames: readonly ReferenceFrame[]
  /** Whether the stream breaks the protocol behind these frames. */
  readonly isViolated: boolean
  /** Whether a frame has begun and is not complete. */
  readonly isMidFrame: boolean
}

/** Decodes a whole stream. `lengthMax(n)` is the limit once `n` frames have come, `stopAfter` how many are wanted. */
export function decodeWhole(bytes: Buffer, lengthMax: (frames: number) => number, stopAfter: number): ReferenceResult {
  const frames: ReferenceFrame[] = []
  let rest = bytes
  while (frames.length < stopAfter && rest.length >= 4) {
    const length = rest.readUInt32BE(0)
    if (length < 12 || length > lengthMax(frames.length)) return { frames, isViolated: true, isMidFrame: false }
    if (rest.length < 4 + length) break
    const headerBytes = rest.readUInt16BE(6)
    if (12 + headerBytes > length) return { frames, isViolated: true, isMidFrame: false }
    frames.push({
      kind: rest.readUInt8(4),
      flags: rest.readUInt8(5),
      msgID: rest.readUInt32BE(8),
      methodID: rest.readUInt32BE(12),
      header: rest.subarray(16, 16 + headerBytes),
      payload: rest.subarray(16 + headerBytes, 4 + length),
    })
    rest = rest.subarray(4 + length)
  }
  return { frames, isViolated: false, isMidFrame: rest.length > 0 && frames.length < stopAfter }
}
