// A server on the virtual clock with one raw peer that has gone through the handshake: what most tests of a connection
// begin with. The server is closed at the end of the test.

import type { TestContext } from 'node:test'
import { createServer, type Server, type ServerOptions } from 'gorums'
import { Echo } from './echo-service.ts'
import { EventLog } from './event-log.ts'
import { RawPeer } from './raw-peer.ts'
import { VirtualRuntime, type VirtualStream } from './virtual-runtime.ts'

export interface ServedPeer {
  readonly runtime: VirtualRuntime
  readonly server: Server
  readonly port: number
  readonly log: EventLog
  readonly peer: RawPeer
  /** The server's end of its connection: what it writes is taken or not, as the test says. */
  readonly serverEnd: VirtualStream
  /** The requests that handlers were given, in order. */
  readonly handled: string[]
  /** Answers the oldest request of `hold`. */
  readonly letGo: () => void
  /** One more stranger, connected and silent. */
  readonly stranger: () => RawPeer
}

/** Starts the server and shakes hands; the clock has not moved. */
export async function servePeer(t: TestContext, options: ServerOptions = {}): Promise<ServedPeer> {
  const runtime = new VirtualRuntime()
  const log = new EventLog()
  const server = createServer({ nodeID: 'a', runtime, logger: log.logger, ...options })
  const handled: string[] = []
  const held: (() => void)[] = []
  server.handle(Echo, {
    echo: (request) => {
      handled.push(request)
      return request
    },
    hold: (request) => {
      handled.push(request)
      return new Promise((resolve) => held.push(() => resolve(request)))
    },
    note: (request) => {
      handled.push(request)
    },
  })
  const { port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const settle = (): Promise<void> => runtime.settle()
  const stream = runtime.connect(port)
  const peer = new RawPeer(stream, settle)
  await peer.handshake()
  await runtime.settle()
  const stranger = (): RawPeer => new RawPeer(runtime.connect(port), settle)
  return { runtime, server, port, log, peer, serverEnd: stream.other!, handled, letGo: () => held.shift()!(), stranger }
}
