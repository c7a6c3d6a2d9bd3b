// What generated code imports: declaring services with codecs of their own, and the protobuf codec. It does not pull in
// the default codec.

/**
 * What generated code imports: services whose methods name their codecs, and the protobuf codec.
 *
 * @module gorums/runtime
 */

import { declareService, type Methods, type Service } from './call/service.ts'

export type { Codec } from '../codec/codec.ts'
export { defineMessage, generatedFor, type MessageCodec } from '../codec/message.ts'
export { protobuf } from '../codec/protobuf.ts'
export { TimestampDate } from '../codec/timestamp-date.ts'
export * from '../codec/well-known/any.ts'
export * from '../codec/well-known/duration.ts'
export * from '../codec/well-known/empty.ts'
export * from '../codec/well-known/field-mask.ts'
export * from '../codec/well-known/struct.ts'
export * from '../codec/well-known/timestamp.ts'
export * from '../codec/well-known/wrappers.ts'
export type { Method, Methods, Service } from './call/service.ts'
export { multicast, quorumCall, quorumStream, rpc, unicast } from './call/service.ts'

/** Declares a service whose methods all name their codecs. Throws TypeError for one that does not. */
export function service<const M extends Methods>(name: string, methods: M): Service<M> {
  return declareService(name, methods, undefined)
}
