// Cuts the text of a .proto file into tokens, each with its place and the comment in front of it. What belongs to which
// token is protoc's rule: a comment is that of the next token when no blank line lies between them and it does not stand
// on the line on which the token before it ends. So comments come out as they do through protoc and buf.

export type TokenKind = 'word' | 'number' | 'string' | 'symbol' | 'end' | 'bad'

export interface Token {
  readonly kind: TokenKind
  /** As written; of a string, its content with escapes resolved: one character per byte of UTF-8. */
  readonly text: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** The comment in front of it, as `tidyComment` gives it. */
  readonly comment: string
  /** Of a bad token: what is wrong with it. */
  readonly error: string | undefined
}

/** All tokens of a text; the last one is the only one of kind `end`. */
export function tokensOf(text: string): Token[] {
  const reader = new TokenReader(text)
  const tokens: Token[] = []
  for (;;) {
    const token = reader.next()
    tokens.push(token)
    if (token.kind === 'end') return tokens
  }
}

/**
 * The text of a comment as it goes into a doc comment: without the space after the comment mark, without spaces at the
 * ends of lines, without empty lines around it.
 */
export function tidyComment(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^ /, '').trimEnd())
  while (lines[0] === '') lines.shift()
  while (lines.at(-1) === '') lines.pop()
  return lines.join('\n')
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/y
const BLANK = /[ \t\r\v\f]+/y

class TokenReader {
  readonly #text: string
  #at = 0
  #line = 1
  #lineStart = 0
  /** A comment that nothing ended is told of once, in place of the end. */
  #openComment: { readonly line: number; readonly column: number } | undefined

  constructor(text: string) {
    this.#text = text
  }

  next(): Token {
    const comment = this.#comments()
    const line = this.#line
    const column = this.#at - this.#lineStart + 1
    const open = this.#openComment
    if (open !== undefined) {
      this.#openComment = undefined
      return {
        kind: 'bad',
        text: '/*',
        ...open,
        comment: '',
        error: 'the comment is never closed: write "*/" at its end',
      }
    }
    const made = (kind: TokenKind, text: string, error?: string): Token => ({
      kind,
      text,
      line,
      column,
      comment,
      error,
    })
    if (this.#at >= this.#text.length) return made('end', '')
    const word = this.#match(WORD)
    if (word !== undefined) return made('word', word)
    const number = this.#match(NUMBER)
    if (number !== undefined) {
      const rest = this.#match(WORD)
      return rest === undefined
        ? made('number', number)
        : made('bad', number + rest, `"${shown(number + rest)}" is neither a number nor a name`)
    }
    const first = this.#text[this.#at]!
    if (first === '"' || first === "'") return this.#string(first, made)
    // Whole characters, not halves of pairs, for messages.
    const symbol = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
    this.#at += symbol.length
    if ('{}[]()<>=;:,.-+/'.includes(symbol)) return made('symbol', symbol)
    return made('bad', symbol, `${JSON.stringify(symbol)} has no meaning here`)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  /** Passes blanks and comments; gives the comment that belongs to what follows. */
  #comments(): string {
    let isFirstLine = this.#at > 0
    /** The last group of comments, while nothing but one line end has come after it. */
    let group: string[] = []
    let isLineGroup = false
    for (;;) {
      this.#match(BLANK)
      const two = this.#text.slice(this.#at, this.#at + 2)
      if (this.#text[this.#at] === '\n') {
        const isBlankLine = this.#at === this.#lineStart || this.#text.slice(this.#lineStart, this.#at).trim() === ''
        if (isBlankLine) group = []
        this.#newLine()
        isFirstLine = false
      } else if (two === '//') {
        const text = this.#lineComment()
        if (isFirstLine) continue
        if (!isLineGroup) group = []
        group.push(text)
        isLineGroup = true
      } else if (two === '/*') {
        const text = this.#blockComment()
        group = isFirstLine ? [] : [text]
        isLineGroup = false
        if (this.#openComment !== undefined) return ''
      } else {
        return group.length === 0 ? '' : tidyComment(group.join('\n'))
      }
    }
  }

  /** Up to its line end, which stays. */
  #lineComment(): string {
    const end = this.#text.indexOf('\n', this.#at)
    const stop = end < 0 ? this.#text.length : end
    const text = this.#text.slice(this.#at + 2, stop)
    this.#at = stop
    return text
  }

  /** Without the stars that its lines begin with. */
  #blockComment(): string {
    const from = { line: this.#line, column: this.#at - this.#lineStart + 1 }
    const end = this.#text.indexOf('*/', this.#at + 2)
    if (end < 0) {
      this.#openComment = from
      this.#at = this.#text.length
      return ''
    }
    const text = this.#text.slice(this.#at + 2, end)
    for (let at = this.#at; at < end; at++) {
      if (this.#text[at] !== '\n') continue
      this.#line++
      this.#lineStart = at + 1
    }
    this.#at = end + 2
    const [first, ...others] = text.split('\n')
    return [first, ...others.map((line) => line.replace(/^[ \t\r\v\f]*\*?/, ''))].join('\n')
  }

  #newLine(): void {
    this.#at++
    this.#line++
    this.#lineStart = this.#at
  }

  #string(quote: string, made: (kind: TokenKind, text: string, error?: string) => Token): Token {
    let content = ''
    let error: string | undefined
    this.#at++
    for (;;) {
      const next = this.#text[this.#at]
      if (next === undefined || next === '\n')
        return made('bad', quote, `the string is not closed on its line: write ${quote} at its end`)
      if (next === '\0') error ??= 'a string with the character NUL in it: write "\\0"'
      if (next === quote) {
        this.#at++
        return error === undefined ? made('string', content) : made('bad', quote, error)
      }
      if (next === '\\') {
        const escaped = this.#escape()
        if (escaped.error === undefined) content += escaped.bytes
        else error ??= escaped.error
      } else {
        const character = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
        content += bytesOf(character)
        this.#at += character.length
      }
    }
  }

  #escape(): { readonly bytes: string; readonly error?: undefined } | { readonly error: string } {
    const simple = this.#text[this.#at + 1] ?? ''
    const known = SIMPLE_ESCAPES.get(simple)
    if (known !== undefined) {
      this.#at += 2
      return { bytes: known }
    }
    const byte = this.#match(/\\[0-7]{1,3}/y) ?? this.#match(/\\[xX][0-9a-fA-F]{1,2}/y)
    if (byte !== undefined) {
      const digits = byte.slice(1)
      const code = /^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 8)
      return { bytes: String.fromCharCode(code & 0xff) }
    }
    const unicode = this.#match(/\\u[0-9a-fA-F]{4}/y) ?? this.#match(/\\U[0-9a-fA-F]{8}/y)
    const code = unicode === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(unicode.slice(2), 16)
    if (code <= 0x10ffff) return { bytes: bytesOf(String.fromCodePoint(code)) }
    if (unicode === undefined) this.#at++
    return { error: `"${shown(unicode ?? `\\${simple}`)}" is no escape: write "\\\\" for a backslash` }
  }
}

const SIMPLE_ESCAPES = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['?', '?'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
])

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Text from a file, short enough for a message and without control characters. */
export function shown(text: string): string {
  const plain = JSON.stringify(text).slice(1, -1)
  return plain.length <= 60 ? plain : `${plain.slice(0, 57)}…`
}
