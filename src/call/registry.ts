// Which handlers a server has, by methodID, with their interceptors around them.

import type { Context } from './context.ts'
import type { NextHandler, ServerInterceptor } from './interceptor.ts'
import type { AnswerOf, BoundMethod, Method, Methods, ReceivedOf, Service } from './service.ts'

/** A handler's result: at once or later; of a stream an (async) iterable of replies. */
type HandlerFor<M> =
  M extends Method<'quorumStream', infer _1, infer _2, infer _3, infer _4>
    ? (request: ReceivedOf<M>, context: Context) => AsyncIterable<AnswerOf<M>> | Iterable<AnswerOf<M>>
    : M extends Method<'unicast' | 'multicast', infer _1, infer _2, infer _3, infer _4>
      ? (request: ReceivedOf<M>, context: Context) => unknown
      : (request: ReceivedOf<M>, context: Context) => AnswerOf<M> | Promise<AnswerOf<M>>

/** Handlers of a service, by key. Those that are missing answer `unimplemented`. */
export type Handlers<M> = { readonly [K in keyof M]?: HandlerFor<M[K]> }

/** A method that can be called here. */
export interface RegisteredMethod {
  readonly bound: BoundMethod
  readonly invoke: NextHandler
}

export class Registry {
  readonly #methods = new Map<number, RegisteredMethod>()
  readonly #known = new Map<number, BoundMethod>()
  readonly #interceptors: readonly ServerInterceptor[]
  /** The method that was asked for last: mostly the one that is asked for next. */
  #last: RegisteredMethod | undefined

  constructor(interceptors: readonly ServerInterceptor[]) {
    this.#interceptors = interceptors
  }

  /**
   * Adds the handlers of a service. Throws TypeError for a handler that is no function, names no method, or is there
   * already, and for two methods of different names with one id on the wire.
   */
  add<M extends Methods>(service: Service<M>, handlers: Handlers<M>): void {
    if (typeof service !== 'object' || service === null || !(service.bound instanceof Map))
      throw new TypeError('handle() takes a service made by service()')
    if (typeof handlers !== 'object' || handlers === null)
      throw new TypeError(`handle(${service.name}) takes an object of handlers`)
    const found: RegisteredMethod[] = []
    for (const key of Object.keys(handlers))
      if (!service.bound.has(key)) throw new TypeError(`handle(${service.name}): "${key}" is no method of the service`)
    for (const [key, bound] of service.bound) {
      const handler = handlerOf(handlers, key)
      const known = this.#known.get(bound.methodID)
      if (known !== undefined && known.fullName !== bound.fullName) {
        throw new TypeError(
          `methods "${known.fullName}" and "${bound.fullName}" have the same id on the wire: give one of them another name`,
        )
      }
      this.#known.set(bound.methodID, bound)
      if (handler === undefined) continue
      if (typeof handler !== 'function')
        throw new TypeError(`handle(${service.name}): the handler of "${key}" is not a function`)
      if (this.#methods.has(bound.methodID))
        throw new TypeError(`handle(${service.name}): "${key}" has a handler already`)
      found.push({
        bound,
        invoke: this.#intercept(bound, (request, context) => handler.call(handlers, request, context)),
      })
    }
    for (const method of found) this.#methods.set(method.bound.methodID, method)
  }

  get(methodID: number): RegisteredMethod | undefined {
    if (this.#last?.bound.methodID !== methodID) this.#last = this.#methods.get(methodID)
    return this.#last
  }

  /** The name of a method that is declared here, with or without a handler. */
  nameOf(methodID: number): string {
    return this.#known.get(methodID)?.fullName ?? `0x${methodID.toString(16).padStart(8, '0')}`
  }

  /** Wraps the interceptors around a handler, the first outermost. */
  #intercept(bound: BoundMethod, handler: NextHandler): NextHandler {
    const info = { fullName: bound.fullName, key: bound.key, type: bound.type }
    let next = handler
    for (const interceptor of [...this.#interceptors].reverse()) {
      const around = interceptor(info)
      if (around === undefined) continue
      const inner = next
      next = (request, context) => around(request, context, inner)
    }
    return next
  }
}

/** Handlers may be methods of a class instance; what every object inherits is none. */
function handlerOf(handlers: object, key: string): ((request: unknown, context: Context) => unknown) | undefined {
  const value = (handlers as Record<string, unknown>)[key]
  return value === (Object.prototype as unknown as Record<string, unknown>)[key]
    ? undefined
    : (value as (request: unknown, context: Context) => unknown)
}
