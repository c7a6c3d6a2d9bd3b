// grpc-js as most people write it: a unary call to each node, and a majority counted in the caller's code. It keeps no order.

import {
  connectGrpc,
  decode,
  describeGrpc,
  encode,
  GRPC,
  type GrpcClient,
  serializeBytes,
  serveGrpc,
  UNARY_PATH,
  Votes,
} from './grpc.ts'
import type { Message } from './message.ts'
import { checkPayload, makePayload } from './payload.ts'
import type { ConnectOptions, RunningServer, ServeOptions, Target, TargetClient } from './target.ts'

type Answer = (error: Error | null, reply: Message) => void

export const grpcUnaryTarget: Target = {
  name: 'grpc-unary',
  title: 'grpc-js, unary calls',
  operations: ['echo', 'write', 'slow', 'rpc'],
  needs: GRPC,
  describe: () =>
    describeGrpc(
      'one unary call per node, request encoded once for all nodes, quorum counted in the client',
      'bench/targets/grpc-unary.ts',
    ),
  serve,
  connect,
}

function serve(options: ServeOptions): Promise<RunningServer> {
  const method = {
    path: UNARY_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  }
  const nothing: Message = { payload: new Uint8Array(0) }
  const unary = (call: { readonly request: Message }, answer: Answer): void => {
    if (options.operation === 'write') answer(null, nothing)
    else if (options.operation === 'slow') setTimeout(() => answer(null, call.request), options.delayMs)
    else answer(null, call.request)
  }
  return serveGrpc(options, { unary: method }, { unary })
}

async function connect(addresses: readonly string[], options: ConnectOptions): Promise<TargetClient> {
  const nodes = await connectGrpc(options.operation === 'rpc' ? addresses.slice(0, 1) : addresses)
  const needed = options.operation === 'rpc' ? 1 : options.quorum
  const expectedBytes = options.operation === 'write' ? 0 : options.payloadBytes
  const request: Message = { payload: makePayload(options.payloadBytes) }
  return {
    call: () => fanOut(nodes, encode(request), needed),
    check(replies) {
      for (const reply of replies as readonly Message[]) checkPayload('grpc-js', reply.payload, expectedBytes)
    },
    async close() {
      for (const node of nodes) node.close()
    },
  }
}

function fanOut(nodes: readonly GrpcClient[], bytes: Buffer, quorum: number): Promise<readonly Message[]> {
  return new Promise((resolve, reject) => {
    const votes = new Votes(nodes.length, quorum, resolve, reject)
    const onAnswer = (error: Error | null, reply: Message | undefined): void => {
      if (error === null) votes.reply(reply!)
      else votes.fail(error)
    }
    for (const node of nodes) node.makeUnaryRequest(UNARY_PATH, serializeBytes, decode, bytes, onAnswer)
  })
}
