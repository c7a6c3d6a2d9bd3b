// Configurations: members, which quorums are counted against, and contacts, whom calls go to. Set operations make new
// members; views (subset, without, sortBy, take) choose other contacts and keep the members.

import { EventEmitter } from 'node:events'
import { QuorumError, RpcError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import type { ChannelState } from '../net/channel-ports.ts'
import type { ManagerListener, NodeManager } from '../net/node-manager.ts'
import { timeDefaults } from '../options.ts'
import type { BoundQuorum, QuorumSystem } from '../quorum/index.ts'
import { tell } from '../tell.ts'
import { Call } from './call.ts'
import type { CallDefaults } from './call-setup.ts'
import {
  type ClientOptions,
  type ConfigurationClient,
  configurationClient,
  type DeclaredQuorums,
  type QuorumFunctions,
  type RequestAdapters,
} from './client.ts'
import { Contacts } from './contacts.ts'
import { Node } from './node.ts'
import { type NodeAddresses, type NodeEntry, nodeEntries } from './node-addresses.ts'
import { inOrder, type NodeOrder } from './order.ts'
import type { Methods, Service } from './service.ts'
import { type WaitOptions, type WatchOptions, waitForStatus, watchConfiguration } from './watch.ts'

/** How the nodes of a configuration are doing. */
export interface ConfigurationStatus {
  readonly size: number
  readonly connected: ReadonlySet<string>
  readonly down: ReadonlySet<string>
  /** Not decided yet: being connected to for the first time, or lost a moment ago. */
  readonly connecting: ReadonlySet<string>
}

/** The events of a configuration and what their listeners are given. */
export interface ConfigurationEvents {
  /** A node has been connected to. */
  up: [node: Node]
  /** A node is down: an attempt failed, or it has been lost for too long. Told once per change. */
  down: [node: Node, error: RpcError | undefined]
  /** A node refuses us for a reason that trying again does not change. */
  rejected: [node: Node, error: RpcError]
  /** A one-way call with `confirm: false` could not be sent to a node. */
  undelivered: [nodeID: string, method: string, error: RpcError]
  /** A one-way call was written, and its connection was lost before the node acknowledged it. */
  lost: [nodeID: string, method: string]
}

/** Where a configuration gets nodes from: what one `connect`, or one replica, has set up. */
export interface NodeSource {
  readonly manager: NodeManager
  readonly defaults: CallDefaults
  /** Configurations that somebody listens to: they hear of one-way calls of their nodes that belong to no configuration. */
  readonly listening: Set<Configuration>
  /** A node with one more reference. */
  acquire(nodeID: string, address: string, expectsID: boolean): Node
  /** One more reference to a node of this source. */
  retain(node: Node): void
  release(node: Node): void
}

/** The nodes that a call goes to, and the members that its quorums are counted against. It never changes. */
export class Configuration {
  readonly #source: NodeSource
  readonly #contacts: Contacts
  /** The configuration that holds the references: itself, unless it is a view. */
  readonly #root: Configuration
  /** All members as nodes, for the root. */
  readonly #members: readonly Node[]
  readonly #clients = new Map<Service, object>()
  #isClosed = false
  readonly #events = new EventEmitter<ConfigurationEvents>()
  #listener: ManagerListener | undefined

  /** Configurations are made by connect(), replicas, and other configurations. */
  constructor(source: NodeSource, members: readonly Node[], contacts: readonly Node[], root?: Configuration) {
    this.#source = source
    this.#members = members
    this.#contacts = new Contacts(
      contacts,
      members.map((node) => node.id),
    )
    this.#root = root ?? this
  }

  /** The nodes that calls go to, in order. */
  get nodes(): readonly Node[] {
    return this.#contacts.nodes
  }

  get nodeIDs(): readonly string[] {
    return this.#contacts.nodes.map((node) => node.id)
  }

  /** How many nodes calls go to. Quorums are counted against `members`. */
  get size(): number {
    return this.#contacts.nodes.length
  }

  /** The ids that quorums are counted against. A view has the members of what it is a view of. */
  get members(): readonly string[] {
    return this.#contacts.members
  }

  get isClosed(): boolean {
    return this.#root.#isClosed || this.#source.manager.isClosed
  }

  /** The node with this id. Throws RangeError when calls do not go to it. */
  node(id: string): Node {
    const node = this.#contacts.nodes.find((each) => each.id === id)
    if (node === undefined)
      throw new RangeError(`node "${id}" is not in this configuration (${this.nodeIDs.join(', ')})`)
    return node
  }

  contains(id: string): boolean {
    return this.#contacts.nodes.some((node) => node.id === id)
  }

  /** Whether both have the same contacts and the same members, in any order. */
  equals(other: Configuration): boolean {
    return sameSet(this.nodeIDs, other.nodeIDs) && sameSet(this.members, other.members)
  }

  /** How its nodes are doing at the moment. */
  get status(): ConfigurationStatus {
    const inState = (state: ChannelState): ReadonlySet<string> =>
      new Set(this.nodes.filter((node) => node.state === state).map((node) => node.id))
    return { size: this.size, connected: inState('up'), down: inState('down'), connecting: inState('connecting') }
  }

  /**
   * The calls of a service that go to this configuration: `quorumCall`, `quorumStream` and `multicast` methods. Cached when
   * there are no options. Throws RangeError for a declared quorum that does not fit the members.
   */
  client<M extends Methods>(service: Service<M>): ConfigurationClient<M>
  client<
    M extends Methods,
    const Quorum extends DeclaredQuorums<M> | undefined = undefined,
    Functions extends QuorumFunctions<M> = object,
    Requests extends RequestAdapters<M> = object,
  >(
    service: Service<M>,
    options: ClientOptions<M, Functions, Requests, Quorum>,
  ): ConfigurationClient<M, Functions, Requests, Quorum>
  client<M extends Methods>(service: Service<M>, options?: object): unknown {
    const { manager, defaults } = this.#source
    if (options !== undefined) return configurationClient(manager, this, this.#contacts, defaults, service, options)
    let client = this.#clients.get(service)
    if (client === undefined) {
      client = configurationClient(manager, this, this.#contacts, defaults, service, {})
      this.#clients.set(service, client)
    }
    return client
  }

  /**
   * A new configuration with these nodes too; resolves when it is known of each new one whether it can be reached, after 5 s
   * at the latest. Throws TypeError or RangeError for what can not be nodes, or an id that is a member already.
   */
  add(nodes: NodeAddresses): Promise<Configuration> {
    return this.#with(this.#members, nodes)
  }

  /** A new configuration without these members. Throws RangeError for an id that is no member, or when none is left. */
  remove(...ids: readonly (string | readonly string[])[]): Configuration {
    const gone = this.#checkMembers(ids.flat())
    return this.#make(
      this.#members.filter((node) => !gone.has(node.id)),
      [],
    )
  }

  /** A new configuration in which the member `id` has given way to others. Resolves and throws as `add`. */
  replace(id: string, nodes: NodeAddresses): Promise<Configuration> {
    const gone = this.#checkMembers([id])
    return this.#with(
      this.#members.filter((node) => !gone.has(node.id)),
      nodes,
    )
  }

  /** A new configuration with the members of both. Throws TypeError when the other belongs to another node manager. */
  union(other: Configuration): Configuration {
    this.#checkManager(other)
    const own = new Set(this.members)
    return this.#make([...this.#members, ...other.#members.filter((node) => !own.has(node.id))], [])
  }

  /** A new configuration with the members that the other does not have. */
  difference(other: Configuration): Configuration {
    this.#checkManager(other)
    const others = new Set(other.members)
    return this.#make(
      this.#members.filter((node) => !others.has(node.id)),
      [],
    )
  }

  /** A view: calls go to these nodes only; quorums are still counted against all members. */
  subset(ids: readonly string[]): Configuration {
    if (!Array.isArray(ids)) throw new TypeError('subset() takes an array of node ids')
    if (new Set(ids).size !== ids.length) throw new RangeError(`subset() names a node twice: ${ids.join(', ')}`)
    return this.#view(ids.map((id) => this.node(id)))
  }

  /** A view that leaves out these nodes, or those that an error names as failed. */
  without(idsOrError: string | readonly string[] | QuorumError | RpcError): Configuration {
    const gone = new Set(idsOf(idsOrError))
    for (const id of gone)
      if (!this.members.includes(id)) throw new RangeError(`without(): node "${id}" is not in this configuration`)
    return this.#view(this.nodes.filter((node) => !gone.has(node.id)))
  }

  /**
   * A view with its nodes in this order; where the first order sees no difference the next decides. Stable. Throws TypeError
   * for what is no order.
   */
  sortBy(...orders: readonly NodeOrder[]): Configuration {
    return this.#view([...this.nodes].sort(inOrder(orders)))
  }

  /** A view of the first `count` nodes. Throws RangeError unless 0 ≤ count ≤ size. */
  take(count: number): Configuration {
    if (!Number.isInteger(count) || count < 0 || count > this.size)
      throw new RangeError(`take(${count}): the configuration has ${this.size} nodes`)
    return this.#view(this.nodes.slice(0, count))
  }

  /**
   * Resolves with the status once `predicate` holds for it. Rejects with RpcError `cancelled` when the signal aborts or the
   * configuration is closed, `deadline_exceeded` after `timeoutMs` (default: never).
   */
  waitFor(
    predicate: (status: ConfigurationStatus) => boolean,
    options: WaitOptions = {},
  ): Promise<ConfigurationStatus> {
    return waitForStatus(this.#source.manager, this, predicate, options)
  }

  /**
   * Derives a configuration again and again, every `intervalMs` (default 1 000) and whenever a node's state changes, and
   * yields it when it differs from the last (other nodes, or another order). A slow reader gets the newest. Ends when the
   * signal aborts or the configuration is closed.
   */
  watch(
    options: WatchOptions,
    derive: (configuration: Configuration) => Configuration,
  ): AsyncGenerator<Configuration, undefined> {
    return watchConfiguration(this.#source.manager, this, options, derive)
  }

  /** Calls `listener` on each event of the nodes of this configuration (of all its members, on a view). */
  on<E extends keyof ConfigurationEvents>(event: E, listener: (...details: ConfigurationEvents[E]) => void): this {
    const root = this.#root
    if (root.#listener === undefined && !root.#isClosed) root.#listen()
    root.#events.on(event, listener as never)
    return this
  }

  off<E extends keyof ConfigurationEvents>(event: E, listener: (...details: ConfigurationEvents[E]) => void): this {
    this.#root.#events.off(event, listener as never)
    return this
  }

  /**
   * Gives the nodes back; those that no other configuration refers to are disconnected. Unfinished calls of this
   * configuration and its views fail with reason `closed`. Closing a view does nothing.
   */
  async close(): Promise<void> {
    if (this.#root !== this || this.#isClosed) return
    this.#isClosed = true
    const { manager } = this.#source
    if (this.#listener !== undefined) manager.listeners.delete(this.#listener)
    this.#source.listening.delete(this)
    for (const call of manager.calls.values())
      if (call instanceof Call && this.#owns(call)) call.stop('closed', undefined)
    for (const node of this.#members) this.#source.release(node)
    manager.turn.flush()
    manager.announceClosed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Binds a quorum system to the members: RangeError when it does not fit. For the framework and for analysis. */
  bind(system: QuorumSystem): BoundQuorum {
    return this.#contacts.bind(system)
  }

  /** Starts a prepared call: for clients. @internal */
  startCall(call: Call, signal: AbortSignal | undefined): void {
    call.root = this.#root
    if (this.isClosed) call.stop('closed', undefined)
    else call.start(signal)
  }

  #owns(call: Call): boolean {
    return call.root === this.#root
  }

  #with(kept: readonly Node[], added: NodeAddresses): Promise<Configuration> {
    const entries = nodeEntries(added)
    const ids = new Set(kept.map((node) => node.id))
    for (const { id } of entries) if (ids.has(id)) throw new RangeError(`node "${id}" is a member already`)
    const configuration = this.#make(kept, entries)
    return configuration.#whenDecided(configuration.#members.slice(kept.length))
  }

  /** Resolves with itself when the first attempt to connect to each of these nodes has succeeded or failed. */
  async #whenDecided(nodes: readonly Node[]): Promise<Configuration> {
    const { manager } = this.#source
    const areDecided = (): boolean => nodes.every((node) => manager.isDecided(Node.channelOf(node)))
    try {
      await this.waitFor(areDecided, { timeoutMs: timeDefaults.connectTimeoutMs })
    } catch {
      // It is as good as it gets: the nodes go on being connected to, or the configuration is closed.
    }
    return this
  }

  /** A new root: it holds a reference to each of its nodes. */
  #make(kept: readonly Node[], added: readonly NodeEntry[]): Configuration {
    if (this.isClosed) throw new RpcError('cancelled', 'the configuration is closed', { executed: 'no' })
    if (kept.length + added.length === 0) throw new RangeError('a configuration needs at least one node')
    for (const node of kept) this.#source.retain(node)
    const members = [
      ...kept,
      ...added.map(({ id, address, expectsID }) => this.#source.acquire(id, address, expectsID)),
    ]
    return new Configuration(this.#source, members, members)
  }

  #view(contacts: readonly Node[]): Configuration {
    return new Configuration(this.#source, this.#members, contacts, this.#root)
  }

  #checkMembers(ids: readonly string[]): Set<string> {
    for (const id of ids)
      if (!this.members.includes(id)) throw new RangeError(`node "${id}" is not a member (${this.members.join(', ')})`)
    return new Set(ids)
  }

  #checkManager(other: Configuration): void {
    if (!(other instanceof Configuration)) throw new TypeError('takes another configuration')
    if (other.isClosed) throw new RpcError('cancelled', 'the other configuration is closed', { executed: 'no' })
    if (other.#source.manager !== this.#source.manager)
      throw new TypeError(
        'the configurations belong to different node managers: make both with the same createNodeManager()',
      )
  }

  /** Tells an event of one of its calls; what listeners throw is their own matter. For the framework. */
  emit<E extends keyof ConfigurationEvents>(event: E, ...details: ConfigurationEvents[E]): void {
    tell(() => this.#root.#events.emit(event, ...(details as never)))
  }

  #listen(): void {
    const { manager } = this.#source
    this.#events.setMaxListeners(0)
    const nodeOf = (channel: Channel | undefined): Node | undefined =>
      channel === undefined ? undefined : this.#members.find((node) => Node.channelOf(node) === channel)
    const before = new Map(this.#members.map((node) => [node, node.state]))
    this.#listener = {
      onState: (channel, state, error) => {
        const node = nodeOf(channel)
        if (node === undefined || before.get(node) === state) return
        before.set(node, state)
        if (state === 'up') this.emit('up', node)
        else if (state === 'down') this.emit('down', node, error)
      },
      onRejected: (channel, error) => {
        const node = nodeOf(channel)
        if (node !== undefined) this.emit('rejected', node, error)
      },
    }
    manager.listeners.add(this.#listener)
    this.#source.listening.add(this)
  }
}

function idsOf(idsOrError: string | readonly string[] | QuorumError | RpcError): readonly string[] {
  if (typeof idsOrError === 'string') return [idsOrError]
  if (idsOrError instanceof QuorumError) return [...idsOrError.errors.keys()]
  if (idsOrError instanceof RpcError) return idsOrError.nodeID === undefined ? [] : [idsOrError.nodeID]
  if (Array.isArray(idsOrError)) return idsOrError
  throw new TypeError('without() takes node ids, a QuorumError or an RpcError')
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id))
}
