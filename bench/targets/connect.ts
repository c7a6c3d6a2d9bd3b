// connect-node: RPCs of one node over HTTP/2, with the messages of protobuf-es that it brings. Only the parts that are used
// are declared here, because the project does not install it.

import http2 from 'node:http2'
import type net from 'node:net'
import type { Message } from './message.ts'
import { checkPayload, makePayload } from './payload.ts'
import { packageVersion, requirePeer } from './project.ts'
import type { ConnectOptions, RunningServer, ServeOptions, Target, TargetClient } from './target.ts'

const CONNECT_NODE = '@connectrpc/connect-node'
const CONNECT = '@connectrpc/connect'
const PROTOBUF = '@bufbuild/protobuf'
const BYTES_TYPE = 12

interface Router {
  service(service: object, handlers: object): void
}
interface ConnectNode {
  connectNodeAdapter(options: {
    routes: (router: Router) => void
    readMaxBytes: number
    writeMaxBytes: number
  }): (request: unknown, response: unknown) => void
  createGrpcTransport(options: {
    baseUrl: string
    readMaxBytes: number
    writeMaxBytes: number
    sessionManager: object
  }): object
  Http2SessionManager: new (url: string) => { connect(): Promise<string>; abort(reason?: Error): void }
}
interface Connect {
  createClient(service: object, transport: object): { rpc(message: object): Promise<Message> }
}
interface Protobuf {
  create(schema: object, value: object): object
  createFileRegistry(file: object, resolve: () => undefined): { getService(name: string): object | undefined }
}

export const connectTarget: Target = {
  name: 'connect',
  title: 'connect-node, gRPC protocol',
  operations: ['rpc'],
  needs: CONNECT_NODE,
  describe: () => ({
    version: `connect-node ${packageVersion(CONNECT_NODE)}, messages by protobuf-es ${packageVersion(PROTOBUF)}`,
    options: 'gRPC protocol over one HTTP/2 session, no TLS, no deadline, message limits raised',
    code: 'bench/targets/connect.ts',
  }),
  serve,
  connect,
}

/** The service as generated code would have it. */
function benchService(): object {
  const { create, createFileRegistry } = requirePeer(PROTOBUF) as Protobuf
  const { FileDescriptorProtoSchema } = requirePeer(`${PROTOBUF}/wkt`) as { FileDescriptorProtoSchema: object }
  const file = create(FileDescriptorProtoSchema, {
    name: 'bench.proto',
    package: 'bench',
    syntax: 'proto3',
    messageType: [
      { name: 'Message', field: [{ name: 'payload', number: 1, type: BYTES_TYPE, label: 1, jsonName: 'payload' }] },
    ],
    service: [{ name: 'Bench', method: [{ name: 'Rpc', inputType: '.bench.Message', outputType: '.bench.Message' }] }],
  })
  return createFileRegistry(file, () => undefined).getService('bench.Bench')!
}

const limits = { readMaxBytes: 0xffffffff, writeMaxBytes: 0xffffffff }

function serve(options: ServeOptions): Promise<RunningServer> {
  const { connectNodeAdapter } = requirePeer(CONNECT_NODE) as ConnectNode
  const routes = (router: Router): void => router.service(benchService(), { rpc: (request: Message) => request })
  const server = http2.createServer(connectNodeAdapter({ routes, ...limits }) as never)
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      const { address, port } = server.address() as net.AddressInfo
      resolve({
        address: `${address}:${port}`,
        takeReceived: () => {
          throw new TypeError('connect-node has no one-way messages')
        },
        close() {
          for (const session of sessions) session.destroy()
          return new Promise((closed) => server.close(() => closed()))
        },
      })
    })
  })
}

async function connect(addresses: readonly string[], options: ConnectOptions): Promise<TargetClient> {
  const { createGrpcTransport, Http2SessionManager } = requirePeer(CONNECT_NODE) as ConnectNode
  const { createClient } = requirePeer(CONNECT) as Connect
  const address = addresses[0]!
  const baseUrl = `http://${address}`
  const sessionManager = new Http2SessionManager(baseUrl)
  if ((await sessionManager.connect()) === 'error') {
    const reason = await createClient(benchService(), createGrpcTransport({ baseUrl, sessionManager, ...limits }))
      .rpc({})
      .catch((error: Error) => error.message)
    sessionManager.abort()
    throw new Error(`can not be connected to: node ${address}: ${reason}`)
  }
  const client = createClient(benchService(), createGrpcTransport({ baseUrl, sessionManager, ...limits }))
  const payload = makePayload(options.payloadBytes)
  return {
    call: () => client.rpc({ payload }),
    check: (reply) => checkPayload('connect-node', (reply as Message).payload, options.payloadBytes),
    close: async () => sessionManager.abort(),
  }
}
