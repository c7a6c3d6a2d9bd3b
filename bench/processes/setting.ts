// What a point is measured on: server processes, one per node, and one client process, all of one target.

import type { LoadOptions } from '../measure/load.ts'
import type { ConnectOptions, ServeOptions, Target } from '../targets/target.ts'
import type { ConnectQuestion, Observation, RoundResult } from './client-process.ts'
import { Child } from './questions.ts'
import { modulePath, type ServerHandle, type ServerSource } from './server-handle.ts'

const LOOPBACK = '127.0.0.1'

export interface SettingOptions {
  readonly nodes: number
  /** Clients in the client process, each with connections of its own. */
  readonly clients: number
  /** The first node that has `serve.delayMs`; those before answer at once. Default: all have it. */
  readonly slowFrom?: number
  readonly serve: Omit<ServeOptions, 'host' | 'port'>
  readonly connect: ConnectOptions
  /** Node.js flags for the client process, beside those of this one. */
  readonly clientFlags: readonly string[]
  readonly serverFlags: readonly string[]
  readonly source: ServerSource
}

export class Setting {
  readonly servers: ServerHandle[]
  readonly client: Child
  /** Stopped by a signal: they answer no question. */
  readonly #stopped = new Set<ServerHandle>()
  readonly #startAgain: (position: number, port: number) => Promise<ServerHandle>

  private constructor(
    servers: ServerHandle[],
    client: Child,
    startAgain: (position: number, port: number) => Promise<ServerHandle>,
  ) {
    this.servers = servers
    this.client = client
    this.#startAgain = startAgain
  }

  /** Starts the processes and connects. Rejects, with nothing left running, when one can not. */
  static async start(target: Target, options: SettingOptions): Promise<Setting> {
    const startServer = (position: number, port: number): Promise<ServerHandle> => {
      const delayMs = position < (options.slowFrom ?? 0) ? 0 : options.serve.delayMs
      const serve: ServeOptions = { ...options.serve, delayMs, host: LOOPBACK, port }
      return options.source.start(target, position, serve, options.serverFlags)
    }
    const started = await Promise.allSettled(
      Array.from({ length: options.nodes }, (_, position) => startServer(position, 0)),
    )
    const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const client = new Child(`${target.name} client`, modulePath('client-process'), options.clientFlags)
    const setting = new Setting(servers, client, startServer)
    try {
      const failed = started.find((each) => each.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      const question: ConnectQuestion = {
        target: target.name,
        addresses: servers.map(({ address }) => address),
        options: options.connect,
        clients: options.clients,
      }
      await client.ask('connect', question)
    } catch (error) {
      await setting.end()
      throw error
    }
    return setting
  }

  /** Whether its servers are processes of this machine. */
  get isLocal(): boolean {
    return this.servers.every((server) => server.kill !== undefined)
  }

  /** One round of load. */
  round(options: LoadOptions): Promise<RoundResult> {
    return this.client.ask('round', options)
  }

  /** A round in which the instruments may disturb: what calls allocate, and how late the event loop is. */
  observe(options: LoadOptions): Promise<Observation> {
    return this.client.ask('observe', options)
  }

  /** Bytes that a call puts on the wire, both ways, all nodes. */
  bytesPerCall(options: { readonly calls: number; readonly inFlight: number }): Promise<number> {
    return this.client.ask('bytes', options)
  }

  /** Stops the processes of the last servers, as SIGSTOP does. Rejects for a server of another machine. */
  async stopLast(count = 1): Promise<void> {
    for (const victim of this.servers.slice(-count)) {
      await signal(victim, 'SIGSTOP')
      this.#stopped.add(victim)
    }
  }

  /** Lets the stopped servers go on. */
  async resume(): Promise<void> {
    for (const server of this.#stopped) await signal(server, 'SIGCONT')
    this.#stopped.clear()
  }

  /** Kills the last server and starts a new one at its address. */
  async restartLast(): Promise<void> {
    const victim = this.servers.at(-1)!
    await signal(victim, 'SIGKILL')
    const port = Number(victim.address.slice(victim.address.lastIndexOf(':') + 1))
    const position = this.servers.length - 1
    this.servers[position] = await this.#startAgain(position, port)
  }

  /** CPU time that all servers have used so far, µs; a stopped one is not asked. */
  async serverCpuMicros(): Promise<number> {
    const running = this.servers.filter((server) => !this.#stopped.has(server))
    const usages = await Promise.all(running.map((server) => server.usage()))
    return usages.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0)
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    await this.resume()
    await this.client.end()
    await Promise.all(this.servers.map((server) => server.end()))
  }
}

async function signal(server: ServerHandle, name: NodeJS.Signals): Promise<void> {
  if (server.kill === undefined)
    throw new Error(`node ${server.address} is remote: it can not be sent ${name} from here`)
  await server.kill(name)
}
