// Every error class of the framework and the list of codes. Nothing here knows of nodes, sockets or calls: an error is
// a value that says who (nodeID), what (code, message), whether a handler ran (executed), and why (cause).

/** The codes of an RpcError, in the order of their numbers on the wire, which are gRPC's (0 is "ok" and never an error). */
const CODES = [
  'ok',
  'cancelled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
] as const

/** What went wrong, by gRPC's names in lower_snake_case. */
export type ErrorCode = Exclude<(typeof CODES)[number], 'ok'>

const NUMBERS = new Map<string, number>(CODES.map((code, number) => [code, number]))

/** The wire number of a code. */
export function codeToNumber(code: ErrorCode): number {
  return NUMBERS.get(code) ?? 2
}

/** The code of a wire number; numbers that nobody defined are `'unknown'`. */
export function codeFromNumber(number: number): ErrorCode {
  const code = CODES[number]
  return code === undefined || code === 'ok' ? 'unknown' : code
}

/** Metadata of a connection, a call or a reply: lower-case ASCII keys, text or bytes as values. */
export type Metadata = Readonly<Record<string, string | Uint8Array>>

/**
 * Whether a handler ran for a call: `'no'` guarantees that none did and none will, `'yes'` that one did; otherwise
 * `'unknown'`.
 */
export type Executed = 'yes' | 'no' | 'unknown'

/** What an RpcError says beside its code and text. */
export interface RpcErrorOptions {
  readonly nodeID?: string | undefined
  readonly executed?: Executed | undefined
  readonly metadata?: Metadata | undefined
  readonly cause?: unknown
}

const EMPTY: Metadata = Object.freeze({})

/**
 * The failure of one call on one node. A handler throws one to choose the code that its caller gets. Those that an
 * answer, a lost connection or a deadline of a call brings about have no stack.
 */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: ErrorCode
  /** The node that the call went to; undefined for an error that no node is part of, or that a handler is about to throw. */
  readonly nodeID: string | undefined
  readonly executed: Executed
  /** What the handler sent with its error; empty otherwise. */
  readonly metadata: Metadata

  constructor(code: ErrorCode, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    if (!NUMBERS.has(code) || (code as string) === 'ok') throw new TypeError(`RpcError: unknown code ${String(code)}`)
    this.code = code
    this.nodeID = options.nodeID
    this.executed = options.executed ?? 'unknown'
    this.metadata = options.metadata ?? EMPTY
  }
}

/**
 * An RpcError without a stack, for what a peer or the network has done: it would show how bytes were read, and takes ten times
 * as long as all the rest.
 */
export function tracelessError(code: ErrorCode, message: string, options?: RpcErrorOptions): RpcError {
  return traceless(() => new RpcError(code, message, options))
}

/** Has an error made without a stack. */
export function traceless<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error
  // Reflect, as it fails in silence where the realm is frozen.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** Why a call on a configuration failed as a whole. */
export type QuorumErrorReason = 'impossible' | 'deadline' | 'cancelled' | 'closed'

/** What a QuorumError carries. `replies` is map-like by node id. */
export interface QuorumErrorOptions<T> {
  readonly reason: QuorumErrorReason
  readonly errors: ReadonlyMap<string, RpcError>
  readonly replies: T
  readonly pending: readonly string[]
  readonly cause?: unknown
}

/**
 * The failure of a call on a configuration: the quorum has become impossible, the deadline passed, the caller
 * cancelled, or the configuration was closed. Says which nodes failed and why, who had answered and who had not.
 */
export class QuorumError<T = unknown> extends Error {
  override readonly name = 'QuorumError'
  readonly reason: QuorumErrorReason
  /** The failure of each node that failed, by node id. */
  readonly errors: ReadonlyMap<string, RpcError>
  /** The replies that had arrived, map-like by node id. */
  readonly replies: T
  /** The ids of the nodes that had neither answered nor failed. */
  readonly pending: readonly string[]

  constructor(message: string, options: QuorumErrorOptions<T>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = options.reason
    this.errors = options.errors
    this.replies = options.replies
    this.pending = options.pending
  }
}

/** A peer broke the protocol. Never reaches a caller: the connection that it came from is closed. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}
