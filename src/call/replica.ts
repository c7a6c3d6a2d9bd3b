// A replica: a server and a client in one, itself a node of its configuration. Each pair of replicas shares one connection
// for both directions, which the one with the smaller id dials.

import type { Channel } from '../net/channel.ts'
import { memoryStreamPair } from '../net/memory-stream.ts'
import type { ListenAddress } from '../net/runtime.ts'
import { checkKind, checkNodeID, dialsTo, functionList, parseAddress } from '../options.ts'
import { Configuration, type NodeSource } from './configuration.ts'
import { type CallingOptions, Endpoint } from './endpoint.ts'
import { nodeEntries } from './node-addresses.ts'
import { type Handlers, Registry } from './registry.ts'
import { type CloseOptions, Server, type ServerOptions } from './server.ts'
import type { Methods, Service } from './service.ts'

export interface ReplicaOptions extends Omit<ServerOptions, 'interceptors'>, CallingOptions {
  /** Own id: one of `nodes`. */
  readonly nodeID: string
  /** All replicas with their addresses, this one included. May be given to `join` instead. */
  readonly nodes?: Readonly<Record<string, string>>
  /** Run around every handler, the first outermost. */
  readonly serverInterceptors?: ServerOptions['interceptors']
}

/** A server whose handlers call the other replicas, over one connection per pair. */
export class Replica {
  readonly nodeID: string
  readonly #options: ReplicaOptions
  readonly #endpoint: Endpoint
  readonly #server: Server
  readonly #source: NodeSource

  /** Replicas are made by createReplica(). */
  constructor(options: ReplicaOptions) {
    checkNodeID(options.nodeID)
    if (options.nodes !== undefined) checkMembership(options.nodeID, options.nodes)
    this.nodeID = options.nodeID
    this.#options = options
    const { interceptors: _, serverInterceptors, ...rest } = options
    this.#endpoint = new Endpoint(rest, new Registry(functionList('serverInterceptors', serverInterceptors)), options)
    this.#server = new Server(rest, this.#endpoint)
    this.#source = this.#endpoint.sourceOf(options, (id, address) => this.#channelTo(id, address))
  }

  /** The members. Throws TypeError before `listen` (or `join`). */
  get configuration(): Configuration {
    const { configuration } = this.#endpoint
    if (configuration === undefined)
      throw new TypeError(`replica "${this.nodeID}" has no members yet: listen(), or join(nodes), first`)
    return configuration
  }

  /** The connected clients: those that are no members. */
  get clients(): Configuration {
    return this.#server.clients
  }

  get address(): { readonly host: string; readonly port: number } | undefined {
    return this.#server.address
  }

  /** As on a server. */
  handle<M extends Methods>(service: Service<M>, handlers: Handlers<M>): this {
    this.#server.handle(service, handlers)
    return this
  }

  /** Listens, by default on its own address in `nodes`, and joins them; resolves with the address. Rejects when it can not be had. */
  async listen(address?: ListenAddress): Promise<{ host: string; port: number }> {
    const own = this.#options.nodes?.[this.nodeID]
    const bound = await this.#server.listen(address ?? (own === undefined ? {} : parseAddress(own)))
    if (this.#options.nodes !== undefined) this.join(this.#options.nodes)
    return bound
  }

  /** Connects to the other members. For replicas whose addresses are known only once all of them listen. */
  join(nodes: Readonly<Record<string, string>>): Configuration {
    if (this.#endpoint.configuration !== undefined)
      throw new TypeError(`replica "${this.nodeID}" has joined its members already`)
    checkMembership(this.nodeID, nodes)
    const members = nodeEntries(nodes).map(({ id, address }) => this.#source.acquire(id, address, true))
    this.#endpoint.configuration = new Configuration(this.#source, members, members)
    return this.#endpoint.configuration
  }

  /** Drains like a server, then disconnects from the members. Calls that are unfinished then fail with reason `closed`. */
  async close(options: CloseOptions = {}): Promise<void> {
    await this.#server.close(options)
    await this.#endpoint.configuration?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #channelTo(nodeID: string, address: string): Channel {
    const { manager } = this.#endpoint
    if (nodeID === this.nodeID) return manager.acquire(nodeID, address, nodeID, () => this.#openSelf())
    if (!dialsTo(this.nodeID, nodeID)) return manager.acquireMember(nodeID, address)
    manager.dialsMember(nodeID)
    return manager.acquire(nodeID, address, nodeID)
  }

  /** The self node: its calls take the same way as all others, without a socket. */
  #openSelf(): ReturnType<typeof memoryStreamPair>[0] {
    const { manager } = this.#endpoint
    const [own, served] = memoryStreamPair(manager.turn.runtime, this.nodeID)
    manager.accept(served, true)
    return own
  }
}

function checkMembership(nodeID: string, nodes: Readonly<Record<string, string>>): void {
  if (typeof nodes !== 'object' || nodes === null || Array.isArray(nodes))
    throw new TypeError('nodes of a replica must be { id: "host:port", … }')
  nodeEntries(nodes)
  if (!Object.hasOwn(nodes, nodeID))
    throw new RangeError(`replica "${nodeID}" is not among its nodes (${Object.keys(nodes).join(', ')})`)
}

/** Makes a replica. Throws TypeError or RangeError for what can not be options, or a node id that is not among `nodes`. */
export function createReplica(options: ReplicaOptions): Replica {
  checkKind('options', options, 'object')
  return new Replica(options)
}
