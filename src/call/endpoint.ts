// One side of the conversation: a node manager, the handlers that its peers may call, and the nodes as users see them. What
// a client, a server and a replica have in common; they differ in who dials and who listens.

import type { Channel } from '../net/channel.ts'
import { NodeManager } from '../net/node-manager.ts'
import { functionList, milliseconds, type TransportOptions, timeDefaults } from '../options.ts'
import type { Call } from './call.ts'
import type { CallDefaults } from './call-setup.ts'
import type { Configuration, NodeSource } from './configuration.ts'
import type { ClientInterceptor } from './interceptor.ts'
import { Lane, type LaneCounts, type LaneOwner } from './lane.ts'
import { Node } from './node.ts'
import type { Registry } from './registry.ts'

/** Options of everything that makes calls. */
export interface CallingOptions {
  /** The time that a call may take unless it says otherwise, ms. Default 10 000. Infinity = none. */
  readonly callTimeoutMs?: number
  /** What calls to a node that is down do: fail at once (`'fail'`, the default), or wait until their deadline. */
  readonly whenDown?: 'fail' | 'wait'
  /**
   * What calls to a node whose queue is full do: fail at once (`'fail'`, the default), or wait until their deadline. What
   * waits is then bounded by the deadline and the caller alone.
   */
  readonly whenFull?: 'fail' | 'wait'
  /** Run on every call, the first outermost. */
  readonly interceptors?: readonly ClientInterceptor[]
}

/** Gives the channel to a node, with one more reference. `expectsID`: the server must have this id, or none. */
export type ChannelTo = (nodeID: string, address: string, expectsID: boolean) => Channel

/** A node manager with handlers and nodes. */
export class Endpoint implements LaneOwner {
  readonly manager: NodeManager
  readonly registry: Registry
  readonly laneCounts: LaneCounts = { unreleased: 0, waiting: 0 }
  configuration: Configuration | undefined
  readonly #peers = new WeakMap<Channel, Node>()
  readonly #peerDefaults: CallDefaults

  constructor(transport: TransportOptions, registry: Registry, calling: CallingOptions) {
    this.registry = registry
    this.manager = new NodeManager(transport, (channel) => new Lane(this, channel))
    this.#peerDefaults = this.defaultsFor(calling, new Set())
  }

  /** The node behind a channel that somebody else has dialled, or that calls us. */
  peerOf(channel: Channel): Node {
    let node = this.#peers.get(channel)
    if (node === undefined) {
      node = new Node(this.manager, channel, this.#peerDefaults)
      this.#peers.set(channel, node)
    }
    return node
  }

  /** Makes a node the one that its channel's requests come from. */
  introduce(node: Node): void {
    this.#peers.set(Node.channelOf(node), node)
  }

  defaultsFor(calling: CallingOptions, listening: ReadonlySet<Configuration>): CallDefaults {
    return {
      timeoutMs: milliseconds('callTimeoutMs', calling.callTimeoutMs, timeDefaults.callTimeoutMs),
      waitsWhenDown: choice('whenDown', calling.whenDown, 'fail', 'wait') === 'wait',
      waitsWhenFull: choice('whenFull', calling.whenFull, 'fail', 'wait') === 'wait',
      interceptors: functionList('interceptors', calling.interceptors),
      describeLanes: () => this.#describeLanes(),
      onUndelivered: (call, nodeID, error) =>
        this.#report(call, listening, nodeID, `was not sent: ${error.message}`, (configuration) =>
          configuration.emit('undelivered', nodeID, call.setup.method.fullName, error),
        ),
      onLost: (call, nodeID) =>
        this.#report(call, listening, nodeID, 'may not have arrived', (configuration) =>
          configuration.emit('lost', nodeID, call.setup.method.fullName),
        ),
    }
  }

  /** A source of nodes for configurations. `channelTo` gives a channel with one more reference; by default it is dialled. */
  sourceOf(calling: CallingOptions, channelTo: ChannelTo = this.#dialTo): NodeSource {
    const listening = new Set<Configuration>()
    const defaults = this.defaultsFor(calling, listening)
    const nodes = new Map<Channel, Node>()
    return {
      manager: this.manager,
      defaults,
      listening,
      acquire: (nodeID, address, expectsID) => this.#nodeFor(nodes, channelTo(nodeID, address, expectsID), defaults),
      retain: (node) => this.manager.retain(Node.channelOf(node)),
      release: (node) => this.manager.release(Node.channelOf(node)),
    }
  }

  readonly #dialTo: ChannelTo = (nodeID, address, expectsID) =>
    this.manager.acquire(nodeID, address, expectsID ? nodeID : '')

  /** The one node object of a channel in one source. */
  #nodeFor(nodes: Map<Channel, Node>, channel: Channel, defaults: CallDefaults): Node {
    let node = nodes.get(channel)
    if (node === undefined || node.state === 'closed') {
      for (const [other, gone] of nodes) if (gone.state === 'closed') nodes.delete(other)
      node = new Node(this.manager, channel, defaults)
      nodes.set(channel, node)
      this.introduce(node)
    }
    return node
  }

  /** Tells what has become of a one-way call to its configuration, or to all that have its node; and to the log. */
  #report(
    call: Call,
    listening: ReadonlySet<Configuration>,
    nodeID: string,
    what: string,
    emit: (configuration: Configuration) => void,
  ): void {
    this.manager.transport.logger.warn?.(`"${call.setup.method.fullName}" to node ${nodeID} ${what}`)
    if (call.root !== undefined) return emit(call.root)
    for (const configuration of [...listening]) if (configuration.members.includes(nodeID)) emit(configuration)
  }

  #describeLanes(): string {
    const { unreleased, waiting } = this.laneCounts
    if (unreleased === 0) return ''
    return ` (${unreleased} unreleased ${unreleased === 1 ? 'handler' : 'handlers'} here, ${waiting} ${waiting === 1 ? 'request' : 'requests'} waiting)`
  }
}

/** Throws TypeError unless `value` is one of two words; undefined means the first. */
function choice<T extends string>(name: string, value: T | undefined, one: T, other: T): T {
  if (value === undefined || value === one) return one
  if (value === other) return other
  throw new TypeError(`${name} must be '${one}' or '${other}', not ${JSON.stringify(value)}`)
}
