// Interceptors to copy from. On servers: logging, delay, reject, metadata, as `--interceptors` names them. On clients:
// timing, and trying again what certainly did not run.

import { type ClientInterceptor, type InterceptedCall, type MethodInfo, RpcError, type ServerInterceptor } from 'gorums'

export const SERVER_INTERCEPTORS = ['logging', 'delay', 'reject', 'metadata'] as const
export type ServerInterceptorName = (typeof SERVER_INTERCEPTORS)[number]

export interface ServerInterceptorSettings {
  /** Told of as `served-by` in the metadata of replies. */
  readonly nodeID: string
  /** How long `delay` holds every request back, ms. Default 50. */
  readonly delayMs?: number
  /** Keys that begin so are read-only under `reject`. Default `_`. */
  readonly readOnlyPrefix?: string
  /** Where `logging` writes. Default: the console. */
  readonly log?: (line: string) => void
}

/** The interceptors with these names, in this order, the first outermost. */
export function serverInterceptors(
  names: readonly ServerInterceptorName[],
  settings: ServerInterceptorSettings,
): ServerInterceptor[] {
  const make: Record<ServerInterceptorName, () => ServerInterceptor> = {
    logging: () => logging(settings.log ?? console.log),
    delay: () => delay(settings.delayMs ?? 50),
    reject: () => reject(settings.readOnlyPrefix ?? '_'),
    metadata: () => metadata(settings.nodeID),
  }
  return names.map((name) => make[name]())
}

/** Reads `logging,delay`. Throws RangeError for a name that there is none of. */
export function parseInterceptors(text: string): ServerInterceptorName[] {
  const names = text.split(',').map((name) => name.trim())
  return names
    .filter((name) => name !== '')
    .map((name) => {
      const known = SERVER_INTERCEPTORS.find((each) => each === name)
      if (known === undefined)
        throw new RangeError(`there is no interceptor "${name}": choose from ${SERVER_INTERCEPTORS.join(', ')}`)
      return known
    })
}

/** One line per request: what was called, how it ended and how long that took. */
export function logging(log: (line: string) => void): ServerInterceptor {
  return ({ key, type }) =>
    (request, context, next) => {
      const startedAt = performance.now()
      const write = (outcome: string): void =>
        log(`${key} ${JSON.stringify(keyOf(request))}: ${outcome}, ${(performance.now() - startedAt).toFixed(2)} ms`)
      // The stream of a streaming method begins when it is returned; it ends later.
      const done = type === 'quorumStream' ? 'streaming' : 'done'
      return observe(
        () => next(request, context),
        () => write(done),
        (error) => write(`failed: ${messageOf(error)}`),
      )
    }
}

/**
 * Latency to develop against. It holds the lane meanwhile, as a slow handler would: what the same client sends next waits
 * its turn.
 */
export function delay(delayMs: number): ServerInterceptor {
  return ({ type }) => {
    // A streaming handler has to return its stream at once.
    if (type === 'quorumStream') return undefined
    return async (request, context, next) => {
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      return next(request, context)
    }
  }
}

/** Keeps writers away from keys with this prefix. Built once per method: reads do not even pay for the question. */
export function reject(prefix: string): ServerInterceptor {
  return ({ key: method }) => {
    if (!method.startsWith('write')) return undefined
    return (request, context, next) => {
      const key = keyOf(request)
      if (key.startsWith(prefix)) throw new RpcError('permission_denied', `key "${key}" is read-only here`)
      return next(request, context)
    }
  }
}

/** Tells callers who served them and for how long, beside the reply: the handlers know nothing of it. */
export function metadata(nodeID: string): ServerInterceptor {
  return ({ type }) =>
    (request, context, next) => {
      const startedAt = performance.now()
      context.replyMetadata['served-by'] = nodeID
      if (type === 'quorumStream') return next(request, context)
      const note = (): void => {
        context.replyMetadata['served-us'] = String(Math.round((performance.now() - startedAt) * 1000))
      }
      return observe(() => next(request, context), note, note)
    }
}

/** Calls back with the key of each method, and how long its calls took until every node was decided, ms. */
export function timing(record: (method: string, durationMs: number) => void): ClientInterceptor {
  return ({ key }: MethodInfo) => ({
    settled({ nodes }) {
      record(key, Math.max(0, ...nodes.map((node) => node.answeredMs ?? 0)))
    },
  })
}

/**
 * Sends again what certainly did not run (`executed: 'no'`), up to `attempts` times per call and node. What may have run
 * is never repeated: that is for those to decide who know what the request means.
 */
export function retry(
  attempts: number,
  onRetry: (nodeID: string, error: RpcError) => void = () => {},
): ClientInterceptor {
  return () => {
    const made = new WeakMap<InterceptedCall, Map<string, number>>()
    return {
      response(response, call) {
        const { error, nodeID } = response
        if (error?.executed !== 'no') return response
        const counts = made.get(call) ?? new Map<string, number>()
        made.set(call, counts)
        const count = counts.get(nodeID) ?? 0
        if (count >= attempts) return response
        counts.set(nodeID, count + 1)
        onRetry(nodeID, error)
        call.resend(nodeID)
        return response
      },
    }
  }
}

/** Runs a handler, at once or later, and tells how it ended. */
function observe(run: () => unknown, onDone: () => void, onError: (error: unknown) => void): unknown {
  const failed = (error: unknown): never => {
    onError(error)
    throw error
  }
  let result: unknown
  try {
    result = run()
  } catch (error) {
    return failed(error)
  }
  if (!(result instanceof Promise)) {
    onDone()
    return result
  }
  return result.then((value: unknown) => {
    onDone()
    return value
  }, failed)
}

function keyOf(request: unknown): string {
  const key = typeof request === 'object' && request !== null && 'key' in request ? request.key : undefined
  return typeof key === 'string' ? key : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
