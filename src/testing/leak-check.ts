// Sees to it that a test leaves nothing behind: sockets, servers, timers, unfinished calls, errors that nobody caught.
// It counts what the whole process has: tests that use it must not run at the same time as others in one process, and what
// an earlier test is still closing when the count begins may hide as much that this one leaves.

import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Configuration } from '../call/configuration.ts'
import { milliseconds } from '../options.ts'

/** Turns of the event loop that everything gets to finish in. */
const TURNS = 50
/** More than a connection that has ended waits for the other end to end, ms. */
const CLOSING_MS = 2_000
/** How often one looks whether they are closed once the turns are over, ms. */
const LOOK_MS = 5

/** Resources as process.getActiveResourcesInfo() calls them, and as we do. */
const KINDS: Readonly<Record<string, Kind>> = {
  TCPSocketWrap: 'socket',
  TCPConnectWrap: 'socket',
  TLSWrap: 'socket',
  PipeWrap: 'socket',
  UDPWrap: 'socket',
  TCPServerWrap: 'server',
  PipeServerWrap: 'server',
  Timeout: 'timer',
  ProcessWrap: 'child process',
  Worker: 'worker',
}
type Kind = 'socket' | 'server' | 'timer' | 'child process' | 'worker'

/** As much of a test's context as the check needs: node:test's has it. */
export interface TestContextLike {
  /** Registers a hook that runs when the test has ended; the test fails when it rejects. */
  after(hook: () => Promise<void>): void
}

/** Options of `checkLeaks`. */
export interface LeakCheckOptions {
  /** How long sockets and servers that are being closed may take, ms. Default 2 000. */
  readonly closingMs?: number
}

/** What a test may tell its leak check. */
export interface LeakCheck {
  /** At the end the configuration must be closed and have no unfinished calls. Those that the kit has made are watched anyway. */
  watch(configuration: Configuration): void
}

/** What a cluster and a configuration have in common. */
interface Closable {
  readonly isClosed: boolean
  readonly nodeIDs: readonly string[]
  close(): Promise<void>
}

/**
 * Makes a test fail when it leaves sockets, servers, timers, child processes or unfinished calls behind that were not there
 * when `checkLeaks` was called, or when an exception or a rejection went uncaught meanwhile. Call it first: it looks after
 * all hooks that the test registers with `t.after` from then on have run (they must return promises, not take callbacks).
 * What is being closed gets 50 turns of the event loop, and sockets and servers up to `closingMs`. What
 * is left of sockets and of what the kit has made is closed, so that the process can end.
 */
export function checkLeaks(t: TestContextLike, options: LeakCheckOptions = {}): LeakCheck {
  const watch = new Watch(milliseconds('closingMs', options.closingMs, CLOSING_MS))
  const after = t.after.bind(t) as (hook: () => unknown, ...options: unknown[]) => void
  let hooks = 0
  /** Runs a hook; the last one that runs, whatever their order, is followed by the check. */
  const register = (hook: (...details: unknown[]) => unknown, ...options: unknown[]): void => {
    hooks++
    after(
      async (...details: unknown[]) => {
        try {
          await hook(...details)
        } catch (error) {
          watch.end()
          throw error
        }
        if (--hooks === 0) await watch.check()
      },
      ...options,
    )
  }
  register(() => {})
  Object.defineProperty(t, 'after', { value: register, configurable: true, writable: true })
  return { watch: (configuration) => watch.configurations.add(configuration) }
}

/** Says what is left of a test. */
class Watch {
  readonly configurations = new Set<Configuration>()
  readonly clusters = new Set<Closable>()
  readonly #before = countResources()
  readonly #sockets = new Set<Socket>()
  readonly #uncaught = new Set<unknown>()

  readonly #closingMs: number

  constructor(closingMs: number) {
    this.#closingMs = closingMs
    watches.add(this)
    diagnostics.subscribe('net.client.socket', this.#onSocket)
    diagnostics.subscribe('net.server.socket', this.#onSocket)
    process.on('unhandledRejection', this.#onUncaught)
    process.on('uncaughtExceptionMonitor', this.#onUncaught)
  }

  end(): void {
    watches.delete(this)
    diagnostics.unsubscribe('net.client.socket', this.#onSocket)
    diagnostics.unsubscribe('net.server.socket', this.#onSocket)
    process.off('unhandledRejection', this.#onUncaught)
    process.off('uncaughtExceptionMonitor', this.#onUncaught)
  }

  /** Rejects, naming what is left, when something is. */
  async check(): Promise<void> {
    await this.#settled()
    const left = [...this.#describeOpen(), ...this.#describeResources(), ...this.#describeUncaught()]
    if (left.length > 0) await this.#closeAll()
    this.end()
    if (left.length > 0) throw new Error(`the test left behind: ${left.join('; ')}`, { cause: [...this.#uncaught][0] })
  }

  /** What is left would keep the process from ending, and be there when the next test begins. */
  async #closeAll(): Promise<void> {
    for (const open of [...this.configurations, ...this.clusters]) await open.close()
    for (const socket of this.#sockets) socket.destroy()
    await this.#settled()
  }

  /** Lets end what is ending. Timers do not end by themselves: only sockets and servers are given time. */
  async #settled(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
    for (let waitedMs = 0; waitedMs < this.#closingMs && this.#isClosing(); waitedMs += LOOK_MS)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    await new Promise((resolve) => setImmediate(resolve))
  }

  #isClosing(): boolean {
    const left = this.#left()
    return left.has('socket') || left.has('server')
  }

  #left(): Map<Kind, number> {
    const left = new Map<Kind, number>()
    for (const [kind, count] of countResources()) {
      const more = count - (this.#before.get(kind) ?? 0)
      if (more > 0) left.set(kind, more)
    }
    return left
  }

  #describeOpen(): string[] {
    const found: string[] = []
    for (const { isClosed, nodeIDs } of this.clusters)
      if (!isClosed) found.push(`a local cluster of ${nodeIDs.join(', ')} that was not closed`)
    for (const { isClosed, nodeIDs, nodes } of this.configurations) {
      if (!isClosed) found.push(`a configuration of ${nodeIDs.join(', ')} that was not closed`)
      for (const { id, pending } of nodes)
        if (pending > 0) found.push(`${count(pending, 'unfinished call')} to node "${id}"`)
    }
    return found
  }

  #describeResources(): string[] {
    return [...this.#left()].map(([kind, number]) => {
      if (kind !== 'socket') return count(number, kind)
      const ends = [...this.#sockets].map(
        (socket) => `${socket.localAddress}:${socket.localPort} to ${socket.remoteAddress}:${socket.remotePort}`,
      )
      return `${count(number, kind)}${ends.length === 0 ? '' : ` (${ends.join(', ')})`}`
    })
  }

  #describeUncaught(): string[] {
    return [...this.#uncaught].map((error) => `uncaught: ${error instanceof Error ? error.stack : String(error)}`)
  }

  readonly #onUncaught = (error: unknown): void => {
    this.#uncaught.add(error)
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

/** The checks that are under way. */
const watches = new Set<Watch>()

/** Tells the checks under way of a configuration that the kit has made. */
export function watchConfiguration(configuration: Configuration): void {
  for (const watch of watches) watch.configurations.add(configuration)
}

/** Tells the checks under way of a cluster. */
export function watchCluster(cluster: Closable): void {
  for (const watch of watches) watch.clusters.add(cluster)
}

function countResources(): Map<Kind, number> {
  const counts = new Map<Kind, number>()
  for (const name of process.getActiveResourcesInfo()) {
    const kind = KINDS[name]
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : what.endsWith('s') ? 'es' : 's'}`
}
