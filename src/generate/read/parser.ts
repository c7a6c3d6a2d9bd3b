// Reads the text of one .proto file: proto2, proto3, editions 2023 and 2024. Says what is wrong with how it is written
// and goes on behind it, so that all mistakes of a file are found in one run; what names mean is not looked at here.

import type { Problem } from '../model.ts'
import {
  EDITIONS,
  type Edition,
  type FileDeclaration,
  type ImportDeclaration,
  type Position,
  type ServiceDeclaration,
} from './declarations.ts'
import { emptyBlock, MessageParser } from './message-parser.ts'
import { parseOptionStatement, parseTypeName } from './option-parser.ts'
import { parseService } from './service-parser.ts'
import { join } from './symbol-list.ts'
import { TokenStream } from './token-stream.ts'
import { shown } from './tokens.ts'

/** What could be read, and what is wrong. */
export interface Parsed {
  readonly file: FileDeclaration
  readonly problems: readonly Problem[]
}

/** Reads a .proto file. `name` is what the file is called in problems and by those who import it. */
export function parseProto(name: string, text: string): Parsed {
  const tokens = new TokenStream(name, text)
  const file = new FileParser(tokens).parse(name)
  return { file, problems: tokens.problems }
}

class FileParser {
  readonly #tokens: TokenStream
  readonly #block = emptyBlock()
  readonly #imports: ImportDeclaration[] = []
  readonly #services: ServiceDeclaration[] = []
  readonly #messages: MessageParser
  #package: string | undefined
  #packagePosition: Position = { line: 0, column: 0 }
  #comment = ''

  constructor(tokens: TokenStream) {
    this.#tokens = tokens
    this.#messages = new MessageParser(tokens)
  }

  parse(name: string): FileDeclaration {
    let isFirst = true
    while (!this.#tokens.isAtEnd) {
      if (this.#tokens.is('}')) {
        this.#tokens.note('"}" closes nothing: remove it')
        this.#tokens.take()
      } else {
        this.#tokens.statement(() => this.#topLevel(isFirst))
      }
      isFirst = false
    }
    const scope = this.#package ?? ''
    return {
      name,
      comment: this.#comment,
      edition: this.#messages.edition,
      package: scope,
      packagePosition: this.#packagePosition,
      options: this.#block.options,
      imports: this.#imports,
      messages: this.#block.messages,
      enums: this.#block.enums,
      services: this.#services,
      // The package may come behind what is in it.
      extensions: this.#messages.extensions.map((each) => ({ ...each, scope: join(scope, each.scope) })),
    }
  }

  #topLevel(isFirst: boolean): void {
    const tokens = this.#tokens
    const { comment } = tokens.token
    if (tokens.skip(';')) return
    if ((tokens.is('syntax') || tokens.is('edition')) && tokens.following.text === '=') {
      if (!isFirst) tokens.note(`"${tokens.token.text}" must come first in the file`)
      this.#comment = comment
      return this.#syntax(tokens.take().text)
    }
    if (tokens.skip('package')) {
      if (this.#package !== undefined) tokens.note('a file has one package: remove the second "package"')
      if (tokens.is('.')) tokens.fail('a package begins with a name, not with a dot')
      this.#packagePosition = tokens.position
      this.#package = parseTypeName(tokens, 'the package')
      if (this.#comment === '') this.#comment = comment
      return tokens.expect(';', 'after the package')
    }
    if (tokens.skip('import')) return this.#import()
    if (tokens.skip('option')) return void this.#block.options.push(...parseOptionStatement(tokens))
    if (tokens.skip('service')) return void this.#services.push(parseService(tokens, comment))
    if (this.#messages.nested(this.#block, '', 0)) return
    tokens.fail('expected "message", "enum", "service", "import", "option" or "package"')
  }

  #syntax(keyword: string): void {
    const tokens = this.#tokens
    tokens.expect('=', `after "${keyword}"`)
    const { position } = tokens
    const text = tokens.string(keyword === 'syntax' ? 'the syntax' : 'the edition')
    const isKnown = Object.hasOwn(EDITIONS, text) && text.startsWith('proto') === (keyword === 'syntax')
    if (isKnown) this.#messages.edition = text as Edition
    else {
      const known = keyword === 'syntax' ? '"proto2" or "proto3"' : '"2023" or "2024"'
      tokens.note(`${keyword} "${shown(text)}" is not known: write ${known}`, position)
      this.#messages.edition = keyword === 'syntax' ? 'proto3' : '2024'
    }
    tokens.expect(';', `after the ${keyword}`)
  }

  #import(): void {
    const tokens = this.#tokens
    const how = ['public', 'weak', 'option'].find((word) => tokens.is(word))
    const { edition } = this.#messages
    if (how === 'option' && edition !== '2024')
      tokens.note(`"import option" is for edition 2024: remove "option", or write edition = "2024";`)
    if (how === 'weak' && edition === '2024') tokens.note('edition 2024 has no weak imports: remove "weak"')
    if (how !== undefined) tokens.take()
    const { position } = tokens
    const path = tokens.string('the path of the import')
    if (this.#imports.some((each) => each.path === path))
      tokens.note(`"${shown(path)}" is imported twice: remove one of them`, position)
    else if (how !== 'option' && this.#imports.at(-1)?.isOption)
      tokens.note('what is imported for options only comes last: move this import before it', position)
    this.#imports.push({ path, isPublic: how === 'public', isOption: how === 'option', position })
    tokens.expect(';', 'after the import')
  }
}
