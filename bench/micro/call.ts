// Whole calls over streams in memory: everything that a call costs except sockets. Beside them the simplest thing with the
// same outcome: frames of an id and the payload over the same streams, a Map of promises, a server that sends them back.
// One operation is one call to all nodes.

import { type Configuration, quorumCall, service } from 'gorums'
import { testConfiguration } from 'gorums/testing'
import { memoryStreamPair } from '../../src/net/memory-stream.ts'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import type { ByteStream } from '../../src/net/runtime.ts'
import { type Candidate, compare } from './comparison.ts'

interface Value {
  readonly bytes: Uint8Array
}

const Echo = service('bench.Echo', { echo: quorumCall<Value, Value>() })
const PAYLOAD: Value = { bytes: new Uint8Array(16).fill(7) }
const CALLS = 256

/** Makes CALLS calls, `inFlight` at a time, and adds up what they bring. */
async function manyCalls(inFlight: number, call: () => Promise<number>): Promise<number> {
  let left = CALLS
  let sum = 0
  const caller = async (): Promise<void> => {
    while (left-- > 0) sum += await call()
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return sum
}

function ours(configuration: Configuration, inFlight: number, need: number): Candidate {
  const client = configuration.client(Echo)
  const call = async (): Promise<number> => {
    let bytes = 0
    for (const [, reply] of await client.echo(PAYLOAD).threshold(need)) bytes += reply.bytes.length
    return bytes
  }
  return { name: 'quorum call (gorums)', run: () => manyCalls(inFlight, call) }
}

/** A call that waits: how many bytes have come, from how many nodes, and whom to tell. */
interface Waiting {
  bytes: number
  missing: number
  readonly resolve: (bytes: number) => void
}

const FRAME_BYTES = 4 + PAYLOAD.bytes.length

/** Calls over bare streams: ids and bytes of one size, nothing else. */
class BareClient {
  readonly #streams: ByteStream[] = []
  readonly #waiting = new Map<number, Waiting>()
  #nextID = 1

  constructor(nodes: number) {
    for (let node = 0; node < nodes; node++) {
      const [own, served] = memoryStreamPair(nodeRuntime, `node ${node + 1}`)
      served.start({ ...QUIET, onBytes: (bytes) => served.write([Buffer.from(bytes)]) })
      own.start({ ...QUIET, onBytes: (bytes) => this.#onBytes(bytes) })
      this.#streams.push(own)
    }
  }

  call(payload: Uint8Array, need: number): Promise<number> {
    const id = this.#nextID++
    const frame = Buffer.allocUnsafe(FRAME_BYTES)
    frame.writeUInt32BE(id, 0)
    frame.set(payload, 4)
    for (const stream of this.#streams) stream.write([frame])
    return new Promise((resolve) => {
      this.#waiting.set(id, { bytes: 0, missing: need, resolve })
    })
  }

  #onBytes(bytes: Buffer): void {
    const id = bytes.readUInt32BE(0)
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    waiting.bytes += bytes.length - 4
    if (--waiting.missing > 0) return
    this.#waiting.delete(id)
    waiting.resolve(waiting.bytes)
  }
}

const QUIET = { onOpen(): void {}, onDrain(): void {}, onClose(): void {} }

function bare(nodes: number, inFlight: number, need: number): Candidate {
  const client = new BareClient(nodes)
  return {
    name: 'ids, bytes, a Map of promises',
    run: () => manyCalls(inFlight, () => client.call(PAYLOAD.bytes, need)),
  }
}

for (const nodes of [1, 3, 5]) {
  const ids = Array.from({ length: nodes }, (_, index) => `n${index + 1}`)
  const configuration = await testConfiguration(
    Echo,
    Object.fromEntries(ids.map((id) => [id, { echo: (request: Value) => request }])),
  )
  const need = Math.floor(nodes / 2) + 1
  for (const inFlight of [1, 64]) {
    const title = `a call to ${nodes} node${nodes > 1 ? 's' : ''}, ${need} to answer, ${inFlight} in flight`
    await compare(title, CALLS, [bare(nodes, inFlight, need), ours(configuration, inFlight, need)])
  }
  await configuration.close()
}
