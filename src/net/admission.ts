// The connections that others have dialled: who is let in, which channel a connection belongs to, who displaces whom. An
// incarnation has at most one connection; so has a node id.

import { RpcError } from '../errors.ts'
import type { Transport } from '../options.ts'
import type { Hello } from '../wire/control.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import type { Refusal } from './acceptor.ts'
import type { Channel } from './channel.ts'
import type { PeerInfo } from './channel-ports.ts'
import type { Connection } from './connection.ts'
import type { PeerIdentity } from './runtime.ts'

/** Incarnations that are remembered after they have gone. */
const INCARNATIONS_MAX = 10_000

export interface AdmissionOwner {
  readonly transport: Transport
  readonly incarnation: Buffer
  readonly isDraining: boolean
  newChannel(nodeID: string, address: string): Channel
}

export class Admission {
  readonly #owner: AdmissionOwner
  /** Who is connected, by the incarnation at the other end. */
  readonly #connected = new Map<string, Channel>()
  /** Members that dial us, by node id. */
  readonly #members = new Map<string, Channel>()
  /** Members that we dial: they must not dial us. */
  readonly #dialled = new Set<string>()
  /** The highest epoch seen of each incarnation, and who it was by its certificate. */
  readonly #seen = new Map<string, { readonly epoch: number; readonly names: string }>()
  #nextClient = 1

  constructor(owner: AdmissionOwner) {
    this.#owner = owner
  }

  /** The channels that others have dialled. */
  get channels(): Channel[] {
    return [...this.#connected.values()]
  }

  /** Those of them that are connected and neither members nor this side itself. */
  get clients(): Channel[] {
    const { incarnation } = this.#owner
    return this.channels.filter(
      (channel) =>
        channel.state === 'up' &&
        this.#members.get(channel.nodeID) !== channel &&
        !channel.peer?.incarnation.equals(incarnation),
    )
  }

  /** Declares a member that we dial. */
  dialsMember(nodeID: string): void {
    this.#dialled.add(nodeID)
  }

  /** The channel of a member that dials us: that of its connection, if it has connected before it was declared. */
  findMember(nodeID: string): Channel | undefined {
    return this.#members.get(nodeID) ?? this.#named(nodeID)
  }

  /** Declares a member that dials us. */
  addMember(nodeID: string, channel: Channel): void {
    this.#members.set(nodeID, channel)
  }

  /** Forgets a channel that is closed for good. */
  forget(channel: Channel): void {
    if (this.#members.get(channel.nodeID) === channel) this.#members.delete(channel.nodeID)
    this.#dialled.delete(channel.nodeID)
    this.detached(channel)
  }

  /** The connection of a channel is gone. */
  detached(channel: Channel): void {
    for (const [incarnation, connected] of this.#connected)
      if (connected === channel) this.#connected.delete(incarnation)
  }

  /** The last word on a HELLO. When it is let in, what its sender had before is fenced. */
  admit(hello: Hello, identity: PeerIdentity | undefined): Refusal | undefined {
    const incarnation = hello.incarnation.toString('hex')
    const names = identity === undefined ? '' : JSON.stringify([identity.commonName, identity.names])
    const seen = this.#seen.get(incarnation)
    if (seen !== undefined && seen.names !== names) {
      return { code: 'permission_denied', message: 'this incarnation belongs to another identity', retry: false }
    }
    if (hello.attachEpoch <= (seen?.epoch ?? 0)) {
      const message = `attach epoch ${hello.attachEpoch} is not above the highest seen, ${seen?.epoch ?? 0}`
      return { code: 'aborted', message, retry: true }
    }
    const own = this.#owner.transport.nodeID
    if (hello.nodeID !== '' && hello.nodeID === own && !hello.incarnation.equals(this.#owner.incarnation)) {
      return { code: 'already_exists', message: `node id "${own}" is this server's own`, retry: false }
    }
    if (this.#dialled.has(hello.nodeID)) {
      const message = `wrong dialling side: node "${hello.nodeID}" is dialled by "${own}"`
      return { code: 'failed_precondition', message, retry: false }
    }
    this.#remember(incarnation, hello.attachEpoch, names)
    this.#connected.get(incarnation)?.connection?.close(anew())
    return undefined
  }

  /**
   * A handshake is complete. Returns the channel that its connection belongs to now; undefined when its sender has
   * connected anew meanwhile.
   */
  attach(connection: Connection, peer: PeerInfo, attachEpoch: number): Channel | undefined {
    const incarnation = peer.incarnation.toString('hex')
    if ((this.#seen.get(incarnation)?.epoch ?? attachEpoch) !== attachEpoch) {
      connection.close(anew())
      return undefined
    }
    this.#connected.get(incarnation)?.connection?.close(anew())
    this.#displace(peer.nodeID)
    const nodeID = peer.nodeID === '' ? `#${this.#nextClient++}` : peer.nodeID
    const channel = this.#members.get(peer.nodeID) ?? this.#owner.newChannel(nodeID, peer.address)
    this.#connected.set(incarnation, channel)
    channel.attach(connection, peer, false)
    if (this.#owner.isDraining) channel.drain('the server is shutting down')
    return channel
  }

  /** Ends the connection of another process with this node id: the later one wins. */
  #displace(nodeID: string): void {
    if (nodeID === '') return
    const message = `another process has connected as node "${nodeID}"`
    this.#named(nodeID)?.disconnect({ code: 'already_exists', message, metadata: NO_METADATA, notExecuted: false })
  }

  /** The connected channel whose peer claims this node id. */
  #named(nodeID: string): Channel | undefined {
    for (const channel of this.#connected.values()) {
      if (channel.peer?.nodeID === nodeID && channel.state === 'up') return channel
    }
    return undefined
  }

  #remember(incarnation: string, epoch: number, names: string): void {
    this.#seen.delete(incarnation)
    this.#seen.set(incarnation, { epoch, names })
    if (this.#seen.size <= INCARNATIONS_MAX) return
    const oldest = this.#seen.keys().next().value
    if (oldest !== undefined) this.#seen.delete(oldest)
  }
}

function anew(): RpcError {
  return new RpcError('unavailable', 'the same peer has connected anew')
}
