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
  readonly servers: readonly ServerHandle[]
  readonly client: Child

  /** Stopped by a signal: it answers no question. */
  #stopped: ServerHandle | undefined

  private constructor(servers: readonly ServerHandle[], client: Child) {
    this.servers = servers
    this.client = client
  }

  /** Starts the processes and connects. Rejects, with nothing left running, when one can not. */
  static async start(target: Target, options: SettingOptions): Promise<Setting> {
    const serve: ServeOptions = { ...options.serve, host: LOOPBACK, port: 0 }
    const started = await Promise.allSettled(
      Array.from({ length: options.nodes }, (_, position) =>
        options.source.start(
          target,
          position,
          position < (options.slowFrom ?? 0) ? { ...serve, delayMs: 0 } : serve,
          options.serverFlags,
        ),
      ),
    )
    const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const client = new Child(`${target.name} client`, modulePath('client-process'), options.clientFlags)
    const setting = new Setting(servers, client)
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

  /** Stops the process of the last server, as SIGSTOP does. Rejects for a server of another machine. */
  async stopLast(): Promise<void> {
    const victim = this.servers.at(-1)!
    if (victim.kill === undefined) throw new Error(`node ${victim.address} is remote: it can not be stopped from here`)
    await victim.kill('SIGSTOP')
    this.#stopped = victim
  }

  /** Lets the stopped server go on. */
  async resume(): Promise<void> {
    await this.#stopped?.kill?.('SIGCONT')
    this.#stopped = undefined
  }

  /** CPU time that all servers have used so far, µs; a stopped one is not asked. */
  async serverCpuMicros(): Promise<number> {
    const running = this.servers.filter((server) => server !== this.#stopped)
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
