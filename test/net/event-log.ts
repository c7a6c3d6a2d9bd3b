// A logger that a test reads: what a server says of strangers and violations, where no caller hears of it.

import type { Logger } from 'gorums'

export class EventLog {
  readonly lines: string[] = []
  readonly logger: Logger = {
    info: (message) => this.#add(message),
    warn: (message) => this.#add(message),
    error: (message) => this.#add(message),
  }
  #waiting: { pattern: RegExp; resolve: (line: string) => void }[] = []

  /** The first line that matches, when there is one. */
  until(pattern: RegExp): Promise<string> {
    const found = this.lines.find((line) => pattern.test(line))
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve) => this.#waiting.push({ pattern, resolve }))
  }

  #add(line: string): void {
    this.lines.push(line)
    for (const waiting of this.#waiting) if (waiting.pattern.test(line)) waiting.resolve(line)
    this.#waiting = this.#waiting.filter((waiting) => !waiting.pattern.test(line))
  }
}
