// The floor: bare node:net sockets that carry lengths and ids. What is written to a node in one tick goes out as one write;
// servers send back what they read without looking at it; the client counts to the quorum. Each node has a buffer of its
// own, as everything must that goes on when one of them is slow. The shared floor has one buffer for all: it does less than
// quorum calls need, and shows what that costs.

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

export const floorTarget = makeFloor('floor', 'floor (bare node:net)', false)
export const sharedFloorTarget = makeFloor('floor-shared', 'floor with one buffer for all nodes', true)

function makeFloor(name: string, title: string, isShared: boolean): Target {
  return {
    name,
    title,
    operations: ['echo', 'multicast', 'rpc'],
    describe: () => ({
      version: `node:net of Node.js ${process.version}`,
      options: `noDelay, onread into one buffer; one write per tick and node, ${isShared ? 'the same buffer for all nodes' : 'a buffer per node'}; no codec, no errors, no limits, no deadlines, no reconnecting`,
      code: 'bench/targets/floor.ts',
    }),
    serve,
    connect: (addresses, options) => connect(addresses, options, isShared),
  }
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

async function connect(
  addresses: readonly string[],
  options: ConnectOptions,
  isShared: boolean,
): Promise<TargetClient> {
  const client = new FloorClient(options, isShared)
  try {
    await Promise.all(addresses.map((address) => client.add(address)))
  } catch (error) {
    await client.close()
    throw error
  }
  return client
}

/** What goes out in one tick, to one node or to several. */
class Batch {
  readonly sockets: net.Socket[] = []
  #buffer = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #bytes = 0
  #isFlushDue = false
  #confirming: (() => void)[] = []
  readonly #onTick = (): void => this.#flush()

  append(id: number, payload: Buffer): void {
    if (payload.length >= BY_REFERENCE) {
      this.#flush()
      this.#writeByReference(id, payload)
      return
    }
    if (this.#bytes + HEADER + payload.length > BATCH_BYTES) this.#flush()
    const at = this.#bytes
    this.#buffer.writeUInt32LE(payload.length, at)
    this.#buffer.writeUInt32LE(id, at + 4)
    payload.copy(this.#buffer, at + HEADER)
    this.#bytes = at + HEADER + payload.length
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    process.nextTick(this.#onTick)
  }

  /** Calls back once what has been appended was written. */
  confirm(onWritten: () => void): void {
    this.#confirming.push(onWritten)
  }

  #writeByReference(id: number, payload: Buffer): void {
    const header = Buffer.allocUnsafe(HEADER)
    header.writeUInt32LE(payload.length, 0)
    header.writeUInt32LE(id, 4)
    for (const socket of this.sockets) {
      socket.cork()
      socket.write(header)
      socket.write(payload)
      socket.uncork()
    }
  }

  #flush(): void {
    this.#isFlushDue = false
    if (this.#bytes === 0) return
    const bytes = this.#buffer.subarray(0, this.#bytes)
    const confirming = this.#confirming
    this.#confirming = []
    let left = this.sockets.length
    const onWritten = (): void => {
      if (--left === 0) for (const confirm of confirming) confirm()
    }
    let isKept = false
    for (const socket of this.sockets) {
      if (confirming.length > 0) socket.write(bytes, onWritten)
      else socket.write(bytes)
      // What the kernel has taken at once can be written over.
      isKept ||= socket.writableLength > 0
    }
    if (isKept) this.#buffer = Buffer.allocUnsafeSlow(BATCH_BYTES)
    this.#bytes = 0
  }
}

interface Pending {
  left: number
  readonly resolve: () => void
}

class FloorClient implements TargetClient {
  readonly #sockets: net.Socket[] = []
  readonly #batches: Batch[] = []
  readonly #payload: Buffer
  readonly #quorum: number
  readonly #isOneWay: boolean
  readonly #isShared: boolean
  readonly #pending = new Map<number, Pending>()
  #nextID = 1

  constructor({ payloadBytes, quorum, operation }: ConnectOptions, isShared: boolean) {
    this.#payload = makePayload(payloadBytes)
    this.#quorum = quorum
    this.#isOneWay = operation === 'multicast'
    this.#isShared = isShared
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
        if (!this.#isShared || this.#batches.length === 0) this.#batches.push(new Batch())
        this.#batches.at(-1)!.sockets.push(socket)
        resolve()
      })
      socket.on('error', (error) => reject(new Error(`can not be connected to: node ${address}: ${error.message}`)))
    })
  }

  call(): Promise<unknown> {
    const id = this.#nextID++
    for (const batch of this.#batches) batch.append(id, this.#payload)
    if (!this.#isOneWay) return new Promise<void>((resolve) => this.#pending.set(id, { left: this.#quorum, resolve }))
    return new Promise<void>((resolve) => {
      let left = this.#batches.length
      for (const batch of this.#batches)
        batch.confirm(() => {
          if (--left === 0) resolve()
        })
    })
  }

  check(): void {}

  send(): void {
    const id = this.#nextID++
    for (const batch of this.#batches) batch.append(id, this.#payload)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
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
