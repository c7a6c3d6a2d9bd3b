// The floor: bare node:net sockets that carry lengths and ids. What is written to a node in one tick goes out as one write;
// servers send back what they read without looking at it; the client counts to the quorum. Each node has a buffer of its
// own, as everything must that goes on when one of them is slow. The shared floor has one buffer for all: it does less than
// quorum calls need, and shows what that costs. The keeping floor hands payloads over as values on both sides: it does what
// every framework must, and shows what that costs.

import net from 'node:net'
import { Batch, FrameReader, PayloadReader } from './floor-frames.ts'
import { makePayload } from './payload.ts'
import { ReceivedCounter } from './received.ts'
import type { ConnectOptions, RunningServer, ServeOptions, Target, TargetClient } from './target.ts'

const READ_BYTES = 64 * 1024

/** What a floor does more, or less, than the others. */
interface Variant {
  /** One buffer for all nodes. */
  readonly isShared?: boolean
  /** Payloads are put together and handed over, as values that stay; servers send them back as they are. */
  readonly isKeeping?: boolean
}

export const floorTarget = makeFloor('floor', 'floor (bare node:net)', {})
export const sharedFloorTarget = makeFloor('floor-shared', 'floor with one buffer for all nodes', { isShared: true })
export const keepingFloorTarget = makeFloor('floor-kept', 'floor that hands payloads over', { isKeeping: true })

function makeFloor(name: string, title: string, variant: Variant): Target {
  const buffers = variant.isShared ? 'the same buffer for all nodes' : 'a buffer per node'
  const payloads = variant.isKeeping ? 'payloads copied out of read buffers' : 'payloads skipped'
  return {
    name,
    title,
    operations: ['echo', 'multicast', 'rpc'],
    describe: () => ({
      version: `node:net of Node.js ${process.version}`,
      options: `noDelay, onread into one buffer; one write per tick and node, ${buffers}; ${payloads}; no codec, no errors, no limits, no deadlines, no reconnecting`,
      code: 'bench/targets/floor.ts',
    }),
    serve: (options) => serve(options, variant),
    connect: (addresses, options) => connect(addresses, options, variant),
  }
}

function serve(options: ServeOptions, variant: Variant): Promise<RunningServer> {
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
    else if (variant.isKeeping) sendBackPayloads(socket)
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

/** Sends back what it has been handed over, without a copy of large payloads. */
function sendBackPayloads(socket: net.Socket): void {
  const replies = new Batch()
  replies.sockets.push(socket)
  const reader = new PayloadReader((id, payload) => replies.append(id, payload))
  socket.on('data', (chunk) => reader.read(chunk, chunk.length))
}

async function connect(addresses: readonly string[], options: ConnectOptions, variant: Variant): Promise<TargetClient> {
  const client = new FloorClient(options, variant)
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
  readonly #batches: Batch[] = []
  readonly #payload: Buffer
  readonly #quorum: number
  readonly #isOneWay: boolean
  readonly #variant: Variant
  readonly #pending = new Map<number, Pending>()
  #nextID = 1

  constructor({ payloadBytes, quorum, operation }: ConnectOptions, variant: Variant) {
    this.#payload = makePayload(payloadBytes)
    this.#quorum = quorum
    this.#isOneWay = operation === 'multicast'
    this.#variant = variant
  }

  add(address: string): Promise<void> {
    const [host, port] = [
      address.slice(0, address.lastIndexOf(':')),
      Number(address.slice(address.lastIndexOf(':') + 1)),
    ]
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
      const read = this.#makeReader()
      const socket = net.connect({
        host,
        port,
        noDelay: true,
        onread: {
          buffer,
          callback: (bytes) => {
            read(buffer, bytes)
            return true
          },
        },
      })
      socket.once('connect', () => {
        this.#sockets.push(socket)
        if (!this.#variant.isShared || this.#batches.length === 0) this.#batches.push(new Batch())
        this.#batches.at(-1)!.sockets.push(socket)
        resolve()
      })
      socket.on('error', (error) => reject(new Error(`can not be connected to: node ${address}: ${error.message}`)))
    })
  }

  #makeReader(): (bytes: Buffer, end: number) => void {
    if (this.#variant.isKeeping) {
      const reader = new PayloadReader((id, payload) => this.#onReply(id, payload.length))
      return (bytes, end) => reader.read(bytes, end)
    }
    const reader = new FrameReader()
    const onFrame = (id: number, length: number): void => this.#onReply(id, length)
    return (bytes, end) => reader.read(bytes, end, onFrame)
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
