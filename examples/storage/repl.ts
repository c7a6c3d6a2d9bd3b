// The prompt: reads lines, runs them one after the other, and shows how the nodes are doing while it waits. Whatever a
// line does, the prompt comes back.

import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { completeCommand, parseCommand, type Scene } from './commands.ts'
import { execute, type Session } from './execute.ts'
import { nodeMarks } from './marks.ts'

export interface ReplOptions {
  readonly input: Readable
  readonly output: Writable
  /** Whether a person sits in front: line editing, completion, a prompt that keeps itself up to date. */
  readonly isTerminal: boolean
}

const REFRESH_MS = 500

/** Reads commands until `exit` or the end of the input. Resolves with how many of them failed. */
export async function runRepl(session: Omit<Session, 'print'>, options: ReplOptions): Promise<number> {
  const { input, output, isTerminal } = options
  const scene: Scene = { nodeIDs: session.configuration.nodeIDs, isLocal: session.processes !== undefined }
  const lines = createInterface({
    input,
    ...(isTerminal ? { output, terminal: true, completer: (line: string) => completeCommand(line, scene) } : {}),
  })
  const print = (line: string): void => {
    output.write(`${line}\n`)
  }
  const prompt = new Prompt(lines, { ...session, print }, isTerminal)
  let failures = 0
  prompt.show()
  for await (const line of lines) {
    const isLast = await prompt.working(async (signal) => {
      try {
        const command = parseCommand(line, scene)
        await execute(command, { ...session, print }, signal)
        return command.kind === 'exit'
      } catch (error) {
        failures++
        print(session.paint.red(oneLine(error)))
        return false
      }
    })
    if (isLast) break
    prompt.show()
  }
  prompt.close()
  return failures
}

/** The prompt on the screen, and what Ctrl-C means at the moment. */
class Prompt {
  readonly #lines: Interface
  readonly #session: Session
  readonly #isTerminal: boolean
  readonly #timer: NodeJS.Timeout | undefined
  #running: AbortController | undefined
  #shown = ''

  constructor(lines: Interface, session: Session, isTerminal: boolean) {
    this.#lines = lines
    this.#session = session
    this.#isTerminal = isTerminal
    if (!isTerminal) return
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS)
    lines.on('SIGINT', () => this.#interrupt())
  }

  show(): void {
    if (!this.#isTerminal) return
    this.#shown = this.#text()
    this.#lines.setPrompt(this.#shown)
    this.#lines.prompt()
  }

  /** Runs something while the prompt is away; Ctrl-C cancels it. */
  async working<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    this.#running = controller
    try {
      return await run(controller.signal)
    } finally {
      this.#running = undefined
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#lines.close()
  }

  /** `●●◌●✕ 1204 calls > ` */
  #text(): string {
    const { configuration, processes, load, paint } = this.#session
    const marks = nodeMarks(configuration, paint, processes)
    if (load === undefined) return `${marks} > `
    const failed = load.failed === 0 ? '' : ` ${paint.red(`${load.failed} failed`)}`
    return `${marks} ${paint.dim(`${load.calls} calls`)}${failed} > `
  }

  /** Draws the prompt again, under what is being typed, when it has changed. */
  #refresh(): void {
    if (this.#running !== undefined) return
    const text = this.#text()
    if (text === this.#shown) return
    this.#shown = text
    this.#lines.setPrompt(text)
    this.#lines.prompt(true)
  }

  #interrupt(): void {
    if (this.#running !== undefined) this.#running.abort(new Error('Ctrl-C'))
    else if (this.#lines.line.length > 0) {
      // Throws away what was typed, as a shell does.
      this.#lines.write(null, { ctrl: true, name: 'e' })
      this.#lines.write(null, { ctrl: true, name: 'u' })
    } else this.#lines.close()
  }
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ')
}
