// How a service is declared: which methods it has, how each is called, and which codecs carry its messages. A service is
// a value; clients and servers take their types from it.

import type { Codec } from '../../codec/codec.ts'
import { methodIDOf } from '../wire/method-id.ts'

/** How a method is called. */
export type CallType = 'rpc' | 'unicast' | 'multicast' | 'quorumCall' | 'quorumStream'

/** Options of a method declaration. */
export interface MethodOptions {
  /** The name on the wire. Default: the key in the service. */
  readonly name?: string
  /** Its handlers start in order but do not hold the lane. Default false. */
  readonly concurrent?: boolean
}

/** Options of a method declaration that names its codecs; the method's types are taken from them. */
export interface CodecMethodOptions<RequestIn, RequestOut, ReplyIn, ReplyOut> extends MethodOptions {
  readonly request: Codec<RequestIn, RequestOut>
  readonly reply: Codec<ReplyIn, ReplyOut>
}

/** As CodecMethodOptions, for methods that nothing answers. */
export interface CodecOneWayOptions<RequestIn, RequestOut> extends MethodOptions {
  readonly request: Codec<RequestIn, RequestOut>
}

/**
 * A declared method. `RequestIn` is what callers pass, `RequestOut` what handlers receive, `ReplyIn` what handlers
 * return, `ReplyOut` what callers get.
 */
export interface Method<
  Type extends CallType = CallType,
  RequestIn = unknown,
  RequestOut = unknown,
  ReplyIn = unknown,
  ReplyOut = unknown,
> {
  readonly type: Type
  readonly name: string | undefined
  readonly concurrent: boolean
  readonly request: Codec<RequestIn, RequestOut> | undefined
  readonly reply: Codec<ReplyIn, ReplyOut> | undefined
}

/** Any method, for constraints. The types of a method stand in positions of both variances, hence `never` and `unknown`. */
export interface AnyMethod {
  readonly type: CallType
  readonly name: string | undefined
  readonly concurrent: boolean
  readonly request: Codec<never, unknown> | undefined
  readonly reply: Codec<never, unknown> | undefined
}

/** The methods of a service, by the keys that clients and handlers use. */
export type Methods = Readonly<Record<string, AnyMethod>>

/** A method with all that its calls need. */
export interface BoundMethod {
  readonly key: string
  readonly type: CallType
  /** `package.Service/Name`, with `+codec` unless the codec is protobuf. */
  readonly fullName: string
  readonly methodID: number
  readonly request: Codec<unknown>
  readonly reply: Codec<unknown>
  readonly concurrent: boolean
  readonly isOneWay: boolean
  readonly isStream: boolean
}

/** A declared service: what `client()` and `handle()` take. */
export interface Service<M extends Methods = Methods> {
  readonly name: string
  readonly methods: M
  readonly bound: ReadonlyMap<string, BoundMethod>
}

/** Declares a method of one node: one request, one reply. */
export function rpc<RequestIn, RequestOut, ReplyIn, ReplyOut>(
  options: CodecMethodOptions<RequestIn, RequestOut, ReplyIn, ReplyOut>,
): Method<'rpc', RequestIn, RequestOut, ReplyIn, ReplyOut>
export function rpc<Request, Reply>(options?: MethodOptions): Method<'rpc', Request, Request, Reply, Reply>
export function rpc(options: DeclaredOptions = {}): Method<'rpc'> {
  return declare('rpc', options)
}

/** Declares a one-way method of one node. */
export function unicast<RequestIn, RequestOut>(
  options: CodecOneWayOptions<RequestIn, RequestOut>,
): Method<'unicast', RequestIn, RequestOut, void, void>
export function unicast<Request>(options?: MethodOptions): Method<'unicast', Request, Request, void, void>
export function unicast(options: DeclaredOptions = {}): Method<'unicast'> {
  return declare('unicast', options)
}

/** Declares a one-way method of a configuration. */
export function multicast<RequestIn, RequestOut>(
  options: CodecOneWayOptions<RequestIn, RequestOut>,
): Method<'multicast', RequestIn, RequestOut, void, void>
export function multicast<Request>(options?: MethodOptions): Method<'multicast', Request, Request, void, void>
export function multicast(options: DeclaredOptions = {}): Method<'multicast'> {
  return declare('multicast', options)
}

/** Declares a quorum call: one request to every node of a configuration, one reply from each. */
export function quorumCall<RequestIn, RequestOut, ReplyIn, ReplyOut>(
  options: CodecMethodOptions<RequestIn, RequestOut, ReplyIn, ReplyOut>,
): Method<'quorumCall', RequestIn, RequestOut, ReplyIn, ReplyOut>
export function quorumCall<Request, Reply>(
  options?: MethodOptions,
): Method<'quorumCall', Request, Request, Reply, Reply>
export function quorumCall(options: DeclaredOptions = {}): Method<'quorumCall'> {
  return declare('quorumCall', options)
}

/** Declares a quorum call in which every node may reply many times. */
export function quorumStream<RequestIn, RequestOut, ReplyIn, ReplyOut>(
  options: CodecMethodOptions<RequestIn, RequestOut, ReplyIn, ReplyOut>,
): Method<'quorumStream', RequestIn, RequestOut, ReplyIn, ReplyOut>
export function quorumStream<Request, Reply>(
  options?: MethodOptions,
): Method<'quorumStream', Request, Request, Reply, Reply>
export function quorumStream(options: DeclaredOptions = {}): Method<'quorumStream'> {
  return declare('quorumStream', options)
}

interface DeclaredOptions extends MethodOptions {
  readonly request?: Codec<never, unknown>
  readonly reply?: Codec<never, unknown>
}

function declare<Type extends CallType>(type: Type, options: DeclaredOptions): Method<Type> {
  return Object.freeze({
    type,
    name: options.name,
    concurrent: options.concurrent ?? false,
    request: options.request as Codec<unknown> | undefined,
    reply: options.reply as Codec<unknown> | undefined,
  })
}

const SERVICE_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
const METHOD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Keys that would break the client object that carries them. */
const FORBIDDEN_KEYS = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'hasOwnProperty',
])

/**
 * Declares a service: `name` is `package.Service`, `methods` its methods by the keys that clients and handlers use.
 * Throws TypeError for a name or key that can not be one, for methods without a codec when there is no default, and
 * for two methods with one name.
 */
export function declareService<const M extends Methods>(
  name: string,
  methods: M,
  defaultCodec: Codec<unknown> | undefined,
): Service<M> {
  if (typeof name !== 'string' || !SERVICE_NAME.test(name))
    throw new TypeError(`service name ${JSON.stringify(name)} must look like "package.Service"`)
  const bound = new Map<string, BoundMethod>()
  const byID = new Map<number, string>()
  // An own "__proto__" key can only be seen here: reading it as a property would give the prototype.
  for (const key of Object.getOwnPropertyNames(methods)) {
    const method = Object.getOwnPropertyDescriptor(methods, key)?.value as Method
    const result = bind(name, key, method, defaultCodec)
    const clash = byID.get(result.methodID)
    if (clash !== undefined)
      throw new TypeError(
        `service ${name}: methods "${clash}" and "${key}" have the same id on the wire: give one of them another name`,
      )
    byID.set(result.methodID, key)
    bound.set(key, result)
  }
  if (Object.getPrototypeOf(methods) !== Object.prototype && Object.getPrototypeOf(methods) !== null) {
    throw new TypeError(`service ${name}: methods must be a plain object (a key "__proto__" is not allowed)`)
  }
  return Object.freeze({ name, methods: Object.freeze({ ...methods }), bound })
}

function bind(serviceName: string, key: string, method: Method, defaultCodec: Codec<unknown> | undefined): BoundMethod {
  const where = `service ${serviceName}, method "${key}"`
  if (FORBIDDEN_KEYS.has(key) || !METHOD_NAME.test(key)) throw new TypeError(`${where}: the key can not be a method's`)
  if (typeof method !== 'object' || method === null || typeof method.type !== 'string')
    throw new TypeError(`${where} must be declared with rpc(), unicast(), multicast(), quorumCall() or quorumStream()`)
  const name = method.name ?? key
  if (!METHOD_NAME.test(name))
    throw new TypeError(`${where}: the name ${JSON.stringify(name)} must be letters, digits and _`)
  const request = method.request ?? defaultCodec
  const isOneWay = method.type === 'unicast' || method.type === 'multicast'
  const reply = method.reply ?? (isOneWay ? request : defaultCodec)
  if (request === undefined || reply === undefined)
    throw new TypeError(`${where} has no codec: give it { request, reply }`)
  if (request.name !== reply.name)
    throw new TypeError(`${where}: request codec "${request.name}" and reply codec "${reply.name}" must be of one kind`)
  const fullName = `${serviceName}/${name}${request.name === 'protobuf' ? '' : `+${request.name}`}`
  return Object.freeze({
    key,
    type: method.type,
    fullName,
    methodID: methodIDOf(fullName),
    request,
    reply,
    concurrent: method.concurrent,
    isOneWay,
    isStream: method.type === 'quorumStream',
  })
}

// The types that clients and handlers take from a method.

/** What callers of a method pass. */
export type RequestOf<T> = T extends Method<CallType, infer RequestIn, infer _1, infer _2, infer _3> ? RequestIn : never
/** What handlers of a method receive. */
export type ReceivedOf<T> =
  T extends Method<CallType, infer _1, infer RequestOut, infer _2, infer _3> ? RequestOut : never
/** What handlers of a method return. */
export type AnswerOf<T> = T extends Method<CallType, infer _1, infer _2, infer ReplyIn, infer _3> ? ReplyIn : never
/** What callers of a method get. */
export type ReplyOf<T> = T extends Method<CallType, infer _1, infer _2, infer _3, infer ReplyOut> ? ReplyOut : never
