// The contract between the framework and a codec: how a value becomes bytes behind a frame's head, and how bytes become
// a value again. A codec holds no state that depends on the connection: a quorum call encodes once for all its nodes.

// All public types come by here: a project that does not ask for the types of Node.js gets them all the same.
/// <reference types="node" preserve="true" />

/**
 * Where an encoder writes. `buffer` and `position` may both be changed by the encoder:
 * it writes from `position` on and leaves `position` one past its last byte. When the bytes do not fit it replaces
 * `buffer` by a larger one that holds the same bytes at the same offsets below the position.
 */
export interface EncodeTarget {
  buffer: Buffer
  position: number
}

/**
 * Encodes values of type `In` and decodes values of type `Out`. (They differ for generated messages, whose fields are
 * optional on input and present on output.)
 */
export interface Codec<In, Out = In> {
  /** The codec's name on the wire: part of the method's full name, unless it is `'protobuf'`. Lower case ASCII. */
  readonly name: string
  /**
   * Writes `value` at `target.position`. Throws TypeError or RangeError for a value it can not represent; the bytes
   * that it has written by then are given up.
   */
  encode(value: In, target: EncodeTarget): void
  /**
   * Reads the value that occupies exactly `bytes[start, end)`. Throws when they are not one. The result must not refer
   * to `bytes`, as the buffer is used again as soon as this returns; unless `isOwned`: then nothing else is ever written there.
   */
  decode(bytes: Buffer, start: number, end: number, isOwned?: boolean): Out
}

/** The type that a codec takes. */
export type CodecInput<C> = C extends Codec<infer In, infer _Out> ? In : never
/** The type that a codec gives. */
export type CodecOutput<C> = C extends Codec<infer _In, infer Out> ? Out : never
