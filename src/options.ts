// Every option with its unit, default and check, resolved once: what is optional outside is complete inside.

import type { Metadata } from './errors.ts'
import { nodeRuntime } from './net/node-runtime.ts'
import type { PeerIdentity, Runtime, TlsOptions } from './net/runtime.ts'
import { tell } from './tell.ts'
import { encodeMetadata } from './wire/call-header.ts'
import { NAME_BYTES_MAX } from './wire/control.ts'
import { CONTROL_BYTES_MAX, frameBytesMax } from './wire/frame.ts'
import { checkMetadata, NO_METADATA } from './wire/metadata.ts'

/** Where the framework reports what no caller hears of. Silent by default. */
export interface Logger {
  debug?(message: string, ...details: unknown[]): void
  info?(message: string, ...details: unknown[]): void
  warn?(message: string, ...details: unknown[]): void
  error?(message: string, ...details: unknown[]): void
}

/** Bounds on what a connection may hold. `Infinity` = no limit. */
export interface Limits {
  /** The largest frame that is accepted: what its `length` may say, bytes. Announced to the other side. Default 4 MiB. */
  readonly frameMaxBytes?: number
  /**
   * Requests that wait for one node, bytes. Beyond it, and beyond one call for each 128 of these bytes (at least 1 024 calls), calls
   * fail with `resource_exhausted`. Default 16 MiB.
   */
  readonly queueMaxBytes?: number
  /** Requests accepted from one peer and not started, bytes. Announced to it. Default 16 MiB. */
  readonly requestWindowBytes?: number
  /** Handlers that run at once for one peer, counted until they finish. Default 10 000. */
  readonly handlersMax?: number
  /** Items of one streaming call that its caller has not consumed. Default 10 000. */
  readonly itemsMax?: number
  /** Connections that have not said HELLO. Default 1 000. */
  readonly handshakesMax?: number
  /**
   * Frames of one session that were written and are not acknowledged, bytes, of which each counts for at least 128: beyond it
   * nothing more is written. Of calls there are at most one per 2 KiB of it, 1 024 in any case: more in flight over long distances need a larger log. At least 1 MiB
   * and the largest frame. Default 8 MiB.
   */
  readonly sessionLogMaxBytes?: number
  /** Sessions of clients whose connections are lost. Beyond it the oldest ends. Default 1 000. */
  readonly detachedSessionsMax?: number
  /** What such sessions keep for their clients, in all, bytes. Beyond it the oldest ends. Default 64 MiB. */
  readonly detachedBytesMax?: number
}

/** Waits between attempts to connect: `minMs` (50), growing by `factor` (1.6) up to `maxMs` (5 000), full jitter. */
export interface BackoffOptions {
  readonly minMs?: number
  readonly maxMs?: number
  readonly factor?: number
}

/** Options of everything that owns connections: node managers, configurations, servers, replicas. */
export interface TransportOptions {
  /** Own node id, 1 to 256 bytes; empty (the default) = anonymous. */
  readonly nodeID?: string
  /** Both ends of a connection must name the same cluster. Default: empty. */
  readonly clusterID?: string
  /** Sent once per connection; the other side reads it as `peer.metadata`. */
  readonly metadata?: Metadata
  /** TLS, passed through to node:tls. Default: plain TCP. */
  readonly tls?: TlsOptions
  /** With mutual TLS: the node ids that a certificate may claim. Default: SAN `URI:gorums:node:<id>` and DNS names. */
  readonly identify?: (identity: PeerIdentity) => readonly string[]
  readonly limits?: Limits
  readonly backoff?: BackoffOptions
  /**
   * Whether calls outlive the loss of a connection: requests and answers are sent again, in order and once each, when the
   * same two processes are connected again within `sessionTtlMs`. Both sides must agree; otherwise a lost connection fails
   * what was written with `executed: 'unknown'`. Default true.
   */
  readonly sessions?: boolean
  /** How long a session waits for the next connection before it ends, ms; the acceptor's value counts. Default 30 000. */
  readonly sessionTtlMs?: number
  /** A node that has been lost for longer is `down`, ms. Default 1 000. */
  readonly downAfterMs?: number
  /** Silence after which a peer is asked for a sign of life, ms. Default 5 000. */
  readonly pingIntervalMs?: number
  /** How long it may take to give one, ms. Default 5 000. */
  readonly pingTimeoutMs?: number
  /** A peer that takes no bytes for so long while some wait is cut, ms. Default 10 000. */
  readonly stallTimeoutMs?: number
  /** A frame must be complete so long after its first byte, ms. Default 30 000. */
  readonly frameTimeoutMs?: number
  /** From accept or dial to HELLO_OK, ms. Default 5 000. */
  readonly handshakeTimeoutMs?: number
  readonly logger?: Logger
  /** Sockets, clock, randomness. Default: Node's. */
  readonly runtime?: Runtime
}

/** TransportOptions, complete. */
export interface Transport {
  readonly nodeID: string
  readonly clusterID: string
  readonly metadata: Metadata
  readonly tls: TlsOptions | undefined
  readonly identify: (identity: PeerIdentity) => readonly string[]
  readonly limits: Required<Limits>
  readonly backoff: Required<BackoffOptions>
  readonly sessions: boolean
  readonly sessionTtlMs: number
  readonly downAfterMs: number
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  readonly stallTimeoutMs: number
  readonly frameTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly logger: Logger
  readonly runtime: Runtime
}

const MIB = 1024 * 1024

export const limitDefaults: Required<Limits> = Object.freeze({
  frameMaxBytes: 4 * MIB,
  queueMaxBytes: 16 * MIB,
  requestWindowBytes: 16 * MIB,
  handlersMax: 10_000,
  itemsMax: 10_000,
  handshakesMax: 1_000,
  sessionLogMaxBytes: 8 * MIB,
  detachedSessionsMax: 1_000,
  detachedBytesMax: 64 * MIB,
})

export const backoffDefaults: Required<BackoffOptions> = Object.freeze({ minMs: 50, maxMs: 5_000, factor: 1.6 })

export const timeDefaults = Object.freeze({
  callTimeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  sessionTtlMs: 30_000,
  downAfterMs: 1_000,
  pingIntervalMs: 5_000,
  pingTimeoutMs: 5_000,
  stallTimeoutMs: 10_000,
  frameTimeoutMs: 30_000,
  handshakeTimeoutMs: 5_000,
  drainTimeoutMs: 5_000,
})

/** Frames may not be larger: their length must be addable without leaving what one buffer can hold. */
const FRAME_MAX_BYTES = 1024 * MIB
/** Announced in place of "no limit". */
const WINDOW_MAX_BYTES = 2 ** 52
/** The longest time that HELLO_OK can say, ms. */
const SESSION_TTL_MAX_MS = 0xffffffff
/** A session's log may not be smaller. */
const SESSION_LOG_MIN_BYTES = MIB

/**
 * Completes the options. Throws TypeError for one of the wrong type, RangeError for one beyond its bounds; the message names
 * the option.
 */
export function resolveTransport(options: TransportOptions): Transport {
  for (const [name, kind] of Object.entries(KINDS)) checkKind(name, options[name as keyof typeof KINDS], kind)
  const nodeID = options.nodeID ?? ''
  if (nodeID !== '') checkNodeID(nodeID)
  const clusterID = options.clusterID ?? ''
  if (typeof clusterID !== 'string') throw new TypeError(`clusterID must be a string, not ${typeof clusterID}`)
  if (clusterID === '__proto__') throw new RangeError('clusterID can not be "__proto__"')
  if (Buffer.byteLength(clusterID, 'utf8') > NAME_BYTES_MAX)
    throw new RangeError(`clusterID has more than ${NAME_BYTES_MAX} bytes`)
  if (options.metadata !== undefined) {
    checkMetadata(options.metadata)
    encodeMetadata(options.metadata)
  }
  return Object.freeze({
    nodeID,
    clusterID,
    metadata: options.metadata === undefined ? NO_METADATA : { ...options.metadata },
    tls: options.tls,
    identify: options.identify ?? identifyByNames,
    limits: resolveLimits(options.limits ?? {}),
    backoff: resolveBackoff(options.backoff ?? {}),
    sessions: options.sessions ?? true,
    sessionTtlMs: Math.min(
      milliseconds('sessionTtlMs', options.sessionTtlMs, timeDefaults.sessionTtlMs, 1),
      SESSION_TTL_MAX_MS,
    ),
    downAfterMs: milliseconds('downAfterMs', options.downAfterMs, timeDefaults.downAfterMs),
    pingIntervalMs: milliseconds('pingIntervalMs', options.pingIntervalMs, timeDefaults.pingIntervalMs, 1),
    pingTimeoutMs: milliseconds('pingTimeoutMs', options.pingTimeoutMs, timeDefaults.pingTimeoutMs, 1),
    stallTimeoutMs: milliseconds('stallTimeoutMs', options.stallTimeoutMs, timeDefaults.stallTimeoutMs, 1),
    frameTimeoutMs: milliseconds('frameTimeoutMs', options.frameTimeoutMs, timeDefaults.frameTimeoutMs, 1),
    handshakeTimeoutMs: milliseconds(
      'handshakeTimeoutMs',
      options.handshakeTimeoutMs,
      timeDefaults.handshakeTimeoutMs,
      1,
    ),
    logger: quiet(options.logger ?? {}),
    runtime: options.runtime ?? nodeRuntime,
  })
}

/** The user's logger, with what it throws kept out of the framework. */
function quiet(logger: Logger): Logger {
  return {
    debug: (message, ...details) => tell(() => logger.debug?.(message, ...details)),
    info: (message, ...details) => tell(() => logger.info?.(message, ...details)),
    warn: (message, ...details) => tell(() => logger.warn?.(message, ...details)),
    error: (message, ...details) => tell(() => logger.error?.(message, ...details)),
  }
}

/** What the options that are no numbers and no texts must be. */
const KINDS = {
  sessions: 'boolean',
  identify: 'function',
  tls: 'object',
  limits: 'object',
  backoff: 'object',
  logger: 'object',
  runtime: 'object',
} as const satisfies Partial<Record<keyof TransportOptions, string>>

/** Throws TypeError for a value of another type than `kind`; undefined may always be left to the default. */
export function checkKind(name: string, value: unknown, kind: 'boolean' | 'function' | 'object'): void {
  if (value === undefined || (typeof value === kind && value !== null)) return
  const article = kind === 'object' ? 'an' : 'a'
  throw new TypeError(`${name} must be ${article} ${kind}, not ${value === null ? 'null' : typeof value}`)
}

/** A copy of a list of functions; empty when there is none. Throws TypeError for anything else. */
export function functionList<F>(name: string, value: readonly F[] | undefined): readonly F[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'function'))
    throw new TypeError(`${name} must be an array of functions`)
  return [...value]
}

function resolveLimits(limits: Limits): Required<Limits> {
  const resolved = {
    frameMaxBytes: bounded(
      'limits.frameMaxBytes',
      limits.frameMaxBytes,
      limitDefaults.frameMaxBytes,
      CONTROL_BYTES_MAX,
    ),
    queueMaxBytes: bounded('limits.queueMaxBytes', limits.queueMaxBytes, limitDefaults.queueMaxBytes, 0),
    requestWindowBytes: bounded(
      'limits.requestWindowBytes',
      limits.requestWindowBytes,
      limitDefaults.requestWindowBytes,
      1,
    ),
    handlersMax: bounded('limits.handlersMax', limits.handlersMax, limitDefaults.handlersMax, 1),
    itemsMax: bounded('limits.itemsMax', limits.itemsMax, limitDefaults.itemsMax, 1),
    handshakesMax: bounded('limits.handshakesMax', limits.handshakesMax, limitDefaults.handshakesMax, 1),
    sessionLogMaxBytes: bounded(
      'limits.sessionLogMaxBytes',
      limits.sessionLogMaxBytes,
      limitDefaults.sessionLogMaxBytes,
      SESSION_LOG_MIN_BYTES,
    ),
    detachedSessionsMax: bounded(
      'limits.detachedSessionsMax',
      limits.detachedSessionsMax,
      limitDefaults.detachedSessionsMax,
      0,
    ),
    detachedBytesMax: bounded('limits.detachedBytesMax', limits.detachedBytesMax, limitDefaults.detachedBytesMax, 0),
  }
  resolved.frameMaxBytes = Math.min(resolved.frameMaxBytes, FRAME_MAX_BYTES)
  resolved.requestWindowBytes = Math.min(resolved.requestWindowBytes, WINDOW_MAX_BYTES)
  const largest = frameBytesMax(resolved.frameMaxBytes)
  if (resolved.requestWindowBytes < largest) {
    if (limits.requestWindowBytes !== undefined) {
      throw new RangeError(
        `limits.requestWindowBytes ${resolved.requestWindowBytes} is below ${largest}, the bytes of a frame of limits.frameMaxBytes ${resolved.frameMaxBytes}: the largest request would never be allowed`,
      )
    }
    resolved.requestWindowBytes = largest
  }
  resolved.sessionLogMaxBytes = Math.max(resolved.sessionLogMaxBytes, largest)
  return Object.freeze(resolved)
}

function resolveBackoff(backoff: BackoffOptions): Required<BackoffOptions> {
  const minMs = milliseconds('backoff.minMs', backoff.minMs, backoffDefaults.minMs, 1)
  const maxMs = milliseconds('backoff.maxMs', backoff.maxMs, backoffDefaults.maxMs, 1)
  const factor = bounded('backoff.factor', backoff.factor, backoffDefaults.factor, 1)
  if (minMs > maxMs) throw new RangeError(`backoff.minMs ${minMs} exceeds backoff.maxMs ${maxMs}`)
  return Object.freeze({ minMs, maxMs, factor })
}

function bounded(name: string, value: number | undefined, fallback: number, min: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${typeof value}`)
  if (!(value >= min)) throw new RangeError(`${name} must be at least ${min}, not ${value}`)
  return value
}

/** A duration: a number of at least `min`, Infinity included. */
export function milliseconds(name: string, value: number | undefined, fallback: number, min = 0): number {
  return bounded(name, value, fallback, min)
}

/** Throws unless `id` can be a node id: a string of 1 to 256 bytes of UTF-8. */
export function checkNodeID(id: unknown): asserts id is string {
  if (typeof id !== 'string') throw new TypeError(`a node id must be a string, not ${typeof id}`)
  const bytes = Buffer.byteLength(id, 'utf8')
  if (bytes < 1 || bytes > NAME_BYTES_MAX)
    throw new RangeError(`a node id has 1 to ${NAME_BYTES_MAX} bytes, not ${bytes}`)
  if (id === '__proto__' || id.startsWith('#'))
    throw new RangeError(`a node id can not be "__proto__", or begin with #: ${JSON.stringify(id)}`)
}

/** Whether, of two replicas, the one named first dials the other: the one with the smaller id, by its UTF-8 bytes. */
export function dialsTo(own: string, other: string): boolean {
  return Buffer.compare(Buffer.from(own, 'utf8'), Buffer.from(other, 'utf8')) < 0
}

/** Splits `host:port`; IPv6 hosts stand in brackets. Throws TypeError or RangeError. */
export function parseAddress(address: unknown): { host: string; port: number } {
  if (typeof address !== 'string')
    throw new TypeError(`an address must be a string like "host:port", not ${typeof address}`)
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address)
  if (match === null) throw new RangeError(`address "${address}" must look like "host:port" or "[ipv6]:port"`)
  const port = Number(match[3])
  if (port < 1 || port > 65535) throw new RangeError(`address "${address}": port ${port} is not between 1 and 65535`)
  return { host: (match[1] ?? match[2])!, port }
}

const NODE_URI = 'URI:gorums:node:'

function identifyByNames(identity: PeerIdentity): readonly string[] {
  const ids: string[] = []
  for (const name of identity.names) {
    if (name.startsWith(NODE_URI)) ids.push(name.slice(NODE_URI.length))
    else if (name.startsWith('DNS:')) ids.push(name.slice('DNS:'.length))
  }
  return ids
}
