// A byte stream within one process: what one end writes, the other reads on a later turn. It carries the calls of a
// replica to itself and of configurations that have no sockets, through the same frames as everything else.

import type { ByteStream, ByteStreamHandler, PeerIdentity, Runtime } from './runtime.ts'

class MemoryStream implements ByteStream {
  readonly remoteAddress: string
  readonly identity: PeerIdentity | undefined = undefined
  bufferedBytes = 0
  readonly #runtime: Runtime
  #other: MemoryStream | undefined
  #handler: ByteStreamHandler | undefined
  #pieces: Buffer[] = []
  #isScheduled = false
  #isEnding = false
  #isClosed = false

  constructor(runtime: Runtime, remoteAddress: string) {
    this.#runtime = runtime
    this.remoteAddress = remoteAddress
  }

  join(other: MemoryStream): void {
    this.#other = other
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler
    this.#runtime.afterReading(() => {
      if (!this.#isClosed) handler.onOpen()
    })
  }

  write(pieces: readonly Buffer[]): void {
    if (this.#isClosed || this.#isEnding) return
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.bufferedBytes += piece.length
    }
    this.#schedule()
  }

  end(): void {
    this.#isEnding = true
    this.#schedule()
  }

  destroy(): void {
    this.#pieces = []
    this.bufferedBytes = 0
    this.#close()
    const other = this.#other
    if (other !== undefined) this.#runtime.afterReading(() => other.#close())
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    this.#runtime.afterReading(this.#deliver)
  }

  readonly #deliver = (): void => {
    this.#isScheduled = false
    if (this.#isClosed) return
    const other = this.#other!
    const pieces = this.#pieces
    this.#pieces = []
    this.bufferedBytes = 0
    for (const piece of pieces) other.#receive(piece)
    if (pieces.length > 0 && !this.#isClosed) this.#handler?.onDrain()
    if (this.#isEnding && this.#pieces.length === 0) this.destroy()
  }

  #receive(piece: Buffer): void {
    if (!this.#isClosed) this.#handler?.onBytes(piece)
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handler?.onClose(undefined)
  }
}

/** The two ends of a stream in memory; `address` is what both say their other end is. */
export function memoryStreamPair(runtime: Runtime, address: string): [ByteStream, ByteStream] {
  const one = new MemoryStream(runtime, address)
  const other = new MemoryStream(runtime, address)
  one.join(other)
  other.join(one)
  return [one, other]
}
