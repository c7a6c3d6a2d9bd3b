// Clients of the storage example: one in this process, and one in a process of its own that is killed in the middle of what it
// does and takes the outcome of its operation with it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { type Configuration, type ConnectOptions, connect } from 'gorums'
import { MultiWriterStorage } from '../../examples/storage/clients.ts'

/** Reads and writes registers. */
export interface RegisterClient {
  read(key: string): Promise<string>
  write(key: string, value: string): Promise<void>
  close(): Promise<void>
}

/** What a client process is asked: without a value, to read. */
export interface Question {
  readonly id: number
  readonly key: string
  readonly value?: string
}

export interface Answer {
  readonly id: number
  readonly value?: string
  readonly error?: string
}

export type Addresses = Readonly<Record<string, string>>

/** Replicas that say nothing for a second are given up; what is sent to those that are down waits for them. */
export const CLIENT_OPTIONS: ConnectOptions = {
  callTimeoutMs: 3_000,
  whenDown: 'wait',
  pingIntervalMs: 500,
  pingTimeoutMs: 500,
  backoff: { minMs: 10, maxMs: 200 },
}

export class LocalClient implements RegisterClient {
  readonly config: Configuration
  readonly #storage: MultiWriterStorage

  private constructor(config: Configuration, writerID: string) {
    this.config = config
    this.#storage = new MultiWriterStorage(config, writerID)
  }

  static async connect(addresses: Addresses, writerID: string): Promise<LocalClient> {
    const config = await connect(addresses, CLIENT_OPTIONS)
    return new LocalClient(config, writerID)
  }

  async read(key: string): Promise<string> {
    return (await this.#storage.read(key)).value
  }

  async write(key: string, value: string): Promise<void> {
    await this.#storage.write(key, value)
  }

  close(): Promise<void> {
    return this.config.close()
  }
}

const SCRIPT = path.join(import.meta.dirname, 'register-process.ts')

/** The client that is killed. Its process is started again at once, as another writer. */
export class ClientProcess implements RegisterClient {
  readonly #addresses: Addresses
  readonly #name: string
  #child: ChildProcess | undefined
  #lives = 0
  #questions = 0
  #ready: Promise<unknown>
  readonly #open = new Map<number, (answer: Answer) => void>()

  constructor(addresses: Addresses, name: string) {
    this.#addresses = addresses
    this.#name = name
    this.#ready = this.#start()
  }

  /** SIGKILL. What it was asked fails, with an unknown outcome. */
  async kill(): Promise<void> {
    await this.#ready
    const killed = this.close()
    this.#ready = killed.then(() => this.#start())
    await killed
  }

  async read(key: string): Promise<string> {
    return (await this.#ask({ key })).value!
  }

  async write(key: string, value: string): Promise<void> {
    await this.#ask({ key, value })
  }

  async close(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async #ask(question: Omit<Question, 'id'>): Promise<Answer> {
    await this.#ready
    const child = this.#child
    if (child === undefined) throw new Error(`${this.#name} was killed`)
    const id = ++this.#questions
    const answered = new Promise<Answer>((resolve) => this.#open.set(id, resolve))
    // One that is being killed says so with its exit.
    child.send({ id, ...question }, () => {})
    const answer = await answered
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  async #start(): Promise<void> {
    const writerID = `${this.#name}/${++this.#lives}`
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, writerID, JSON.stringify(this.#addresses)], {
      cwd: path.resolve(import.meta.dirname, '../..'),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    child.on('message', (message: Answer | 'connected') => {
      if (message !== 'connected') this.#settle(message)
    })
    const exited = once(child, 'exit').then(() => {
      for (const id of [...this.#open.keys()]) this.#settle({ id, error: `${writerID} was killed` })
    })
    const isReady = await Promise.race([once(child, 'message').then(() => true), exited.then(() => false)])
    if (!isReady && this.#child === child) throw new Error(`${writerID} ended before it was connected`)
  }

  #settle(answer: Answer): void {
    this.#open.get(answer.id)?.(answer)
    this.#open.delete(answer.id)
  }
}
