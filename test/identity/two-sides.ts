// A server and a client that meet over real sockets, with what a test wants to know of each: what the server says of
// strangers, how often the client dials and how long it waits, and the events of its one node. Both are closed at the end.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import {
  type Configuration,
  type ConnectOptions,
  connect,
  createServer,
  type RpcError,
  type ServerOptions,
} from 'gorums'
import { type CountedRuntime, countedRuntime } from '../net/counted-runtime.ts'
import { Echo } from '../net/echo-service.ts'
import { EventLog } from '../net/event-log.ts'

/** The slowest step of the clients here: no other timer has this delay. */
export const SLOWEST_MS = 4_321
/** The waits of their first three retries: 50, 80 and 128 ms times the random number 0.5. */
const FIRST_WAITS_MS = [25, 40, 64]
/** For tests over real sockets: what does not come fails the test. */
export const TIMEOUT = { timeout: 15_000 }

export interface ServerSide {
  readonly address: string
  readonly host: string
  readonly port: number
  readonly log: EventLog
  /** The streams that were accepted, strangers included. */
  readonly accepted: readonly string[]
  readonly server: ReturnType<typeof createServer>
}

export async function startServer(t: TestContext, options: ServerOptions = {}): Promise<ServerSide> {
  const log = new EventLog()
  const { runtime, accepted } = countedRuntime()
  const server = createServer({ nodeID: 'a', runtime, logger: log.logger, ...options })
  server.handle(Echo, {
    echo: (request) => request,
    whoAmI: (_request, { peer }) => ({ id: peer.id, names: peer.identity?.names ?? [] }),
  })
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  return { address: `${host}:${port}`, host, port, log, accepted, server }
}

export interface ClientSide {
  readonly config: Configuration
  readonly counted: CountedRuntime
  /** The first `rejected` event. */
  readonly rejection: Promise<RpcError>
  readonly rejections: RpcError[]
  /** How often the node came up. */
  readonly ups: () => number
}

/** A client of one node, `a`; connect() does not wait. */
export async function startClient(t: TestContext, address: string, options: ConnectOptions = {}): Promise<ClientSide> {
  const counted = countedRuntime(0.5)
  const own = { runtime: counted.runtime, backoff: { maxMs: SLOWEST_MS }, waitFor: 'none' } as const
  const config = await connect({ a: address }, { ...own, ...options })
  t.after(() => config.close())
  const rejections: RpcError[] = []
  let ups = 0
  config.on('up', () => ups++)
  const rejection = new Promise<RpcError>((resolve) => {
    config.on('rejected', (node, error) => {
      assert.equal(node, config.node('a'))
      rejections.push(error)
      resolve(error)
    })
  })
  return { config, counted, rejection, rejections, ups: () => ups }
}

/** The client is refused for good: an event says why, the node is down, and the next attempt is the slowest step away. */
export async function assertRejected(side: ClientSide, code: string, message: RegExp): Promise<void> {
  const error = await side.rejection
  assert.equal(error.code, code)
  assert.match(error.message, message)
  assert.equal(error.nodeID, 'a')
  assert.equal(error.executed, 'no')
  const node = side.config.node('a')
  assert.equal(node.state, 'down')
  assert.equal(node.lastError?.message, error.message)
  assert.equal(side.counted.dials.length, 1)
  assert.ok(side.counted.standing().includes(SLOWEST_MS), `timers stand for ${side.counted.standing()} ms`)
  await assert.rejects(node.client(Echo).echo('hi'), (failure: RpcError) => {
    assert.equal(failure.code, 'unavailable')
    assert.equal(failure.executed, 'no')
    assert.ok(failure.message.includes(error.message), failure.message)
    return true
  })
}

/**
 * The client can not connect, says why, and never came up. Either it was rejected, and takes the slowest step, or it waits
 * longer before each further attempt.
 */
export async function assertCanNotConnect(side: ClientSide, message: RegExp): Promise<void> {
  const { config, counted } = side
  const node = config.node('a')
  await config.waitFor(() => node.lastError !== undefined)
  assert.match(node.lastError!.message, message)
  assert.equal(node.lastError!.executed, 'no')
  if (!counted.standing().includes(SLOWEST_MS)) {
    await counted.untilDialled(3)
    const waits = counted.delays.filter((delay) => delay < 200)
    assert.deepEqual(waits, FIRST_WAITS_MS.slice(0, waits.length))
  }
  assert.equal(node.state, 'down')
  assert.equal(side.ups(), 0)
  await assert.rejects(node.client(Echo).echo('hi'), { code: 'unavailable', executed: 'no' })
}
