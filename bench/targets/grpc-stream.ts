// grpc-js as an expert would write quorum calls, and as Gorums does in Go: one ordered bidirectional stream per node, which
// stays open, and an id in each message that says which call a reply belongs to.

import {
  connectGrpc,
  decode,
  describeGrpc,
  encode,
  GRPC,
  type GrpcStream,
  STREAM_PATH,
  serializeBytes,
  serveGrpc,
  Votes,
} from './grpc.ts'
import type { Message } from './message.ts'
import { checkPayload, makePayload } from './payload.ts'
import type { ConnectOptions, RunningServer, ServeOptions, Target, TargetClient } from './target.ts'

export const grpcStreamTarget: Target = {
  name: 'grpc-stream',
  title: 'grpc-js, one ordered stream per node',
  operations: ['echo', 'write', 'slow', 'rpc'],
  needs: GRPC,
  describe: () =>
    describeGrpc(
      'one bidirectional stream per node with ids in the messages, request encoded once for all nodes, quorum counted in the client',
      'bench/targets/grpc-stream.ts',
    ),
  serve,
  connect,
}

function serve(options: ServeOptions): Promise<RunningServer> {
  const method = {
    path: STREAM_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  }
  const stream = (call: GrpcStream<Message, Message>): void => {
    call.on('data', (message) => {
      if (options.operation === 'write') call.write({ id: message.id!, payload: NOTHING })
      else if (options.operation === 'slow') setTimeout(() => call.write(message), options.delayMs)
      else call.write(message)
    })
    call.on('error', () => {})
    call.on('end', () => call.end())
  }
  return serveGrpc(options, { stream: method }, { stream })
}

const NOTHING = new Uint8Array(0)

async function connect(addresses: readonly string[], options: ConnectOptions): Promise<TargetClient> {
  const isRpc = options.operation === 'rpc'
  const nodes = await connectGrpc(isRpc ? addresses.slice(0, 1) : addresses)
  const expectedBytes = options.operation === 'write' ? 0 : options.payloadBytes
  const payload = makePayload(options.payloadBytes)
  const pending = new Map<number, Votes>()
  const streams = nodes.map((node) => {
    const stream = node.makeBidiStreamRequest(STREAM_PATH, serializeBytes, decode)
    stream.on('data', (reply) => {
      const id = reply.id!
      if (pending.get(id)?.reply(reply) === true) pending.delete(id)
    })
    stream.on('error', (error) => {
      for (const votes of pending.values()) votes.fail(error)
    })
    return stream
  })
  const needed = isRpc ? 1 : options.quorum
  let nextID = 1
  return {
    call: () =>
      new Promise<readonly Message[]>((resolve, reject) => {
        const id = nextID++
        pending.set(id, new Votes(nodes.length, needed, resolve, reject))
        const bytes = encode({ id, payload })
        for (const stream of streams) stream.write(bytes)
      }),
    check(replies) {
      for (const reply of replies as readonly Message[]) checkPayload('grpc-js', reply.payload, expectedBytes)
    },
    async close() {
      pending.clear()
      for (const stream of streams) stream.cancel()
      for (const node of nodes) node.close()
    },
  }
}
