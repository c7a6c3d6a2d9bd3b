// Storage replicas as processes of their own on this machine, and what may happen to them: killed, stopped, continued,
// started again on the same port. They end with this process, however it ends.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServerInterceptorName } from './interceptors.ts'

/** What a replica tells its parent. */
export type FromReplica =
  | { readonly type: 'listening'; readonly address: string; readonly keys: number }
  | { readonly type: 'joined' }
/** What a parent tells its replicas: their members; and which processes can not notice the parent's end themselves. */
export type ToReplica =
  | { readonly type: 'join'; readonly nodes: Readonly<Record<string, string>> }
  | { readonly type: 'stopped'; readonly pids: readonly number[] }

export type ReplicaState = 'running' | 'stopped' | 'killed'

export interface ReplicaProcessesOptions {
  readonly nodeIDs: readonly string[]
  readonly interceptors?: readonly ServerInterceptorName[]
  /** A module that every replica loads first: what tests want to do to it from within. */
  readonly preload?: string
  /** Given each line that a replica prints. Default: thrown away. */
  readonly onOutput?: (nodeID: string, line: string) => void
}

/** What came of starting a replica. */
export interface Restart {
  /** How many keys it has found in its journal. */
  readonly keys: number
  /** When it listened, by `performance.now()`. */
  readonly listeningAt: number
}

interface ReplicaProcess {
  child: ChildProcess
  state: ReplicaState
  address: string
}

const DIRECTORY_PREFIX = 'gorums-storage-'
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

export class ReplicaProcesses {
  readonly nodeIDs: readonly string[]
  readonly #options: ReplicaProcessesOptions
  readonly #directory = mkdtempSync(path.join(tmpdir(), DIRECTORY_PREFIX))
  readonly #replicas = new Map<string, ReplicaProcess>()
  readonly #onExit = (): void => {
    this.#killAll()
    removeDirectory(this.#directory)
  }

  private constructor(options: ReplicaProcessesOptions) {
    this.nodeIDs = options.nodeIDs
    this.#options = options
    process.on('exit', this.#onExit)
  }

  /** Starts one replica per id; resolves when all of them know each other. */
  static async start(options: ReplicaProcessesOptions): Promise<ReplicaProcesses> {
    const processes = new ReplicaProcesses(options)
    try {
      // Every replica takes a free port; only then is it known where each of them is.
      await Promise.all(options.nodeIDs.map((id) => processes.#spawn(id, '127.0.0.1:0')))
      await Promise.all(options.nodeIDs.map((id) => processes.#join(id)))
    } catch (error) {
      await processes.close()
      throw error
    }
    return processes
  }

  /** Where each replica listens, by id. They keep their addresses for life. */
  get addresses(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.nodeIDs.map((id) => [id, this.#replica(id).address]))
  }

  state(id: string): ReplicaState {
    return this.#replica(id).state
  }

  pid(id: string): number | undefined {
    return this.#replica(id).child.pid
  }

  /** SIGKILL: gone at once, without a word to anybody. Its connections are reset. */
  async kill(id: string): Promise<void> {
    const replica = this.#replica(id)
    if (replica.state === 'killed') throw new RangeError(`replica ${id} is not running: restart it first`)
    const exited = once(replica.child, 'exit')
    replica.child.kill('SIGKILL')
    await exited
  }

  /** SIGSTOP: it does nothing more, and its connections stay open. The worst kind of slow. */
  stop(id: string): void {
    const replica = this.#replica(id)
    if (replica.state !== 'running') throw new RangeError(`replica ${id} is ${replica.state}`)
    replica.child.kill('SIGSTOP')
    replica.state = 'stopped'
    this.#tellStopped()
  }

  /** SIGCONT: it goes on where it was. */
  cont(id: string): void {
    const replica = this.#replica(id)
    if (replica.state !== 'stopped') throw new RangeError(`replica ${id} is ${replica.state}, not stopped`)
    replica.child.kill('SIGCONT')
    replica.state = 'running'
    this.#tellStopped()
  }

  /** Starts it again on its old port, with what its journal has kept. Kills it first if it runs. */
  async restart(id: string): Promise<Restart> {
    const { state, address } = this.#replica(id)
    if (state !== 'killed') await this.kill(id)
    const restart = await this.#spawn(id, address)
    await this.#join(id)
    return restart
  }

  /** Ends all of them and removes what they have written. */
  async close(): Promise<void> {
    process.off('exit', this.#onExit)
    const living = [...this.#replicas.values()].filter((replica) => replica.state !== 'killed')
    const exits = living.map((replica) => once(replica.child, 'exit'))
    this.#killAll()
    await Promise.all(exits)
    removeDirectory(this.#directory)
  }

  /** Starts a process; resolves when it listens. */
  async #spawn(id: string, address: string): Promise<Restart> {
    const { interceptors = [], preload, onOutput } = this.#options
    const rest = interceptors.length === 0 ? [] : ['--interceptors', interceptors.join(',')]
    const child = spawn(
      process.execPath,
      [
        '--import',
        import.meta.resolve('tsx'),
        ...(preload === undefined ? [] : ['--import', preload]),
        MAIN,
        '--serve',
        address,
        '--id',
        id,
        '--child',
        this.#directory,
        ...rest,
      ],
      { stdio: ['ignore', onOutput === undefined ? 'ignore' : 'pipe', 'inherit', 'ipc'] },
    )
    const replica: ReplicaProcess = { child, state: 'running', address }
    this.#replicas.set(id, replica)
    child.once('exit', () => {
      replica.state = 'killed'
      this.#tellStopped()
    })
    if (child.stdout !== null && onOutput !== undefined)
      createInterface({ input: child.stdout }).on('line', (line) => onOutput(id, line))
    const message = await answer(child, id)
    if (message.type !== 'listening') throw new Error(`replica ${id} did not say where it listens`)
    replica.address = message.address
    return { keys: message.keys, listeningAt: performance.now() }
  }

  async #join(id: string): Promise<void> {
    const { child } = this.#replica(id)
    tell(child, { type: 'join', nodes: this.addresses })
    await answer(child, id)
    this.#tellStopped()
  }

  #tellStopped(): void {
    const replicas = [...this.#replicas.values()]
    const pids = replicas.flatMap(({ child, state }) =>
      state === 'stopped' && child.pid !== undefined ? [child.pid] : [],
    )
    for (const { child, state } of replicas) if (state !== 'killed') tell(child, { type: 'stopped', pids })
  }

  #killAll(): void {
    for (const { child, state } of this.#replicas.values()) if (state !== 'killed') child.kill('SIGKILL')
  }

  #replica(id: string): ReplicaProcess {
    const replica = this.#replicas.get(id)
    if (replica === undefined) throw new RangeError(`there is no replica ${id} (${this.nodeIDs.join(', ')})`)
    return replica
  }
}

/** Removes what replicas have written: a directory of ours, and no other. */
export function removeDirectory(directory: string): void {
  if (path.basename(directory).startsWith(DIRECTORY_PREFIX)) rmSync(directory, { recursive: true, force: true })
}

function tell(child: ChildProcess, message: ToReplica): void {
  // One that is about to exit is told nothing; its exit says it all.
  if (child.connected) child.send(message, () => {})
}

/** The next message of a replica. Rejects when it exits instead. */
function answer(child: ChildProcess, id: string): Promise<FromReplica> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      child.off('exit', onExit)
      resolve(message as FromReplica)
    }
    const onExit = (code: number | null, signal: string | null): void => {
      child.off('message', onMessage)
      reject(new Error(`replica ${id} ended with ${signal ?? `code ${code}`} before it was ready`))
    }
    child.once('message', onMessage)
    child.once('exit', onExit)
    child.once('error', reject)
  })
}
