// Whether the other end of one connection lives: silence is answered with a PING, a PING wants a sign of life in time, bytes
// that wait must go, a frame that has begun must end. It says what is due; the connection does it.

import type { Transport } from '../options.ts'
import type { Timer } from './runtime.ts'
import type { Turn } from './turn.ts'

const PING_BYTES = 8
/** The other side takes no more than one PING a second, ms. */
const PING_GAP_MS = 1_000

/** What a heartbeat needs of its connection. */
export interface HeartbeatPorts {
  /** Bytes that were written and not yet handed to the operating system. */
  bufferedBytes(): number
  /** Whether a frame has begun and is not complete. */
  isMidFrame(): boolean
  sendPing(bytes: Buffer): void
  /** The other end is gone, for all that can be told. */
  onDead(what: string): void
  /** A frame was not completed in time. */
  onFrameTimeout(): void
}

export class Heartbeat {
  readonly #turn: Turn
  readonly #transport: Transport
  readonly #ports: HeartbeatPorts
  #timer: Timer | undefined
  #timerAt = Infinity
  #isClosed = false
  /** When the last byte came. */
  #receivedAt: number
  /** The PING that is out; when it was sent; when its time began: with the last progress of bytes that it waited behind. */
  #ping: Buffer | undefined
  #pingedAt = -PING_GAP_MS
  #pingTimedFrom = 0
  /** How many bytes had been written when the PING had been. */
  #pingEnd = 0
  #writtenBytes = 0
  #drainedBytes = 0
  /** When waiting bytes last became fewer, or began to wait. */
  #progressAt = 0
  /** When the frame began that is not complete; undefined between frames. */
  #frameSince: number | undefined
  /** Waits for the other side to have read what was written before; whether the PING that is out was written after that. */
  #whenHeard: (() => void) | undefined
  #isAsking = false

  constructor(turn: Turn, transport: Transport, ports: HeartbeatPorts) {
    this.#turn = turn
    this.#transport = transport
    this.#ports = ports
    this.#receivedAt = turn.now()
    this.#check()
  }

  /** Bytes have come; `frames` of them were completed. Any byte is a sign of life. */
  onReceived(frames: number): void {
    this.#receivedAt = this.#turn.now()
    if (!this.#ports.isMidFrame()) {
      this.#frameSince = undefined
    } else if (this.#frameSince === undefined || frames > 0) {
      this.#frameSince = this.#receivedAt
      this.#wakeBy(this.#receivedAt + this.#transport.frameTimeoutMs)
    }
  }

  /** Bytes have been written. */
  onWritten(bytes: number): void {
    const wasEmpty = this.#drainedBytes === this.#writtenBytes
    this.#writtenBytes += bytes
    if (wasEmpty) this.#progressAt = this.#turn.now()
    this.#noteProgress(true)
    if (wasEmpty && this.#ports.bufferedBytes() > 0) this.#wakeBy(this.#progressAt + this.#transport.stallTimeoutMs)
  }

  /** Bytes that waited have gone. */
  onDrained(): void {
    this.#noteProgress(true)
  }

  /** Calls back once when the other side has read all that was sent so far: when it has answered a PING behind it. */
  whenHeard(callback: () => void): void {
    this.#whenHeard = callback
    this.#isAsking = this.#ping === undefined
    if (this.#isAsking) this.#sendPing(this.#turn.now())
  }

  get isPingOut(): boolean {
    return this.#ping !== undefined
  }

  /** Whether these bytes answer the PING that is out. */
  takePong(bytes: Buffer, start: number, end: number): boolean {
    if (this.#ping === undefined || this.#ping.compare(bytes, start, end) !== 0) return false
    this.#ping = undefined
    if (this.#whenHeard !== undefined) this.#noteHeard(this.#whenHeard)
    this.#wakeBy(Math.max(this.#receivedAt + this.#transport.pingIntervalMs, this.#pingedAt + PING_GAP_MS))
    return true
  }

  #noteHeard(callback: () => void): void {
    if (!this.#isAsking) return this.whenHeard(callback)
    this.#whenHeard = undefined
    callback()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** Sees what is due, and sets the timer for what is due next. */
  readonly #check = (): void => {
    if (this.#isClosed) return
    this.#turn.begin()
    this.#noteProgress(false)
    this.#timerAt = Infinity
    const next = Math.min(this.#checkLife(), this.#checkProgress(), this.#checkFrame())
    if (!this.#isClosed) this.#wakeBy(next)
    this.#turn.flush()
  }

  /** A timer that fires late may find bytes that have already arrived: they are read before anything is decided. */
  readonly #onTimer = (): void => this.#turn.runtime.afterReading(this.#check)

  #checkLife(): number {
    const now = this.#turn.now()
    const { pingIntervalMs, pingTimeoutMs } = this.#transport
    const isWaiting = this.#ping !== undefined && this.#receivedAt <= this.#pingedAt
    if (!isWaiting) {
      const due = Math.max(this.#receivedAt + pingIntervalMs, this.#pingedAt + PING_GAP_MS)
      if (now < due) return due
      this.#sendPing(now)
    }
    if (now < this.#pingTimedFrom + pingTimeoutMs) return this.#pingTimedFrom + pingTimeoutMs
    this.#ports.onDead(`gave no sign of life for ${Math.round(now - this.#receivedAt)} ms`)
    return Infinity
  }

  #checkProgress(): number {
    const now = this.#turn.now()
    const { stallTimeoutMs } = this.#transport
    const waiting = this.#ports.bufferedBytes()
    if (waiting === 0) return Infinity
    if (now < this.#progressAt + stallTimeoutMs) return this.#progressAt + stallTimeoutMs
    this.#ports.onDead(`took no bytes for ${Math.round(now - this.#progressAt)} ms while ${waiting} waited`)
    return Infinity
  }

  #checkFrame(): number {
    if (this.#frameSince === undefined) return Infinity
    const end = this.#frameSince + this.#transport.frameTimeoutMs
    if (this.#turn.now() < end) return end
    this.#ports.onFrameTimeout()
    return Infinity
  }

  /** Asks for a sign of life. One PING is out at a time: one that was never answered is waited for anew. */
  #sendPing(now: number): void {
    this.#pingedAt = now
    this.#pingTimedFrom = now
    if (this.#ping !== undefined) return
    this.#ping = this.#turn.runtime.randomBytes(PING_BYTES)
    this.#pingEnd = Infinity
    this.#ports.sendPing(this.#ping)
    // The flush goes through onWritten; what was written by then ends with the PING.
    this.#turn.flush()
    this.#pingEnd = this.#writtenBytes
  }

  /** `isNews`: bytes have gone just now; otherwise they may have gone at any time since the last look. */
  #noteProgress(isNews: boolean): void {
    const drained = this.#writtenBytes - this.#ports.bufferedBytes()
    if (drained <= this.#drainedBytes) return
    const now = this.#turn.now()
    if (isNews && this.#ping !== undefined && this.#drainedBytes < this.#pingEnd) this.#pingTimedFrom = now
    this.#drainedBytes = drained
    this.#progressAt = now
  }

  #wakeBy(at: number): void {
    if (this.#isClosed || at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#turn.runtime.startTimer(Math.ceil(at - this.#turn.now()), this.#onTimer)
  }
}
