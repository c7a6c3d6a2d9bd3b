// The one owner of node connections: makes the channels that configurations share, counts who refers to each, closes
// those that nobody refers to, takes the connections that others have dialled. It has one incarnation, one table of
// unfinished calls, one timer for all deadlines.

import { RpcError, tracelessError } from '../errors.ts'
import { resolveTransport, type Transport, type TransportOptions } from '../options.ts'
import type { Refusal } from '../wire/attach.ts'
import type { Hello } from '../wire/control.ts'
import { FrameWriter } from '../wire/frame-writer.ts'
import { Acceptor, type AcceptorOwner, type Admitted } from './acceptor.ts'
import { Admission, type AdmissionOwner } from './admission.ts'
import { CallTable } from './call-table.ts'
import { Channel } from './channel.ts'
import type {
  ChannelOwner,
  ChannelState,
  OutgoingCall,
  PeerInfo,
  RequestReceiver,
  SessionTerms,
} from './channel-ports.ts'
import type { Connection } from './connection.ts'
import { Deadlines } from './deadlines.ts'
import { Dialler, type DiallerOwner, type OpenStream } from './dialler.ts'
import { Drain } from './drain.ts'
import type { ByteStream, PeerIdentity } from './runtime.ts'
import { Turn } from './turn.ts'

/** What happens to the channels of a manager. */
export interface ManagerListener {
  onState?(channel: Channel, state: ChannelState, error: RpcError | undefined): void
  onRejected?(channel: Channel, error: RpcError): void
  /** A channel's first attempt has succeeded or failed. */
  onDecided?(channel: Channel): void
  /** A configuration, or the manager with all of them, was closed. */
  onClosed?(): void
}

/** A channel that somebody refers to, with what makes its connections. */
interface Shared {
  readonly key: string
  readonly channel: Channel
  readonly dialler: Dialler | undefined
  references: number
  isDecided: boolean
}

export class NodeManager implements ChannelOwner, DiallerOwner, AcceptorOwner, AdmissionOwner {
  readonly transport: Transport
  readonly turn: Turn
  readonly deadlines: Deadlines
  readonly incarnation: Buffer
  readonly calls: CallTable<OutgoingCall>
  readonly writer = new FrameWriter()
  readonly listeners = new Set<ManagerListener>()
  /** Makes the receiver of a channel's requests; without one the peer's requests are answered `unimplemented`. */
  makeReceiver: (channel: Channel) => RequestReceiver
  servesCalls = false
  #drain: Drain | undefined
  readonly #acceptor: Acceptor
  readonly #admission: Admission
  readonly #shared = new Map<string, Shared>()
  readonly #byChannel = new Map<Channel, Shared>()
  #attachEpoch = 0
  readonly #freeSlots: number[] = []
  #nextSlot = 0
  #isClosed = false

  constructor(options: TransportOptions, makeReceiver: (channel: Channel) => RequestReceiver) {
    this.transport = resolveTransport(options)
    this.turn = new Turn(this.transport.runtime)
    this.deadlines = new Deadlines(this.turn)
    this.incarnation = this.transport.runtime.randomBytes(16)
    this.calls = new CallTable(1 + Math.floor(this.transport.runtime.random() * 0xffff))
    this.makeReceiver = makeReceiver
    this.#acceptor = new Acceptor(this)
    this.#admission = new Admission(this)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get isDraining(): boolean {
    return this.#drain !== undefined
  }

  /** How many nodes somebody refers to. */
  get nodeCount(): number {
    return this.#shared.size
  }

  /**
   * The channel to a node, made when there is none; holds one reference to it until `release`. `expectedNodeID` is empty
   * when any node will do. `open` makes its byte streams in place of a dial to `address`.
   */
  acquire(nodeID: string, address: string, expectedNodeID: string, open?: OpenStream): Channel {
    const key = JSON.stringify([nodeID, address, expectedNodeID])
    const shared = this.#shared.get(key)
    if (shared !== undefined) {
      shared.references++
      return shared.channel
    }
    return this.#share(
      key,
      this.newChannel(nodeID, address),
      (channel) => new Dialler(this, channel, expectedNodeID, open),
    )
  }

  /** The channel to a member that dials us: it waits to be connected, if it is not already. */
  acquireMember(nodeID: string, address: string): Channel {
    const key = JSON.stringify([nodeID, 'member'])
    const shared = this.#shared.get(key)
    if (shared !== undefined) {
      shared.references++
      return shared.channel
    }
    const connected = this.#admission.findMember(nodeID)
    const channel = this.#share(key, connected ?? this.newChannel(nodeID, address), () => undefined)
    this.#admission.addMember(nodeID, channel)
    if (connected === undefined) channel.awaitConnection()
    return channel
  }

  /** Holds one more reference to a channel that somebody refers to already. */
  retain(channel: Channel): void {
    const shared = this.#byChannel.get(channel)
    if (shared !== undefined) shared.references++
  }

  /** Gives one reference back; the last one closes the channel. */
  release(channel: Channel): void {
    const shared = this.#byChannel.get(channel)
    if (shared === undefined || --shared.references > 0) return
    this.#remove(shared, new RpcError('cancelled', 'nobody refers to the node any more'))
  }

  /** Whether it is known if the node can be reached: the first attempt has succeeded or failed. */
  isDecided(channel: Channel): boolean {
    return channel.state !== 'connecting' || (this.#byChannel.get(channel)?.isDecided ?? true)
  }

  /** The connected clients: those that have dialled us and are no members. */
  get clients(): Channel[] {
    return this.#admission.clients
  }

  /** All channels there are. */
  get channels(): Channel[] {
    return [...new Set([...this.#byChannel.keys(), ...this.#admission.channels])]
  }

  /** Takes a stream that somebody has dialled. */
  accept(stream: ByteStream, isLocal = false): void {
    if (this.#isClosed) stream.destroy()
    else this.#acceptor.accept(stream, isLocal)
  }

  /**
   * Accepts no more requests and no new sessions, and says so. Calls back once, when all that was accepted has been answered
   * and the answers have arrived, also with those that were cut off and have to come back for them.
   */
  drain(onDone: () => void): void {
    this.#drain = new Drain(this.turn, () => this.#admission.expectedUntil, onDone)
    this.#drain.add(...this.channels.filter((channel) => channel.session !== undefined))
    this.turn.flush()
    this.#drain.check()
  }

  /** Closes every channel and stops every timer. What is unanswered fails with `error`. */
  close(error: RpcError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#drain?.close()
    this.#acceptor.close()
    for (const shared of [...this.#shared.values()]) this.#remove(shared, error)
    for (const channel of this.#admission.channels) channel.close(error)
    this.turn.flush()
    this.announceClosed()
  }

  /** Wakes those who wait for something that will not come any more. */
  announceClosed(): void {
    for (const listener of [...this.listeners]) listener.onClosed?.()
  }

  nextAttachEpoch(): number {
    return ++this.#attachEpoch
  }

  findDouble(channel: Channel, incarnation: Buffer): Channel | undefined {
    for (const other of this.#byChannel.keys()) {
      const isThere = other.state === 'up' || other.state === 'connecting'
      if (other !== channel && isThere && other.peer?.incarnation.equals(incarnation)) return other
    }
    return undefined
  }

  /** Declares a member that this side dials: it must not dial us. */
  dialsMember(nodeID: string): void {
    this.#admission.dialsMember(nodeID)
  }

  onStateChange(channel: Channel, state: ChannelState, error: RpcError | undefined): void {
    const shared = this.#byChannel.get(channel)
    if (shared !== undefined && state !== 'connecting') shared.isDecided = true
    for (const listener of [...this.listeners]) listener.onState?.(channel, state, error)
  }

  onAttemptDecided(channel: Channel): void {
    const shared = this.#byChannel.get(channel)
    if (shared === undefined || shared.isDecided) return
    shared.isDecided = true
    for (const listener of [...this.listeners]) listener.onDecided?.(channel)
  }

  onRejected(channel: Channel, error: RpcError): void {
    this.transport.logger.warn?.(error.message)
    for (const listener of [...this.listeners]) listener.onRejected?.(channel, error)
  }

  onDetached(channel: Channel, error: RpcError): void {
    this.transport.logger.warn?.(error.message)
    const shared = this.#byChannel.get(channel)
    if (shared !== undefined) {
      shared.dialler?.redial(error)
      if (shared.dialler !== undefined) return
    }
    if (channel.session === undefined) this.#forget(channel, error)
    else this.#admission.retain(channel)
  }

  onRetained(channel: Channel): void {
    if (this.#byChannel.get(channel)?.dialler === undefined) this.#admission.retain(channel)
  }

  onExpired(channel: Channel, error: RpcError): void {
    this.transport.logger.warn?.(error.message)
    if (this.#byChannel.get(channel)?.dialler === undefined) this.#forget(channel, error)
  }

  /** Nothing is left of a channel that another has dialled: it goes, unless somebody refers to it. */
  #forget(channel: Channel, error: RpcError): void {
    this.#admission.ended(channel)
    if (this.#byChannel.has(channel) || channel.state === 'closed') return
    // Whatever it said last: whoever calls it now can not reach it.
    channel.close(tracelessError('unavailable', error.message, { nodeID: channel.nodeID }))
    this.#freeSlots.push(channel.slot)
  }

  admit(hello: Hello, identity: PeerIdentity | undefined): Refusal | Admitted {
    const verdict = this.#admission.admit(hello, identity)
    // Whoever is refused a new session may have been waited for.
    this.#drain?.check()
    return verdict
  }

  onAccepted(connection: Connection, peer: PeerInfo, terms: SessionTerms, attachEpoch: number): Channel | undefined {
    const channel = this.#admission.attach(connection, peer, terms, attachEpoch)
    // Unless the session has heard it before, and has just been told again.
    if (channel?.session?.isDraining === false) this.#drain?.add(channel)
    this.#drain?.check()
    return channel
  }

  onHandshakeEnded(hello: Hello, hasLeft: boolean): void {
    this.#admission.handshakeEnded(hello, hasLeft)
    this.#drain?.check()
  }

  onFlapping(error: RpcError): void {
    this.transport.logger.error?.(error.message)
    const member = this.#admission.findMember(error.nodeID!)
    if (member !== undefined) for (const listener of [...this.listeners]) listener.onRejected?.(member, error)
  }

  onStranger(error: RpcError): void {
    this.transport.logger.warn?.(error.message)
  }

  /** A channel that nobody refers to yet. */
  newChannel(nodeID: string, address: string): Channel {
    if (this.#isClosed) throw new RpcError('cancelled', 'the node manager is closed', { executed: 'no' })
    const channel = new Channel(this, nodeID, address, this.#freeSlots.pop() ?? this.#nextSlot++)
    channel.receiver = this.makeReceiver(channel)
    return channel
  }

  #share(key: string, channel: Channel, makeDialler: (channel: Channel) => Dialler | undefined): Channel {
    const shared: Shared = {
      key,
      channel,
      dialler: makeDialler(channel),
      references: 1,
      isDecided: channel.state === 'up',
    }
    this.#shared.set(key, shared)
    this.#byChannel.set(channel, shared)
    shared.dialler?.dial()
    return channel
  }

  #remove(shared: Shared, error: RpcError): void {
    this.#shared.delete(shared.key)
    this.#byChannel.delete(shared.channel)
    this.#admission.forget(shared.channel)
    shared.dialler?.close()
    shared.channel.close(error)
    this.#freeSlots.push(shared.channel.slot)
  }
}
