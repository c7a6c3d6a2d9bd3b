// One byte stream from open to close: preface and decoder on the way in, one write per turn on the way out, heartbeat and
// stall watch. It knows the control frames that keep it alive (PING, PONG); everything else goes to its owner.

import { ProtocolViolation, RpcError, tracelessError } from '../errors.ts'
import type { Transport } from '../options.ts'
import { controlFrame, encodeGoAway } from '../wire/control.ts'
import { FrameDecoder, type FrameSink } from '../wire/decoder.ts'
import {
  CONTROL_BYTES_MAX,
  describeStranger,
  isKnownKind,
  isSkippable,
  Kind,
  kindName,
  LENGTH_BYTES,
  PREFACE,
} from '../wire/frame.ts'
import type { Frame } from '../wire/frame-writer.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import { WriteBatch } from '../wire/write-batch.ts'
import { FloodGuard } from './flood-guard.ts'
import { Heartbeat } from './heartbeat.ts'
import type { ByteStream, ByteStreamHandler, Timer } from './runtime.ts'
import type { Laborious, Turn } from './turn.ts'

const PING_BYTES = 8
/** Queued requests are handed over while less than this waits to be written, bytes; the rest stays withdrawable. */
const PIPE_BYTES = 256 * 1024
/** How long a connection that we have ended may take to end on the other side, ms. */
const LINGER_MS = 1_000

/** Who a connection belongs to: a handshake at first, then a channel. */
export interface ConnectionOwner {
  /** The stream is open. */
  onOpen?(connection: Connection): void
  /** A frame that is not the connection's own business. Throws ProtocolViolation when it must not be there. */
  onFrame(connection: Connection, frame: IncomingFrame): void
  /** What waits is about to be written: what is sent now goes with it. */
  onWriting?(): void
  /** There is room to write again. */
  onRoom(connection: Connection): void
  /** The connection is gone. Called once. */
  onClosed(connection: Connection, error: RpcError): void
}

export class Connection implements ByteStreamHandler, FrameSink, Laborious {
  readonly turn: Turn
  readonly stream: ByteStream
  readonly #transport: Transport
  readonly #side: 'dialled' | 'accepted'
  readonly #decoder: FrameDecoder
  readonly #batch = new WriteBatch()
  #owner: ConnectionOwner
  #isFlushing = false
  #isOpen = false
  #isEstablished = false
  #isPrefaceSent = false
  #isClosing = false
  #isClosed = false
  #endsSession = false
  #isPrefaceRead = false
  #prefaceBytes = 0
  #closeReason: RpcError | undefined
  #timer: Timer | undefined
  #heartbeat: Heartbeat | undefined
  /** Frames completed since the last bytes came. */
  #frames = 0
  /** The last slice has not been enough: what comes next waits as well. So those that send little wait for one slice at most. */
  #sendsMuch = false
  /** What has arrived and must wait until others have been read. */
  #backlog: Buffer[] = []
  /** The other end has closed in order before all of that was read. */
  #isEnding = false
  readonly #guard = new FloodGuard()

  constructor(
    turn: Turn,
    stream: ByteStream,
    transport: Transport,
    owner: ConnectionOwner,
    side: 'dialled' | 'accepted',
  ) {
    this.#side = side
    this.turn = turn
    this.stream = stream
    this.#transport = transport
    this.#owner = owner
    this.#decoder = new FrameDecoder(this, CONTROL_BYTES_MAX)
  }

  /** Begins delivery; `onOpen` of the owner follows. */
  start(): void {
    this.stream.start(this)
  }

  set owner(owner: ConnectionOwner) {
    this.#owner = owner
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether it was ended by a word of ours or by a fault of ours, not by a loss: nothing can go on where it stood. */
  get endsSession(): boolean {
    return this.#endsSession
  }

  /** Bytes that have been sent and not yet handed to the operating system. */
  get bufferedBytes(): number {
    return this.#batch.bytes + this.stream.bufferedBytes
  }

  /** Whether more requests should be handed over: they can not be withdrawn once they are. */
  get hasRoom(): boolean {
    return this.#batch.bytes + this.stream.bufferedBytes < PIPE_BYTES
  }

  /** The handshake is done: frames up to the announced limit are accepted, and the heartbeat starts. */
  establish(): void {
    this.#isEstablished = true
    this.#decoder.frameMaxBytes = this.#transport.limits.frameMaxBytes
    this.#heartbeat = new Heartbeat(this.turn, this.#transport, {
      bufferedBytes: () => this.stream.bufferedBytes,
      isMidFrame: () => this.#decoder.isMidFrame,
      sendPing: (bytes) => this.sendControl(controlFrame(Kind.ping, bytes)),
      onDead: (what) => this.close(tracelessError('unavailable', `${this.stream.remoteAddress} ${what}`)),
      onFrameTimeout: () =>
        this.#violated(new ProtocolViolation(`a frame was not complete after ${this.#transport.frameTimeoutMs} ms`)),
    })
  }

  /** Sends what opens a connection: the first bytes in each direction. */
  sendPreface(): void {
    this.#isPrefaceSent = true
    this.sendControl(PREFACE)
  }

  /** Sends bytes of a frame with the rest of this turn. They must not change any more. */
  send(buffer: Buffer, start: number, end: number): void {
    if (this.#isClosed) return
    this.#batch.add(buffer, start, end)
    this.#guard.onSent()
    if (this.#isFlushing) return
    this.#isFlushing = true
    this.turn.flushLater(this)
  }

  sendFrame(frame: Frame): void {
    this.send(frame.buffer, frame.start, frame.end)
  }

  sendControl(frame: Buffer): void {
    this.send(frame, 0, frame.length)
  }

  flush(): void {
    const isWriting = !this.#isClosed && this.#batch.bytes > 0
    if (isWriting && !this.#isClosing) this.#owner.onWriting?.()
    this.#isFlushing = false
    if (!isWriting) return
    const { bytes } = this.#batch
    this.stream.write(this.#batch.take())
    this.#heartbeat?.onWritten(bytes)
    if (this.hasRoom && !this.#isClosing) this.#owner.onRoom(this)
  }

  /** Calls back once when the other side has read all that was sent so far. */
  whenHeard(callback: () => void): void {
    this.#heartbeat?.whenHeard(callback)
  }

  /** Closes after a last control frame; `reason` is what the owner hears. */
  closeWith(frame: Buffer, reason: RpcError): void {
    if (this.#isClosed) return
    this.#isClosing = true
    this.#endsSession = true
    this.sendControl(frame)
    this.flush()
    this.#decoder.stop()
    this.#closeReason ??= reason
    this.stream.end()
    this.#finish(reason)
    this.#timer = this.turn.runtime.startTimer(LINGER_MS, () => this.stream.destroy())
  }

  /** Closes now. What was sent and not handed over is lost. */
  close(reason: RpcError): void {
    if (this.#isClosed) return
    this.#decoder.stop()
    this.#closeReason ??= reason
    this.stream.destroy()
    this.#finish(reason)
  }

  onOpen(): void {
    this.#isOpen = true
    this.turn.begin()
    this.#owner.onOpen?.(this)
    this.turn.flush()
  }

  onBytes(bytes: Buffer): void {
    if (this.#isClosed) return
    if (this.#backlog.length > 0) {
      this.#backlog.push(Buffer.from(bytes))
      return
    }
    const taken = this.#sendsMuch ? 0 : this.#read(bytes)
    if (this.#isClosed || taken === bytes.length) return
    this.#backlog = [Buffer.from(bytes.subarray(taken))]
    this.stream.pause?.()
    this.turn.goOnLater(this)
  }

  goOn(): boolean {
    const bytes = this.#backlog[0]
    if (bytes !== undefined) {
      const taken = this.#read(bytes)
      if (taken === bytes.length) this.#backlog.shift()
      else if (!this.#isClosed) this.#backlog[0] = bytes.subarray(taken)
      if (this.#backlog.length > 0) return true
    }
    // Also when it was closed: the other end's last word is read and thrown away.
    if (this.#isEnding) this.#onEnd(undefined)
    else this.stream.resume?.()
    return false
  }

  /** Reads for a while; returns how many bytes it has taken. */
  #read(bytes: Buffer): number {
    this.turn.begin()
    this.#frames = 0
    this.#sendsMuch = false
    // The slice begins with the first byte.
    if (this.#side === 'accepted') this.turn.now()
    let taken = bytes.length
    try {
      const rest = this.#isPrefaceRead ? bytes : this.#readPreface(bytes)
      if (rest !== undefined) taken += this.#decoder.push(rest) - rest.length
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) {
        this.#endsSession = true
        this.close(new RpcError('internal', 'a fault of this side while it read', { cause: error }))
        throw error
      }
      this.#violated(error)
    }
    this.#heartbeat?.onReceived(this.#frames)
    this.turn.count(this.#frames)
    this.turn.flushSoon()
    return taken
  }

  onDrain(): void {
    if (this.#isClosed) return
    this.turn.begin()
    this.#heartbeat?.onDrained()
    this.#owner.onRoom(this)
    this.turn.flush()
  }

  onClose(error: Error | undefined): void {
    this.turn.begin()
    this.#isEnding = !this.#isClosed && error === undefined && this.#backlog.length > 0
    // Whoever has ended it in order has said a last word, and that is read first.
    if (!this.#isEnding) this.#onEnd(error)
  }

  /** The stream has closed, and what is to be read has been. */
  #onEnd(error: Error | undefined): void {
    this.#timer?.cancel()
    // Whoever has closed it has said why.
    if (!this.#isClosed) this.#finish(tracelessError('unavailable', this.#describeClose(error), { cause: error }))
    this.turn.flush()
  }

  onFrame(frame: IncomingFrame): boolean {
    const { kind, flags, frameBytes } = frame
    this.#frames++
    if (flags !== 0) throw new ProtocolViolation(`${kindName(kind)} has flags ${flags}, which no feature defines`)
    if (!isKnownKind(kind) && !isSkippable(kind)) throw new ProtocolViolation(`unknown frame kind ${kindName(kind)}`)
    if (kind >= 0x80 && !isSkippable(kind)) checkControl(frame)
    if (kind >= 0x80 && this.#isEstablished) this.#guard.onControl(kind, this.turn.now())
    if (!this.#isEstablished || !this.#takesItself(frame)) this.#owner.onFrame(this, frame)
    if (this.#side === 'accepted' && this.turn.isSliceOver(frameBytes)) this.#interrupt()
    return !this.#isClosed
  }

  /**
   * Whoever has sent much goes on when others have been read. Only those that have dialled: a client has chosen its servers,
   * and reads the answers of all of them to the end before it writes.
   */
  #interrupt(): void {
    this.#sendsMuch = true
    this.#decoder.interrupt()
  }

  /** Whether the frame is the connection's own business, and done with. */
  #takesItself(frame: IncomingFrame): boolean {
    if (frame.kind === Kind.ping) this.#onPing(frame)
    else if (frame.kind === Kind.pong) this.#onPong(frame)
    else return isSkippable(frame.kind)
    return true
  }

  #readPreface(bytes: Buffer): Buffer | undefined {
    const there = Math.min(PREFACE.length - this.#prefaceBytes, bytes.length)
    if (PREFACE.compare(bytes, 0, there, this.#prefaceBytes, this.#prefaceBytes + there) !== 0) {
      const seen = this.#prefaceBytes === 0 ? bytes : Buffer.concat([PREFACE.subarray(0, this.#prefaceBytes), bytes])
      this.close(tracelessError('unavailable', `${this.stream.remoteAddress} sent ${describeStranger(seen)}`))
      return undefined
    }
    this.#prefaceBytes += there
    if (this.#prefaceBytes < PREFACE.length) return undefined
    this.#isPrefaceRead = true
    return bytes.subarray(there)
  }

  #describeClose(error: Error | undefined): string {
    const where = this.stream.remoteAddress
    const why = error?.message ?? 'closed'
    if (!this.#isOpen)
      return this.#side === 'dialled' ? `can not connect to ${where}: ${why}` : `${where} did not complete TLS: ${why}`
    if (!this.#isPrefaceRead) {
      const certificate = this.#transport.tls === undefined ? '' : ", and does it accept this side's certificate"
      return `${where} closed the connection before HELLO (${why}): is it a gorums server, do both ends agree on TLS${certificate}?`
    }
    return `connection to ${where} was lost${error ? `: ${error.message}` : ': closed by the other end'}`
  }

  /** Tells the peer what it did wrong, and closes. */
  #violated(violation: ProtocolViolation): void {
    if (!this.#isPrefaceSent) this.sendPreface()
    const status = {
      code: 'internal',
      message: `protocol violation: ${violation.message}`,
      metadata: NO_METADATA,
      notExecuted: false,
    } as const
    this.closeWith(
      controlFrame(Kind.goaway, encodeGoAway({ lastFrame: 0, why: status })),
      tracelessError('unavailable', `${this.stream.remoteAddress} broke the protocol: ${violation.message}`),
    )
  }

  #finish(reason: RpcError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#backlog = []
    this.#heartbeat?.close()
    this.#owner.onClosed(this, this.#closeReason ?? reason)
  }

  #onPing({ bytes, payloadStart, end }: IncomingFrame): void {
    if (end - payloadStart !== PING_BYTES) throw new ProtocolViolation(`PING with ${end - payloadStart} bytes`)
    this.sendControl(controlFrame(Kind.pong, bytes.subarray(payloadStart, end)))
  }

  #onPong({ bytes, payloadStart, end }: IncomingFrame): void {
    const heartbeat = this.#heartbeat!
    if (!heartbeat.isPingOut) throw new ProtocolViolation('PONG without a PING')
    if (!heartbeat.takePong(bytes, payloadStart, end))
      throw new ProtocolViolation('PONG with other bytes than its PING')
  }
}

/** Control frames have no ids and no header, and are small. */
function checkControl(frame: IncomingFrame): void {
  const name = kindName(frame.kind)
  if (frame.msgID !== 0 || frame.methodID !== 0 || frame.hasHeader)
    throw new ProtocolViolation(`${name} with an id or a header`)
  const length = frame.frameBytes - LENGTH_BYTES
  if (length > CONTROL_BYTES_MAX)
    throw new ProtocolViolation(`${name} of length ${length} exceeds the ${CONTROL_BYTES_MAX} of a control frame`)
}
