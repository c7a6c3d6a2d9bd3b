// A counter process as its parent sees it: started, killed, blocked, asked to end, started again on the same port.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const script = path.join(import.meta.dirname, 'counter-process.ts')

export class CounterServer {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'gorums-chaos-'))
  #process: ChildProcess | undefined
  #port = 0

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', 'tsx', script, this.#file, String(this.#port)], {
      cwd: path.resolve(import.meta.dirname, '../..'),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#process = child
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the counter ended with code ${code}`)))
    const [port] = (await Promise.race([once(child, 'message'), ended])) as [number]
    ended.catch(() => {})
    this.#port = port
  }

  /** Kills it in the middle of whatever it does. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Blocks its event loop: nothing is read, answered or noticed. */
  block(ms: number): void {
    this.#process?.send(ms)
  }

  /** Has it finish what it has accepted; `onDraining` is called when it has begun to. */
  stop(onDraining: () => void): Promise<void> {
    this.#process?.once('message', onDraining)
    return this.#end('SIGTERM')
  }

  /** The numbers of all calls that have run, in order, over all lives. */
  get runs(): number[] {
    if (!existsSync(this.#file)) return []
    return readFileSync(this.#file, 'utf8').split('\n').filter(Boolean).map(Number)
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get #file(): string {
    return path.join(this.#directory, 'runs')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
}
