// A configuration without sockets: nodes with handlers in this process, reached through streams in memory by the same
// frames, lanes and calls as nodes elsewhere. For tests of quorum functions and protocols.

import { Configuration, type NodeSource } from '../call/configuration.ts'
import type { ConnectOptions } from '../call/connect.ts'
import { Endpoint } from '../call/endpoint.ts'
import { type Handlers, Registry } from '../call/registry.ts'
import { createServer, Server, type ServerOptions } from '../call/server.ts'
import type { Methods, Service } from '../call/service.ts'
import { RpcError } from '../errors.ts'
import { memoryStreamPair } from '../net/memory-stream.ts'
import type { ByteStream } from '../net/runtime.ts'
import { checkNodeID } from '../options.ts'
import { watchConfiguration } from './leak-check.ts'
import type { ForEachNode } from './local-cluster.ts'

/**
 * What a node of a test configuration does: handlers of the service; a function that registers handlers of any services;
 * or `'down'`, a node that can not be connected to: calls to it fail with `unavailable`.
 */
export type TestNode<M extends Methods> = Handlers<M> | ((server: Server) => void) | 'down'

/** Options of `testConfiguration`. */
export interface TestConfigurationOptions
  extends Omit<ConnectOptions, 'manager' | 'tls' | 'identify' | 'waitFor' | 'signal'> {
  /** Options of the nodes, for all or for each: limits, interceptors, metadata, … */
  readonly nodes?: ForEachNode<Omit<ServerOptions, 'nodeID' | 'clusterID' | 'tls' | 'identify' | 'runtime'>>
}

/**
 * Makes a configuration of nodes that live in this process and have no sockets. It is what `connect` makes: same types,
 * same promises. Resolves when every node is up, or down as it should be. Closing the configuration, and those derived from
 * it, frees everything. Rejects with RpcError `deadline_exceeded` when that takes longer than `connectTimeoutMs` (5 000).
 * Throws TypeError or RangeError for what can not be nodes, handlers or options.
 */
export function testConfiguration<M extends Methods>(
  service: Service<M>,
  nodes: Readonly<Record<string, TestNode<M>>>,
  options: TestConfigurationOptions = {},
): Promise<Configuration> {
  const ids = checkNodes(nodes)
  const servers = new Map<string, Server>()
  for (const id of ids) {
    const node = nodes[id]!
    if (node !== 'down') servers.set(id, makeServer(service, id, node, options))
  }
  const source = memorySource(servers, options)
  const members = ids.map((id, position) => source.acquire(id, `memory:${position + 1}`, true))
  const configuration = new Configuration(source, members, members)
  watchConfiguration(configuration)
  return whenDecided(configuration, servers, options.connectTimeoutMs)
}

async function whenDecided(
  configuration: Configuration,
  servers: ReadonlyMap<string, Server>,
  timeoutMs = 5_000,
): Promise<Configuration> {
  try {
    await configuration.waitFor(
      ({ connected, down, size }) => connected.size === servers.size && connected.size + down.size === size,
      { timeoutMs },
    )
  } catch (error) {
    await configuration.close()
    throw error
  }
  return configuration
}

function makeServer<M extends Methods>(
  service: Service<M>,
  nodeID: string,
  node: Handlers<M> | ((server: Server) => void),
  options: TestConfigurationOptions,
): Server {
  const { clusterID, runtime } = options
  const server = createServer({
    ...(typeof options.nodes === 'function' ? options.nodes(nodeID) : options.nodes),
    ...(clusterID === undefined ? {} : { clusterID }),
    ...(runtime === undefined ? {} : { runtime }),
    nodeID,
  })
  if (typeof node === 'function') node(server)
  else server.handle(service, node)
  return server
}

/** Nodes whose streams end at the servers; when nobody refers to any of them, the servers are closed. */
function memorySource(servers: ReadonlyMap<string, Server>, options: TestConfigurationOptions): NodeSource {
  const { server, nodes: _, ...rest } = options
  const registry = server === undefined ? new Registry([]) : Server.endpointOf(server).registry
  const endpoint = new Endpoint(rest, registry, rest)
  const { manager } = endpoint
  manager.servesCalls = server !== undefined
  const open = (nodeID: string) => (): ByteStream => {
    const [own, served] = memoryStreamPair(manager.turn.runtime, nodeID)
    const target = servers.get(nodeID)
    if (target === undefined) served.destroy()
    else Server.endpointOf(target).manager.accept(served)
    return own
  }
  const source = endpoint.sourceOf(rest, (nodeID, address, expectsID) =>
    manager.acquire(nodeID, address, expectsID ? nodeID : '', open(nodeID)),
  )
  return {
    ...source,
    release: (node) => {
      source.release(node)
      if (manager.nodeCount > 0) return
      for (const each of servers.values()) Server.endpointOf(each).manager.close(CLOSED)
      manager.close(CLOSED)
    },
  }
}

const CLOSED = new RpcError('cancelled', 'the configuration is closed')

function checkNodes(nodes: object): string[] {
  if (typeof nodes !== 'object' || nodes === null || Array.isArray(nodes))
    throw new TypeError('nodes must be { id: handlers, … }')
  const ids = Object.keys(nodes)
  if (ids.length === 0) throw new RangeError('a configuration needs at least one node')
  for (const id of ids) checkNodeID(id)
  for (const [id, node] of Object.entries(nodes)) {
    if (node !== 'down' && typeof node !== 'function' && (typeof node !== 'object' || node === null))
      throw new TypeError(`node "${id}" must be handlers, a function that registers handlers, or 'down'`)
  }
  return ids
}
