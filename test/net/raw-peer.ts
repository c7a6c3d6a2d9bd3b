// The other end of a connection, played by a test: it writes whatever bytes it likes over a byte stream (a socket or one
// in memory), and keeps the frames that come back. It owns its end of the stream and nothing else.

import type { ByteStream, ByteStreamHandler } from '../../src/net/runtime.ts'
import {
  type Ack,
  controlFrame,
  decodeGoAway,
  decodeReject,
  encodeAck,
  encodeHello,
  encodeHelloOk,
  type GoAway,
  type Hello,
  type HelloOk,
  type Reject,
} from '../../src/wire/control.ts'
import { FrameDecoder } from '../../src/wire/decoder.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind, kindName, PREFACE } from '../../src/wire/frame.ts'
import type { IncomingFrame } from '../../src/wire/incoming-frame.ts'

const MIB = 1024 * 1024
/** How much of what arrives first is kept as it came. */
const FIRST_BYTES = 4096

/** A frame that arrived, copied. */
export interface ReceivedFrame {
  readonly kind: number
  readonly msgID: number
  readonly methodID: number
  readonly header: Buffer
  readonly payload: Buffer
}

/** What a frame is made of; whatever is left out is 0, empty, or right. */
export interface FrameParts {
  readonly kind: number
  readonly flags?: number
  readonly msgID?: number
  readonly methodID?: number
  readonly header?: Buffer
  readonly payload?: Buffer
  /** A lie about the length. */
  readonly length?: number
  /** A lie about the header's length. */
  readonly headerBytes?: number
}

/** The bytes of a frame, right or wrong. */
export function frameOf(parts: FrameParts): Buffer {
  const { header = Buffer.alloc(0), payload = Buffer.alloc(0) } = parts
  const head = Buffer.alloc(16)
  head.writeUInt32BE(parts.length ?? 12 + header.length + payload.length, 0)
  head[4] = parts.kind
  head[5] = parts.flags ?? 0
  head.writeUInt16BE(parts.headerBytes ?? header.length, 6)
  head.writeUInt32BE(parts.msgID ?? 0, 8)
  head.writeUInt32BE(parts.methodID ?? 0, 12)
  return Buffer.concat([head, header, payload])
}

let incarnations = 0

/** A HELLO that a server accepts, with some fields changed. */
export function helloWith(changes: Partial<Hello> = {}): Hello {
  const incarnation = Buffer.alloc(16, 0xee)
  incarnation.writeUInt32BE(++incarnations, 0)
  return {
    versionMin: 1,
    versionMax: 1,
    clusterID: '',
    nodeID: '',
    expectedNodeID: '',
    incarnation,
    frameMaxBytes: 4 * MIB,
    servesCalls: false,
    metadata: {},
    wantsSession: false,
    sessionID: Buffer.alloc(0),
    attachEpoch: 1,
    receivedFrames: 0,
    requestBytesAllowed: 16 * MIB,
    features: 0,
    ...changes,
  }
}

export class RawPeer implements ByteStreamHandler {
  readonly stream: ByteStream
  /** Every frame that has arrived. */
  readonly frames: ReceivedFrame[] = []
  /** Settles when the stream is open. */
  readonly opened: Promise<void>
  /** Settles when the stream has ended, with the error if there was one. */
  readonly closed: Promise<Error | undefined>
  isClosed = false
  /** Whether PINGs are answered. */
  answersPings = true
  /** Counted frames sent and received: what ACKs must say. */
  sentFrames = 0
  receivedFrames = 0
  readonly #decoder: FrameDecoder
  readonly #settle: (() => Promise<void>) | undefined
  #firstBytes = Buffer.alloc(0)
  #receivedBytes = 0
  #isPrefaceRead = false
  #read = 0
  #wake: (() => void)[] = []
  #onOpened: () => void = () => {}
  #onClosed: (error: Error | undefined) => void = () => {}

  /** `settle` lets everything happen that will, on a runtime where that can be known: then waiting never hangs. */
  constructor(stream: ByteStream, settle?: () => Promise<void>) {
    this.stream = stream
    this.#settle = settle
    this.opened = new Promise((resolve) => {
      this.#onOpened = resolve
    })
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    this.#decoder = new FrameDecoder({ onFrame: (frame) => this.#onFrame(frame) }, 64 * MIB)
    stream.start(this)
  }

  /** What arrived first, preface included, as far as it was kept. */
  get firstBytes(): Buffer {
    return this.#firstBytes
  }

  send(...pieces: readonly (Buffer | FrameParts)[]): void {
    for (const piece of pieces) {
      if (!Buffer.isBuffer(piece) && piece.kind < 0x80) this.sentFrames++
      this.stream.write([Buffer.isBuffer(piece) ? piece : frameOf(piece)])
    }
  }

  /** Sends preface and HELLO. */
  sendHello(changes: Partial<Hello> = {}): void {
    this.send(PREFACE, controlFrame(Kind.hello, encodeHello(helloWith(changes))))
  }

  /** Sends preface and HELLO_OK, as an acceptor does. */
  sendHelloOk(changes: Partial<HelloOk> = {}): void {
    const { incarnation } = helloWith()
    const helloOk = {
      version: 1,
      nodeID: '',
      incarnation,
      frameMaxBytes: 4 * MIB,
      servesCalls: true,
      metadata: {},
      sessionID: Buffer.alloc(0),
      resumed: false,
      receivedFrames: 0,
      sessionTtlMs: 0,
      requestBytesAllowed: 16 * MIB,
      features: 0,
      ...changes,
    }
    this.send(PREFACE, controlFrame(Kind.helloOk, encodeHelloOk(helloOk)))
  }

  /** Sends an ACK; what is left out is right. */
  sendAck(changes: Partial<Ack> = {}): void {
    this.send({ kind: Kind.ack, payload: this.ackPayload(changes) })
  }

  /** What an ACK must say now, with some fields changed. */
  ackPayload(changes: Partial<Ack> = {}): Buffer {
    const right = { receivedFrames: this.receivedFrames, sentFrames: this.sentFrames, requestBytesAllowed: 16 * MIB }
    return encodeAck({ ...right, ...changes })
  }

  /** Goes through the handshake as a dialler. */
  async handshake(changes: Partial<Hello> = {}): Promise<ReceivedFrame> {
    await this.opened
    this.sendHello(changes)
    const helloOk = await this.next(Kind.helloOk)
    this.sendAck()
    return helloOk
  }

  /** Goes through the handshake as an acceptor. */
  async welcome(changes: Partial<HelloOk> = {}): Promise<ReceivedFrame> {
    const hello = await this.next(Kind.hello)
    this.sendHelloOk(changes)
    await this.next(Kind.ack)
    return hello
  }

  /** The next frame of one of these kinds; others before it are passed over. Rejects when the stream ends before. */
  async next(...kinds: readonly number[]): Promise<ReceivedFrame> {
    let hasSettled = false
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++]!
        if (kinds.includes(frame.kind)) return frame
      }
      const missing = kinds.map(kindName).join(' or ')
      if (this.isClosed) throw new Error(`closed before ${missing}; got ${this.#describe()}`)
      if (hasSettled) throw new Error(`no ${missing} has come, and nothing more will; got ${this.#describe()}`)
      const woken = new Promise<boolean>((resolve) => this.#wake.push(() => resolve(false)))
      hasSettled = await (this.#settle === undefined ? woken : Promise.race([woken, this.#settle().then(() => true)]))
    }
  }

  /** Resolves when everything has happened that will, on a runtime where that can be known. */
  async settled(): Promise<void> {
    await this.#settle?.()
  }

  /** The GOAWAY that ends a connection; resolves when the stream has ended behind it. */
  async goAway(): Promise<GoAway> {
    return decodeGoAway(await this.#last(Kind.goaway))
  }

  /** The REJECT that answers a HELLO; resolves when the stream has ended behind it. */
  async reject(): Promise<Reject> {
    return decodeReject(await this.#last(Kind.reject))
  }

  close(): void {
    this.stream.destroy()
  }

  onOpen(): void {
    this.#onOpened()
  }

  onBytes(bytes: Buffer): void {
    this.#receivedBytes += bytes.length
    if (this.#firstBytes.length < FIRST_BYTES) this.#firstBytes = Buffer.concat([this.#firstBytes, bytes])
    if (this.#isPrefaceRead) this.#decoder.push(bytes)
    else if (this.#firstBytes.length >= PREFACE.length) {
      this.#isPrefaceRead = true
      if (this.#firstBytes.subarray(0, PREFACE.length).equals(PREFACE))
        this.#decoder.push(this.#firstBytes.subarray(PREFACE.length))
      else this.#decoder.stop()
    }
    this.#wakeUp()
  }

  onDrain(): void {}

  onClose(error: Error | undefined): void {
    this.isClosed = true
    this.#onClosed(error)
    this.#wakeUp()
  }

  #onFrame({ kind, msgID, methodID, bytes, headerStart, payloadStart, end }: IncomingFrame): boolean {
    if (kind < 0x80) this.receivedFrames++
    const header = Buffer.from(bytes.subarray(headerStart, payloadStart))
    const payload = Buffer.from(bytes.subarray(payloadStart, end))
    this.frames.push({ kind, msgID, methodID, header, payload })
    if (kind === Kind.ping && this.answersPings) this.send({ kind: Kind.pong, payload })
    return true
  }

  async #last(kind: number): Promise<FieldReader> {
    const { payload } = await this.next(kind)
    if (this.#settle === undefined) await this.closed
    else await this.#settle()
    if (!this.isClosed) throw new Error(`still open after ${kindName(kind)}`)
    return new FieldReader(payload, 0, payload.length)
  }

  #describe(): string {
    const frames = this.frames.map((frame) => kindName(frame.kind)).join(', ')
    return `${this.#receivedBytes} bytes: ${frames || this.#firstBytes.subarray(0, 32).toString('hex')}`
  }

  #wakeUp(): void {
    const woken = this.#wake
    this.#wake = []
    for (const wake of woken) wake()
  }
}
