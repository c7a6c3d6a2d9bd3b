// A cluster in this process: servers or replicas on free ports of 127.0.0.1, with real sockets, that can be stopped and
// started again one by one. It owns everything that it has started and every configuration that its `connect` has made.

import type { Configuration } from '../call/configuration.ts'
import { type ConnectOptions, connect } from '../call/connect.ts'
import type { CallingOptions } from '../call/endpoint.ts'
import { createReplica, type Replica } from '../call/replica.ts'
import { type CloseOptions, createServer, type Server, type ServerOptions } from '../call/server.ts'
import { RpcError } from '../errors.ts'
import type { TlsOptions } from '../net/runtime.ts'
import { watchCluster, watchConfiguration } from './leak-check.ts'

const HOST = '127.0.0.1'
/** A port that was given up may be another socket's own for a moment: so often, and so far apart, it is asked for again. */
const LISTEN_ATTEMPTS = 40
const LISTEN_RETRY_MS = 50

/** A value for all nodes, or a function that makes each node its own. */
export type ForEachNode<T extends object> = T | ((nodeID: string) => T)

/** Options of `startLocalCluster`. */
export interface LocalClusterOptions {
  /** Start replicas, which are connected to each other, in place of servers. Default false. */
  readonly replicas?: boolean
  /** Options of the servers (of the server half of replicas). */
  readonly server?: ForEachNode<Omit<ServerOptions, 'nodeID'>>
  /** Replicas only: options of the calls that they make. */
  readonly calling?: ForEachNode<CallingOptions>
  /** TLS of the servers; the same as `server: { tls }`. Clients bring theirs: see `connect`. */
  readonly tls?: ForEachNode<TlsOptions>
  /** What `connect` of the cluster uses unless told otherwise. Its `clusterID` is the servers' by default. */
  readonly connect?: ConnectOptions
}

/** Registers handlers on a node. Called when the node is started, and again when it is started anew. */
export type ClusterSetup<S extends Server | Replica> = (server: S, nodeID: string) => void

/**
 * Starts `count` servers with the ids 'a', 'b', … 'z', 'n26', … in this process, each on a free port of 127.0.0.1.
 * `setup` registers their handlers. Resolves when all listen; rejects with what `setup` has thrown or with why a port could
 * not be had, when nothing is left running. Throws RangeError unless `count` is an integer of at least 1.
 */
export function startLocalCluster(
  count: number,
  setup: ClusterSetup<Replica>,
  options: LocalClusterOptions & { readonly replicas: true },
): Promise<LocalCluster<Replica>>
export function startLocalCluster(
  count: number,
  setup: ClusterSetup<Server>,
  options?: LocalClusterOptions & { readonly replicas?: false },
): Promise<LocalCluster<Server>>
export function startLocalCluster<S extends Server | Replica>(
  count: number,
  setup: ClusterSetup<S>,
  options: LocalClusterOptions = {},
): Promise<LocalCluster<S>> {
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`a cluster has a whole number of nodes, at least 1, not ${count}`)
  if (typeof setup !== 'function') throw new TypeError('setup must be a function that registers handlers')
  return start(count, setup, options)
}

async function start<S extends Server | Replica>(
  count: number,
  setup: ClusterSetup<S>,
  options: LocalClusterOptions,
): Promise<LocalCluster<S>> {
  const nodeIDs = Array.from({ length: count }, (_, position) => clusterNodeID(position))
  const addresses: Record<string, string> = {}
  const members = nodeIDs.map((nodeID) => new Member(nodeID, addresses, options, setup))
  const cluster = new LocalCluster<S>(members, addresses, options)
  try {
    await Promise.all(members.map((member) => member.start()))
    for (const member of members) member.join()
  } catch (error) {
    await cluster.close()
    throw error
  }
  return cluster
}

/** The id of the node at a position of a local cluster: 'a' to 'z', then 'n26', 'n27', … */
export function clusterNodeID(position: number): string {
  return position < 26 ? String.fromCharCode('a'.charCodeAt(0) + position) : `n${position}`
}

/** Servers or replicas in this process, each on a port of its own. */
export class LocalCluster<S extends Server | Replica = Server> {
  readonly nodeIDs: readonly string[]
  /** `host:port` by node id; what `connect` takes. A node keeps its address when it is stopped and started again. */
  readonly addresses: Readonly<Record<string, string>>
  readonly #members: ReadonlyMap<string, Member<S>>
  readonly #connectDefaults: ConnectOptions
  readonly #configurations = new Set<Promise<Configuration>>()
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  /** Clusters are made by startLocalCluster(). */
  constructor(
    members: readonly Member<S>[],
    addresses: Readonly<Record<string, string>>,
    options: LocalClusterOptions,
  ) {
    this.nodeIDs = Object.freeze(members.map((member) => member.nodeID))
    this.addresses = addresses
    this.#members = new Map(members.map((member) => [member.nodeID, member]))
    this.#connectDefaults = { ...clusterIDOf(options, this.nodeIDs[0]!), ...options.connect }
    watchCluster(this)
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** The server, or replica, with this id: the one that runs, or the last that ran. Throws RangeError for an unknown id. */
  server(nodeID: string): S {
    return this.#member(nodeID).server
  }

  /**
   * Connects to all nodes, with the cluster's options for it under `options`. By default it resolves when a majority is up;
   * `{ waitFor: 'all' }` waits for every node. The configuration is closed with the cluster. Rejects when the cluster is
   * closed meanwhile.
   */
  connect(options: ConnectOptions = {}): Promise<Configuration> {
    if (this.isClosed) throw new TypeError('the cluster is closed')
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])]
    const defaults = options.manager === undefined ? this.#connectDefaults : {}
    const connecting = connect(this.addresses, { ...defaults, ...options, signal: AbortSignal.any(signals) })
    this.#configurations.add(connecting)
    connecting.then(watchConfiguration, () => this.#configurations.delete(connecting))
    return connecting
  }

  /**
   * Closes a node; does nothing when it is stopped already. As `Server.close`: what was accepted may finish for up to
   * `drainTimeoutMs` (5 000 by default); 0 drops it, as in a crash.
   */
  stop(nodeID: string, options?: CloseOptions): Promise<void> {
    return this.#member(nodeID).stop(options)
  }

  /**
   * Closes a node, if it runs, and starts it anew: same id, same port, handlers from `setup`, everything else forgotten.
   * Resolves when it listens; rejects when its port has been taken, or the cluster is closed.
   */
  restart(nodeID: string, options?: CloseOptions): Promise<void> {
    return this.#member(nodeID).restart(options)
  }

  /**
   * Closes the configurations that `connect` has made, then the nodes. Unfinished handlers are not waited for unless
   * `drainTimeoutMs` says so (default 0). Closing twice does nothing more.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close({ drainTimeoutMs: 0, ...options })
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(options: CloseOptions): Promise<void> {
    this.#closing.abort(new RpcError('cancelled', 'the cluster is closed'))
    for (const result of await Promise.allSettled(this.#configurations))
      if (result.status === 'fulfilled') await result.value.close()
    const results = await Promise.allSettled([...this.#members.values()].map((member) => member.end(options)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  #member(nodeID: string): Member<S> {
    const member = this.#members.get(nodeID)
    if (member === undefined)
      throw new RangeError(`node "${nodeID}" is not in the cluster (${this.nodeIDs.join(', ')})`)
    return member
  }
}

/** One place in the cluster: an id, a port, and the servers that have it one after the other. */
class Member<S extends Server | Replica> {
  readonly nodeID: string
  readonly #addresses: Record<string, string>
  readonly #options: LocalClusterOptions
  readonly #setup: ClusterSetup<S>
  #server: S | undefined
  #port = 0
  #isRunning = false
  #isEnded = false
  /** What was asked for last: one thing is done after the other. */
  #last: Promise<void> = Promise.resolve()

  /** `addresses` are the cluster's; the member enters its own. */
  constructor(nodeID: string, addresses: Record<string, string>, options: LocalClusterOptions, setup: ClusterSetup<S>) {
    this.nodeID = nodeID
    this.#addresses = addresses
    this.#options = options
    this.#setup = setup
  }

  get server(): S {
    if (this.#server === undefined) throw new TypeError(`node "${this.nodeID}" has not been started yet`)
    return this.#server
  }

  start(): Promise<void> {
    return this.#next(() => this.#start())
  }

  /** Makes a replica that listens know the others. All of them must have an address by then. */
  join(): void {
    const server: Server | Replica = this.server
    if ('join' in server) server.join(this.#addresses)
  }

  stop(options?: CloseOptions): Promise<void> {
    return this.#next(() => this.#stop(options))
  }

  restart(options?: CloseOptions): Promise<void> {
    return this.#next(async () => {
      if (this.#isEnded) throw new TypeError('the cluster is closed')
      await this.#stop(options)
      await this.#start()
      this.join()
    })
  }

  /** Stops for good. */
  end(options: CloseOptions): Promise<void> {
    this.#isEnded = true
    return this.#next(() => this.#stop(options))
  }

  #next(action: () => Promise<void>): Promise<void> {
    const done = this.#last.then(action)
    this.#last = done.catch(() => {})
    return done
  }

  async #start(): Promise<void> {
    const server = this.#make()
    this.#server = server
    this.#isRunning = true
    this.#setup(server, this.nodeID)
    const { port } = await this.#listen(server)
    this.#port = port
    this.#addresses[this.nodeID] = `${HOST}:${port}`
  }

  async #stop(options?: CloseOptions): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    await this.server.close(options)
  }

  async #listen(server: S): Promise<{ port: number }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await server.listen({ host: HOST, port: this.#port })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === LISTEN_ATTEMPTS) throw error
        await new Promise((resolve) => setTimeout(resolve, LISTEN_RETRY_MS))
      }
    }
  }

  #make(): S {
    const { nodeID } = this
    const tls = resolve(this.#options.tls, nodeID)
    const transport = { ...(tls === undefined ? {} : { tls }), ...resolve(this.#options.server, nodeID), nodeID }
    if (this.#options.replicas !== true) return createServer(transport) as S
    const { interceptors, ...rest } = transport
    return createReplica({
      ...rest,
      ...(interceptors === undefined ? {} : { serverInterceptors: interceptors }),
      ...resolve(this.#options.calling, nodeID),
    }) as S
  }
}

function resolve<T extends object>(value: ForEachNode<T> | undefined, nodeID: string): T | undefined {
  return typeof value === 'function' ? (value as (nodeID: string) => T)(nodeID) : value
}

/** Clients must name the cluster that the servers name. */
function clusterIDOf(options: LocalClusterOptions, nodeID: string): { clusterID?: string } {
  const clusterID = resolve(options.server, nodeID)?.clusterID
  return clusterID === undefined ? {} : { clusterID }
}
