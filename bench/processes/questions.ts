// Questions between the benchmark and the processes that it has started, over the channel that Node.js gives a child: one
// question, one answer or error. Whoever asks is told when the other process has ended instead.

import { type ChildProcess, fork } from 'node:child_process'

interface Question {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** What a child process answers, by the question's name. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>

/** In a child: answers the parent's questions, and ends when the parent has gone. */
export function answerParent(answers: Answers): void {
  process.on('message', (message) => void answer(message as Question))
  process.on('disconnect', () => process.exit(0))
  // Ctrl-C reaches the whole process group; the parent decides what it means.
  process.on('SIGINT', () => {})

  async function answer({ id, name, argument }: Question): Promise<void> {
    let reply: Answer
    try {
      const handler = answers[name]
      if (handler === undefined) throw new TypeError(`nobody answers "${name}" here`)
      reply = { id, value: await handler(argument as never) }
    } catch (error) {
      reply = { id, error: error instanceof Error ? error.message : String(error) }
    }
    process.send?.(reply)
  }
}

/** A child process that answers questions. */
export class Child {
  readonly title: string
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #ended: Promise<void>
  #nextID = 1
  #isEnding = false

  /** Starts a module as a process of its own, with this one's Node.js flags and `flags`. `title` names it in errors. */
  constructor(title: string, module: string, flags: readonly string[] = []) {
    this.title = title
    this.#process = fork(module, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...flags],
    })
    this.#process.on('message', (message) => this.#onAnswer(message as Answer))
    this.#process.on('error', (error) => this.#fail(error))
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        this.#fail(new Error(`the process ended (${signal ?? `exit code ${code}`})`))
        resolve()
      })
    })
  }

  /** Asks; rejects with the child's error, or when it ends, naming it. */
  ask<T>(name: string, argument?: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = this.#nextID++
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#process.send({ id, name, argument }, (error) => {
        if (error !== null) this.#fail(error)
      })
    })
  }

  /** Lets it end by itself, which writes its profiles; what does not is killed. */
  async end(graceMs = 3_000): Promise<void> {
    this.#isEnding = true
    if (this.#process.connected) this.#process.disconnect()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), graceMs)
    await this.#ended
    clearTimeout(timer)
  }

  /** Sends a signal; SIGKILL is waited for. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal)
    if (signal === 'SIGKILL') {
      this.#isEnding = true
      await this.#ended
    }
  }

  #onAnswer({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    if (error === undefined) waiting.resolve(value)
    else waiting.reject(new Error(`${this.title}: ${error}`))
  }

  #fail(error: Error): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new Error(`${this.title}: ${error.message}`))
    if (waiting.length === 0 && !this.#isEnding) process.emitWarning(`${this.title}: ${error.message}`)
  }
}
