// What calls carry.

/** Throws unless a reply carries as many bytes as it should. */
export function checkPayload(from: string, payload: Uint8Array, bytes: number): void {
  if (payload.length !== bytes) throw new Error(`${from}: a reply has ${payload.length} bytes, not ${bytes}`)
}

/** What calls carry: bytes that no one could compress or guess. */
export function makePayload(bytes: number): Buffer {
  const payload = Buffer.allocUnsafeSlow(bytes)
  let state = 0x9e3779b9
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    payload[index] = state >>> 24
  }
  return payload
}
