// The message that every target with messages carries, encoded by protobufjs for all of them: our codec, and the functions
// that the gRPC targets are given, are made of the same type.

import protobufjs from 'protobufjs'

export interface Message {
  readonly payload: Uint8Array
  /** Which call this belongs to, where the transport does not say. */
  readonly id?: number
  /** Wall clock, ms: one-way messages carry when they were sent. */
  readonly sentAt?: number
}

export const MESSAGE_PROTO = `syntax = "proto3";
package bench;
message Message {
  bytes payload = 1;
  uint32 id = 2;
  double sent_at = 3;
}`

export const messageType = protobufjs.parse(MESSAGE_PROTO).root.lookupType('bench.Message')

export function encodeMessage(message: Message): Buffer {
  return messageType.encode(message).finish() as Buffer
}

export function decodeMessage(bytes: Uint8Array): Message {
  return messageType.decode(bytes) as unknown as Message
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
