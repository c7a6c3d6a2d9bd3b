// A Runtime whose clock stands still until a test moves it, and whose byte streams are in memory and under the test's
// control: a dial is answered, refused or left hanging by hand, and a stream can stop taking bytes. Bytes flow by
// themselves; only time does not. It simulates no network faults beyond these.

import { nodeRuntime } from '../../src/net/node-runtime.ts'
import type {
  AcceptHandler,
  ByteStream,
  ByteStreamHandler,
  ListenAddress,
  ListeningPort,
  PeerIdentity,
  Runtime,
  Timer,
  TlsOptions,
} from '../../src/net/runtime.ts'

const FIRST_PORT = 40_000
/** Node's sockets tell of a drain only after more than this was buffered, bytes. */
const HIGH_WATER_BYTES = 16 * 1024
/** Turns without any work after which nothing more is expected to happen by itself. */
const QUIET_TURNS = 3

interface PendingTimer {
  readonly at: number
  readonly callback: () => void
}

/** One end of a stream in memory. */
export class VirtualStream implements ByteStream {
  readonly remoteAddress: string
  identity: PeerIdentity | undefined
  other: VirtualStream | undefined
  /** Whether what this end writes is taken; otherwise it stays buffered here. */
  isTaking = true
  isClosed = false
  readonly #runtime: VirtualRuntime
  #handler: ByteStreamHandler | undefined
  #pieces: Buffer[] = []
  #isOpen = false
  #isEnding = false
  #tellsDrain = false

  constructor(runtime: VirtualRuntime, remoteAddress: string) {
    this.#runtime = runtime
    this.remoteAddress = remoteAddress
  }

  get bufferedBytes(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0)
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler
    if (this.#isOpen) this.#runtime.afterReading(() => this.#handlerNow()?.onOpen())
  }

  open(): void {
    this.#isOpen = true
    if (this.#handler !== undefined) this.#runtime.afterReading(() => this.#handlerNow()?.onOpen())
  }

  /** Closes this end as a failed attempt or a reset connection does. */
  fail(error: Error | undefined): void {
    this.#close(error)
  }

  write(pieces: readonly Buffer[]): void {
    if (this.isClosed || this.#isEnding) return
    this.#pieces.push(...pieces.map((piece) => Buffer.from(piece)))
    if (this.bufferedBytes >= HIGH_WATER_BYTES) this.#tellsDrain = true
    this.#runtime.afterReading(() => {
      if (this.isTaking) this.take(Infinity)
    })
  }

  /** Lets up to `bytes` of what is buffered through. */
  take(bytes: number): void {
    let left = bytes
    while (left > 0 && this.#pieces.length > 0 && !this.isClosed) {
      const piece = this.#pieces.shift()!
      if (piece.length > left) this.#pieces.unshift(piece.subarray(left))
      this.other?.receive(piece.subarray(0, Math.min(left, piece.length)))
      left -= piece.length
    }
    if (this.#pieces.length > 0 || this.isClosed) return
    if (this.#isEnding) this.destroy()
    if (!this.#tellsDrain) return
    this.#tellsDrain = false
    this.#handlerNow()?.onDrain()
  }

  receive(bytes: Buffer): void {
    this.#handlerNow()?.onBytes(bytes)
  }

  end(): void {
    this.#isEnding = true
    this.#runtime.afterReading(() => {
      if (this.#pieces.length === 0) this.destroy()
    })
  }

  destroy(): void {
    this.#pieces = []
    this.#close(undefined)
    this.#runtime.afterReading(() => this.other?.fail(undefined))
  }

  #handlerNow(): ByteStreamHandler | undefined {
    return this.isClosed ? undefined : this.#handler
  }

  #close(error: Error | undefined): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#handler?.onClose(error)
  }
}

/** An attempt to connect, as the test sees it. Until it is answered it hangs. */
export class VirtualDial {
  readonly host: string
  readonly port: number
  readonly at: number
  readonly stream: VirtualStream
  readonly #runtime: VirtualRuntime

  constructor(runtime: VirtualRuntime, host: string, port: number) {
    this.#runtime = runtime
    this.host = host
    this.port = port
    this.at = runtime.now()
    this.stream = new VirtualStream(runtime, `${host}:${port}`)
  }

  /** Connects it; returns the other end. */
  accept(): VirtualStream {
    const other = new VirtualStream(this.#runtime, 'dialler:1')
    this.stream.other = other
    other.other = this.stream
    this.stream.open()
    other.open()
    return other
  }

  /** Connects it to itself, as TCP does when both ends of a connection are the same port. */
  loopBack(): void {
    this.stream.other = this.stream
    this.stream.open()
  }

  refuse(message = 'connect ECONNREFUSED'): void {
    this.#runtime.afterReading(() => this.stream.fail(new Error(message)))
  }
}

export class VirtualRuntime implements Runtime {
  /** Nothing that is tested on a virtual clock keeps anything. */
  readonly storage = nodeRuntime.storage
  /** Every attempt to connect so far. */
  readonly dials: VirtualDial[] = []
  /** The delays of all timers that were started, in order. */
  readonly delays: number[] = []
  /** Answers attempts; by default those to a listening port are accepted and others hang. */
  onDial: (dial: VirtualDial) => void = (dial) => this.#toListener(dial)
  /** What `random()` gives. */
  nextRandom: () => number = () => 0.5
  #now = 1_000
  #timers: PendingTimer[] = []
  #pending = 0
  #bytesMade = 0
  readonly #listeners = new Map<number, AcceptHandler>()

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#now
  }

  startTimer(delayMs: number, callback: () => void): Timer {
    this.delays.push(delayMs)
    const timer = { at: this.#now + Math.max(delayMs, 0), callback }
    this.#timers.push(timer)
    return { cancel: () => this.#remove(timer) }
  }

  afterJobs(callback: () => void): void {
    process.nextTick(callback)
  }

  afterReading(callback: () => void): void {
    this.#pending++
    setImmediate(() => {
      this.#pending--
      callback()
    })
  }

  random(): number {
    return this.nextRandom()
  }

  randomBytes(count: number): Buffer {
    const bytes = Buffer.alloc(count)
    bytes.writeUInt32BE(++this.#bytesMade, count - 4)
    return bytes
  }

  dial(host: string, port: number, _tls: TlsOptions | undefined): ByteStream {
    const dial = new VirtualDial(this, host, port)
    this.dials.push(dial)
    this.onDial(dial)
    return dial.stream
  }

  async listen(address: ListenAddress, _tls: TlsOptions | undefined, handler: AcceptHandler): Promise<ListeningPort> {
    const port = address.port ?? FIRST_PORT + this.#listeners.size
    this.#listeners.set(port, handler)
    return { host: '127.0.0.1', port, close: async () => void this.#listeners.delete(port) }
  }

  /** Connects a stranger to a listening port; returns the stranger's end. */
  connect(port: number, identity?: PeerIdentity): VirtualStream {
    const stranger = new VirtualStream(this, `127.0.0.1:${port}`)
    const accepted = new VirtualStream(this, '127.0.0.1:50000')
    stranger.other = accepted
    accepted.other = stranger
    accepted.identity = identity
    this.#listeners.get(port)!.onStream(accepted)
    accepted.open()
    stranger.open()
    return stranger
  }

  /** How many timers stand. */
  get timerCount(): number {
    return this.#timers.length
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.#pending === 0 ? quiet + 1 : 0)
      await new Promise((resolve) => setImmediate(resolve))
  }

  /** Moves the clock, timer by timer, with everything that each of them sets off. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    for (let timer = this.#firstUntil(end); timer !== undefined; timer = this.#firstUntil(end)) {
      this.#now = Math.max(this.#now, timer.at)
      this.#remove(timer)
      timer.callback()
      await this.settle()
    }
    this.#now = end
  }

  /** Moves the clock while the process stands still: every timer that is due fires late, before anything is read. */
  async pause(ms: number): Promise<void> {
    this.#now += ms
    for (let timer = this.#firstUntil(this.#now); timer !== undefined; timer = this.#firstUntil(this.#now)) {
      this.#remove(timer)
      timer.callback()
    }
    await this.settle()
  }

  #toListener(dial: VirtualDial): void {
    const handler = this.#listeners.get(dial.port)
    if (handler === undefined) return
    handler.onStream(dial.accept())
  }

  #firstUntil(end: number): PendingTimer | undefined {
    let first: PendingTimer | undefined
    for (const timer of this.#timers) if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer
    return first
  }

  #remove(timer: PendingTimer): void {
    const index = this.#timers.indexOf(timer)
    if (index >= 0) this.#timers.splice(index, 1)
  }
}
