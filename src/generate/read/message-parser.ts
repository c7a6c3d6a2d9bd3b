// Reads messages and what stands in them: fields, maps, groups, oneofs, enums, extensions.

import type {
  Edition,
  EnumDeclaration,
  EnumValueDeclaration,
  ExtensionDeclaration,
  FieldDeclaration,
  MessageDeclaration,
  OneofDeclaration,
  Option,
  Range,
  TypeName,
  Visibility,
} from './declarations.ts'
import { parseInlineOptions, parseOptionStatement, parseTypeName } from './option-parser.ts'
import { parseRanges, parseReserved, type Reserved } from './range-parser.ts'
import { place, type TokenStream } from './token-stream.ts'
import type { Token } from './tokens.ts'

/** Messages within messages beyond this are a mistake. */
const DEPTH_LIMIT = 64

/** A message, or what stands in for one where messages can be declared: the file, the block of `extend`. */
export interface MessageBlock extends Reserved {
  readonly fields: FieldDeclaration[]
  readonly oneofs: OneofDeclaration[]
  readonly messages: MessageDeclaration[]
  readonly enums: EnumDeclaration[]
  readonly options: Option[]
  readonly extensionRanges: Range[]
  readonly rangeOptions: Option[]
}

export class MessageParser {
  /** All that have been read; their scopes are within the package. */
  readonly extensions: ExtensionDeclaration[] = []
  readonly #tokens: TokenStream
  /** The file says it before its first message. */
  edition: Edition = 'proto2'

  constructor(tokens: TokenStream) {
    this.#tokens = tokens
  }

  /** What may stand in a file and in a message. Gives false when it is something else. */
  nested(block: MessageBlock, scope: string, depth: number): boolean {
    const tokens = this.#tokens
    const { comment } = tokens.token
    const visibility = this.#visibility()
    if (tokens.skip('message')) {
      const name = tokens.name('a message')
      block.messages.push(this.#message(name, comment, visibility, scope, depth))
      return true
    }
    if (tokens.skip('enum')) {
      block.enums.push(this.#enum(comment, visibility))
      return true
    }
    if (tokens.is('extend') && (tokens.following.kind === 'word' || tokens.following.text === '.')) {
      tokens.take()
      this.#extend(block, scope, depth)
      return true
    }
    return false
  }

  /** `export` or `local` in front of a message or an enum; elsewhere they are names like any other. */
  #visibility(): Visibility | undefined {
    const tokens = this.#tokens
    const { text } = tokens.token
    if (this.edition !== '2024' || (text !== 'export' && text !== 'local')) return undefined
    if (!['message', 'enum'].includes(tokens.following.text)) return undefined
    tokens.take()
    return text
  }

  #message(
    name: Token,
    comment: string,
    visibility: Visibility | undefined,
    scope: string,
    depth: number,
  ): MessageDeclaration {
    if (depth > DEPTH_LIMIT) this.#tokens.fail(`message "${name.text}" is nested too deeply`)
    const block = emptyBlock()
    const inner = scope === '' ? name.text : `${scope}.${name.text}`
    this.#tokens.braces(`message "${name.text}"`, () => this.#messagePart(block, name.text, inner, depth))
    return { name: name.text, comment, position: place(name), visibility, ...block }
  }

  #messagePart(block: MessageBlock, name: string, scope: string, depth: number): void {
    const tokens = this.#tokens
    const { comment } = tokens.token
    if (tokens.is('option') && ['word', 'symbol'].includes(tokens.following.kind) && tokens.following.text !== '.') {
      tokens.take()
      return void block.options.push(...parseOptionStatement(tokens))
    }
    if (tokens.is('oneof') && tokens.following.kind === 'word') return this.#oneof(block, comment, scope, depth)
    if (tokens.is('reserved')) return parseReserved(tokens, block, this.edition, 'message')
    if (tokens.is('extensions')) {
      if (this.edition === 'proto3') tokens.note('proto3 has no extension ranges: remove "extensions"')
      tokens.take()
      block.extensionRanges.push(...parseRanges(tokens))
      block.rangeOptions.push(...parseInlineOptions(tokens))
      return tokens.expect(';', 'after the extension ranges')
    }
    if (this.nested(block, scope, depth + 1)) return
    if (tokens.token.kind !== 'word' && !tokens.is('.'))
      tokens.fail(`expected a field, "message", "enum", "oneof" or "}" in message "${name}"`)
    block.fields.push(this.#field(block, undefined, scope, depth))
  }

  #field(block: MessageBlock, oneof: string | undefined, scope: string, depth: number): FieldDeclaration {
    const tokens = this.#tokens
    const { comment } = tokens.token
    const start = tokens.position
    const label = this.#label()
    if (tokens.is('map') && tokens.following.text === '<') {
      if (label !== undefined) tokens.note(`a map is repeated by itself: remove "${label}"`, start)
      if (oneof !== undefined) tokens.note('a map can not stand in a oneof: put it into a message of its own', start)
      return this.#map(comment)
    }
    if (tokens.is('group') && tokens.following.kind === 'word') return this.#group(block, label, oneof, scope, depth)
    const type = this.#typeName('the type of a field')
    const name = tokens.name('a field')
    this.#checkLabel(label, oneof, name.text, start)
    return {
      name: name.text,
      comment,
      position: place(name),
      type,
      label,
      oneof,
      ...NOT_A_MAP,
      ...this.#fieldEnd(name.text),
    }
  }

  #label(): 'optional' | 'required' | 'repeated' | undefined {
    const { text } = this.#tokens.token
    const { following } = this.#tokens
    if (text !== 'optional' && text !== 'required' && text !== 'repeated') return undefined
    // `optional.Type field = 1;` is a field whose type is in a package "optional".
    if (following.kind !== 'word' && following.text !== '.') return undefined
    this.#tokens.take()
    return text
  }

  #checkLabel(
    label: string | undefined,
    oneof: string | undefined,
    field: string,
    start: { line: number; column: number },
  ) {
    const { problem } = labelProblem(label, oneof, this.edition, field)
    if (problem !== undefined) this.#tokens.note(problem, start)
  }

  /** `= 1 [options];` */
  #fieldEnd(name: string): { number: number; options: Option[] } {
    this.#tokens.expect('=', `after the name of field "${name}": write its number, for example "= 1"`)
    const number = this.#tokens.integer(`the number of field "${name}"`)
    const options = parseInlineOptions(this.#tokens)
    this.#tokens.expect(';', `after field "${name}"`)
    return { number, options }
  }

  #map(comment: string): FieldDeclaration {
    const tokens = this.#tokens
    tokens.take()
    tokens.expect('<', 'after "map"')
    const mapKey = this.#typeName("the type of a map's keys")
    tokens.expect(',', "after the type of the map's keys")
    const type = this.#typeName("the type of a map's values")
    tokens.expect('>', "after the type of the map's values")
    const name = tokens.name('a field')
    const end = this.#fieldEnd(name.text)
    const rest = { isGroup: false, label: undefined, oneof: undefined }
    return { name: name.text, comment, position: place(name), type, mapKey, ...rest, ...end }
  }

  /** A field and a message in one: `repeated group Result = 1 { … }`. The comment is that of the message. */
  #group(
    block: MessageBlock,
    label: FieldDeclaration['label'],
    oneof: string | undefined,
    scope: string,
    depth: number,
  ): FieldDeclaration {
    const tokens = this.#tokens
    const start = tokens.position
    const { comment } = tokens.take()
    const name = tokens.name('a group')
    if (this.edition !== 'proto2')
      tokens.note('groups are for proto2: write a message and "[features.message_encoding = DELIMITED]"', start)
    if (!/^[A-Z]/.test(name.text))
      tokens.note(`the name of group "${name.text}" must begin with a capital letter`, place(name))
    tokens.expect('=', `after the name of group "${name.text}"`)
    const number = tokens.integer(`the number of group "${name.text}"`)
    const options = parseInlineOptions(tokens)
    block.messages.push(this.#message(name, comment, undefined, scope, depth + 1))
    this.#checkLabel(label, oneof, name.text, start)
    const type = { text: name.text, position: place(name) }
    const rest = { mapKey: undefined, isGroup: true, label, oneof, number, options }
    return { name: name.text.toLowerCase(), comment: '', position: place(name), type, ...rest }
  }

  #oneof(block: MessageBlock, comment: string, scope: string, depth: number): void {
    const tokens = this.#tokens
    tokens.take()
    const name = tokens.name('a oneof')
    const options: Option[] = []
    block.oneofs.push({ name: name.text, comment, options, position: place(name) })
    this.#tokens.braces(`oneof "${name.text}"`, () => {
      if (tokens.is('option') && tokens.following.text !== '.') {
        tokens.take()
        return void options.push(...parseOptionStatement(tokens))
      }
      if (tokens.token.kind !== 'word' && !tokens.is('.')) tokens.fail(`expected a field in oneof "${name.text}"`)
      block.fields.push(this.#field(block, name.text, scope, depth))
    })
  }

  #enum(comment: string, visibility: Visibility | undefined): EnumDeclaration {
    const tokens = this.#tokens
    const name = tokens.name('an enum')
    const options: Option[] = []
    const values: EnumValueDeclaration[] = []
    const kept: Reserved = { reserved: [], reservedNames: [] }
    this.#tokens.braces(`enum "${name.text}"`, () => {
      if (tokens.is('option') && tokens.following.text !== '=') {
        tokens.take()
        return void options.push(...parseOptionStatement(tokens))
      }
      if (tokens.is('reserved') && tokens.following.text !== '=')
        return parseReserved(tokens, kept, this.edition, 'enum')
      values.push(this.#enumValue())
    })
    return { name: name.text, comment, position: place(name), visibility, options, values, ...kept }
  }

  #enumValue(): EnumValueDeclaration {
    const tokens = this.#tokens
    const name = tokens.name('a value of the enum')
    tokens.expect('=', `after the name of value "${name.text}": write its number, for example "= 1"`)
    const number = tokens.integer(`the number of value "${name.text}"`, true)
    const options = parseInlineOptions(tokens)
    tokens.expect(';', `after value "${name.text}"`)
    return { name: name.text, comment: name.comment, position: place(name), number, options }
  }

  /** Extensions of messages are not generated; those of options are needed to know options by their names. */
  #extend(block: MessageBlock, scope: string, depth: number): void {
    const extendee = this.#typeName('the message to extend')
    // Groups among the extensions declare messages beside the block.
    const fields = { ...emptyBlock(), messages: block.messages }
    const before = this.extensions.length
    this.#tokens.braces(`"extend ${extendee.text}"`, () => {
      const field = this.#field(fields, undefined, scope, depth)
      this.extensions.push({ field, scope, extendee })
    })
    if (this.extensions.length === before && !this.#tokens.hasProblems)
      this.#tokens.note(`"extend ${extendee.text}" has no fields: add one, or remove it`, extendee.position)
  }

  #typeName(what: string): TypeName {
    const { position } = this.#tokens
    return { text: parseTypeName(this.#tokens, what), position }
  }
}

const NOT_A_MAP = { mapKey: undefined, isGroup: false } as const

/** Nothing declared yet. */
export function emptyBlock(): MessageBlock {
  return {
    fields: [],
    oneofs: [],
    messages: [],
    enums: [],
    options: [],
    reserved: [],
    reservedNames: [],
    extensionRanges: [],
    rangeOptions: [],
  }
}

/** Which labels a field may have depends on the syntax. */
function labelProblem(
  label: string | undefined,
  oneof: string | undefined,
  edition: Edition,
  field: string,
): { readonly problem: string | undefined } {
  if (oneof !== undefined)
    return {
      problem:
        label === undefined ? undefined : `field "${field}" in oneof "${oneof}" takes no label: remove "${label}"`,
    }
  if (edition === 'proto2')
    return {
      problem:
        label === undefined
          ? `field "${field}" has no label: write "optional", "required" or "repeated" in front of it`
          : undefined,
    }
  if (edition === 'proto3')
    return {
      problem:
        label === 'required' ? `proto3 has no required fields: remove "required" from field "${field}"` : undefined,
    }
  if (label === 'optional')
    return { problem: `editions have no "optional": remove it from field "${field}", whose presence is explicit` }
  if (label === 'required')
    return {
      problem: `editions have no "required": write "[features.field_presence = LEGACY_REQUIRED]" after field "${field}"`,
    }
  return { problem: undefined }
}
