// Typed clients: an object with one function per method of a service that can be called where the client is. Everything
// that is the same for all calls of a method is worked out when the client is made.

import type { NodeManager } from '../net/node-manager.ts'
import { checkKind } from '../options.ts'
import type { BoundQuorum, QuorumSystem } from '../quorum/index.ts'
import type { Call } from './call.ts'
import type { CallDefaults, CallSetup } from './call-setup.ts'
import type { Configuration } from './configuration.ts'
import type { Contacts } from './contacts.ts'
import type { MethodHooks } from './interceptor.ts'
import {
  type AnyCallOptions,
  type CallOptions,
  type ClientMethod,
  type MulticastOptions,
  type OneWayOptions,
  prepareCall,
  type QuorumCallOptions,
} from './prepare-call.ts'
import { type Declared, QuorumCall, type QuorumFunction } from './quorum-call.ts'
import type { Replies } from './response.ts'
import type { BoundMethod, Method, Methods, ReplyOf, RequestOf, Service } from './service.ts'
import { DeliveryTerminal, SingleTerminal } from './terminal.ts'

/** The calls of a service that go to one node. */
export type NodeClient<M> = {
  readonly [K in keyof M as M[K] extends Method<'rpc' | 'unicast', infer _1, infer _2, infer _3, infer _4>
    ? K
    : never]: M[K] extends Method<'rpc', infer Request, infer _5, infer _6, infer Reply>
    ? (request: Request, options?: CallOptions) => Promise<Reply>
    : (request: RequestOf<M[K]>, options?: OneWayOptions) => Promise<void>
}

/** The calls of a service that go to a configuration. */
export type ConfigurationClient<M, Functions = object, Requests = object, Quorum = undefined> = {
  readonly [K in keyof M as M[K] extends Method<
    'quorumCall' | 'quorumStream' | 'multicast',
    infer _1,
    infer _2,
    infer _3,
    infer _4
  >
    ? K
    : never]: M[K] extends Method<'multicast', infer Request, infer _5, infer _6, infer _7>
    ? (request: ArgumentOf<Requests, K, Request>, options?: MulticastOptions<Request>) => Promise<void>
    : (
        request: ArgumentOf<Requests, K, RequestOf<M[K]>>,
        options?: QuorumCallOptions<RequestOf<M[K]>, ReplyOf<M[K]>>,
      ) => QuorumCall<RequestOf<M[K]>, ReplyOf<M[K]>, ResultOf<Functions, K, ReplyOf<M[K]>, Quorum>>
}

/** What a caller passes: what the pre-call adapter takes, or the request itself. */
type ArgumentOf<Requests, K, Request> = K extends keyof Requests
  ? Requests[K] extends (argument: infer Argument) => unknown
    ? Argument
    : Request
  : Request

/** What `result()` gives: what the declared function returns, or the replies of the declared quorum. */
type ResultOf<Functions, K, Reply, Quorum> = K extends keyof Functions
  ? Functions[K] extends (...rest: never[]) => infer R
    ? Exclude<R, undefined>
    : never
  : Quorum extends undefined
    ? never
    : Replies<Reply>

type QuorumMethodKeys<M> = {
  [K in keyof M]: M[K] extends Method<'quorumCall' | 'quorumStream', infer _1, infer _2, infer _3, infer _4> ? K : never
}[keyof M]
type CallKeys<M> =
  | QuorumMethodKeys<M>
  | { [K in keyof M]: M[K] extends Method<'multicast', infer _1, infer _2, infer _3, infer _4> ? K : never }[keyof M]

/** Declared quorum functions, by method. They may return any type; `undefined` means not yet. */
export type QuorumFunctions<M> = {
  readonly [K in QuorumMethodKeys<M>]?: (replies: Replies<ReplyOf<M[K]>>, request: RequestOf<M[K]>) => unknown
}
/** Pre-call adapters, by method: from what the caller passes to what is sent. */
export type RequestAdapters<M> = { readonly [K in CallKeys<M>]?: (argument: never) => RequestOf<M[K]> }
/** Declared quorum systems: one for all methods, or by method. */
export type DeclaredQuorums<M> = QuorumSystem | { readonly [K in QuorumMethodKeys<M>]?: QuorumSystem }

/** What a client of a configuration may declare once for all its calls. */
export interface ClientOptions<M, Functions, Requests, Quorum> {
  /** The quorum system of `result()` and `reduce()`, for all methods or by method. Bound here: RangeError if it does not fit. */
  readonly quorum?: Quorum
  /** Quorum functions, as `result()` runs them: once the declared quorum holds, or after every reply. */
  readonly functions?: Functions & QuorumFunctions<M>
  /** Pre-call adapters. */
  readonly requests?: Requests
}

/** What the inside needs of ClientOptions. */
interface LooseOptions {
  readonly quorum?: QuorumSystem | Readonly<Record<string, QuorumSystem | undefined>> | undefined
  readonly functions?: Readonly<Record<string, unknown>> | undefined
  readonly requests?: Readonly<Record<string, unknown>> | undefined
}

export function nodeClient<M extends Methods>(
  manager: NodeManager,
  contacts: Contacts,
  defaults: CallDefaults,
  service: Service<M>,
): NodeClient<M> {
  const client: Record<string, unknown> = {}
  for (const method of boundMethods(service)) {
    if (method.type !== 'rpc' && method.type !== 'unicast') continue
    const prepared: ClientMethod = { setup: setupOf(manager, contacts, method, defaults), adapter: undefined }
    client[method.key] = (request: unknown, options?: AnyCallOptions) => singleCall(prepared, request, options)
  }
  return Object.freeze(client) as NodeClient<M>
}

export function configurationClient<M extends Methods>(
  manager: NodeManager,
  configuration: Configuration,
  contacts: Contacts,
  defaults: CallDefaults,
  service: Service<M>,
  options: LooseOptions,
): object {
  checkKind(`client(${service.name}): options`, options, 'object')
  checkEach(service, 'functions', options.functions, isFunction, 'a function')
  checkEach(service, 'requests', options.requests, isFunction, 'a function')
  if (!isSystem(options.quorum)) checkEach(service, 'quorum', options.quorum, isSystem, 'a quorum system')
  const client: Record<string, unknown> = {}
  for (const method of boundMethods(service)) {
    if (method.type === 'rpc' || method.type === 'unicast') continue
    const adapter = options.requests?.[method.key] as ClientMethod['adapter']
    const prepared: ClientMethod = { setup: setupOf(manager, contacts, method, defaults), adapter }
    if (method.type === 'multicast') {
      client[method.key] = (request: unknown, callOptions?: AnyCallOptions) =>
        deliver(prepared, configuration, request, callOptions)
      continue
    }
    const declared: Declared = {
      quorum: quorumFor(configuration, options, method),
      function: options.functions?.[method.key] as QuorumFunction<never, never, unknown> | undefined,
    }
    client[method.key] = (request: unknown, callOptions?: AnyCallOptions) => {
      const call = prepareCall(prepared, request, callOptions)
      configuration.startCall(call, callOptions?.signal)
      return new QuorumCall(call, configuration, declared)
    }
  }
  return Object.freeze(client)
}

function singleCall(prepared: ClientMethod, request: unknown, options: AnyCallOptions | undefined): Promise<unknown> {
  const call = prepareCall(prepared, request, options)
  if (options?.confirm === false) return sendUnconfirmed(call, options)
  const terminal = new SingleTerminal(call)
  call.consumer = terminal
  call.start(options?.signal)
  if (call.isSettled && !call.isDone) terminal.onSettled()
  return terminal.promise
}

function deliver(
  prepared: ClientMethod,
  configuration: Configuration,
  request: unknown,
  options: AnyCallOptions | undefined,
): Promise<void> {
  const call = prepareCall(prepared, request, options)
  if (options?.confirm === false) return sendUnconfirmed(call, options, configuration)
  const terminal = new DeliveryTerminal(call)
  call.consumer = terminal
  configuration.startCall(call, options?.signal)
  if (call.isSettled && !call.isDone) terminal.onSettled()
  return terminal.promise
}

/** What all those get who do not wait. */
const SENT = Promise.resolve()

function sendUnconfirmed(call: Call, options: AnyCallOptions, configuration?: Configuration): Promise<void> {
  call.unconfirmed()
  if (configuration === undefined) call.start(options.signal)
  else configuration.startCall(call, options.signal)
  return SENT
}

function boundMethods(service: Service): BoundMethod[] {
  if (typeof service !== 'object' || service === null || !(service.bound instanceof Map))
    throw new TypeError('client() takes a service made by service()')
  return [...service.bound.values()]
}

function setupOf(manager: NodeManager, contacts: Contacts, method: BoundMethod, defaults: CallDefaults): CallSetup {
  const { timeoutMs } = defaults
  return { manager, contacts, method, defaults, hooks: hooksFor(defaults, method), timeoutMs, stragglers: 'continue' }
}

function hooksFor(defaults: CallDefaults, method: BoundMethod): MethodHooks[] {
  return defaults.interceptors.flatMap(
    (interceptor) => interceptor({ fullName: method.fullName, key: method.key, type: method.type }) ?? [],
  )
}

function quorumFor(configuration: Configuration, options: LooseOptions, method: BoundMethod): BoundQuorum | undefined {
  const system = isSystem(options.quorum) ? options.quorum : options.quorum?.[method.key]
  return system === undefined ? undefined : configuration.bind(system)
}

function isSystem(value: unknown): value is QuorumSystem {
  return typeof value === 'object' && value !== null && typeof (value as QuorumSystem).bind === 'function'
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Checks an option that has an entry per method. */
function checkEach(
  service: Service,
  what: string,
  given: unknown,
  isRight: (value: unknown) => boolean,
  kind: string,
): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`client(${service.name}): ${what} must be an object, not ${String(given)}`)
  for (const [key, value] of Object.entries(given)) {
    if (!service.bound.has(key))
      throw new TypeError(`client(${service.name}): ${what} names "${key}", which is no method of the service`)
    if (value !== undefined && !isRight(value))
      throw new TypeError(`client(${service.name}): ${what}.${key} must be ${kind}`)
  }
}
