// A server: handlers, a listening port, and the clients that are connected to it.

import { RpcError } from '../errors.ts'
import type { NodeManager } from '../net/node-manager.ts'
import type { ListenAddress, ListeningPort } from '../net/runtime.ts'
import { checkKind, functionList, milliseconds, type TransportOptions, timeDefaults } from '../options.ts'
import { Configuration, type NodeSource } from './configuration.ts'
import { type CallingOptions, Endpoint } from './endpoint.ts'
import type { ServerInterceptor } from './interceptor.ts'
import type { Node } from './node.ts'
import { type Handlers, Registry } from './registry.ts'
import type { Methods, Service } from './service.ts'

export interface ServerOptions extends TransportOptions, Pick<CallingOptions, 'callTimeoutMs'> {
  /** Run around every handler, the first outermost. */
  readonly interceptors?: readonly ServerInterceptor[]
  /** Called when a client has connected. What it throws is logged. */
  readonly onConnect?: (peer: Node) => void
}

/** How a server is closed. */
export interface CloseOptions {
  /** How long requests that were accepted may take to finish, ms. 0 = not at all. Default 5 000. */
  readonly drainTimeoutMs?: number
}

/** Answers calls: services with their handlers, and a port. */
export class Server {
  readonly #endpoint: Endpoint
  readonly #clientSource: NodeSource
  #port: ListeningPort | undefined
  #isListening = false
  #closing: Promise<void> | undefined

  /** Servers are made by createServer(). */
  constructor(
    options: ServerOptions,
    endpoint = new Endpoint(
      options,
      new Registry(functionList('interceptors', options.interceptors)),
      callingOf(options),
    ),
  ) {
    this.#endpoint = endpoint
    endpoint.manager.servesCalls = true
    this.#clientSource = clientSource(endpoint, options)
    const { onConnect } = options
    checkKind('onConnect', onConnect, 'function')
    if (onConnect !== undefined) announceClients(endpoint, onConnect)
  }

  /** The address it listens on; undefined before `listen` and after `close`. */
  get address(): { readonly host: string; readonly port: number } | undefined {
    return this.#port === undefined ? undefined : { host: this.#port.host, port: this.#port.port }
  }

  /**
   * The clients that are connected now, as a configuration to call back over their own connections. A snapshot: ask again
   * for later clients. Those that passed no server answer `unimplemented`.
   */
  get clients(): Configuration {
    const nodes = this.#endpoint.manager.clients.map((channel) => this.#endpoint.peerOf(channel))
    return new Configuration(this.#clientSource, nodes, nodes)
  }

  /** Adds handlers of a service. Throws TypeError for what is no handler or is there already. Methods without one answer `unimplemented`. */
  handle<M extends Methods>(service: Service<M>, handlers: Handlers<M>): this {
    this.#endpoint.registry.add(service, handlers)
    return this
  }

  /** Listens; resolves with the address. Default: a free port on 127.0.0.1. Rejects when the address can not be had. */
  async listen(address: ListenAddress = {}): Promise<{ host: string; port: number }> {
    if (this.#isListening) throw new TypeError('the server listens already, or has been closed')
    this.#isListening = true
    const { manager } = this.#endpoint
    const { runtime, tls, logger } = manager.transport
    try {
      this.#port = await runtime.listen(address, tls, {
        onStream: (stream) => manager.accept(stream),
        onError: (error) => logger.warn?.(`accepting a connection failed: ${error.message}`),
      })
    } catch (error) {
      this.#isListening = false
      throw error
    }
    if (this.#closing !== undefined) {
      await this.#port.close()
      this.#port = undefined
      throw new RpcError('cancelled', 'the server was closed before it listened')
    }
    return { host: this.#port.host, port: this.#port.port }
  }

  /**
   * Accepts no more, lets what was accepted finish and be answered, and closes. Clients that were cut off may come back for
   * their answers meanwhile, as long as their sessions live. What has not finished after `drainTimeoutMs` is dropped: its
   * callers get `unavailable`, `executed: 'unknown'`; its handlers' signals fire.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const drainTimeoutMs = milliseconds('drainTimeoutMs', options.drainTimeoutMs, timeDefaults.drainTimeoutMs)
    this.#isListening = true
    this.#closing ??= this.#close(drainTimeoutMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The server's inside, for those that dial with its handlers. */
  static endpointOf(server: Server): Endpoint {
    if (!(server instanceof Server)) throw new TypeError('server must be made by createServer()')
    return server.#endpoint
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    const { manager } = this.#endpoint
    // Whoever is cut off meanwhile has to come back for what was accepted; who is new is refused.
    await drained(manager, drainTimeoutMs)
    const closed = this.#port?.close()
    this.#port = undefined
    manager.close(new RpcError('cancelled', 'the server was closed'))
    await closed
  }
}

/** Resolves when all that was accepted has been answered, or the time is over. */
function drained(manager: NodeManager, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = timeoutMs > 0 ? manager.turn.runtime.startTimer(timeoutMs, resolve) : undefined
    manager.drain(() => {
      timer?.cancel()
      resolve()
    })
    if (timer === undefined) resolve()
  })
}

function callingOf(options: ServerOptions): CallingOptions {
  return options.callTimeoutMs === undefined ? {} : { callTimeoutMs: options.callTimeoutMs }
}

/** The connected clients are nodes that nobody refers to: they go when their connection does. */
function clientSource(endpoint: Endpoint, options: ServerOptions): NodeSource {
  const listening = new Set<Configuration>()
  return {
    manager: endpoint.manager,
    defaults: endpoint.defaultsFor(callingOf(options), listening),
    listening,
    acquire: () => {
      throw new TypeError('clients connect by themselves: a configuration of clients can not be given nodes')
    },
    retain: () => {},
    release: () => {},
  }
}

function announceClients(endpoint: Endpoint, onConnect: (peer: Node) => void): void {
  const { manager } = endpoint
  manager.listeners.add({
    onState: (channel, state) => {
      if (state !== 'up' || !manager.clients.includes(channel)) return
      try {
        onConnect(endpoint.peerOf(channel))
      } catch (error) {
        manager.transport.logger.error?.('onConnect failed', error)
      }
    },
  })
}

/**
 * Makes a server. It serves clients once it listens; passed to `connect`, it serves the nodes that are connected to. Throws
 * TypeError or RangeError for what can not be options.
 */
export function createServer(options: ServerOptions = {}): Server {
  checkKind('options', options, 'object')
  return new Server(options)
}
