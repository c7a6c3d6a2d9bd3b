// The connections that others have dialled: who is let in, which channel and session a connection belongs to, who displaces
// whom, and which sessions are kept while they have none. An incarnation has at most one connection and one session; so has
// a node id.

import { RpcError } from '../errors.ts'
import type { Transport } from '../options.ts'
import type { NamedSession, Refusal } from '../wire/attach.ts'
import { type Hello, ID_BYTES } from '../wire/control.ts'
import {
  ended,
  expectedUntil,
  handshakeEnded,
  holderOf,
  type Incarnation,
  join,
  letIn,
  mayJoin,
  refusalOf,
  refused,
  resumedSession,
} from '../wire/incarnation.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import type { Admitted } from './acceptor.ts'
import type { Channel } from './channel.ts'
import type { PeerInfo, SessionTerms } from './channel-ports.ts'
import type { ChannelSession } from './channel-session.ts'
import type { Connection } from './connection.ts'
import { DRAINING } from './drain.ts'
import { Flapping } from './flapping.ts'
import type { PeerIdentity } from './runtime.ts'

/** Incarnations that are remembered although they have not joined, or not any more. */
const INCARNATIONS_MAX = 10_000
const NO_SESSION = Buffer.alloc(0)

export interface AdmissionOwner {
  readonly transport: Transport
  readonly incarnation: Buffer
  readonly isDraining: boolean
  newChannel(nodeID: string, address: string): Channel
  /** Two processes claim one node id and displace each other. */
  onFlapping(error: RpcError): void
}

export class Admission {
  readonly #owner: AdmissionOwner
  /** Who is connected, or has a session that waits for its next connection, by incarnation. */
  readonly #joined = new Map<string, Incarnation<Channel>>()
  /** Who else has been let in, the one that something happened to longest ago first. */
  readonly #others = new Map<string, Incarnation<Channel>>()
  /** The channels of those who wait for a connection, longest first, with the bytes that each keeps. */
  readonly #detached = new Map<Channel, number>()
  /** The bytes of all of them. */
  #detachedBytes = 0
  /** Members that dial us, by node id. */
  readonly #members = new Map<string, Channel>()
  /** Members that we dial: they must not dial us. */
  readonly #dialled = new Set<string>()
  readonly #flapping = new Flapping()
  #nextClient = 1

  constructor(owner: AdmissionOwner) {
    this.#owner = owner
  }

  /** The channels that others have dialled. */
  get channels(): Channel[] {
    return [...this.#joined.values()].flatMap((known) => holderOf(known) ?? [])
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

  /**
   * Until when somebody may come who has been let in and has not been heard since, in the runtime's ms; 0 when there is
   * nobody. It may have sent requests already, and if it was cut off, it may come back.
   */
  get expectedUntil(): number {
    let latest = 0
    for (const known of this.#others.values()) latest = Math.max(latest, expectedUntil(known))
    return latest
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
    this.ended(channel)
  }

  /** The session of a channel has ended, and it has no connection. */
  ended(channel: Channel): void {
    this.#leave(channel)
    const key = channel.peer?.incarnation.toString('hex') ?? ''
    const known = this.#joined.get(key)
    if (known !== undefined && holderOf(known) === channel) this.#keep(key, ended(known))
  }

  /** The session of a channel waits for its next connection, or has more to keep meanwhile. The oldest make room. */
  retain(channel: Channel): void {
    const bytes = channel.session?.frames.logWeight ?? 0
    this.#detachedBytes += bytes - (this.#detached.get(channel) ?? 0)
    this.#detached.set(channel, bytes)
    const { detachedSessionsMax, detachedBytesMax } = this.#owner.transport.limits
    for (const oldest of this.#detached.keys()) {
      if (this.#detached.size <= detachedSessionsMax && this.#detachedBytes <= detachedBytesMax) return
      this.#leave(oldest)
      oldest.expire(`more than ${detachedSessionsMax} sessions, or ${detachedBytesMax} bytes, wait for connections`)
    }
  }

  /** A session waits no more. */
  #leave(channel: Channel): void {
    this.#detachedBytes -= this.#detached.get(channel) ?? 0
    this.#detached.delete(channel)
  }

  /**
   * The last word on a HELLO. When it is let in, what its sender had before is fenced: no frame of an older connection is
   * looked at from here on. Its session goes on or ends before the answer is made.
   */
  admit(hello: Hello, identity: PeerIdentity | undefined): Refusal | Admitted {
    const key = hello.incarnation.toString('hex')
    const names = identity === undefined ? '' : JSON.stringify([identity.commonName, identity.names])
    const refusal = this.#refusalOfNode(hello) ?? this.#refusal(key, hello, names)
    if (refusal !== undefined) return refusal
    const channel = holderOf(this.#find(key))
    channel?.connection?.close(anew())
    const session = resumedSession(this.#find(key), hello)
    if (session === undefined) channel?.expire('its peer has begun anew')
    const admitted = session === undefined ? this.#newSession(hello) : this.#oldSession(session, channel?.session)
    const { runtime, sessionTtlMs } = this.#owner.transport
    const dialler = { epoch: hello.attachEpoch, identity: names }
    this.#keep(key, letIn(this.#find(key), dialler, admitted.sessionID, runtime.now() + sessionTtlMs))
    return admitted
  }

  #refusal(key: string, hello: Hello, identity: string): Refusal | undefined {
    const known = this.#find(key)
    const refusal = refusalOf(known, hello, identity, this.#owner.isDraining ? DRAINING : undefined)
    if (refusal !== undefined && known !== undefined) this.#keep(key, refused(known, refusal))
    return refusal
  }

  /** A handshake has ended behind HELLO_OK, and its connection counts for nothing. `hasLeft`: by the dialler's own word. */
  handshakeEnded(hello: Hello, hasLeft: boolean): void {
    const key = hello.incarnation.toString('hex')
    const known = this.#find(key)
    if (known !== undefined) this.#keep(key, handshakeEnded(known, hello.attachEpoch, hasLeft))
  }

  #newSession(hello: Hello): Admitted {
    const { transport } = this.#owner
    const isNamed = hello.wantsSession && transport.sessions
    return {
      sessionID: isNamed ? transport.runtime.randomBytes(ID_BYTES) : NO_SESSION,
      isResumed: false,
      receivedFrames: 0,
      requestBytesAllowed: transport.limits.requestWindowBytes,
    }
  }

  #oldSession(session: NamedSession, there: ChannelSession | undefined): Admitted {
    return {
      sessionID: session.id,
      isResumed: true,
      receivedFrames: session.frames.received,
      requestBytesAllowed: there?.intake.announce() ?? this.#owner.transport.limits.requestWindowBytes,
    }
  }

  /**
   * A handshake is complete. Returns the channel that its connection belongs to now; undefined when its sender has
   * connected anew meanwhile, or the session has ended.
   */
  attach(connection: Connection, peer: PeerInfo, terms: SessionTerms, attachEpoch: number): Channel | undefined {
    const key = peer.incarnation.toString('hex')
    const known = this.#find(key)
    if (known === undefined || !mayJoin(known, attachEpoch, terms.sessionID)) {
      connection.close(anew())
      return undefined
    }
    this.#displace(peer.nodeID, key)
    const there = holderOf(known)
    const channel = there ?? this.#channelFor(peer)
    this.#keep(key, join(known, channel))
    this.#leave(channel)
    channel.attach(connection, peer, { ...terms, isResumed: there !== undefined }, false)
    return channel
  }

  #channelFor(peer: PeerInfo): Channel {
    const nodeID = peer.nodeID === '' ? `#${this.#nextClient++}` : peer.nodeID
    return this.#members.get(peer.nodeID) ?? this.#owner.newChannel(nodeID, peer.address)
  }

  /** Why a node that says who it is, and may say so, is not let in. */
  #refusalOfNode(hello: Hello): Refusal | undefined {
    const own = this.#owner.transport.nodeID
    if (hello.nodeID !== '' && hello.nodeID === own && !hello.incarnation.equals(this.#owner.incarnation)) {
      return { code: 'already_exists', message: `node id "${own}" is this server's own`, retry: false }
    }
    if (!this.#dialled.has(hello.nodeID)) return undefined
    const message = `wrong dialling side: node "${hello.nodeID}" is dialled by "${own}"`
    return { code: 'failed_precondition', message, retry: false }
  }

  /** Ends the connection and the session of another process with this node id: the later one wins. */
  #displace(nodeID: string, key: string): void {
    if (nodeID === '') return
    for (const [other, known] of this.#joined) {
      const channel = holderOf(known)!
      if (other === key || channel.peer?.nodeID !== nodeID) continue
      if (channel.state === 'up') this.#noteFlap(nodeID)
      const message = `another process has connected as node "${nodeID}"`
      channel.disconnect({ code: 'already_exists', message, metadata: NO_METADATA, notExecuted: false })
    }
  }

  #noteFlap(nodeID: string): void {
    const flaps = this.#flapping.note(nodeID, this.#owner.transport.runtime.now())
    if (flaps !== undefined) this.#owner.onFlapping(new RpcError('already_exists', flaps, { nodeID }))
  }

  /** The connected channel whose peer claims this node id. */
  #named(nodeID: string): Channel | undefined {
    return this.channels.find((channel) => channel.peer?.nodeID === nodeID && channel.state === 'up')
  }

  #find(key: string): Incarnation<Channel> | undefined {
    return this.#joined.get(key) ?? this.#others.get(key)
  }

  /** Keeps what has become of an incarnation. Of those that have not joined, only so many are remembered. */
  #keep(key: string, known: Incarnation<Channel>): void {
    if (known === this.#find(key)) return
    this.#others.delete(key)
    if (holderOf(known) !== undefined) return void this.#joined.set(key, known)
    this.#joined.delete(key)
    this.#others.set(key, known)
    const [oldest] = this.#others.keys()
    if (this.#others.size > INCARNATIONS_MAX && oldest !== undefined) this.#others.delete(oldest)
  }
}

function anew(): RpcError {
  return new RpcError('unavailable', 'the same peer has connected anew')
}
