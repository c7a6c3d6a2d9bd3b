// How clients come to configurations: connect(), and node managers that several connects share.

import { RpcError } from '../errors.ts'
import { checkKind, milliseconds, type TransportOptions, timeDefaults } from '../options.ts'
import { Configuration, type ConfigurationStatus } from './configuration.ts'
import { type CallingOptions, Endpoint } from './endpoint.ts'
import { Node } from './node.ts'
import { type NodeAddresses, nodeEntries } from './node-addresses.ts'
import { Registry } from './registry.ts'
import { Server } from './server.ts'

/** What `connect` waits for. */
export type WaitFor = 'majority' | 'all' | 'none' | ((status: ConfigurationStatus) => boolean)

export interface NodeManagerOptions extends TransportOptions {
  /** Serves the nodes' calls back over our own connections. It need never listen. */
  readonly server?: Server
}

export interface ConnectOptions extends NodeManagerOptions, CallingOptions {
  /**
   * When `connect` resolves. Default `'majority'`: more than half are up, or every first attempt has been decided.
   * `'all'`: every node is up. `'none'`: at once.
   */
  readonly waitFor?: WaitFor
  /** After this time `connect` resolves anyway, ms. Default 5 000. */
  readonly connectTimeoutMs?: number
  /** Stops waiting: `connect` rejects, and everything it opened is closed. */
  readonly signal?: AbortSignal
  /** Shares connections with other configurations of the same manager. Then the transport options are the manager's. */
  readonly manager?: SharedNodeManager
}

/** Owns node connections that several `connect`s share: one incarnation, one socket per node. */
export class SharedNodeManager {
  readonly #endpoint: Endpoint

  /** Node managers are made by createNodeManager(). */
  constructor(options: NodeManagerOptions) {
    this.#endpoint = clientEndpoint(options, {})
  }

  /** How many nodes somebody refers to. */
  get nodeCount(): number {
    return this.#endpoint.manager.nodeCount
  }

  /** Closes every node, whoever refers to it. Unfinished calls fail. */
  async close(): Promise<void> {
    this.#endpoint.manager.close(new RpcError('cancelled', 'the node manager was closed'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The inside of a manager, for connect(). */
  static endpointOf(manager: SharedNodeManager): Endpoint {
    if (!(manager instanceof SharedNodeManager)) throw new TypeError('manager must be made by createNodeManager()')
    return manager.#endpoint
  }
}

/** Makes a node manager for several connects. Throws TypeError or RangeError for what can not be options. */
export function createNodeManager(options: NodeManagerOptions = {}): SharedNodeManager {
  checkKind('options', options, 'object')
  return new SharedNodeManager(options)
}

const TRANSPORT_KEYS = [
  'nodeID',
  'clusterID',
  'metadata',
  'tls',
  'identify',
  'limits',
  'backoff',
  'sessions',
  'sessionTtlMs',
  'downAfterMs',
  'pingIntervalMs',
  'pingTimeoutMs',
  'stallTimeoutMs',
  'frameTimeoutMs',
  'handshakeTimeoutMs',
  'logger',
  'runtime',
  'server',
] as const satisfies readonly (keyof NodeManagerOptions)[]

/**
 * Connects to nodes: `{ id: 'host:port', … }` (each server must have that id, or none) or `['host:port', …]` (the address is
 * the id). Resolves with the configuration when `waitFor` holds, after `connectTimeoutMs` at the latest; a node that is
 * down never rejects it. Throws TypeError or RangeError for what can not be nodes or options.
 */
export function connect(nodes: NodeAddresses, options: ConnectOptions = {}): Promise<Configuration> {
  const entries = nodeEntries(nodes)
  checkKind('options', options, 'object')
  const isReady = readiness(options.waitFor ?? 'majority', entries.length)
  const timeoutMs = milliseconds('connectTimeoutMs', options.connectTimeoutMs, timeDefaults.connectTimeoutMs)
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw new TypeError('signal must be an AbortSignal')
  const endpoint = endpointFor(options)
  const source = endpoint.sourceOf(options)
  const members = entries.map(({ id, address, expectsID }) => source.acquire(id, address, expectsID))
  const configuration = new Configuration(source, members, members)
  const isDefault = (options.waitFor ?? 'majority') === 'majority'
  return waitUntilReady(endpoint, configuration, isReady, isDefault, timeoutMs, options.signal)
}

function endpointFor(options: ConnectOptions): Endpoint {
  if (options.manager === undefined) return clientEndpoint(options, options)
  const endpoint = SharedNodeManager.endpointOf(options.manager)
  for (const key of TRANSPORT_KEYS) {
    if (options[key] !== undefined)
      throw new TypeError(`connect(): "${key}" is the node manager's: pass it to createNodeManager()`)
  }
  return endpoint
}

function clientEndpoint(options: NodeManagerOptions, calling: CallingOptions): Endpoint {
  const registry = options.server === undefined ? new Registry([]) : Server.endpointOf(options.server).registry
  const endpoint = new Endpoint(options, registry, calling)
  endpoint.manager.servesCalls = options.server !== undefined
  return endpoint
}

function readiness(waitFor: WaitFor, size: number): (status: ConfigurationStatus) => boolean {
  if (waitFor === 'none') return () => true
  if (waitFor === 'all') return (status) => status.connected.size === size
  if (waitFor === 'majority') return (status) => status.connected.size * 2 > size
  if (typeof waitFor === 'function') return waitFor
  throw new TypeError(`waitFor must be 'majority', 'all', 'none' or a function, not ${String(waitFor)}`)
}

async function waitUntilReady(
  endpoint: Endpoint,
  configuration: Configuration,
  isReady: (status: ConfigurationStatus) => boolean,
  isDefault: boolean,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Configuration> {
  const { manager } = endpoint
  const channels = configuration.nodes.map((node) => Node.channelOf(node))
  const isDecided = (): boolean => channels.every((channel) => manager.isDecided(channel))
  try {
    await configuration.waitFor((status) => isReady(status) || (isDefault && isDecided()), {
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (error instanceof RpcError && error.code === 'deadline_exceeded') return configuration
    await configuration.close()
    throw error
  }
  return configuration
}
