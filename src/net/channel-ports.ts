// What a channel is connected to on its four sides, as interfaces: the calls that it sends, the requests that it takes, the
// owner that it belongs to, and what it knows of its peer.

import type { Metadata, RpcError } from '../errors.ts'
import type { Transport } from '../options.ts'
import type { Frame } from '../wire/frame-writer.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import type { CallTable } from './call-table.ts'
import type { Channel } from './channel.ts'
import type { PeerIdentity } from './runtime.ts'
import type { Turn } from './turn.ts'

/**
 * `connecting`: not decided yet, calls wait. `up`: connected. `down`: an attempt failed, or it has been lost for too
 * long; calls fail at once unless they ask to wait. `closed`: nobody refers to it any more.
 */
export type ChannelState = 'connecting' | 'up' | 'down' | 'closed'

/** A call, as the channels of its nodes see it. */
export interface OutgoingCall {
  readonly msgID: number
  readonly methodID: number
  readonly isOneWay: boolean
  /** When it was made and when it ends, in the runtime's ms. */
  readonly madeAt: number
  readonly dueAt: number
  /** Whether it waits for a node that is down, or for room in a full queue, until its deadline. */
  readonly waitsWhenDown: boolean
  readonly waitsWhenFull: boolean
  frameFor(channel: Channel): Frame
  /** Whether it waits in the channel's queue (it may have been withdrawn). */
  isQueuedAt(channel: Channel): boolean
  onQueued(channel: Channel): void
  onWritten(channel: Channel, now: number): void
  /** Whether a request that was written, and may not have arrived, is still to be sent again. */
  isWantedAt(channel: Channel): boolean
  /** A request that nobody wants any more, and that had not arrived, has been replaced: no answer will come. */
  onSkipped(channel: Channel): void
  onAnswer(channel: Channel, frame: IncomingFrame): void
  /** It will not be sent. */
  onFailed(channel: Channel, error: RpcError): void
  /** The session in which it may have been written has ended. */
  onLost(channel: Channel, error: RpcError): void
  /** It was written, and the session has ended before the other side had acknowledged it: it may never have arrived. */
  onUnacknowledged(channel: Channel): void
}

/** Takes the requests of one channel, in order. */
export interface RequestReceiver {
  /** Throws ProtocolViolation for a request that must not be there. */
  onRequest(frame: IncomingFrame): void
  /** A request that came after this side had said that it accepts no more. */
  onDrained(frame: IncomingFrame): void
  onCancel(msgID: number): void
  /** There is room for answers again. */
  onRoom(): void
  /** The session that the requests came with has ended: nobody waits for answers. */
  onLost(reason: RpcError): void
  /** Calls back when every accepted request has finished. */
  whenIdle(callback: () => void): void
}

/** What the other end said of itself when it connected. */
export interface PeerInfo {
  readonly nodeID: string
  readonly address: string
  readonly incarnation: Buffer
  readonly servesCalls: boolean
  readonly metadata: Metadata
  readonly identity: PeerIdentity | undefined
  readonly frameMaxBytes: number
}

/** What the two ends of a new connection have agreed on. */
export interface SessionTerms {
  /** Empty: nothing survives the connection. */
  readonly sessionID: Buffer
  /** Whether it goes on with the session that the channel has. */
  readonly isResumed: boolean
  /** How long the session lives without a connection, ms. */
  readonly ttlMs: number
  /** How many of our counted frames the other side has. */
  readonly peerReceived: number
  /** How many bytes of requests the other side allows us, in all since the session began. */
  readonly requestBytesAllowed: number
}

/** Who makes a channel's connections, and hears of its states. */
export interface ChannelOwner {
  readonly turn: Turn
  readonly transport: Transport
  readonly calls: CallTable<OutgoingCall>
  onStateChange(channel: Channel, state: ChannelState, error: RpcError | undefined): void
  /** The connection of the moment is gone; `error` says why. The session may live on. */
  onDetached(channel: Channel, error: RpcError): void
  /** A session without a connection has kept more for the other side. */
  onRetained(channel: Channel): void
  /** A session has ended that had no connection. */
  onExpired(channel: Channel, error: RpcError): void
}
