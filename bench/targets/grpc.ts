// What both grpc-js targets share: the package, its options, the service, and the connection to each node. The parts of
// grpc-js that are used are declared here, because the project does not install it.

import { decodeMessage, encodeMessage, type Message } from './message.ts'
import { packageVersion, requirePeer } from './project.ts'
import type { RunningServer, ServeOptions } from './target.ts'

export const GRPC = '@grpc/grpc-js'

/** A stream as node:stream has it; only what is used. */
export interface GrpcStream<Out, In> {
  write(message: Out): boolean
  on(event: 'data', listener: (message: In) => void): this
  on(event: 'error', listener: (error: Error) => void): this
  on(event: 'end', listener: () => void): this
  end(): void
  cancel(): void
}

type UnaryCallback<T> = (error: Error | null, reply: T | undefined) => void

export interface GrpcClient {
  makeUnaryRequest<In, Out>(
    path: string,
    serialize: (message: In) => Buffer,
    deserialize: (bytes: Buffer) => Out,
    message: In,
    callback: UnaryCallback<Out>,
  ): void
  makeBidiStreamRequest<In, Out>(
    path: string,
    serialize: (message: In) => Buffer,
    deserialize: (bytes: Buffer) => Out,
  ): GrpcStream<In, Out>
  waitForReady(deadline: Date, callback: (error?: Error) => void): void
  close(): void
}

interface GrpcServer {
  addService(definition: object, implementation: object): void
  bindAsync(address: string, credentials: object, callback: (error: Error | null, port: number) => void): void
  forceShutdown(): void
}

interface GrpcPackage {
  readonly Client: new (address: string, credentials: object, options: object) => GrpcClient
  readonly Server: new (options: object) => GrpcServer
  readonly credentials: { createInsecure(): object }
  readonly ServerCredentials: { createInsecure(): object }
}

export const UNARY_PATH = '/bench.Bench/Unary'
export const STREAM_PATH = '/bench.Bench/Stream'
const READY_TIMEOUT_MS = 5_000
/** Enough that HTTP/2 windows never hold a large message up. */
const WINDOW_BYTES = 8 * 1024 * 1024

export function grpcOptions(): object {
  return {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    'grpc.use_local_subchannel_pool': 1,
  }
}

export function describeGrpc(how: string, code: string): { version: string; options: string; code: string } {
  return {
    version: `grpc-js ${packageVersion(GRPC)}, messages by protobufjs ${packageVersion('protobufjs')}`,
    options: `${how}; noDelay (grpc-js sets it), no TLS, flow_control_window 8 MiB, no message limits, no deadline, one channel per node`,
    code,
  }
}

/** Encodes what is sent once for all nodes: what goes to the channels is bytes already. */
export function serializeBytes(bytes: Buffer): Buffer {
  return bytes
}

export function encode(message: Message): Buffer {
  return encodeMessage(message)
}

export function decode(bytes: Buffer): Message {
  return decodeMessage(bytes)
}

export async function serveGrpc(
  options: ServeOptions,
  methods: Readonly<Record<string, object>>,
  handlers: object,
): Promise<RunningServer> {
  const grpc = requirePeer(GRPC) as GrpcPackage
  const server = new grpc.Server(grpcOptions())
  server.addService(methods, handlers)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return {
    address: `${options.host}:${port}`,
    takeReceived: () => {
      throw new TypeError('grpc-js targets have no one-way messages')
    },
    close: async () => server.forceShutdown(),
  }
}

/** A channel to each node, connected. Rejects, naming the node, when one can not be had. */
export async function connectGrpc(addresses: readonly string[]): Promise<GrpcClient[]> {
  const grpc = requirePeer(GRPC) as GrpcPackage
  const clients = addresses.map((address) => new grpc.Client(address, grpc.credentials.createInsecure(), grpcOptions()))
  try {
    await Promise.all(clients.map((client, position) => ready(client, addresses[position]!)))
  } catch (error) {
    for (const client of clients) client.close()
    throw error
  }
  return clients
}

function ready(client: GrpcClient, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(new Date(Date.now() + READY_TIMEOUT_MS), (error) =>
      error === undefined
        ? resolve()
        : reject(
            new Error(`can not be connected to: node ${address}: ${error.message} (within ${READY_TIMEOUT_MS} ms)`),
          ),
    )
  })
}

/** Fails when more nodes have than a quorum can do without. */
export class Votes {
  readonly #quorum: number
  readonly #failuresMax: number
  readonly #resolve: (replies: readonly Message[]) => void
  readonly #reject: (error: Error) => void
  readonly #replies: Message[] = []
  #failures = 0

  constructor(
    nodes: number,
    quorum: number,
    resolve: (replies: readonly Message[]) => void,
    reject: (error: Error) => void,
  ) {
    this.#quorum = quorum
    this.#failuresMax = nodes - quorum
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Whether every node has been heard of, or enough: later ones change nothing. */
  reply(message: Message): boolean {
    if (this.#replies.length === this.#quorum) return true
    this.#replies.push(message)
    if (this.#replies.length < this.#quorum) return false
    this.#resolve(this.#replies)
    return true
  }

  fail(error: Error): void {
    if (++this.#failures > this.#failuresMax) this.#reject(error)
  }
}
