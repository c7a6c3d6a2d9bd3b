// One peer for as long as anybody refers to it: the calls that wait for it, the session with it, the connection of the
// moment, if there is one. Making connections is the work of the dialler and the acceptor; what calls and requests mean is
// the work of those who make and take them.
//
//   send → (queue while there is no room) → session → connection → … → answers → call
//   connection → session → request → receiver (a lane of handlers) → answer → session → connection

import { ProtocolViolation, RpcError, tracelessError } from '../errors.ts'
import { decodeAck, decodeGoAway, type GoAway, type Status } from '../wire/control.ts'
import { frameBytesMax, Kind, kindName } from '../wire/frame.ts'
import type { Frame } from '../wire/frame-writer.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import { Availability } from './availability.ts'
import type {
  ChannelOwner,
  ChannelState,
  OutgoingCall,
  PeerInfo,
  RequestReceiver,
  SessionTerms,
} from './channel-ports.ts'
import { bareFrame, ChannelSession, goAwayFrame } from './channel-session.ts'
import type { Connection, ConnectionOwner } from './connection.ts'
import { LatencyRecorder } from './latency.ts'
import { SendQueue } from './send-queue.ts'
import type { Turn } from './turn.ts'
import { UnsentErrors } from './unsent-errors.ts'

/** A socket tells that it has drained only when more than this has waited in it, bytes. */
const FLUSHED_BYTES = 16 * 1024

export class Channel implements ConnectionOwner {
  readonly nodeID: string
  readonly address: string
  /** A small number, unique among the channels of its owner: an index into tables. */
  readonly slot: number
  readonly latency = new LatencyRecorder()
  /** Calls sent and not finished on this node. */
  pending = 0
  lastError: RpcError | undefined
  /** Answers that no call was waiting for. */
  strayAnswers = 0
  receiver: RequestReceiver | undefined
  readonly #owner: ChannelOwner
  readonly #queue = new SendQueue(this)
  readonly #unsent: UnsentErrors
  readonly #availability: Availability
  #peer: PeerInfo | undefined
  #session: ChannelSession | undefined
  /** Why it was closed for good. */
  #closeReason: RpcError | undefined
  #whenFlushed: (() => void)[] = []

  constructor(owner: ChannelOwner, nodeID: string, address: string, slot: number) {
    this.#owner = owner
    this.nodeID = nodeID
    this.address = address
    this.slot = slot
    this.#unsent = new UnsentErrors(nodeID, address)
    this.#availability = new Availability(
      owner.turn,
      owner.transport.downAfterMs,
      (state, error) => owner.onStateChange(this, state, error),
      () => this.goDown(this.lastError ?? this.#unsent.late(owner.transport.downAfterMs)),
    )
  }

  get state(): ChannelState {
    return this.#availability.state
  }

  get turn(): Turn {
    return this.#owner.turn
  }

  /** The connection of the moment. */
  get connection(): Connection | undefined {
    return this.#session?.connection
  }

  /** The session of the moment: it may have no connection. */
  get session(): ChannelSession | undefined {
    return this.#session
  }

  /** What the other end said when it last connected. */
  get peer(): PeerInfo | undefined {
    return this.#peer
  }

  /** The largest frame that the other side takes, whole, bytes. */
  get frameBytesMax(): number {
    return this.#peer === undefined ? Infinity : frameBytesMax(this.#peer.frameMaxBytes)
  }

  /** The largest request that the other side takes, whole, bytes: it must fit its window as well. */
  #requestBytesMax(): number {
    return Math.min(this.frameBytesMax, this.#session?.requestWindowBytes ?? Infinity)
  }

  /** Whether so much waits for the other side to take it that no more answers should be made. */
  get isCongested(): boolean {
    return this.#session?.isCongested === true
  }

  /** Whether items of a stream may be sent now: they wait while there is no connection. */
  get hasItemRoom(): boolean {
    return this.#session?.hasItemRoom === true
  }

  /** Sends a call now, queues it, or fails it at once. Never blocks. */
  send(call: OutgoingCall): void {
    const frame = call.frameFor(this)
    if (this.#queue.isEmpty && this.#mayWrite(frame.bytes)) {
      const now = this.turn.now()
      this.#session!.writeCall(call, frame, now)
      call.onWritten(this, now)
      return
    }
    const refusal = this.#refusal(call, frame.bytes)
    if (refusal === undefined) this.#queue.push(call, frame.bytes)
    else call.onFailed(this, refusal)
  }

  /** An answer has come `ms` after its request was written. */
  noteLatency(ms: number): void {
    this.latency.recordIn(this.turn.number, ms)
  }

  /** A queued call is not to be sent any more: the call says so itself when it is asked. */
  withdraw(frameBytes: number): void {
    this.#queue.withdraw(frameBytes)
    // It may have been the one that all behind it were waiting for.
    this.#pump()
  }

  /**
   * Tells the other side that the caller does not want the rest of a written call. What has not arrived is not sent
   * again when the session goes on.
   */
  cancel(msgID: number, methodID: number): void {
    this.#session?.writeFrame(bareFrame(Kind.cancel, msgID, methodID))
  }

  /** Sends an answer; it overtakes waiting requests. It is kept for the other side while there is no connection. */
  answer(frame: Frame): void {
    const session = this.#session
    if (session === undefined) return
    session.writeFrame(frame)
    if (session.connection !== undefined) return
    if (session.isLogFull) this.expire(`${session.frames.logBytes} bytes wait for it`)
    else this.#owner.onRetained(this)
  }

  /**
   * Sends the answer to a request that no handler has seen. There may be any number of those: a peer that lets twice as
   * many bytes wait as answers may have is cut.
   */
  refuse(frame: Frame): void {
    const session = this.#session
    if (session?.isOverloaded !== true) return this.answer(frame)
    const message = `${session.frames.logged} answers of ${session.frames.logBytes} bytes wait and are not taken`
    this.disconnect({ code: 'resource_exhausted', message, metadata: NO_METADATA, notExecuted: false })
  }

  /**
   * Calls back when what was sent has arrived, as far as can be known: when the other side of a session has acknowledged
   * it, and has heard of a drain; without one, when all but a rest that needs no waiting for has been handed to the system.
   */
  whenFlushed(callback: () => void): void {
    this.#whenFlushed.push(callback)
    this.#noteFlushed()
  }

  /** A handler has started, or a request was dropped: its bytes may be used for another. */
  requestStarted(frameBytes: number): void {
    this.#session?.intake.requestStarted(frameBytes)
  }

  /**
   * A connection is ready: its handshake is done. What the last one lost is sent again, then what waits. The dialler
   * `greets`: its first frame makes the connection count on the other side.
   */
  attach(connection: Connection, peer: PeerInfo, terms: SessionTerms, greets: boolean): void {
    if (!terms.isResumed) {
      if (this.#session !== undefined) this.#endSession(this.#unsent.of('unavailable', ' has begun a new session'))
      this.#session = new ChannelSession(this, terms, this.#owner.transport.limits)
    }
    this.#peer = peer
    this.lastError = undefined
    connection.owner = this
    connection.establish()
    this.#session!.attach(connection, terms.peerReceived, terms.requestBytesAllowed, greets)
    this.#availability.set('up', undefined)
    this.onRoom()
    this.#askIfHeard()
  }

  /** An attempt to connect failed. */
  attemptFailed(error: RpcError): void {
    this.lastError = error
    if (this.state === 'connecting' && !this.#availability.isAwaited) this.goDown(error)
  }

  /** Nobody can say when this node will be there: what waits for it fails. */
  goDown(error: RpcError): void {
    if (this.state === 'closed' || this.state === 'up') return
    this.lastError = error
    this.#availability.set('down', error)
    this.#queue.fail((call) => (call.waitsWhenDown ? undefined : this.#unsent.down(this.lastError)))
  }

  /** Gives the node `downAfterMs` to connect before it counts as down. */
  awaitConnection(): void {
    this.#availability.awaitConnection()
  }

  /** Accepts no further request, and says so; what was accepted is finished and answered. */
  drain(message: string): void {
    this.#session?.drain(message)
    this.#askIfHeard()
  }

  /** Ends the session, and the connection of the moment with a reason that the other side is told. */
  disconnect(why: Status): void {
    const connection = this.connection
    if (connection === undefined) return this.expire(why.message)
    connection.closeWith(this.#goAway(why), new RpcError(why.code, why.message, { nodeID: this.nodeID }))
  }

  /** Ends a session that has no connection. */
  expire(why: string): void {
    if (this.#session === undefined || this.connection !== undefined) return
    const error = this.#unsent.of('unavailable', `: the session has ended: ${why}`)
    this.#endSession(error)
    this.#owner.onExpired(this, error)
  }

  /** Closes for good. What waits or is unanswered fails with `error`'s code and message. */
  close(error: RpcError): void {
    if (this.state === 'closed') return
    this.#closeReason = error
    const { code, message } = error
    const farewell = this.#goAway({ code: 'cancelled', message, metadata: NO_METADATA, notExecuted: false })
    const connection = this.connection
    this.#session?.detach()
    this.#availability.set('closed', undefined)
    this.#queue.fail(() => this.#unsent.of(code, `: ${message}`))
    this.#endSession(error)
    connection?.closeWith(farewell, error)
  }

  onWriting(): void {
    this.#session?.intake.acknowledgeAlong()
  }

  /** More may be sent: what the connection lacks first, then answers, then requests. */
  onRoom(): void {
    this.#session?.sendAgain()
    this.receiver?.onRoom()
    this.#pump()
    this.#noteFlushed()
  }

  /** Whoever drains is done with a peer only when that knows it. */
  #askIfHeard(): void {
    if (this.#session?.isDraining) this.#session.whenDrainHeard(() => this.#noteFlushed())
  }

  #noteFlushed(): void {
    if (this.#whenFlushed.length === 0) return
    const session = this.#session
    if (session?.isHeard === false) return
    if ((this.connection?.bufferedBytes ?? 0) > FLUSHED_BYTES) return
    for (const callback of this.#whenFlushed.splice(0)) callback()
  }

  onClosed(connection: Connection, reason: RpcError): void {
    const session = this.#session
    if (session === undefined || connection !== session.connection) return
    const said = session.farewell ?? session.refusal
    const message = said === undefined ? reason.message : `${this.#unsent.who} ended the connection: ${said.message}`
    const error = tracelessError(said?.code ?? reason.code, message, { nodeID: this.nodeID, cause: reason.cause })
    session.detach()
    this.lastError = error
    this.#availability.set('connecting', error)
    this.awaitConnection()
    if (!session.isNamed || connection.endsSession || session.farewell !== undefined) this.#endSession(error)
    else session.awaitConnection()
    this.#owner.onDetached(this, error)
  }

  onFrame(_connection: Connection, frame: IncomingFrame): void {
    const { kind } = frame
    if (kind === Kind.ack) return this.#onAck(frame)
    if (kind === Kind.goaway) return this.#onGoAway(decodeGoAway(frame.payloadReader()))
    if (kind >= 0x80) throw new ProtocolViolation(`${kindName(kind)} after the handshake`)
    if (frame.msgID === 0) throw new ProtocolViolation(`${kindName(kind)} with msgID 0`)
    const { frames, intake } = this.#session!
    frames.accept()
    intake.count(frame.frameBytes)
    if (kind >= Kind.reply && kind <= Kind.error) this.#onAnswer(frame)
    else if (kind === Kind.request || kind === Kind.oneway) this.#onRequest(frame)
    else if (frame.hasHeader || frame.hasPayload)
      throw new ProtocolViolation(`${kindName(kind)} with a header or a payload`)
    else if (kind === Kind.cancel) this.receiver?.onCancel(frame.msgID)
    else if (frame.methodID !== 0) throw new ProtocolViolation('SKIP with a methodID')
    intake.acknowledge()
  }

  #onAnswer(frame: IncomingFrame): void {
    if (frame.kind === Kind.end && frame.hasPayload) throw new ProtocolViolation('END with a payload')
    const call = this.#owner.calls.get(frame.msgID)
    if (call === undefined) this.strayAnswers++
    else call.onAnswer(this, frame)
  }

  #onRequest(frame: IncomingFrame): void {
    const session = this.#session!
    session.intake.countRequest(frame.frameBytes)
    // Above the announced last frame the caller knows that it does not run, unless the announcement was lost.
    if (session.isDraining) this.receiver?.onDrained(frame)
    else this.receiver?.onRequest(frame)
  }

  #onAck(frame: IncomingFrame): void {
    this.#session!.onAck(decodeAck(frame.payloadReader()))
    this.onRoom()
  }

  /**
   * The other side will end the connection. When it drains, what it has not accepted goes back to the head of the queue,
   * for the next session; otherwise the session ends as well.
   */
  #onGoAway(goAway: GoAway): void {
    const session = this.#session!
    const refused = session.onGoAway(goAway)
    if (session.farewell !== undefined) return
    const { calls } = this.#owner
    this.#queue.unshift(refused.filter((call) => call.isOneWay || calls.get(call.msgID) === call))
    // Whoever drains waits for this: all that it has said has arrived.
    session.sendAck()
  }

  #mayWrite(frameBytes: number): boolean {
    const session = this.#session
    return session?.mayWrite(frameBytes) === true && frameBytes <= this.#requestBytesMax()
  }

  /** Writes what waits, as far as there is room. */
  #pump(): void {
    const session = this.#session
    if (this.#queue.isEmpty || session?.connection === undefined) return
    const now = this.turn.now()
    for (let call = this.#queue.peek(); call !== undefined; call = this.#queue.peek()) {
      const frame = call.frameFor(this)
      const isTooLarge = frame.bytes > this.#requestBytesMax()
      if (!isTooLarge && !this.#mayWrite(frame.bytes)) return
      this.#queue.shift(frame.bytes)
      if (isTooLarge) {
        call.onFailed(this, this.#tooLarge(frame.bytes))
      } else {
        session.writeCall(call, frame, now)
        call.onWritten(this, now)
      }
    }
  }

  #tooLarge(frameBytes: number): RpcError {
    const { frameMaxBytes } = this.#peer!
    return this.#unsent.tooLarge(frameBytes, frameMaxBytes, this.#session?.requestWindowBytes ?? Infinity)
  }

  /** Why a call can not even wait; undefined when it can. */
  #refusal(call: OutgoingCall, frameBytes: number): RpcError | undefined {
    if (frameBytes > this.#requestBytesMax()) return this.#tooLarge(frameBytes)
    if (this.#closeReason !== undefined) return this.#unsent.closed(this.#closeReason)
    if (this.state === 'down' && !call.waitsWhenDown) return this.#unsent.down(this.lastError)
    const { queueMaxBytes } = this.#owner.transport.limits
    if (call.waitsWhenFull || this.#queue.hasRoom(frameBytes, queueMaxBytes)) return undefined
    return this.#unsent.queueFull(this.#queue, frameBytes, queueMaxBytes)
  }

  /** The session is over, and with it all that belonged to it: what was written may have run or not. */
  #endSession(error: RpcError): void {
    const session = this.#session
    if (session === undefined) return
    this.#session = undefined
    session.detach()
    for (const callback of this.#whenFlushed.splice(0)) callback()
    for (const call of session.unacknowledgedOneWays()) call.onUnacknowledged(this)
    if (this.pending > 0) for (const call of this.#owner.calls.values()) call.onLost(this, error)
    this.receiver?.onLost(error)
  }

  #goAway(why: Status): Buffer {
    return goAwayFrame(this.#session?.frames.received ?? 0, why)
  }
}
