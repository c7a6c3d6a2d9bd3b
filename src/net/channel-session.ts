// One session with a peer, or, when there are none, one connection: what was written and what was accepted, the request
// window in both directions, and what either side has said about accepting no more. It outlives its connections; what
// they lost is sent again. Channels make one after the other.

import { ProtocolViolation } from '../errors.ts'
import type { Limits } from '../options.ts'
import { headWithTimeout } from '../wire/call-header.ts'
import { type Ack, controlFrame, encodeAck, encodeGoAway, type GoAway, type Status } from '../wire/control.ts'
import { HEAD_BYTES, Kind, writeHead } from '../wire/frame.ts'
import { FrameRun } from '../wire/frame-run.ts'
import { Frame } from '../wire/frame-writer.ts'
import { Session } from '../wire/session.ts'
import { Slab } from '../wire/slab.ts'
import type { Channel } from './channel.ts'
import type { OutgoingCall, SessionTerms } from './channel-ports.ts'
import type { Connection } from './connection.ts'
import { Intake } from './intake.ts'
import type { Timer } from './runtime.ts'
import type { Laborious } from './turn.ts'

/** So many answer bytes may always wait. */
const ANSWER_MIN_BYTES = 64 * 1024

/**
 * A call costs memory beside its frame, and waits in sockets that are full: no more of them are logged than fit with frames of
 * this size, bytes.
 */
const LOGGED_CALL_BYTES = 2048
/** So many may be logged in any case: the other side acknowledges in time. */
const LOGGED_CALLS_MIN = 1024

export class ChannelSession implements Laborious {
  /** Empty when nothing survives the connection. */
  readonly id: Buffer
  /** How long it lives without a connection, ms. */
  readonly ttlMs: number
  /** Calls make their frames again, as far as they are still wanted. */
  readonly frames = new Session<OutgoingCall>()
  readonly intake: Intake
  /** The connection of the moment. */
  connection: Connection | undefined
  /** Why the other side accepts no more requests, once it has said so. */
  refusal: Status | undefined
  /** Why the other side ends the session, once it has said so. */
  farewell: Status | undefined
  readonly #channel: Channel
  readonly #limits: Required<Limits>
  /** How many answer bytes may wait: as many as requests, but more than a socket keeps to itself before it says so. */
  readonly #answerMaxBytes: number
  /** How many frames may be unacknowledged when a call is written. */
  readonly #loggedMax: number
  /** What the other side allowed at first: no request may be larger. */
  #requestWindowBytes = -1
  #requestBytesSent = 0
  #requestBytesAllowed = 0
  #expiryTimer: Timer | undefined
  /** More is sent again when others have had their turn. */
  #isSendingAgain = false
  /** GOAWAY with the last frame that we have accepted requests up to, once there will be no more. */
  #drainFrame: Buffer | undefined
  /** Whether the other side has heard that on the connection of the moment. */
  #isDrainHeard = false

  constructor(channel: Channel, terms: SessionTerms, limits: Required<Limits>) {
    this.#channel = channel
    this.id = terms.sessionID
    this.ttlMs = terms.ttlMs
    this.#limits = limits
    this.#answerMaxBytes = Math.max(limits.queueMaxBytes, ANSWER_MIN_BYTES)
    this.#loggedMax = Math.max(limits.sessionLogMaxBytes / LOGGED_CALL_BYTES, LOGGED_CALLS_MIN)
    this.intake = new Intake(channel.turn, limits.requestWindowBytes, () => this.sendAck())
  }

  /** Whether it can go on with another connection. */
  get isNamed(): boolean {
    return this.id.length > 0
  }

  get isDraining(): boolean {
    return this.#drainFrame !== undefined
  }

  /**
   * Whether nothing that was said has still to arrive, as far as it can be known: what is counted, and that there will be no
   * more. What the other side had on its way to a connection that was cut is known to be lost only when it has come back.
   */
  get isHeard(): boolean {
    if (this.isNamed && this.frames.logBytes > 0) return false
    return !this.isDraining || this.#isDrainHeard
  }

  /** Whether so much waits to be acknowledged that nothing more should be written. */
  get isLogFull(): boolean {
    return this.frames.logWeight >= this.#limits.sessionLogMaxBytes
  }

  /** Whether so much waits for the other side to take it that no more answers should be made. */
  get isCongested(): boolean {
    const { connection } = this
    return connection !== undefined && (connection.bufferedBytes > this.#answerMaxBytes || this.isLogFull)
  }

  /** Whether twice as much waits, and not even refusals should be. */
  get isOverloaded(): boolean {
    return (
      (this.connection?.bufferedBytes ?? 0) > 2 * this.#answerMaxBytes ||
      this.frames.logWeight > 2 * this.#limits.sessionLogMaxBytes
    )
  }

  /** Whether items of a stream may be sent now: they wait while there is no connection. */
  get hasItemRoom(): boolean {
    return this.connection?.hasRoom === true && !this.isLogFull && !this.frames.isBehind
  }

  /** The largest request that the other side takes, bytes; Infinity as long as it has not said. */
  get requestWindowBytes(): number {
    return this.#requestWindowBytes < 0 ? Infinity : this.#requestWindowBytes
  }

  /** Whether the other side and the log have room for a request. */
  mayWrite(frameBytes: number): boolean {
    return (
      this.refusal === undefined &&
      this.farewell === undefined &&
      !this.frames.isBehind &&
      this.#requestBytesSent + frameBytes <= this.#requestBytesAllowed &&
      !this.isLogFull &&
      this.frames.logged < this.#loggedMax &&
      this.connection?.hasRoom === true
    )
  }

  writeCall(call: OutgoingCall, frame: Frame, now: number): void {
    this.#requestBytesSent += frame.bytes
    this.frames.write(call, frame.bytes, true)
    this.#sendCall(call, frame, now)
  }

  /** Writes an answer or a CANCEL. It goes behind what is to be sent again; without a connection, with the next. */
  writeFrame(frame: Frame): void {
    const isNext = this.connection !== undefined && !this.frames.isBehind
    this.frames.writeFrame(frame.buffer, frame.start, frame.end, isNext)
    if (isNext) this.connection!.sendFrame(frame)
  }

  /**
   * A connection begins. What the other side has, `peerReceived`, leaves the log; the rest is to be sent again, in order,
   * before anything new. The dialler `greets` first: an ACK right after HELLO_OK makes the connection count on the other side.
   */
  attach(connection: Connection, peerReceived: number, requestBytesAllowed: number, greets: boolean): void {
    this.#expiryTimer?.cancel()
    this.connection = connection
    this.intake.resume()
    this.allow(requestBytesAllowed)
    this.frames.goOn(peerReceived)
    if (greets) this.sendAck()
    // Before the refusals that it has brought: whoever is told to wait for the next session does not fail.
    if (this.#drainFrame !== undefined) connection.sendControl(this.#drainFrame)
  }

  /** Sends what the connection of the moment lacks: while it has room, and a slice at a time. */
  sendAgain(): void {
    if (this.#isSendingAgain || !this.frames.isBehind) return
    this.#isSendingAgain = this.#sendSlice()
    if (this.#isSendingAgain) this.#channel.turn.goOnLater(this)
  }

  goOn(): boolean {
    this.#isSendingAgain = this.#sendSlice()
    return this.#isSendingAgain
  }

  /** The connection is gone. */
  detach(): void {
    this.#expiryTimer?.cancel()
    this.connection = undefined
    this.#isDrainHeard = false
    this.intake.pause()
  }

  /** Gives it, without a connection, its time to find another. */
  awaitConnection(): void {
    const { turn } = this.#channel
    this.#expiryTimer = turn.runtime.startTimer(this.ttlMs, () => {
      turn.begin()
      this.#channel.expire(`${this.ttlMs} ms without a connection`)
    })
  }

  onAck(ack: Ack): void {
    this.frames.onAck(ack.receivedFrames, ack.sentFrames)
    this.allow(ack.requestBytesAllowed)
  }

  /** The other side allows so many bytes of requests since the session began. */
  allow(requestBytes: number): void {
    if (this.#requestWindowBytes < 0) this.#requestWindowBytes = requestBytes
    if (requestBytes < this.#requestBytesAllowed) {
      throw new ProtocolViolation(`takes back request bytes: ${requestBytes} after ${this.#requestBytesAllowed}`)
    }
    this.#requestBytesAllowed = requestBytes
  }

  /**
   * The other side has got all up to its last frame. When it only drains, it accepts no requests above that: returns the
   * calls that it has not accepted, which run nowhere. Their numbers stay taken.
   */
  onGoAway({ lastFrame, why }: GoAway): OutgoingCall[] {
    const refused = this.frames.refusedAbove(lastFrame)
    if (!why.notExecuted) this.farewell ??= why
    if (!why.notExecuted || this.refusal !== undefined) return []
    this.refusal = why
    return refused
  }

  /** Accepts no more requests from here on, and says so, on every connection anew. */
  drain(message: string): void {
    if (this.#drainFrame !== undefined) return
    const why = { code: 'unavailable', message, metadata: {}, notExecuted: true } as const
    this.#drainFrame = goAwayFrame(this.frames.received, why)
    this.connection?.sendControl(this.#drainFrame)
  }

  /** Calls back when the other side has heard on the connection of the moment that no more requests are accepted. */
  whenDrainHeard(onHeard: () => void): void {
    this.connection?.whenHeard(() => {
      this.#isDrainHeard = true
      onHeard()
    })
  }

  /** Says how much has arrived, and how many of ours stand before that in the stream. */
  sendAck(): void {
    const requestBytesAllowed = this.intake.announce()
    const { received, sent } = this.frames
    const ack = { receivedFrames: received, sentFrames: sent, requestBytesAllowed }
    this.connection?.sendControl(controlFrame(Kind.ack, encodeAck(ack)))
  }

  /** One-way calls that the other side may not have got. */
  unacknowledgedOneWays(): OutgoingCall[] {
    return this.frames.entriesAbove(0).filter((call) => call.isOneWay && call.isWantedAt(this.#channel))
  }

  /** Returns whether more can be sent, when others have had their turn. */
  #sendSlice(): boolean {
    const { frames } = this
    const { turn } = this.#channel
    const now = turn.now()
    while (frames.isBehind && this.connection?.hasRoom === true) {
      const bytes = this.#sendNext(now)
      if (turn.isSliceOver(bytes)) return frames.isBehind
    }
    return false
  }

  /** Sends what is next in the log, or a SKIP in place of a call that nobody wants any more. Returns its bytes. */
  #sendNext(now: number): number {
    const { next, nextBytes } = this.frames
    if (next instanceof FrameRun || next.isWantedAt(this.#channel)) {
      this.frames.noteSent()
      if (next instanceof FrameRun) this.connection!.send(next.buffer, next.start, next.end)
      else this.#sendCall(next, next.frameFor(this.#channel), now)
    } else this.#skip(next, nextBytes)
    return nextBytes
  }

  #skip(call: OutgoingCall, bytes: number): void {
    const { buffer, start, end } = bareFrame(Kind.skip, call.msgID, 0)
    this.frames.replaceNext(new FrameRun(buffer, start, end), HEAD_BYTES)
    this.frames.noteSent()
    // The other side will never count its bytes.
    this.#requestBytesSent -= bytes
    this.connection!.send(buffer, start, end)
    call.onSkipped(this.#channel)
  }

  /** Sends a call's frame. The head of one that has waited is copied to say the remaining time; its payload stays shared. */
  #sendCall(call: OutgoingCall, frame: Frame, now: number): void {
    const connection = this.connection!
    if (now - call.madeAt < 1 || call.dueAt === Infinity) return connection.sendFrame(frame)
    connection.sendControl(headWithTimeout(frame.buffer, frame.start, frame.headEnd, call.dueAt - now))
    if (frame.end > frame.headEnd) connection.send(frame.buffer, frame.headEnd, frame.end)
  }
}

/** Frames that are heads only: there may be very many of them in the log of a node that is silent. */
const heads = new Slab(4 * 1024)

/** A frame that is a head only. */
export function bareFrame(kind: number, msgID: number, methodID: number): Frame {
  const start = heads.take(HEAD_BYTES)
  const end = start + HEAD_BYTES
  writeHead(heads.buffer, start, end, kind, 0, msgID, methodID)
  return new Frame(heads.buffer, start, end, end)
}

export function goAwayFrame(lastFrame: number, why: Status): Buffer {
  return controlFrame(Kind.goaway, encodeGoAway({ lastFrame, why }))
}
