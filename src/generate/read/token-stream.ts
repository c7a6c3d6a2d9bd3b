// The tokens of a file with a place in them: what the parser looks at, takes and insists on. Collects the problems; after
// one, it can go on behind the statement in which it was found.

import type { Problem } from '../model.ts'
import type { Position } from './declarations.ts'
import { shown, type Token, tokensOf } from './tokens.ts'

/** Thrown when a statement can not be read further; its problem has been noted. */
export class Unreadable extends Error {}

export class TokenStream {
  readonly problems: Problem[] = []
  readonly #file: string
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(file: string, text: string) {
    this.#file = file
    this.#tokens = tokensOf(text)
  }

  get token(): Token {
    return this.#tokens[this.#at]!
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)]!
  }

  get position(): Position {
    return { line: this.token.line, column: this.token.column }
  }

  get hasProblems(): boolean {
    return this.problems.length > 0
  }

  get isAtEnd(): boolean {
    return this.token.kind === 'end'
  }

  take(): Token {
    const { token } = this
    if (token.kind !== 'end') this.#at++
    return token
  }

  /** Whether the token is that word or symbol. */
  is(text: string): boolean {
    return this.token.text === text && (this.token.kind === 'word' || this.token.kind === 'symbol')
  }

  /** Takes that word or symbol if it is there. */
  skip(text: string): boolean {
    if (!this.is(text)) return false
    this.#at++
    return true
  }

  /** Takes that symbol; `where` says what it belongs to: `after the name of the message`. */
  expect(text: string, where: string): void {
    if (this.skip(text)) return
    const message = `"${text}" is missing ${where}`
    // What was forgotten at the end of a line hides nothing of the next.
    if (text !== ';' || this.token.line === this.#tokens[this.#at - 1]?.line) this.fail(message)
    this.note(this.#found(message))
  }

  /** Takes a name; `what` says of what: `a message`. */
  name(what: string): Token {
    if (this.token.kind !== 'word') this.fail(`the name of ${what} is missing`)
    return this.take()
  }

  /** Takes a string, or several that stand one after the other. */
  string(what: string): string {
    if (this.token.kind !== 'string') this.fail(`${what} is missing: write it in quotes`)
    let text = ''
    while (this.token.kind === 'string') text += this.take().text
    return text
  }

  /** Takes a whole number, with a minus if it may have one. */
  integer(what: string, mayBeNegative = false): number {
    const isNegative = mayBeNegative && this.skip('-')
    const { text, kind } = this.token
    if (kind !== 'number' || !/^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.test(text))
      this.fail(`${what} must be a whole number`)
    this.take()
    const value = /^0[0-7]/.test(text) ? Number.parseInt(text, 8) : Number(text)
    return isNegative && value !== 0 ? -value : value
  }

  /** Notes what is wrong at the token and gives the statement up. */
  fail(message: string): never {
    throw this.#unreadable(this.token.error ?? this.#found(message))
  }

  #found(message: string): string {
    const { kind, text } = this.token
    return kind === 'end' ? `${message}, the file ends here` : `${message}, found "${shown(text)}"`
  }

  /** Notes a problem; reading goes on. */
  note(message: string, position: Position = this.position): void {
    // Every block that is open at the end of the file would say so: the innermost is enough.
    const last = this.problems.at(-1)
    if (last?.line === position.line && last.column === position.column) return
    this.problems.push({ file: this.#file, line: position.line, column: position.column, message })
  }

  #unreadable(message: string): Unreadable {
    this.note(message)
    return new Unreadable(message)
  }

  /**
   * Goes on behind the statement that can not be read: behind its `;` or its block, or in front of the `}` that ends the
   * block around it.
   */
  recover(): void {
    let depth = 0
    for (; !this.isAtEnd; this.take()) {
      if (this.is('{')) depth++
      else if (this.is('}')) {
        if (depth === 0) return
        depth--
        if (depth === 0) {
          this.take()
          return
        }
      } else if (this.is(';') && depth === 0) {
        this.take()
        return
      }
    }
  }

  /** Runs one statement; after a mistake in it, goes on behind it. */
  statement(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.recover()
    }
  }

  /** `{ … }`, one statement after the other. */
  braces(what: string, read: () => void): void {
    this.expect('{', `after ${what}`)
    while (!this.skip('}')) {
      if (this.isAtEnd) this.fail(`"}" is missing at the end of ${what}`)
      if (!this.skip(';')) this.statement(read)
    }
  }
}

/** Where a token stands. */
export function place(token: Token): { readonly line: number; readonly column: number } {
  return { line: token.line, column: token.column }
}
