// The floor: bare node:net sockets that carry lengths and ids. What is written in one tick goes out as one write, the same
// bytes to every node; servers send back what they read without looking at it; the client counts to the quorum. No
// framework on node:net can be much faster, and none can do less.

import net from 'node:net'
import { makePayload } from './message.ts'
import { ReceivedCounter } from './received.ts'
import type { ConnectOptions, RunningServer, ServeOptions, Target, TargetClient } from './target.ts'

/** u32 length of the payload, u32 id of the call. */
const HEADER = 8
const BATCH_BYTES = 64 * 1024
/** Payloads from here on are not copied into the batch: header and payload go out in one vectored write. */
const BY_REFERENCE = 16 * 1024
const READ_BYTES = 64 * 1024

export const floorTarget: Target = {
  name: 'floor',
  title: 'floor (bare node:net)',
  operations: ['echo', 'multicast', 'rpc'],
  describe: () => ({
    version: `node:net of Node.js ${process.version}`,
    options: 'noDelay; one write per tick and node; no codec, no errors, no limits, no deadlines, no reconnecting',
    code: 'bench/targets/floor.ts',
  }),
  serve,
  connect,
}

function serve(options: ServeOptions): Promise<RunningServer> {
  const received = new ReceivedCounter()
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    if (options.operation === 'multicast')
      socket.on(
        'data',
        frameCounter((count) => received.add(count)),
      )
    else socket.on('data', (chunk) => socket.write(chunk))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      const { address, port } = server.address() as net.AddressInfo
      resolve({
        address: `${address}:${port}`,
        takeReceived: () => received.take(),
        close() {
          for (const socket of sockets) socket.destroy()
          return new Promise((closed) => server.close(() => closed()))
        },
      })
    })
  })
}

/** Counts the frames whose first byte has arrived, by their lengths alone. */
function frameCounter(onFrames: (count: number) => void): (chunk: Buffer) => void {
  const reader = new FrameReader()
  return (chunk) => {
    let count = 0
    reader.read(chunk, chunk.length, () => {
      count++
    })
    if (count > 0) onFrames(count)
  }
}

/** Finds frames in what arrives: reads headers, skips payloads. */
class FrameReader {
  readonly #header = Buffer.alloc(HEADER)
  #headerBytes = 0
  #skip = 0
  #id = 0
  #length = 0

  read(bytes: Buffer, end: number, onFrame: (id: number, length: number) => void): void {
    let at = 0
    while (at < end) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, end - at)
        at += skipped
        this.#skip -= skipped
        if (this.#skip === 0) onFrame(this.#id, this.#length)
        continue
      }
      if (this.#headerBytes === 0 && end - at >= HEADER) {
        this.#begin(bytes, at)
        at += HEADER
      } else {
        const taken = Math.min(HEADER - this.#headerBytes, end - at)
        bytes.copy(this.#header, this.#headerBytes, at, at + taken)
        at += taken
        this.#headerBytes += taken
        if (this.#headerBytes < HEADER) return
        this.#headerBytes = 0
        this.#begin(this.#header, 0)
      }
      if (this.#skip === 0) onFrame(this.#id, this.#length)
    }
  }

  #begin(bytes: Buffer, at: number): void {
    this.#length = bytes.readUInt32LE(at)
    this.#id = bytes.readUInt32LE(at + 4)
    this.#skip = this.#length
  }
}

async function connect(addresses: readonly string[], options: ConnectOptions): Promise<TargetClient> {
  const client = new FloorClient(options)
  try {
    await Promise.all(addresses.map((address) => client.add(address)))
  } catch (error) {
    await client.close()
    throw error
  }
  return client
}

interface Pending {
  left: number
  readonly resolve: () => void
}

class FloorClient implements TargetClient {
  readonly #sockets: net.Socket[] = []
  readonly #payload: Buffer
  readonly #quorum: number
  readonly #isOneWay: boolean
  readonly #pending = new Map<number, Pending>()
  #nextID = 1
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #batchBytes = 0
  #isFlushDue = false
  readonly #flush = (): void => this.#flushNow()
  #confirming: (() => void)[] = []

  constructor({ payloadBytes, quorum, operation }: ConnectOptions) {
    this.#payload = makePayload(payloadBytes)
    this.#quorum = quorum
    this.#isOneWay = operation === 'multicast'
  }

  add(address: string): Promise<void> {
    const [host, port] = [
      address.slice(0, address.lastIndexOf(':')),
      Number(address.slice(address.lastIndexOf(':') + 1)),
    ]
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
      const reader = new FrameReader()
      const onFrame = (id: number, length: number): void => this.#onReply(id, length)
      const socket = net.connect({
        host,
        port,
        noDelay: true,
        onread: {
          buffer,
          callback: (bytes) => {
            reader.read(buffer, bytes, onFrame)
            return true
          },
        },
      })
      socket.once('connect', () => {
        this.#sockets.push(socket)
        resolve()
      })
      socket.on('error', (error) => reject(new Error(`can not be connected to: node ${address}: ${error.message}`)))
    })
  }

  call(): Promise<unknown> {
    if (this.#isOneWay) {
      this.#append(this.#nextID++)
      return new Promise<void>((resolve) => this.#confirming.push(resolve))
    }
    const id = this.#nextID++
    this.#append(id)
    return new Promise<void>((resolve) => this.#pending.set(id, { left: this.#quorum, resolve }))
  }

  check(): void {}

  send(): void {
    this.#append(this.#nextID++)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
  }

  #append(id: number): void {
    const payload = this.#payload
    if (payload.length >= BY_REFERENCE) {
      this.#flushNow()
      this.#writeByReference(id)
      return
    }
    const at = this.#batchBytes
    this.#batch.writeUInt32LE(payload.length, at)
    this.#batch.writeUInt32LE(id, at + 4)
    payload.copy(this.#batch, at + HEADER)
    this.#batchBytes = at + HEADER + payload.length
    if (this.#batchBytes + HEADER + payload.length > BATCH_BYTES) this.#flushNow()
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    process.nextTick(this.#flush)
  }

  #writeByReference(id: number): void {
    const header = Buffer.allocUnsafe(HEADER)
    header.writeUInt32LE(this.#payload.length, 0)
    header.writeUInt32LE(id, 4)
    for (const socket of this.#sockets) {
      socket.cork()
      socket.write(header)
      socket.write(this.#payload)
      socket.uncork()
    }
  }

  #flushNow(): void {
    this.#isFlushDue = false
    this.#writeBatch()
  }

  #writeBatch(): void {
    if (this.#batchBytes === 0) return
    const bytes = this.#batch.subarray(0, this.#batchBytes)
    const confirming = this.#confirming
    let left = confirming.length === 0 ? 0 : this.#sockets.length
    const onWritten = (): void => {
      if (--left === 0) for (const resolve of confirming) resolve()
    }
    if (left > 0) this.#confirming = []
    let isKept = false
    for (const socket of this.#sockets) {
      if (left > 0) socket.write(bytes, onWritten)
      else socket.write(bytes)
      // What the kernel has taken at once can be written over.
      isKept ||= socket.writableLength > 0
    }
    if (isKept) this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES)
    this.#batchBytes = 0
  }

  #onReply(id: number, length: number): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    if (length !== this.#payload.length) throw new Error(`floor: a reply has ${length} bytes`)
    if (--pending.left > 0) return
    this.#pending.delete(id)
    pending.resolve()
  }
}
