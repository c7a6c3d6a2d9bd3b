// One peer for as long as anybody refers to it: the calls that wait for it, what was written and not acknowledged, and the
// connection of the moment, if there is one. Making connections is the work of the dialler and the acceptor; what calls
// and requests mean is the work of those who make and take them.
//
//   send → (queue while there is no room) → connection → … → answers → call
//   connection → request → receiver (a lane of handlers) → answer → connection

import { ProtocolViolation, RpcError } from '../errors.ts'
import { headWithTimeout } from '../wire/call-header.ts'
import { controlFrame, decodeAck, decodeGoAway, encodeAck, encodeGoAway, type Status } from '../wire/control.ts'
import type { FieldReader } from '../wire/fields.ts'
import { frameBytesMax, HEAD_BYTES, Kind, kindName, writeHead } from '../wire/frame.ts'
import type { Frame } from '../wire/frame-writer.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import { SentLog } from '../wire/sent-log.ts'
import type { ChannelOwner, ChannelState, OutgoingCall, PeerInfo, RequestReceiver } from './channel-ports.ts'
import type { Connection, ConnectionOwner } from './connection.ts'
import { Intake } from './intake.ts'
import { LatencyRecorder } from './latency.ts'
import type { Timer } from './runtime.ts'
import { SendQueue } from './send-queue.ts'
import type { Turn } from './turn.ts'
import { UnsentErrors } from './unsent-errors.ts'

/** A socket tells that it has drained only when more than this has waited in it, bytes. */
const FLUSHED_BYTES = 16 * 1024
/** So many answer bytes may always wait. */
const ANSWER_MIN_BYTES = 64 * 1024

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
  readonly #log = new SentLog<OutgoingCall>()
  #state: ChannelState = 'connecting'
  #peer: PeerInfo | undefined
  #connection: Connection | undefined
  #downTimer: Timer | undefined
  #whenFlushed: (() => void)[] = []
  // What belongs to the connection of the moment.
  #intake: Intake
  #requestBytesSent = 0
  #requestBytesAllowed = 0
  /** We have said that we accept no more requests. */
  #isDraining = false
  /** What the other side has said before it ends the connection. */
  #farewell: Status | undefined

  constructor(owner: ChannelOwner, nodeID: string, address: string, slot: number) {
    this.#owner = owner
    this.nodeID = nodeID
    this.address = address
    this.slot = slot
    this.#unsent = new UnsentErrors(nodeID, address)
    this.#intake = this.#newIntake()
  }

  get state(): ChannelState {
    return this.#state
  }

  get turn(): Turn {
    return this.#owner.turn
  }

  /** The connection of the moment. */
  get connection(): Connection | undefined {
    return this.#connection
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
  get #requestBytesMax(): number {
    return this.#peer === undefined ? Infinity : Math.min(this.frameBytesMax, this.#peer.requestBytesAllowed)
  }

  /** Whether so many answer bytes wait that no more should be made. */
  get isCongested(): boolean {
    return this.#connection !== undefined && this.#connection.bufferedBytes > this.#answerMaxBytes
  }

  /** How many answer bytes may wait: as many as requests, but more than a socket keeps to itself before it says so. */
  get #answerMaxBytes(): number {
    return Math.max(this.#owner.transport.limits.queueMaxBytes, ANSWER_MIN_BYTES)
  }

  /** Sends a call now, queues it, or fails it at once. Never blocks. */
  send(call: OutgoingCall): void {
    const frame = call.frameFor(this)
    if (this.#queue.isEmpty && this.#mayWrite(frame.bytes)) {
      this.#write(call, frame, this.turn.now())
      return
    }
    const refusal = this.#refusal(call, frame.bytes)
    if (refusal === undefined) this.#queue.push(call, frame.bytes)
    else call.onFailed(this, refusal)
  }

  /** A queued call is not to be sent any more: the call says so itself when it is asked. */
  withdraw(frameBytes: number): void {
    this.#queue.withdraw(frameBytes)
    // It may have been the one that all behind it were waiting for.
    this.#pump()
  }

  /** Tells the other side that the caller does not want the rest of a written call. */
  cancel(msgID: number, methodID: number): void {
    if (this.#connection === undefined) return
    const frame = Buffer.allocUnsafe(HEAD_BYTES)
    writeHead(frame, 0, HEAD_BYTES, Kind.cancel, 0, msgID, methodID)
    this.#log.count()
    this.#connection.sendControl(frame)
  }

  /** Sends an answer; it overtakes waiting requests. Does nothing when the connection is gone. */
  answer(frame: Frame): void {
    if (this.#connection === undefined) return
    this.#log.count()
    this.#connection.sendFrame(frame)
  }

  /**
   * Sends the answer to a request that no handler has seen. There may be any number of those: a peer that lets twice as
   * many bytes wait as answers may have is cut.
   */
  refuse(frame: Frame): void {
    const bufferedBytes = this.#connection?.bufferedBytes ?? 0
    if (bufferedBytes <= 2 * this.#answerMaxBytes) return this.answer(frame)
    const message = `${bufferedBytes} bytes of answers wait and are not taken`
    this.disconnect({ code: 'resource_exhausted', message, metadata: NO_METADATA, notExecuted: false })
  }

  /** Calls back when what was sent has been handed to the operating system, all but a rest that needs no waiting for. */
  whenFlushed(callback: () => void): void {
    this.#whenFlushed.push(callback)
    this.#noteFlushed()
  }

  /** A handler has started, or a request was dropped: its bytes may be used for another. */
  requestStarted(frameBytes: number): void {
    this.#intake.requestStarted(frameBytes)
  }

  /**
   * A connection is ready: its handshake is done. What waits is sent. The dialler `greets` first: an ACK right after
   * HELLO_OK makes the connection count on the other side.
   */
  attach(connection: Connection, peer: PeerInfo, greets: boolean): void {
    this.#connection = connection
    this.#peer = peer
    this.#intake = this.#newIntake()
    this.#requestBytesAllowed = peer.requestBytesAllowed
    this.lastError = undefined
    connection.owner = this
    connection.establish()
    if (greets) this.#sendAck()
    this.#setState('up', undefined)
    this.#pump()
  }

  /** An attempt to connect failed. */
  attemptFailed(error: RpcError): void {
    this.lastError = error
    if (this.#state === 'connecting' && this.#downTimer === undefined) this.goDown(error)
  }

  /** Nobody can say when this node will be there: what waits for it fails. */
  goDown(error: RpcError): void {
    if (this.#state === 'closed' || this.#state === 'up') return
    this.lastError = error
    this.#setState('down', error)
    this.#queue.fail((call) => (call.waitsWhenDown ? undefined : this.#unsent.down(this.lastError)))
  }

  /** Gives the node `downAfterMs` to connect before it counts as down. */
  awaitConnection(): void {
    this.#downTimer?.cancel()
    this.#downTimer = this.turn.runtime.startTimer(this.#owner.transport.downAfterMs, () => {
      this.turn.begin()
      this.#downTimer = undefined
      const { downAfterMs } = this.#owner.transport
      this.goDown(this.lastError ?? this.#unsent.of('unavailable', ` has not connected within ${downAfterMs} ms`))
    })
  }

  /** Accepts no further request, and says so; what was accepted is finished and answered. */
  drain(message: string): void {
    if (this.#isDraining || this.#connection === undefined) return
    this.#isDraining = true
    this.#connection.sendControl(
      this.#goAway({ code: 'unavailable', message, metadata: NO_METADATA, notExecuted: true }),
    )
  }

  /** Ends the connection of the moment with a reason that the other side is told. */
  disconnect(why: Status): void {
    this.#connection?.closeWith(this.#goAway(why), new RpcError(why.code, why.message, { nodeID: this.nodeID }))
  }

  /** Closes for good. What waits or is unanswered fails with `error`'s code and message. */
  close(error: RpcError): void {
    if (this.#state === 'closed') return
    const connection = this.#connection
    const farewell = this.#goAway({
      code: 'cancelled',
      message: error.message,
      metadata: NO_METADATA,
      notExecuted: false,
    })
    this.#connection = undefined
    this.#setState('closed', undefined)
    this.#queue.fail(() => this.#unsent.of(error.code, `: ${error.message}`))
    this.#detach(error)
    connection?.closeWith(farewell, error)
  }

  onOpen(): void {}

  onRoom(): void {
    this.#pump()
    this.receiver?.onRoom()
    this.#noteFlushed()
  }

  #noteFlushed(): void {
    if (this.#whenFlushed.length === 0 || (this.#connection?.bufferedBytes ?? 0) > FLUSHED_BYTES) return
    for (const callback of this.#whenFlushed.splice(0)) callback()
  }

  onClosed(connection: Connection, reason: RpcError): void {
    if (connection !== this.#connection) return
    const said = this.#farewell
    const message = said === undefined ? reason.message : `${this.#unsent.who} ended the connection: ${said.message}`
    const error = new RpcError(said?.code ?? reason.code, message, { nodeID: this.nodeID, cause: reason.cause })
    this.#connection = undefined
    this.lastError = error
    this.#setState('connecting', error)
    this.awaitConnection()
    this.#detach(error)
    this.#owner.onDetached(this, error)
  }

  onFrame(_connection: Connection, frame: IncomingFrame): void {
    const { kind } = frame
    if (kind === Kind.ack) return this.#onAck(frame.payloadReader())
    if (kind === Kind.goaway) return this.#onGoAway(frame.payloadReader())
    if (kind >= 0x80) throw new ProtocolViolation(`${kindName(kind)} after the handshake`)
    if (frame.msgID === 0) throw new ProtocolViolation(`${kindName(kind)} with msgID 0`)
    const intake = this.#intake
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
    this.#intake.countRequest(frame.frameBytes)
    // Above the announced last frame the caller knows that it does not run.
    if (this.#isDraining) this.#intake.requestStarted(frame.frameBytes)
    else this.receiver?.onRequest(frame)
  }

  #onAck(reader: FieldReader): void {
    const ack = decodeAck(reader)
    this.#log.acknowledge(ack.receivedFrames)
    const { received } = this.#intake
    if (ack.sentFrames !== received) {
      throw new ProtocolViolation(`ACK says ${ack.sentFrames} frames were sent, ${received} have arrived`)
    }
    if (ack.requestBytesAllowed < this.#requestBytesAllowed) {
      throw new ProtocolViolation(
        `ACK takes back request bytes: ${ack.requestBytesAllowed} after ${this.#requestBytesAllowed}`,
      )
    }
    this.#requestBytesAllowed = ack.requestBytesAllowed
    this.#pump()
  }

  /**
   * The other side will end the connection. When it drains, what it has not accepted goes back to the head of the queue,
   * for the next connection.
   */
  #onGoAway(reader: FieldReader): void {
    const { lastFrame, why } = decodeGoAway(reader)
    if (lastFrame > this.#log.sent || (why.notExecuted && lastFrame < this.#log.acknowledged)) {
      throw new ProtocolViolation(
        `GOAWAY says that frame ${lastFrame} was the last, outside of ${this.#log.acknowledged} to ${this.#log.sent}`,
      )
    }
    const isFirst = this.#farewell === undefined
    this.#farewell = why
    const refused = why.notExecuted && isFirst ? this.#log.takeAbove(lastFrame) : []
    if (lastFrame > this.#log.acknowledged) this.#log.acknowledge(lastFrame)
    const { calls } = this.#owner
    this.#queue.unshift(refused.filter((call) => call.isOneWay || calls.get(call.msgID) === call))
  }

  #mayWrite(frameBytes: number): boolean {
    const connection = this.#connection
    return (
      connection !== undefined &&
      this.#farewell === undefined &&
      this.#requestBytesSent + frameBytes <= this.#requestBytesAllowed &&
      frameBytes <= this.#requestBytesMax &&
      connection.hasRoom
    )
  }

  /** Writes what waits, as far as there is room. */
  #pump(): void {
    if (this.#queue.isEmpty || this.#connection === undefined) return
    const now = this.turn.now()
    for (let call = this.#queue.peek(); call !== undefined; call = this.#queue.peek()) {
      const frame = call.frameFor(this)
      const isTooLarge = frame.bytes > this.#requestBytesMax
      if (!isTooLarge && !this.#mayWrite(frame.bytes)) return
      this.#queue.shift(frame.bytes)
      if (isTooLarge) call.onFailed(this, this.#unsent.tooLarge(frame.bytes, this.#peer!))
      else this.#write(call, frame, now)
    }
  }

  /** Writes a frame. The head of one that has waited is copied to say the remaining time; its payload stays shared. */
  #write(call: OutgoingCall, frame: Frame, now: number): void {
    this.#requestBytesSent += frame.bytes
    this.#log.push(call)
    if (call.dueAt === Infinity || now - call.madeAt < 1) {
      this.#connection!.sendFrame(frame)
    } else {
      this.#connection!.sendControl(headWithTimeout(frame.buffer, frame.start, frame.headEnd, call.dueAt - now))
      if (frame.end > frame.headEnd) this.#connection!.send(frame.buffer, frame.headEnd, frame.end)
    }
    call.onWritten(this, now)
  }

  /** Why a call can not even wait; undefined when it can. */
  #refusal(call: OutgoingCall, frameBytes: number): RpcError | undefined {
    if (frameBytes > this.#requestBytesMax) return this.#unsent.tooLarge(frameBytes, this.#peer!)
    if (this.#state === 'closed') return this.#unsent.closed()
    if (this.#state === 'down' && !call.waitsWhenDown) return this.#unsent.down(this.lastError)
    const { queueMaxBytes } = this.#owner.transport.limits
    const { bytes } = this.#queue
    if (call.waitsWhenFull || bytes + frameBytes <= queueMaxBytes) return undefined
    return this.#unsent.queueFull(bytes, frameBytes, queueMaxBytes)
  }

  /** The connection is gone, and with it all that belonged to it: what was written may have run or not. */
  #detach(error: RpcError): void {
    this.#intake.close()
    for (const callback of this.#whenFlushed.splice(0)) callback()
    this.#requestBytesSent = 0
    this.#requestBytesAllowed = 0
    this.#isDraining = false
    this.#farewell = undefined
    for (const call of this.#log.reset()) if (call.isOneWay) call.onUnacknowledged(this)
    if (this.pending > 0) for (const call of this.#owner.calls.values()) call.onLost(this, error)
    this.receiver?.onLost()
  }

  #newIntake(): Intake {
    return new Intake(this.turn, this.#owner.transport.limits.requestWindowBytes, () => this.#sendAck())
  }

  #sendAck(): void {
    if (this.#connection === undefined) return
    const requestBytesAllowed = this.#intake.announce()
    const ack = { receivedFrames: this.#intake.received, sentFrames: this.#log.sent, requestBytesAllowed }
    this.#connection.sendControl(controlFrame(Kind.ack, encodeAck(ack)))
  }

  #goAway(why: Status): Buffer {
    return controlFrame(Kind.goaway, encodeGoAway({ lastFrame: this.#intake.received, why }))
  }

  #setState(state: ChannelState, error: RpcError | undefined): void {
    if (state === 'up' || state === 'closed') {
      this.#downTimer?.cancel()
      this.#downTimer = undefined
    }
    if (this.#state === state) return
    this.#state = state
    this.#owner.onStateChange(this, state, error)
  }
}
