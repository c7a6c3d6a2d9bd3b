// The message that every target with messages carries, and its codec: generated from message.proto, the same for all of
// them. Our targets are given the codec, the gRPC targets functions that are made of it.

import type { Codec } from 'gorums'
import { Message as generated } from './message_gorums.ts'

export interface Message {
  readonly payload: Uint8Array
  /** Which call this belongs to, where the transport does not say. */
  readonly id?: number
  /** Wall clock, ms: one-way messages carry when they were sent. */
  readonly sentAt?: number
}

export const messageCodec: Codec<Message> = generated

/** What a message takes beside its payload, at most, bytes. */
const MARGIN_BYTES = 32

export function encodeMessage(message: Message): Buffer {
  const target = { buffer: Buffer.allocUnsafe(message.payload.length + MARGIN_BYTES), position: 0 }
  messageCodec.encode(message, target)
  return target.buffer.subarray(0, target.position)
}

/** The bytes are the message's from then on: its payload refers to them. */
export function decodeMessage(bytes: Buffer): Message {
  return messageCodec.decode(bytes, 0, bytes.length, true)
}

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

/** The wall clock with the resolution of the monotonic one, ms. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now()
}
