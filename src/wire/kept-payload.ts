// What a request has brought, for as long as it waits: bytes, not what they decode to, which may be a hundred times as much.
// Small payloads share buffers. What is made of a payload may refer to it: nothing else is ever written there.

import type { IncomingFrame } from './incoming-frame.ts'
import { Slab } from './slab.ts'

/** Where an encoded value lies: `bytes[payloadStart, end)`. */
export type Payload = Pick<IncomingFrame, 'bytes' | 'payloadStart' | 'end' | 'isOwned'>

/** Payloads up to this size have no Buffer of their own, which would take more than they do, bytes. */
const SMALL_BYTES = 256
const small = new Slab(16 * 1024)

/** The payload of a frame, beyond the call that has brought the frame. */
export function keepPayload({ bytes, payloadStart, end, isOwned }: Payload): Payload {
  if (isOwned) return { bytes, payloadStart, end, isOwned }
  const length = end - payloadStart
  if (length > SMALL_BYTES) {
    const own = Buffer.allocUnsafe(length)
    bytes.copy(own, 0, payloadStart, end)
    return { bytes: own, payloadStart: 0, end: length, isOwned: true }
  }
  const start = small.take(length)
  bytes.copy(small.buffer, start, payloadStart, end)
  return { bytes: small.buffer, payloadStart: start, end: start + length, isOwned: true }
}
