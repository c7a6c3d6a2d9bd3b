// Runs programs of the examples as a person would, for their tests: a process of its own, without a terminal. What they
// print and their exit code are for the tests to judge.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))

/** Ends what a test has started when the test ends. As much of a test's context as is needed. */
export interface Cleanup {
  after(hook: () => Promise<void>): void
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs. */
export class Program {
  readonly child: ChildProcess
  /** Resolves when it has ended and everything that holds its output has: its child processes too. */
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  #onLine: (() => void) | undefined

  /** Starts `examples/<file>` with arguments. It is killed when the test ends, if it still runs; what it has started is not. */
  constructor(t: Cleanup, file: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, ['--import', 'tsx', `examples/${file}`, ...args], {
      cwd: REPOSITORY,
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.ended = this.#end()
    // A program that has ended reads no more; nobody needs to hear of that.
    this.child.stdin!.on('error', () => {})
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.#stdout += `${line}\n`
      this.#onLine?.()
    })
    t.after(async () => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return
      const exited = once(this.child, 'exit')
      this.child.kill('SIGKILL')
      await exited
    })
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#stdout
  }

  /** Types lines; `end` closes its input behind them. */
  type(lines: readonly string[], options: { readonly end?: boolean } = {}): void {
    for (const line of lines) this.child.stdin!.write(`${line}\n`)
    if (options.end === true) this.child.stdin!.end()
  }

  /** Resolves when a line that it has printed matches; rejects when it ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout)
      if (match !== null) return match
      const line = new Promise<'line'>((resolve) => {
        this.#onLine = () => resolve('line')
      })
      if ((await Promise.race([line, this.ended])) !== 'line' && !pattern.test(this.#stdout))
        throw new Error(`ended without printing ${pattern}:\n${this.#stdout}${this.#stderr}`)
    }
  }

  async #end(): Promise<Ended> {
    const [code] = (await once(this.child, 'close')) as [number | null]
    return { code, stdout: this.#stdout, stderr: this.#stderr }
  }
}

/** Runs a program to its end, with these lines as its input. */
export async function runProgram(
  t: Cleanup,
  file: string,
  args: readonly string[] = [],
  input: readonly string[] = [],
): Promise<Ended> {
  const program = new Program(t, file, args)
  program.type(input, { end: true })
  return program.ended
}
