// Starts the server under attack in a process with a heap of 128 MB, asks it how it is, and notices when it dies.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { TlsOptions } from 'gorums'
import type { Health } from './target-process.ts'
import type { Strictness } from './target-service.ts'

export type { Health } from './target-process.ts'

const root = path.resolve(import.meta.dirname, '../..')
const script = path.join(import.meta.dirname, 'target-process.ts')
const compiledScript = path.join(root, 'build/test/hostile/target-process.js')

export const HEAP_MB = 128

export interface TargetOptions {
  readonly tls?: TlsOptions
  /** How many files the process may have open at once. Default: as many as this one. */
  readonly filesMax?: number
  /** Default `usual`. */
  readonly strictness?: Strictness
  /** It runs the compiled package, which must be there. Default: the source. */
  readonly isCompiled?: boolean
}

export class TargetServer {
  readonly port: number
  readonly address: string
  readonly pid: number
  /** How the process ended; undefined while it lives. */
  exit: string | undefined
  readonly #process: ChildProcess
  readonly #asked = new Map<number, { resolve: (health: Health) => void; reject: (error: Error) => void }>()
  #questions = 0

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.port = port
    this.address = `127.0.0.1:${port}`
    this.pid = child.pid!
    child.on('message', (message: { number: number; health: Health }) => {
      this.#asked.get(message.number)?.resolve(message.health)
      this.#asked.delete(message.number)
    })
    child.on('exit', (code, signal) => {
      this.exit = `the server process ended with ${signal ?? code}`
      for (const { reject } of this.#asked.values()) reject(new Error(this.exit))
    })
  }

  static async start({
    tls,
    filesMax,
    strictness = 'usual',
    isCompiled = false,
  }: TargetOptions = {}): Promise<TargetServer> {
    const module = isCompiled ? [compiledScript] : ['--import', 'tsx', script]
    const node = [`--max-old-space-size=${HEAP_MB}`, '--expose-gc', ...module]
    const [command, args] =
      filesMax === undefined
        ? [process.execPath, node]
        : ['/bin/sh', ['-c', `ulimit -n ${filesMax} && exec "$0" "$@"`, process.execPath, ...node]]
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        ...process.env,
        HOSTILE_LIMITS: strictness,
        ...(tls === undefined ? {} : { HOSTILE_TLS: JSON.stringify(tls) }),
      },
    })
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`no server: ${signal ?? code}`))),
    ])) as [{ port: number }]
    return new TargetServer(child, message.port)
  }

  /** How the server is, after a garbage collection. Answers come in turn with its other work. */
  health(): Promise<Health> {
    return this.#ask('health')
  }

  /** The same without a garbage collection, behind which V8 is slow for a while. */
  glance(): Promise<Health> {
    return this.#ask('glance')
  }

  /** Lets every `stubborn` handler end. */
  letGo(): Promise<Health> {
    return this.#ask('let go')
  }

  /** Asks until `isSo`; the answers come as fast as the server gives them. */
  async until(
    isSo: (health: Health) => boolean,
    what: string,
    { limitMs = 8_000, ask = () => this.health() } = {},
  ): Promise<Health> {
    const end = performance.now() + limitMs
    for (;;) {
      const health = await ask()
      if (isSo(health)) return health
      if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async stop(): Promise<void> {
    if (this.exit !== undefined) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }

  #ask(ask: string): Promise<Health> {
    if (this.exit !== undefined) return Promise.reject(new Error(this.exit))
    const number = ++this.#questions
    return new Promise((resolve, reject) => {
      this.#asked.set(number, { resolve, reject })
      this.#process.send({ ask, number })
    })
  }
}
