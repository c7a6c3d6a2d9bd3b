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
