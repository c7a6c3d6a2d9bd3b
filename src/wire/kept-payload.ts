// What a request has brought, for as long as it waits: bytes, not what they decode to, which may be a hundred times as much.
// Small payloads share buffers, as small Buffers do in Node: nothing else is ever written where one of them lies, so what is
// made of it may refer to it.

import type { IncomingFrame } from './incoming-frame.ts'

/** Where an encoded value lies: `bytes[payloadStart, end)`. */
export type Payload = Pick<IncomingFrame, 'bytes' | 'payloadStart' | 'end' | 'isOwned'>

/** Payloads up to this size have no Buffer of their own, which would take more than they do, bytes. */
const SMALL_BYTES = 256
/** They share buffers of this size, bytes. */
const SHARED_BYTES = 16 * 1024
let shared = Buffer.alloc(0)
let sharedEnd = 0

/** The payload of a frame, beyond the call that has brought the frame. */
export function keepPayload({ bytes, payloadStart, end, isOwned }: Payload): Payload {
  if (isOwned) return { bytes, payloadStart, end, isOwned }
  const length = end - payloadStart
  if (length > SMALL_BYTES) {
    const own = Buffer.allocUnsafe(length)
    bytes.copy(own, 0, payloadStart, end)
    return { bytes: own, payloadStart: 0, end: length, isOwned: true }
  }
  if (shared.length - sharedEnd < length) {
    shared = Buffer.allocUnsafeSlow(SHARED_BYTES)
    sharedEnd = 0
  }
  const start = sharedEnd
  sharedEnd += length
  bytes.copy(shared, start, payloadStart, end)
  return { bytes: shared, payloadStart: start, end: sharedEnd, isOwned: true }
}
