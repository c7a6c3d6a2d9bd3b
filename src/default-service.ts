// service() with the default codec: methods that name no codec of their own carry MessagePack.

import type { Codec } from '../codec/codec.ts'
import { msgpack } from '../codec/msgpack.ts'
import { declareService, type Methods, type Service } from './call/service.ts'

/**
 * Declares a service: `name` is `package.Service`, `methods` its methods by the keys that clients and handlers use. Throws
 * TypeError for names and keys that can not be used.
 */
export function service<const M extends Methods>(name: string, methods: M): Service<M> {
  return declareService(name, methods, msgpack() as Codec<unknown>)
}
