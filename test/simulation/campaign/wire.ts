// The wire of a simulated world, watched from outside the product: every byte stream that a process dials or accepts is
// wrapped, its frames are decoded on both sides, and whoever listens is told, before the product is.

import type { NodeManager } from '../../../src/net/node-manager.ts'
import type {
  AcceptHandler,
  ByteStream,
  ByteStreamHandler,
  ListenAddress,
  ListeningPort,
  PeerIdentity,
  Runtime,
  Storage,
  Timer,
  TlsOptions,
} from '../../../src/net/runtime.ts'
import type { SimulatedHost } from '../../../src/testing/simulation/host.ts'
import { SimulatedStream } from '../../../src/testing/simulation/stream.ts'
import { FrameDecoder } from '../../../src/wire/decoder.ts'
import { PREFACE } from '../../../src/wire/frame.ts'
import type { IncomingFrame } from '../../../src/wire/incoming-frame.ts'
import { End, type Link, LinkMaker } from './link.ts'

/** Who is told what happens on the wire. Nobody may change anything. */
export interface WireListener {
  /** A process has written a whole frame. */
  onWritten?(end: End, frame: IncomingFrame): void
  /** A whole frame has arrived at a process, which has not seen it yet. */
  onRead?(end: End, frame: IncomingFrame): void
  /** A process has given up an end, or was told that it is gone. */
  onEndClosed?(end: End): void
  /** Both ends are closed. */
  onLinkClosed?(link: Link): void
}

/** More than any frame. */
const LENGTH_MAX = 2 ** 31

export class Wire {
  readonly #listeners: readonly WireListener[]
  readonly #links = new LinkMaker()
  readonly #open = new Set<End>()

  constructor(listeners: readonly WireListener[]) {
    this.#listeners = listeners
  }

  /** The runtime of a host's present life, with every stream watched. `manager` is asked for when it is needed. */
  watch(host: SimulatedHost, manager: () => NodeManager | undefined): Runtime {
    return new WatchedRuntime(host.runtime, (stream, side) => this.#wrap(stream, side, host, manager))
  }

  /** A process has ended without a word. */
  died(host: SimulatedHost): void {
    for (const end of [...this.#open]) if (end.host === host) this.#closed(end, true)
  }

  #wrap(
    stream: ByteStream,
    side: 'dialled' | 'accepted',
    host: SimulatedHost,
    manager: () => NodeManager | undefined,
  ): ByteStream {
    if (!(stream instanceof SimulatedStream)) return stream
    const end = new End(this.#links.linkOf(stream), side, host, stream.remoteAddress, manager)
    this.#open.add(end)
    const written = new FrameTap((frame) => {
      end.link.noteWritten(end, frame)
      for (const listener of this.#listeners) listener.onWritten?.(end, frame)
    })
    const read = new FrameTap((frame) => {
      end.link.noteRead(end, frame)
      for (const listener of this.#listeners) listener.onRead?.(end, frame)
    })
    return new WatchedStream(stream, {
      onWritten: (bytes) => written.push(bytes),
      read: (bytes, readOn) => {
        end.bytesRead += bytes.length
        read.push(bytes)
        readOn()
      },
      onClosed: () => this.#closed(end, false),
    })
  }

  #closed(end: End, hasDied: boolean): void {
    if (!this.#open.delete(end)) return
    end.isOpen = false
    end.hasDied = hasDied
    for (const listener of this.#listeners) listener.onEndClosed?.(end)
    const { link } = end
    const isOver = link.dialler?.isOpen !== true && link.acceptor?.isOpen !== true
    if (isOver) for (const listener of this.#listeners) listener.onLinkClosed?.(link)
  }
}

/** One direction of one connection, as frames: behind the preface. */
class FrameTap {
  readonly #decoder: FrameDecoder
  #prefaceLeft = PREFACE.length

  constructor(onFrame: (frame: IncomingFrame) => void) {
    const sink = {
      onFrame: (frame: IncomingFrame) => {
        onFrame(frame)
        return true
      },
    }
    this.#decoder = new FrameDecoder(sink, LENGTH_MAX)
  }

  push(bytes: Buffer): void {
    const skipped = Math.min(this.#prefaceLeft, bytes.length)
    this.#prefaceLeft -= skipped
    if (skipped < bytes.length) this.#decoder.push(bytes.subarray(skipped))
  }
}

interface StreamWatch {
  onWritten(bytes: Buffer): void
  read(bytes: Buffer, readOn: () => void): void
  onClosed(): void
}

class WatchedStream implements ByteStream {
  readonly remoteAddress: string
  readonly identity: PeerIdentity | undefined = undefined
  readonly #stream: ByteStream
  readonly #watch: StreamWatch

  constructor(stream: ByteStream, watch: StreamWatch) {
    this.remoteAddress = stream.remoteAddress
    this.#stream = stream
    this.#watch = watch
  }

  get bufferedBytes(): number {
    return this.#stream.bufferedBytes
  }

  start(handler: ByteStreamHandler): void {
    this.#stream.start({
      onOpen: () => handler.onOpen(),
      onBytes: (bytes) => this.#watch.read(bytes, () => handler.onBytes(bytes)),
      onDrain: () => handler.onDrain(),
      onClose: (error) => {
        this.#watch.onClosed()
        handler.onClose(error)
      },
    })
  }

  write(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#watch.onWritten(piece)
    this.#stream.write(pieces)
  }

  end(): void {
    this.#watch.onClosed()
    this.#stream.end()
  }

  destroy(): void {
    this.#watch.onClosed()
    this.#stream.destroy()
  }
}

type Wrap = (stream: ByteStream, side: 'dialled' | 'accepted') => ByteStream

class WatchedRuntime implements Runtime {
  readonly storage: Storage
  readonly #runtime: Runtime
  readonly #wrap: Wrap

  constructor(runtime: Runtime, wrap: Wrap) {
    this.storage = runtime.storage
    this.#runtime = runtime
    this.#wrap = wrap
  }

  now(): number {
    return this.#runtime.now()
  }

  wallTime(): number {
    return this.#runtime.wallTime()
  }

  startTimer(delayMs: number, callback: () => void): Timer {
    return this.#runtime.startTimer(delayMs, callback)
  }

  afterJobs(callback: () => void): void {
    this.#runtime.afterJobs(callback)
  }

  afterReading(callback: () => void): void {
    this.#runtime.afterReading(callback)
  }

  random(): number {
    return this.#runtime.random()
  }

  randomBytes(count: number): Buffer {
    return this.#runtime.randomBytes(count)
  }

  dial(host: string, port: number, tls: TlsOptions | undefined): ByteStream {
    return this.#wrap(this.#runtime.dial(host, port, tls), 'dialled')
  }

  listen(address: ListenAddress, tls: TlsOptions | undefined, handler: AcceptHandler): Promise<ListeningPort> {
    return this.#runtime.listen(address, tls, {
      onStream: (stream) => handler.onStream(this.#wrap(stream, 'accepted')),
      onError: (error) => handler.onError(error),
    })
  }
}
