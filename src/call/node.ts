// A node as users see it: who it is, how it is doing, and the calls that go to it alone. The channel behind it does the
// work.

import type { Metadata, RpcError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import type { ChannelState } from '../net/channel-ports.ts'
import type { Latency } from '../net/latency.ts'
import type { NodeManager } from '../net/node-manager.ts'
import type { PeerIdentity } from '../net/runtime.ts'
import type { CallDefaults } from './call-setup.ts'
import { type NodeClient, nodeClient } from './client.ts'
import { Contacts } from './contacts.ts'
import type { Methods, Service } from './service.ts'

/** `connecting`: not decided yet; `up`: connected; `down`: calls fail at once; `closed`: no configuration has it any more. */
export type NodeState = ChannelState

/** A node of a configuration, or the peer that a request came from. */
export class Node {
  readonly id: string
  /** `host:port`. */
  readonly address: string
  readonly #channel: Channel
  readonly #manager: NodeManager
  readonly #defaults: CallDefaults
  readonly #clients = new Map<Service, unknown>()
  #contacts: Contacts | undefined

  /** Nodes are made by the framework. */
  constructor(manager: NodeManager, channel: Channel, defaults: CallDefaults) {
    this.id = channel.nodeID
    this.address = channel.address
    this.#manager = manager
    this.#channel = channel
    this.#defaults = defaults
  }

  get state(): NodeState {
    return this.#channel.state
  }

  /** Its latency as seen by answered calls: mean (EWMA), p50 and p99, ms; NaN until the first answer. */
  get latency(): Latency {
    return this.#channel.latency.read()
  }

  /** Why it could not be connected to, or was lost; undefined while all is well. */
  get lastError(): RpcError | undefined {
    return this.#channel.lastError
  }

  /** Calls sent to it and not finished. */
  get pending(): number {
    return this.#channel.pending
  }

  /** What it sent when it connected; empty before. */
  get metadata(): Metadata {
    return this.#channel.peer?.metadata ?? {}
  }

  /** What its certificate says; undefined without TLS. */
  get identity(): PeerIdentity | undefined {
    return this.#channel.peer?.identity
  }

  /** The calls of a service that go to one node: `rpc` and `unicast` methods. Cached. */
  client<M extends Methods>(service: Service<M>): NodeClient<M> {
    let client = this.#clients.get(service) as NodeClient<M> | undefined
    if (client === undefined) {
      this.#contacts ??= new Contacts([this], [this.id])
      client = nodeClient(this.#manager, this.#contacts, this.#defaults, service)
      this.#clients.set(service, client)
    }
    return client
  }

  /** The channel behind a node: for the framework. */
  static channelOf(node: Node): Channel {
    return node.#channel
  }
}
