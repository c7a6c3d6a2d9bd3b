// What a session has brought us and the other side has not been told of yet: frames to acknowledge, request bytes to
// allow. It decides when an acknowledgement is due. Totals count from the beginning of the session.

import { ProtocolViolation } from '../errors.ts'
import type { Timer } from './runtime.ts'
import type { Turn } from './turn.ts'

/** An acknowledgement is sent at the latest after this many frames, bytes, or ms. */
const ACK_FRAMES = 256
const ACK_BYTES = 256 * 1024
const ACK_MS = 50
/** With frames that are written anyway from this age on, ms: where calls come and go, an ACK seldom costs a write and a read of its own. */
const ALONG_MS = 25

export class Intake {
  readonly #turn: Turn
  readonly #windowBytes: number
  readonly #sendAck: () => void
  #unacknowledged = 0
  #unacknowledgedBytes = 0
  #requestBytesReceived = 0
  #requestBytesStarted = 0
  #requestBytesAnnounced: number
  /** Since when there is something to tell, ms; Infinity when there is not. */
  #newsAt = Infinity
  #timer: Timer | undefined
  /** Nothing can be told while there is no connection. */
  #isPaused = true

  /** `windowBytes`: requests that may be accepted and not started. `sendAck` is called when an ACK is due. */
  constructor(turn: Turn, windowBytes: number, sendAck: () => void) {
    this.#turn = turn
    this.#windowBytes = windowBytes
    this.#requestBytesAnnounced = windowBytes
    this.#sendAck = sendAck
  }

  /** A counted frame has arrived. */
  count(frameBytes: number): void {
    this.#unacknowledged++
    this.#unacknowledgedBytes += frameBytes
  }

  /** Sends an ACK if enough has arrived, or sees to it that one follows soon. */
  acknowledge(): void {
    if (this.#isPaused) return
    if (this.#unacknowledged >= ACK_FRAMES || this.#unacknowledgedBytes >= ACK_BYTES) this.#sendAck()
    else this.#acknowledgeSoon()
  }

  /** Frames are about to be written: sends an ACK with them if one will be due before long. */
  acknowledgeAlong(): void {
    if (this.#turn.now() - this.#newsAt >= ALONG_MS) this.#sendAck()
  }

  /** A request has arrived. Throws ProtocolViolation when it was not allowed. */
  countRequest(frameBytes: number): void {
    this.#requestBytesReceived += frameBytes
    if (this.#requestBytesReceived <= this.#requestBytesAnnounced) return
    throw new ProtocolViolation(
      `${this.#requestBytesReceived} bytes of requests were sent, ${this.#requestBytesAnnounced} were allowed`,
    )
  }

  /** A handler has started, or a request was dropped: its bytes may be used for another. */
  requestStarted(frameBytes: number): void {
    this.#requestBytesStarted += frameBytes
    if (this.#isPaused) return
    if (this.#allowed() - this.#requestBytesAnnounced >= this.#windowBytes / 4) this.#sendAck()
    else this.#acknowledgeSoon()
  }

  /** An ACK is being sent: the request bytes that it allows. */
  announce(): number {
    this.#unacknowledged = 0
    this.#unacknowledgedBytes = 0
    this.#newsAt = Infinity
    this.#requestBytesAnnounced = this.#allowed()
    return this.#requestBytesAnnounced
  }

  /** A connection is there. What has come to be told since the last word of the handshake follows soon. */
  resume(): void {
    this.#isPaused = false
    if (this.#isNews()) this.#acknowledgeSoon()
  }

  /** The connection is gone. What arrives no more is not acknowledged; requests go on to start. */
  pause(): void {
    this.#isPaused = true
    this.#newsAt = Infinity
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #isNews(): boolean {
    return this.#unacknowledged > 0 || this.#allowed() > this.#requestBytesAnnounced
  }

  #allowed(): number {
    return this.#requestBytesStarted + this.#windowBytes
  }

  #acknowledgeSoon(): void {
    if (this.#newsAt === Infinity) this.#newsAt = this.#turn.now()
    this.#timer ??= this.#turn.runtime.startTimer(ACK_MS, this.#onTimer)
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    this.#turn.begin()
    if (this.#newsAt === Infinity) return
    const leftMs = this.#newsAt + ACK_MS - this.#turn.now()
    // What it was started for may have been told meanwhile, and what has come since has time left.
    if (leftMs > 0) this.#timer = this.#turn.runtime.startTimer(leftMs, this.#onTimer)
    else this.#sendAck()
  }
}
