// What generated code imports: declaring services with codecs of their own, and the protobuf codec. It does not pull in
// the default codec.

/**
 * What generated code imports: services whose methods name their codecs, and the protobuf codec.
 *
 * @module gorums/runtime
 */

import { declareService, type Methods, type Service } from './call/service.ts'

export { protobuf } from '../codec/protobuf.ts'
export type { Method, Methods, Service } from './call/service.ts'
export { multicast, quorumCall, quorumStream, rpc, unicast } from './call/service.ts'

/** Declares a service whose methods all name their codecs. Throws TypeError for one that does not. */
export function service<const M extends Methods>(name: string, methods: M): Service<M> {
  return declareService(name, methods, undefined)
}
