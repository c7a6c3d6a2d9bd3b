// What the matrix runs on: one service in both codecs, handlers that note what they are given, and for each transport a
// cluster that the tests of one codec share. It owns no test.

import assert from 'node:assert/strict'
import {
  type CallType,
  type ClientInterceptor,
  type Codec,
  type Configuration,
  type Context,
  type MethodHooks,
  multicast,
  type Node,
  type QuorumCall,
  type QuorumCallOptions,
  quorumCall,
  quorumStream,
  rpc,
  service,
  unicast,
} from 'gorums'
import { msgpack } from 'gorums/codec/msgpack'
import { protobuf } from 'gorums/codec/protobuf'
import type { TestContextLike } from 'gorums/testing'
import protobufjs from 'protobufjs'
import { createAuthority } from '../certificates.ts'
import { Gate, type Handling, startCluster, startReplicas, Tally, untilAborted } from './cluster.ts'

export interface Request {
  text: string
}

export interface Reply {
  text: string
  node: string
}

export const CODECS = ['msgpack', 'protobuf'] as const
export const TRANSPORTS = ['TCP', 'TLS', "a replica's own node", "a replica's configuration"] as const
export type CodecName = (typeof CODECS)[number]
export type TransportName = (typeof TRANSPORTS)[number]

/** The service as it is, and the same service under the name that the interceptors of the matrix look at. */
export const PLAIN = 'matrix.Plain'
export const WATCHED = 'matrix.Watched'
export type ServiceName = typeof PLAIN | typeof WATCHED

const MESSAGES = protobufjs.parse(`
  syntax = "proto3";
  message Request { string text = 1; }
  message Reply { string text = 1; string node = 2; }
`).root

function codecsOf(codec: CodecName): { request: Codec<Request>; reply: Codec<Reply> } {
  if (codec === 'msgpack') return { request: msgpack<Request>(), reply: msgpack<Reply>() }
  return {
    request: protobuf<Request>(MESSAGES.lookupType('Request')),
    reply: protobuf<Reply>(MESSAGES.lookupType('Reply')),
  }
}

function declare(name: ServiceName, codec: CodecName) {
  const codecs = codecsOf(codec)
  return service(name, {
    call: rpc(codecs),
    tell: unicast({ request: codecs.request }),
    tellAll: multicast({ request: codecs.request }),
    ask: quorumCall(codecs),
    follow: quorumStream(codecs),
  })
}

export type MatrixService = ReturnType<typeof declare>

/** One request at one node. */
export interface Entry {
  readonly nodeID: string
  readonly context: Context
  /** Opens the answer of a gated request. */
  readonly gate: Gate
}

/** The options of all call types, as one row gives them to several. */
export type AnyOptions = QuorumCallOptions<Request, Reply> & { readonly confirm?: boolean }

/** The replies of a call by node; none for one-way calls. */
export interface Outcome {
  readonly replies: ReadonlyMap<string, Reply>
}

const NO_REPLIES: Outcome = { replies: new Map() }

export class Setting {
  readonly configuration: Configuration
  /** The node that RPCs and unicasts go to. */
  readonly node: Node
  /** What the watched service's interceptor does in the running test. */
  hooks: MethodHooks = {}
  readonly #services: Readonly<Record<ServiceName, MatrixService>>
  readonly #log: Log

  constructor(services: Readonly<Record<ServiceName, MatrixService>>, configuration: Configuration, log: Log) {
    this.#services = services
    this.configuration = configuration
    this.node = configuration.nodes[0]!
    this.#log = log
  }

  service(name: ServiceName): MatrixService {
    return this.#services[name]
  }

  /** The ids of the nodes that calls of this type go to. */
  targets(type: CallType): readonly string[] {
    return type === 'rpc' || type === 'unicast' ? [this.node.id] : this.configuration.nodeIDs
  }

  /** Makes a call of any type and waits for all that it is to bring. */
  async call(type: CallType, request: Request, options: AnyOptions = {}, name: ServiceName = PLAIN): Promise<Outcome> {
    if (type === 'quorumCall' || type === 'quorumStream')
      return { replies: new Map(await this.quorumCall(type, request, options, name).all()) }
    const single = this.node.client(this.service(name))
    if (type === 'rpc') return { replies: new Map([[this.node.id, await single.call(request, options)]]) }
    if (type === 'unicast') await single.tell(request, options)
    else await this.configuration.client(this.service(name)).tellAll(request, options)
    return NO_REPLIES
  }

  quorumCall(
    type: CallType,
    request: Request,
    options: AnyOptions = {},
    name: ServiceName = PLAIN,
  ): QuorumCall<Request, Reply> {
    const client = this.configuration.client(this.service(name))
    return type === 'quorumStream' ? client.follow(request, options) : client.ask(request, options)
  }

  /** Makes a call of any type and waits until every node is decided: of a stream, until it has ended. */
  async toTheEnd(type: CallType, request: Request, options: AnyOptions = {}, name: ServiceName = PLAIN): Promise<void> {
    if (type !== 'quorumStream') await this.call(type, request, options, name)
    else for await (const { error } of this.quorumCall(type, request, options, name)) assert.equal(error, undefined)
  }

  /** Resolves with the requests of this text when `count` have been seen. */
  received(text: string, count: number): Promise<readonly Entry[]> {
    return this.#log.of(text).reached(count)
  }

  /** The request of this text that waits for its gate: the last node's. */
  async gated(text: string): Promise<readonly Entry[]> {
    const count = this.configuration.size
    const entries = await this.received(text, count)
    return entries.filter(({ nodeID }) => nodeID === this.configuration.nodeIDs[count - 1])
  }

  /** Fails if a node has seen this text. A later call shows that nothing is on its way: requests stay in order. */
  async neverReceived(type: CallType, text: string, ...nodeIDs: readonly string[]): Promise<void> {
    const targets = nodeIDs.length > 0 ? nodeIDs : this.targets(type)
    await this.call('quorumCall', { text: `after ${text}` })
    const seen = this.#log.of(text).seen.filter(({ nodeID }) => targets.includes(nodeID))
    assert.deepEqual(
      seen.map(({ nodeID }) => nodeID),
      [],
      `seen by a node that it should not have reached: ${text}`,
    )
  }

  /** Runs the watched service's interceptor for the test of the moment. */
  static interceptor(current: () => MethodHooks): ClientInterceptor {
    return (method) => {
      if (!method.fullName.startsWith(`${WATCHED}/`)) return undefined
      return {
        request: (request, call) => current().request?.(request, call) ?? request,
        send: (request, node, call) => {
          const { send } = current()
          return send === undefined ? request : send(request, node, call)
        },
        response: (response, call) => {
          const hook = current().response
          return hook === undefined ? response : hook(response, call)
        },
        settled: (record, call) => current().settled?.(record, call),
      }
    }
  }
}

/** What the handlers of one cluster have seen, by text. */
class Log {
  readonly #entries = new Map<string, Tally<Entry>>()

  of(text: string): Tally<Entry> {
    let entries = this.#entries.get(text)
    if (entries === undefined) {
      entries = new Tally<Entry>()
      this.#entries.set(text, entries)
    }
    return entries
  }

  note(nodeID: string, text: string, context: Context): Entry {
    const entry = { nodeID, context, gate: new Gate() }
    this.of(text).add(entry)
    return entry
  }
}

/** Texts that begin with `hold` are never answered, `gated` ones by the last node when the test says so. */
function handle(server: Handling, services: readonly MatrixService[], nodeID: string, lastID: string, log: Log): void {
  const answer = async ({ text }: Request, context: Context): Promise<Reply> => {
    const { gate } = log.note(nodeID, text, context)
    context.replyMetadata['answered-by'] = nodeID
    if (text.startsWith('hold ')) await untilAborted(context)
    if (text.startsWith('gated ') && nodeID === lastID) {
      context.release()
      await gate.opened
    }
    return { text, node: nodeID }
  }
  const note = ({ text }: Request, context: Context): void => {
    log.note(nodeID, text, context)
  }
  for (const each of services) {
    server.handle(each, {
      call: answer,
      tell: note,
      tellAll: note,
      ask: answer,
      async *follow(request, context) {
        yield await answer(request, context)
      },
    })
  }
}

/** Adapts a caller's number of letters to a request, for the call types that have adapters. */
export async function callAdapted(
  setting: Setting,
  type: CallType,
  text: string,
  options: Pick<AnyOptions, 'perNode'> = {},
): Promise<void> {
  const adapt = (content: { readonly words: string }): Request => ({ text: `adapted ${content.words}` })
  const client = setting.configuration.client(setting.service(PLAIN), {
    requests: { tellAll: adapt, ask: adapt, follow: adapt },
  })
  if (type === 'multicast') await client.tellAll({ words: text }, options)
  else if (type === 'quorumCall') await client.ask({ words: text }, options).all()
  else await client.follow({ words: text }, options).all()
}

/** Starts what the tests of one codec and transport share. */
export async function startSetting(
  owner: TestContextLike,
  codec: CodecName,
  transport: TransportName,
): Promise<Setting> {
  const services = { [PLAIN]: declare(PLAIN, codec), [WATCHED]: declare(WATCHED, codec) }
  const log = new Log()
  const setup = (server: Handling, nodeID: string): void =>
    handle(server, Object.values(services), nodeID, transport === "a replica's own node" ? 'a' : 'c', log)
  let setting: Setting | undefined
  const interceptors = [Setting.interceptor(() => setting!.hooks)]
  if (transport === 'TCP') {
    const cluster = await startCluster(owner, 3, setup)
    setting = new Setting(services, await cluster.connect({ interceptors }), log)
  } else if (transport === 'TLS') {
    const authority = await createAuthority()
    const cluster = await startCluster(owner, 3, setup, { tls: await authority.issue() })
    setting = new Setting(services, await cluster.connect({ interceptors, tls: { ca: authority.ca } }), log)
  } else {
    const count = transport === "a replica's own node" ? 1 : 3
    const cluster = await startReplicas(owner, count, setup, { calling: { interceptors } })
    setting = new Setting(services, cluster.server('a').configuration, log)
  }
  return setting
}
