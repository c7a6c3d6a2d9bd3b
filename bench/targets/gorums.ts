// Our own targets: the package as its users import it, with its defaults, and variants with one thing changed.

import {
  type Configuration,
  connect,
  createServer,
  multicast,
  quorum,
  quorumCall,
  rpc,
  type Service,
  service,
} from 'gorums'
import { SAMPLED_EACH } from '../measure/load.ts'
import { downNodes } from './down-nodes.ts'
import { type Message, messageCodec } from './message.ts'
import { checkPayload, makePayload } from './payload.ts'
import { ownVersion } from './project.ts'
import { ReceivedCounter, wallClock } from './received.ts'
import type { ConnectOptions, RunningServer, ServeOptions, Target, TargetClient } from './target.ts'

export interface GorumsVariant {
  readonly name: string
  readonly title: string
  readonly codec: 'protobuf' | 'msgpack'
  readonly sessions: boolean
  readonly deadlines: boolean
}

const coded = { request: messageCodec, reply: messageCodec }
const ProtobufBench = service('bench.Bench', {
  echo: quorumCall(coded),
  write: quorumCall(coded),
  slow: quorumCall({ ...coded, concurrent: true }),
  rpc: rpc(coded),
  multicast: multicast({ request: messageCodec }),
})
const MsgpackBench = service('bench.MsgpackBench', {
  echo: quorumCall<Message, Message>(),
  write: quorumCall<Message, Message>(),
  slow: quorumCall<Message, Message>({ concurrent: true }),
  rpc: rpc<Message, Message>(),
  multicast: multicast<Message>(),
})
type BenchMethods = typeof ProtobufBench extends Service<infer M> ? M : never

const NOTHING: Message = Object.freeze({ payload: new Uint8Array(0) })
/** What a frame needs beside its payload, with much to spare, bytes. */
const FRAME_MARGIN = 64 * 1024
const FRAME_DEFAULT = 4 * 1024 * 1024

export function gorumsTarget(variant: GorumsVariant): Target {
  const bench = (variant.codec === 'protobuf' ? ProtobufBench : MsgpackBench) as Service<BenchMethods>
  return {
    name: variant.name,
    title: variant.title,
    operations: ['echo', 'write', 'multicast', 'slow', 'rpc'],
    describe: () => ({
      version: `gorums ${ownVersion()}`,
      options: `codec ${variant.codec}, sessions ${onOff(variant.sessions)}, deadline ${variant.deadlines ? '10 s' : 'off'}, the rest by default; frameMaxBytes is raised for messages above 4 MiB`,
      code: 'bench/targets/gorums.ts',
    }),
    serve: (options) => serve(bench, variant, options),
    connect: (addresses, options) => open(bench, variant, addresses, options),
  }
}

async function serve(
  bench: Service<BenchMethods>,
  variant: GorumsVariant,
  options: ServeOptions,
): Promise<RunningServer> {
  const received = new ReceivedCounter()
  const server = createServer({
    sessions: variant.sessions,
    limits: { ...frameLimit(options.payloadMaxBytes), ...limit('requestWindowBytes', options.bufferBytes) },
  })
  server.handle(bench, {
    echo: (request: Message) => request,
    write: () => NOTHING,
    rpc: (request: Message) => request,
    slow: (request: Message) => new Promise<Message>((resolve) => setTimeout(() => resolve(request), options.delayMs)),
    multicast: (request: Message) => received.addOne(request.sentAt ?? 0),
  })
  const { host, port } = await server.listen({ host: options.host, port: options.port })
  return {
    address: `${host}:${port}`,
    takeReceived: () => received.take(),
    close: () => server.close({ drainTimeoutMs: 0 }),
  }
}

async function open(
  bench: Service<BenchMethods>,
  variant: GorumsVariant,
  addresses: readonly string[],
  options: ConnectOptions,
): Promise<TargetClient> {
  const config = await connect(addresses, {
    sessions: variant.sessions,
    limits: { ...frameLimit(options.payloadBytes), ...limit('queueMaxBytes', options.bufferBytes) },
    waitFor: (status) => status.connecting.size === 0,
    ...(variant.deadlines ? {} : { callTimeoutMs: Number.POSITIVE_INFINITY }),
  })
  const down = downNodes(config, options.waitForAll ? config.size : options.quorum)
  if (down !== undefined) {
    await config.close()
    throw new Error(down)
  }
  return { ...callerFor(bench, config, options), close: () => config.close() }
}

function callerFor(
  bench: Service<BenchMethods>,
  config: Configuration,
  { operation, payloadBytes, quorum: needed }: ConnectOptions,
): Pick<TargetClient, 'call' | 'check' | 'send'> {
  const client = config.client(bench)
  const request: Message = { payload: makePayload(payloadBytes) }
  if (operation === 'multicast') {
    let sent = 0
    // Every eighth is timed, as calls are: the floor's servers look at the clock once per read.
    const { payload } = request
    const timed = (): Message => ({ payload, sentAt: wallClock() })
    const next = (): Message => (sent++ % SAMPLED_EACH > 0 ? request : timed())
    return {
      call: () => client.multicast(timed()),
      check: () => {},
      send: () => void client.multicast(next(), { confirm: false }),
    }
  }
  if (operation === 'rpc') {
    const node = config.nodes[0]!.client(bench)
    return {
      call: () => node.rpc(request),
      check: (reply) => checkPayload('gorums', (reply as Message).payload, payloadBytes),
    }
  }
  const method = client[operation]
  const isMajority = needed === Math.floor(config.size / 2) + 1
  const threshold = quorum.threshold(needed)
  const expectedBytes = operation === 'write' ? 0 : payloadBytes
  return {
    call: isMajority ? () => method(request).majority() : () => method(request).quorum(threshold),
    check(replies) {
      for (const reply of (replies as ReadonlyMap<string, Message>).values())
        checkPayload('gorums', reply.payload, expectedBytes)
    },
  }
}

function frameLimit(payloadBytes: number): { frameMaxBytes?: number; queueMaxBytes?: number } {
  if (payloadBytes + FRAME_MARGIN <= FRAME_DEFAULT) return {}
  const frameMaxBytes = payloadBytes + FRAME_MARGIN
  return { frameMaxBytes, queueMaxBytes: 8 * frameMaxBytes }
}

function limit<Name extends string>(name: Name, value: number | undefined): { [N in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: number }
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off'
}
