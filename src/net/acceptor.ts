// Takes the streams that others have dialled as far as HELLO: reads it, checks who they are, answers HELLO_OK or REJECT,
// and hands the connection over with its first frame after that. Strangers are bounded in number and in time.

import { type ErrorCode, ProtocolViolation, type RpcError, tracelessError } from '../errors.ts'
import type { Transport } from '../options.ts'
import type { Refusal } from '../wire/attach.ts'
import {
  controlFrame,
  decodeAck,
  decodeGoAway,
  decodeHello,
  encodeHelloOk,
  encodeReject,
  type Hello,
  VERSION_MAX,
  VERSION_MIN,
} from '../wire/control.ts'
import { Kind, kindName } from '../wire/frame.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import type { PeerInfo, SessionTerms } from './channel-ports.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import { type Deadlines, Expiring } from './deadlines.ts'
import { asksForCertificates, describeNodeIDs, nodeIDsOf } from './identity.ts'
import type { ByteStream, PeerIdentity } from './runtime.ts'
import type { Turn } from './turn.ts'

/** What the acceptor's side of a new connection begins with: its terms, and what the dialler is told of them. */
export interface Admitted {
  readonly sessionID: Buffer
  readonly isResumed: boolean
  /** Counted frames of the dialler that have arrived, and bytes of requests that it may send, in the session so far. */
  readonly receivedFrames: number
  readonly requestBytesAllowed: number
}

export interface AcceptorOwner {
  readonly turn: Turn
  readonly deadlines: Deadlines
  readonly transport: Transport
  readonly incarnation: Buffer
  readonly isDraining: boolean
  /** The last word on a HELLO whose cluster, version and identity are right; fences older connections of its sender. */
  admit(hello: Hello, identity: PeerIdentity | undefined): Refusal | Admitted
  /** The dialler has answered HELLO_OK: the connection counts from now on. Whoever owns it takes the frames that follow. */
  onAccepted(
    connection: Connection,
    peer: PeerInfo,
    terms: SessionTerms,
    attachEpoch: number,
  ): ConnectionOwner | undefined
  /** A dialler that has been sent HELLO_OK is gone, and has not made its connection count. `hasLeft`: it has said so. */
  onHandshakeEnded(hello: Hello, hasLeft: boolean): void
  /** A stranger was refused or cut. */
  onStranger(error: RpcError): void
}

export class Acceptor {
  readonly #owner: AcceptorOwner
  readonly #handshakes = new Set<Handshake>()

  constructor(owner: AcceptorOwner) {
    this.#owner = owner
  }

  /** Begins the handshake on an accepted stream. `isLocal`: the other end is this process itself, on purpose. */
  accept(stream: ByteStream, isLocal = false): void {
    const { transport } = this.#owner
    if (this.#handshakes.size >= transport.limits.handshakesMax) {
      stream.destroy()
      this.#owner.onStranger(
        tracelessError(
          'resource_exhausted',
          `${stream.remoteAddress}: more than ${transport.limits.handshakesMax} connections have not said HELLO`,
        ),
      )
      return
    }
    const handshake = new Handshake(this.#owner, this.#handshakes, stream, isLocal)
    this.#handshakes.add(handshake)
    handshake.start()
  }

  close(): void {
    for (const handshake of [...this.#handshakes]) handshake.close()
  }
}

class Handshake extends Expiring implements ConnectionOwner {
  readonly dueAt: number
  readonly #owner: AcceptorOwner
  readonly #connection: Connection
  readonly #isLocal: boolean
  /** All that have not ended. */
  readonly #all: Set<Handshake>
  #hello: Hello | undefined
  #admitted: Admitted | undefined
  #hasLeft = false

  constructor(owner: AcceptorOwner, all: Set<Handshake>, stream: ByteStream, isLocal: boolean) {
    super()
    this.#owner = owner
    this.#isLocal = isLocal
    this.#all = all
    this.#connection = new Connection(owner.turn, stream, owner.transport, this, 'accepted')
    this.dueAt = owner.turn.now() + owner.transport.handshakeTimeoutMs
  }

  start(): void {
    this.#owner.deadlines.add(this, this.#owner.transport.handshakeTimeoutMs)
    this.#connection.start()
  }

  onDeadline(): void {
    const { handshakeTimeoutMs } = this.#owner.transport
    const who = this.#connection.stream.remoteAddress
    this.#connection.close(
      tracelessError('unavailable', `${who} did not complete the handshake within ${handshakeTimeoutMs} ms`),
    )
  }

  close(): void {
    this.#connection.close(tracelessError('cancelled', 'closed during the handshake'))
  }

  onOpen(): void {}
  onRoom(): void {}

  onFrame(connection: Connection, frame: IncomingFrame): void {
    if (this.#admitted !== undefined) return this.#onFirstFrame(connection, frame, this.#hello!, this.#admitted)
    if (frame.kind !== Kind.hello) throw new ProtocolViolation(`${kindName(frame.kind)} before HELLO`)
    const hello = decodeHello(frame.payloadReader())
    const verdict = this.#check(hello) ?? this.#owner.admit(hello, connection.stream.identity)
    if ('retry' in verdict) this.#reject(verdict)
    else this.#greet(hello, verdict)
  }

  /** The dialler's ACK makes the connection count; a GOAWAY says that it does not like what it has heard. */
  #onFirstFrame(connection: Connection, frame: IncomingFrame, hello: Hello, admitted: Admitted): void {
    if (frame.kind === Kind.goaway) {
      const { why } = decodeGoAway(frame.payloadReader())
      this.#hasLeft = true
      return connection.close(
        tracelessError(why.code, `${connection.stream.remoteAddress} left after HELLO_OK: ${why.message}`),
      )
    }
    if (frame.kind === Kind.hello) throw new ProtocolViolation('HELLO twice')
    if (frame.kind !== Kind.ack)
      throw new ProtocolViolation(`${kindName(frame.kind)} before the ACK that follows HELLO_OK`)
    this.#end()
    const { requestBytesAllowed } = decodeAck(frame.payloadReader())
    const owner = this.#owner.onAccepted(
      connection,
      peerOf(hello, connection),
      {
        sessionID: admitted.sessionID,
        isResumed: admitted.isResumed,
        ttlMs: this.#owner.transport.sessionTtlMs,
        peerReceived: admitted.isResumed ? hello.receivedFrames : 0,
        // HELLO speaks of the session that it names. Of a new one the ACK is the first to speak.
        requestBytesAllowed: admitted.isResumed ? hello.requestBytesAllowed : requestBytesAllowed,
      },
      hello.attachEpoch,
    )
    owner?.onFrame(connection, frame)
  }

  onClosed(_connection: Connection, error: RpcError): void {
    this.#end()
    if (this.#admitted !== undefined) this.#owner.onHandshakeEnded(this.#hello!, this.#hasLeft)
    if (error.code !== 'cancelled') this.#owner.onStranger(error)
  }

  #end(): void {
    this.#owner.deadlines.remove(this)
    this.#all.delete(this)
  }

  #check(hello: Hello): Refusal | undefined {
    const { transport, incarnation } = this.#owner
    const refuse = (code: ErrorCode, message: string, retry = false): Refusal => ({ code, message, retry })
    const { identity, identityError } = this.#connection.stream
    if (identityError !== undefined)
      return refuse('unauthenticated', `the certificate of the client is not accepted: ${identityError}`)
    if (hello.versionMax < VERSION_MIN || hello.versionMin > VERSION_MAX) {
      return refuse(
        'failed_precondition',
        `no common protocol version: the client speaks ${hello.versionMin} to ${hello.versionMax}, the server ${VERSION_MIN} to ${VERSION_MAX}`,
      )
    }
    if (hello.clusterID !== transport.clusterID) {
      return refuse(
        'failed_precondition',
        `wrong cluster: the client wants "${hello.clusterID}", this is "${transport.clusterID}"`,
      )
    }
    if (!this.#isLocal && hello.incarnation.equals(incarnation))
      return refuse('failed_precondition', 'the client is this process itself')
    if (hello.expectedNodeID !== '' && transport.nodeID !== '' && hello.expectedNodeID !== transport.nodeID) {
      return refuse(
        'failed_precondition',
        `the client expects node "${hello.expectedNodeID}", this is "${transport.nodeID}"`,
      )
    }
    if (hello.nodeID === '' || !asksForCertificates(transport.tls)) return undefined
    const allowed = nodeIDsOf(transport, identity)
    if (allowed.includes(hello.nodeID)) return undefined
    return refuse(
      'permission_denied',
      `the client claims to be node "${hello.nodeID}", but its certificate names ${describeNodeIDs(allowed)}`,
    )
  }

  #greet(hello: Hello, admitted: Admitted): void {
    const { transport, incarnation } = this.#owner
    const connection = this.#connection
    this.#hello = hello
    this.#admitted = admitted
    connection.sendPreface()
    connection.sendControl(
      controlFrame(
        Kind.helloOk,
        encodeHelloOk({
          version: Math.min(hello.versionMax, VERSION_MAX),
          nodeID: transport.nodeID,
          incarnation: this.#isLocal ? this.#owner.turn.runtime.randomBytes(16) : incarnation,
          frameMaxBytes: transport.limits.frameMaxBytes,
          servesCalls: true,
          metadata: transport.metadata,
          sessionID: admitted.sessionID,
          resumed: admitted.isResumed,
          receivedFrames: admitted.receivedFrames,
          sessionTtlMs: admitted.sessionID.length === 0 ? 0 : transport.sessionTtlMs,
          requestBytesAllowed: admitted.requestBytesAllowed,
          features: 0,
        }),
      ),
    )
  }

  #reject(refusal: Refusal): void {
    const connection = this.#connection
    const why = { code: refusal.code, message: refusal.message, metadata: NO_METADATA, notExecuted: true }
    connection.sendPreface()
    connection.closeWith(
      controlFrame(
        Kind.reject,
        encodeReject({ why, versionMin: VERSION_MIN, versionMax: VERSION_MAX, retry: refusal.retry }),
      ),
      tracelessError(refusal.code, `${connection.stream.remoteAddress} was rejected: ${refusal.message}`),
    )
  }
}

function peerOf(hello: Hello, connection: Connection): PeerInfo {
  return {
    nodeID: hello.nodeID,
    address: connection.stream.remoteAddress,
    incarnation: hello.incarnation,
    servesCalls: hello.servesCalls,
    metadata: hello.metadata,
    identity: connection.stream.identity,
    frameMaxBytes: hello.frameMaxBytes,
  }
}
