// How a call begins, whatever its type: options checked, interceptors and adapters run, request encoded once (or once per
// node), everything that a programmer could have avoided thrown, and only then the first byte sent.

import type { Metadata } from '../errors.ts'
import { tell } from '../tell.ts'
import { Kind } from '../wire/frame.ts'
import type { Frame } from '../wire/frame-writer.ts'
import { checkMetadata } from '../wire/metadata.ts'
import { Call } from './call.ts'
import type { CallSetup, StragglerPolicy } from './call-setup.ts'
import type { MethodHooks } from './interceptor.ts'
import type { Node } from './node.ts'
import { recordOf } from './record.ts'
import type { Response } from './response.ts'
import type { BoundMethod } from './service.ts'

/** Options of every call. */
export interface CallOptions {
  /** The time that the call may take, queues included, ms. 0 expires at once, Infinity never. Default: the configuration's. */
  readonly timeoutMs?: number
  /** Cancels the call when it aborts. */
  readonly signal?: AbortSignal
  /** Travels with the request; handlers read it as `context.metadata`. */
  readonly metadata?: Metadata
}

/** Options of calls that nothing answers. */
export interface OneWayOptions extends CallOptions {
  /** Whether the promise waits until it is decided for every node. `false`: failures go to the `'undelivered'` event. Default true. */
  readonly confirm?: boolean
}

/** What a call on a configuration may do per node. */
export interface PerNode<Request> {
  /** The request for each node; undefined skips the node; the request itself means: as for everyone, encoded once. */
  readonly perNode?: (request: Request, node: Node) => Request | undefined
}

export interface MulticastOptions<Request> extends OneWayOptions, PerNode<Request> {}

/** Options of quorum calls. */
export interface QuorumCallOptions<Request, Reply = unknown> extends CallOptions, PerNode<Request> {
  /** What becomes of nodes that have not answered when the quorum has. Default `'continue'`: until the deadline. */
  readonly stragglers?: StragglerPolicy
  /** Called with every response as it arrives, stragglers included. */
  readonly onReply?: (response: Response<Reply>) => void
}

/** All options there are, as the inside sees them. */
export interface AnyCallOptions extends CallOptions {
  readonly confirm?: boolean
  readonly stragglers?: StragglerPolicy
  readonly perNode?: (request: never, node: Node) => unknown
  readonly onReply?: (response: Response<never>) => void
}

/** A method of a client, with what is the same for all its calls. */
export interface ClientMethod {
  /** What its calls are made of when their options say nothing else. */
  readonly setup: CallSetup
  /** The caller's argument to the request that is sent. */
  readonly adapter: ((argument: never) => unknown) | undefined
}

const NO_OPTIONS: AnyCallOptions = Object.freeze({})

/**
 * Makes a call ready to start: nothing has been sent when this throws. The caller attaches its consumer and then starts
 * it, without anything in between.
 */
export function prepareCall(client: ClientMethod, argument: unknown, options: AnyCallOptions = NO_OPTIONS): Call {
  const { method, hooks } = client.setup
  checkOptions(method, options)
  const call = new Call(setupFor(client, options))
  let request = client.adapter === undefined ? argument : client.adapter(argument as never)
  for (const each of hooks) if (each.request !== undefined) request = each.request(request, call)
  if (request === undefined || request === null)
    throw new TypeError(`${method.fullName}: the request is ${request}; pass a value, {} if there is nothing to say`)
  call.request = request
  if (options.onReply !== undefined) call.onResponse = options.onReply as (response: Response<unknown>) => void
  if (options.perNode === undefined && !hooks.some(sends)) call.frame = encodeRequest(call, request, options.metadata)
  else encodePerNode(call, request, options)
  if (hooks.some(hearsTheEnd)) call.whenSettled(() => runSettledHooks(call))
  return call
}

function setupFor({ setup }: ClientMethod, { timeoutMs, stragglers }: AnyCallOptions): CallSetup {
  if (timeoutMs === undefined && stragglers === undefined) return setup
  return { ...setup, timeoutMs: timeoutMs ?? setup.timeoutMs, stragglers: stragglers ?? setup.stragglers }
}

const sends = (hooks: MethodHooks): boolean => hooks.send !== undefined
const hearsTheEnd = (hooks: MethodHooks): boolean => hooks.settled !== undefined

function encodeRequest(call: Call, request: unknown, metadata: Metadata | undefined): Frame {
  const { method, manager, timeoutMs } = call.setup
  const kind = method.isOneWay ? Kind.oneway : Kind.request
  return manager.writer.write(kind, call.msgID, method.methodID, timeoutMs, metadata, method.request, request)
}

/** A request per node; those that are one and the same object are encoded once. */
function encodePerNode(call: Call, request: unknown, options: AnyCallOptions): void {
  const perNode = options.perNode as ((request: unknown, node: Node) => unknown) | undefined
  const frames: (Frame | undefined)[] = []
  const encoded = new Map<unknown, Frame>()
  call.contacts.nodes.forEach((node, position) => {
    let value = perNode === undefined ? request : perNode(request, node)
    for (const each of call.setup.hooks)
      if (value !== undefined && each.send !== undefined) value = each.send(value, node, call)
    if (value === null)
      throw new TypeError(
        `${call.setup.method.fullName}: the request for node ${node.id} is null; return undefined to skip the node`,
      )
    frames.push(undefined)
    if (value === undefined) {
      call.skip(position)
      return
    }
    let frame = encoded.get(value)
    if (frame === undefined) {
      frame = encodeRequest(call, value, options.metadata)
      encoded.set(value, frame)
    }
    frames[position] = frame
  })
  call.frames = frames
}

function runSettledHooks(call: Call): void {
  const record = recordOf(call)
  for (const hooks of [...call.setup.hooks].reverse()) tell(() => hooks.settled?.(record, call))
}

function checkOptions(method: BoundMethod, options: AnyCallOptions): void {
  if (options === NO_OPTIONS) return
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${method.fullName}: options must be an object, not ${String(options)}`)
  const { timeoutMs, signal, metadata, perNode, stragglers, confirm, onReply } = options
  const bad = (what: string): TypeError => new TypeError(`${method.fullName}: ${what}`)
  if (timeoutMs !== undefined) {
    if (typeof timeoutMs !== 'number') throw bad(`timeoutMs must be a number, not ${typeof timeoutMs}`)
    if (!(timeoutMs >= 0)) throw new RangeError(`${method.fullName}: timeoutMs must be 0 or more, not ${timeoutMs}`)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw bad('signal must be an AbortSignal')
  if (metadata !== undefined) checkMetadata(metadata)
  if (perNode !== undefined && typeof perNode !== 'function') throw bad('perNode must be a function')
  if (onReply !== undefined && typeof onReply !== 'function') throw bad('onReply must be a function')
  if (stragglers !== undefined && stragglers !== 'continue' && stragglers !== 'cancel')
    throw bad(`stragglers must be 'continue' or 'cancel', not ${String(stragglers)}`)
  if (confirm !== undefined && typeof confirm !== 'boolean') throw bad('confirm must be a boolean')
}
