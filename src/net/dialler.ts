// Makes the connections of one channel that we dial: resolve, connect, HELLO, wait with backoff, again, until closed. It
// does not wait for traffic, and starts its backoff anew only after a connection has lived for a while.

import { type ErrorCode, ProtocolViolation, RpcError } from '../errors.ts'
import { parseAddress, type Transport } from '../options.ts'
import { isResumed } from '../wire/attach.ts'
import { backoffDelayMs } from '../wire/backoff.ts'
import {
  controlFrame,
  decodeGoAway,
  decodeHello,
  decodeHelloOk,
  decodeReject,
  encodeGoAway,
  encodeHello,
  type HelloOk,
  type Status,
  VERSION_MAX,
  VERSION_MIN,
} from '../wire/control.ts'
import type { FieldReader } from '../wire/fields.ts'
import { Kind, kindName } from '../wire/frame.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import type { Channel } from './channel.ts'
import type { SessionTerms } from './channel-ports.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import { describeNodeIDs, hasCertificate, nodeIDsOf } from './identity.ts'
import type { ByteStream, Timer } from './runtime.ts'
import type { Turn } from './turn.ts'

/** A connection that has lived for so long starts the backoff anew, ms. */
const STABLE_MS = 1_000
const NO_SESSION = Buffer.alloc(0)

/** What the dialler needs to know of its owner. */
export interface DiallerOwner {
  readonly turn: Turn
  readonly transport: Transport
  readonly incarnation: Buffer
  readonly servesCalls: boolean
  /** The epoch of the next HELLO: grows by one with each that is sent. */
  nextAttachEpoch(): number
  /** Another channel whose other end is this incarnation, as far as is known. */
  findDouble(channel: Channel, incarnation: Buffer): Channel | undefined
  /** The other side refuses us for a reason that trying again soon does not change. */
  onRejected(channel: Channel, error: RpcError): void
  /** An attempt was decided, either way. */
  onAttemptDecided(channel: Channel): void
}

/** Opens the byte stream of an attempt. */
export type OpenStream = () => ByteStream

export class Dialler implements ConnectionOwner {
  readonly #owner: DiallerOwner
  readonly #channel: Channel
  readonly #expectedNodeID: string
  readonly #open: OpenStream
  #attempt: Connection | undefined
  #attemptTimer: Timer | undefined
  #retryTimer: Timer | undefined
  #failures = 0
  #upSince = 0
  /** The node that this one has turned out to be, under another address. */
  #double: { readonly channel: Channel; readonly incarnation: Buffer } | undefined
  #isClosed = false

  /** `expectedNodeID` is empty when any node will do. */
  constructor(owner: DiallerOwner, channel: Channel, expectedNodeID: string, open: OpenStream | undefined) {
    this.#owner = owner
    this.#channel = channel
    this.#expectedNodeID = expectedNodeID
    if (open !== undefined) {
      this.#open = open
    } else {
      const { host, port } = parseAddress(channel.address)
      this.#open = () => owner.turn.runtime.dial(host, port, owner.transport.tls)
    }
  }

  /** Begins an attempt. */
  dial(): void {
    if (this.#isClosed) return
    // Each attempt would displace the connection of the node that this one is.
    if (this.#isDouble()) return this.#retryLater(true)
    const { turn, transport } = this.#owner
    const attempt = new Connection(turn, this.#open(), transport, this, 'dialled')
    this.#attempt = attempt
    this.#attemptTimer = turn.runtime.startTimer(transport.handshakeTimeoutMs, () => {
      turn.begin()
      attempt.close(
        new RpcError(
          'unavailable',
          `${attempt.stream.remoteAddress} did not complete the handshake within ${transport.handshakeTimeoutMs} ms`,
        ),
      )
    })
    attempt.start()
  }

  /** Whether the node that this one has turned out to be is still there, as the same process. */
  #isDouble(): boolean {
    const double = this.#double
    if (double === undefined) return false
    const { channel, incarnation } = double
    const isThere = channel.state === 'up' || channel.state === 'connecting'
    if (isThere && channel.peer?.incarnation.equals(incarnation)) return true
    this.#double = undefined
    return false
  }

  /**
   * The channel's connection is gone, for this reason: the next attempt follows. Who was displaced by another process of
   * the same id waits as long as who was rejected.
   */
  redial(error: RpcError): void {
    if (this.#owner.turn.now() - this.#upSince >= STABLE_MS) this.#failures = 0
    const isDisplaced = error.code === 'already_exists'
    if (isDisplaced) this.#owner.onRejected(this.#channel, error)
    this.#retryLater(isDisplaced)
  }

  close(): void {
    this.#isClosed = true
    this.#retryTimer?.cancel()
    this.#attemptTimer?.cancel()
    this.#attempt?.close(new RpcError('cancelled', 'closed while connecting'))
    this.#attempt = undefined
  }

  onOpen(connection: Connection): void {
    const { transport, incarnation, servesCalls } = this.#owner
    const { session } = this.#channel
    connection.sendPreface()
    connection.sendControl(
      controlFrame(
        Kind.hello,
        encodeHello({
          versionMin: VERSION_MIN,
          versionMax: VERSION_MAX,
          clusterID: transport.clusterID,
          nodeID: transport.nodeID,
          expectedNodeID: this.#expectedNodeID,
          incarnation,
          frameMaxBytes: transport.limits.frameMaxBytes,
          servesCalls,
          metadata: transport.metadata,
          wantsSession: transport.sessions,
          sessionID: session?.id ?? NO_SESSION,
          attachEpoch: this.#owner.nextAttachEpoch(),
          receivedFrames: session?.frames.received ?? 0,
          requestBytesAllowed: session?.intake.announce() ?? transport.limits.requestWindowBytes,
          features: 0,
        }),
      ),
    )
  }

  onFrame(connection: Connection, frame: IncomingFrame): void {
    const { kind } = frame
    const reader = frame.payloadReader()
    if (kind === Kind.helloOk) this.#onHelloOk(connection, decodeHelloOk(reader))
    else if (kind === Kind.reject) this.#onReject(connection, reader)
    else if (kind === Kind.hello) this.#onOwnHello(connection, decodeHello(reader).incarnation)
    else if (kind === Kind.goaway) this.#onGoAway(connection, decodeGoAway(reader).why)
    else throw new ProtocolViolation(`${kindName(kind)} in place of HELLO_OK`)
  }

  onRoom(): void {}

  onClosed(connection: Connection, error: RpcError): void {
    if (connection !== this.#attempt) return
    this.#endAttempt()
    this.#fail(error, false)
  }

  #onHelloOk(connection: Connection, helloOk: HelloOk): void {
    const refusal = this.#refusal(connection, helloOk)
    if (refusal !== undefined) {
      this.#endAttempt()
      const why: Status = { code: refusal.code, message: refusal.message, metadata: NO_METADATA, notExecuted: false }
      connection.closeWith(controlFrame(Kind.goaway, encodeGoAway({ lastFrame: 0, why })), refusal)
      this.#fail(refusal, true)
      return
    }
    const terms = this.#terms(helloOk)
    this.#endAttempt()
    this.#upSince = this.#owner.turn.now()
    this.#channel.attach(
      connection,
      {
        nodeID: helloOk.nodeID,
        address: this.#channel.address,
        incarnation: helloOk.incarnation,
        servesCalls: helloOk.servesCalls,
        metadata: helloOk.metadata,
        identity: connection.stream.identity,
        frameMaxBytes: helloOk.frameMaxBytes,
      },
      terms,
      true,
    )
    this.#owner.onAttemptDecided(this.#channel)
  }

  /** What HELLO_OK says of the session. What can not be ends the session that we have, and the connection. */
  #terms(helloOk: HelloOk): SessionTerms {
    const { session } = this.#channel
    try {
      return {
        sessionID: helloOk.sessionID,
        isResumed: isResumed(session, helloOk),
        ttlMs: helloOk.sessionTtlMs,
        peerReceived: helloOk.receivedFrames,
        requestBytesAllowed: helloOk.requestBytesAllowed,
      }
    } catch (error) {
      this.#channel.expire(error instanceof Error ? error.message : String(error))
      throw error
    }
  }

  /** TCP can connect a dialler to itself, when the port that it dials is the one that it was given. */
  #onOwnHello(connection: Connection, incarnation: Buffer): void {
    if (!incarnation.equals(this.#owner.incarnation)) throw new ProtocolViolation('HELLO in place of HELLO_OK')
    connection.close(
      new RpcError('unavailable', `${connection.stream.remoteAddress} is this connection itself: nobody listens there`),
    )
  }

  #onGoAway(connection: Connection, why: Status): void {
    connection.close(new RpcError(why.code, `${connection.stream.remoteAddress} refused HELLO: ${why.message}`))
  }

  /** Why we do not want the connection that the other side has accepted. */
  #refusal(connection: Connection, helloOk: HelloOk): RpcError | undefined {
    const { transport, incarnation } = this.#owner
    const where = connection.stream.remoteAddress
    const refuse = (code: ErrorCode, message: string): RpcError =>
      new RpcError(code, message, { nodeID: this.#channel.nodeID, executed: 'no' })
    if (helloOk.version < VERSION_MIN || helloOk.version > VERSION_MAX) {
      return refuse(
        'failed_precondition',
        `${where} speaks protocol version ${helloOk.version}, this side ${VERSION_MIN} to ${VERSION_MAX}`,
      )
    }
    if (helloOk.incarnation.equals(incarnation)) return refuse('failed_precondition', `${where} is this process itself`)
    if (this.#expectedNodeID !== '' && helloOk.nodeID !== '' && helloOk.nodeID !== this.#expectedNodeID) {
      return refuse(
        'failed_precondition',
        `${where} is node "${helloOk.nodeID}", not the expected "${this.#expectedNodeID}"`,
      )
    }
    const double = this.#owner.findDouble(this.#channel, helloOk.incarnation)
    if (double !== undefined) {
      this.#double = { channel: double, incarnation: helloOk.incarnation }
      return refuse('already_exists', `${where} is the same process as node "${double.nodeID}" (${double.address})`)
    }
    if (helloOk.nodeID === '' || !hasCertificate(transport.tls)) return undefined
    const allowed = nodeIDsOf(transport, connection.stream.identity)
    if (allowed.includes(helloOk.nodeID)) return undefined
    return refuse(
      'permission_denied',
      `${where} claims to be node "${helloOk.nodeID}", but its certificate names ${describeNodeIDs(allowed)}`,
    )
  }

  #onReject(connection: Connection, reader: FieldReader): void {
    const reject = decodeReject(reader)
    this.#endAttempt()
    const isOtherVersion = reject.versionMin > VERSION_MAX || reject.versionMax < VERSION_MIN
    const versions = isOtherVersion ? ` (it speaks versions ${reject.versionMin} to ${reject.versionMax})` : ''
    const error = new RpcError(
      reject.why.code,
      `${connection.stream.remoteAddress} rejected the connection: ${reject.why.message}${versions}`,
      {
        nodeID: this.#channel.nodeID,
        executed: 'no',
      },
    )
    connection.close(error)
    this.#fail(error, !reject.retry)
  }

  #fail(error: RpcError, isRejected: boolean): void {
    if (this.#isClosed) return
    this.#channel.attemptFailed(
      error.nodeID === undefined
        ? new RpcError(error.code, error.message, { nodeID: this.#channel.nodeID, executed: 'no', cause: error.cause })
        : error,
    )
    if (isRejected) this.#owner.onRejected(this.#channel, error)
    this.#retryLater(isRejected)
    this.#owner.onAttemptDecided(this.#channel)
  }

  /** Who was refused takes the slowest step: what refused it has to be changed by a person. */
  #retryLater(isSlow: boolean): void {
    if (this.#isClosed) return
    const { turn, transport } = this.#owner
    this.#failures++
    const delayMs = isSlow
      ? transport.backoff.maxMs
      : backoffDelayMs(transport.backoff, this.#failures, turn.runtime.random())
    this.#retryTimer?.cancel()
    this.#retryTimer = turn.runtime.startTimer(delayMs, () => {
      turn.begin()
      this.#retryTimer = undefined
      this.dial()
    })
  }

  #endAttempt(): void {
    this.#attemptTimer?.cancel()
    this.#attemptTimer = undefined
    this.#attempt = undefined
  }
}
