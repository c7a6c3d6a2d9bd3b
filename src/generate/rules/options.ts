// Options: each must be declared, by protobuf for what it stands at or as an extension of that, be of its type, and be
// set once.

import { scalarDefault } from '../link/default-value.ts'
import { lookupProblem } from '../link/lookup-problem.ts'
import { isScalar } from '../link/scalar-types.ts'
import { SymbolTable } from '../link/symbols.ts'
import type { FieldDeclaration, FileDeclaration, MessageDeclaration, Option, Position } from '../read/declarations.ts'
import { descriptorProto, FEATURES_OF_OTHERS } from '../read/sources.ts'
import { join, type Named } from '../read/symbol-list.ts'
import { messagesOf } from './extensions.ts'
import { featureProblem, removedProblem } from './option-editions.ts'
import type { Around } from './rules.ts'

/** What options stand at, and the message that describes them. */
const MESSAGES = {
  file: 'google.protobuf.FileOptions',
  message: 'google.protobuf.MessageOptions',
  field: 'google.protobuf.FieldOptions',
  oneof: 'google.protobuf.OneofOptions',
  enum: 'google.protobuf.EnumOptions',
  value: 'google.protobuf.EnumValueOptions',
  service: 'google.protobuf.ServiceOptions',
  method: 'google.protobuf.MethodOptions',
  'range of extensions': 'google.protobuf.ExtensionRangeOptions',
} as const
export type Target = keyof typeof MESSAGES

/** Described, but not for files. */
const FORBIDDEN = new Set(['uninterpreted_option', 'map_entry'])
const DESCRIPTOR = 'google/protobuf/descriptor.proto'

/** Read once. */
let descriptor: FileDeclaration | undefined

/** A field of an option's message or an extension, and where its type is looked up. */
interface Described {
  readonly field: FieldDeclaration
  readonly scope: string
  readonly file: string
}

/** What is wrong with an option, at its place. */
class OptionProblem extends Error {}

export class OptionRules {
  readonly #table: SymbolTable
  readonly #isComplete: boolean
  readonly #messages: Map<string, MessageDeclaration>
  readonly #files = new Map<string, string>()
  readonly #extensions = new Map<string, Described & { readonly extendee: string }>()
  /** protobuf's own types, for files that do not import them. */
  readonly #own: SymbolTable

  constructor(files: ReadonlyMap<string, FileDeclaration>, table: SymbolTable, isComplete: boolean) {
    this.#table = table
    this.#isComplete = isComplete
    descriptor ??= descriptorProto()
    const own = new Map([[DESCRIPTOR, descriptor]])
    this.#own = new SymbolTable(own, () => {})
    this.#messages = new Map([...messagesOf(files), ...messagesOf(own)])
    for (const file of [...files.values(), ...own.values()]) {
      for (const name of messagesOf(new Map([[file.name, file]])).keys()) this.#files.set(name, file.name)
      for (const { field, scope, extendee } of file.extensions) {
        const extended = table.find(extendee.text, scope, file.name, 'message').symbol?.fullName ?? ''
        this.#extensions.set(join(scope, field.name), { field, scope, file: file.name, extendee: extended })
      }
    }
  }

  /** Checks the options of one declaration. */
  check(target: Target, options: readonly Option[], { file, scope, report }: Around): void {
    const seen = new Set<string>()
    for (const option of options) {
      const once = (name: string, position: Position): void => {
        if (seen.has(name)) report(position, `the option "${option.name}" is set twice: remove one`)
        seen.add(name)
      }
      try {
        this.#check(target, option, file, scope, once)
      } catch (error) {
        if (!(error instanceof OptionProblem)) throw error
        report(option.position, error.message)
      }
    }
  }

  #check(
    target: Target,
    option: Option,
    file: FileDeclaration,
    scope: string,
    once: (name: string, position: Position) => void,
  ): void {
    const { name, position } = option
    if (target === 'field' && (name === 'default' || name === 'json_name')) {
      if (name === 'json_name' && option.value.kind !== 'string')
        throw new OptionProblem('"json_name" is a name in quotes')
      return once(name, position)
    }
    if (isOfMethods(target, name) && !this.#isShadowed(name, scope, file.name)) return once(name, position)
    // That there are no features is told with them.
    if (name.startsWith('features.') && (file.edition === 'proto2' || file.edition === 'proto3')) return
    let message: string = MESSAGES[target]
    let path = ''
    let isRepeated = false
    let described: Described | undefined
    for (const part of name.match(/\([^)]*\)|[^.()]+/g) ?? []) {
      // A message within Any; the entries of maps.
      if (part.includes('/') || described?.field.mapKey !== undefined) return
      const outer = described === undefined ? message : this.#messageOf(described, name)
      if (outer === undefined) return
      message = outer
      described = part.startsWith('(')
        ? this.#extension(part.slice(1, -1), message, target, file, scope)
        : this.#field(part, message, path === '' ? target : undefined)
      if (described === undefined) return
      isRepeated ||= described.field.label === 'repeated' || described.field.mapKey !== undefined
      path += `${described.scope}.${described.field.name} `
    }
    if (described === undefined) return
    if (!isRepeated) once(path, position)
    const problem = removedProblem(name, file.edition) ?? featureProblem(name, target, file.edition)
    if (problem !== undefined) throw new OptionProblem(problem)
    if (!isKnownFeature(name)) this.#value(option, described)
  }

  #isShadowed(name: string, scope: string, file: string): boolean {
    return this.#table.find(name.slice(1, -1), scope, file, 'option').problem === 'shadowed'
  }

  #extension(
    name: string,
    message: string,
    target: Target,
    file: FileDeclaration,
    scope: string,
  ): Described | undefined {
    const found = this.#table.find(name, scope, file.name, 'option')
    if (found.problem !== undefined) {
      // It may be in what could not be read, or in a file of options for other languages.
      const isOfOthers = file.imports.some(({ path, isOption }) => isOption && FEATURES_OF_OTHERS.test(path))
      if (!this.#isComplete || (isOfOthers && /^\.?pb\./.test(name))) return undefined
      throw new OptionProblem(lookupProblem(name, 'option', found, []))
    }
    const extension = this.#extensions.get(found.symbol.fullName)!
    if (extension.extendee !== message)
      throw new OptionProblem(
        `"(${name})" extends ${extension.extendee}: it can not be set in ${message}, which is what a ${target} has`,
      )
    return extension
  }

  #field(name: string, message: string, target: Target | undefined): Described | undefined {
    const declaration = this.#messages.get(message)
    const field = declaration?.fields.find((each) => each.name === name || (each.isGroup && each.type.text === name))
    const file = this.#files.get(message)
    if (field !== undefined && file !== undefined && !(target !== undefined && FORBIDDEN.has(name)))
      return { field, scope: message, file }
    throw new OptionProblem(
      target === undefined
        ? `message "${message}" has no field "${name}": ${listOf(declaration)}`
        : `there is no option "${name}" of a ${target}: remove it, or write "(${name})" for one of your own`,
    )
  }

  /** The message that a part of an option is, which has further parts; undefined when nothing has its name. */
  #messageOf(described: Described, name: string): string | undefined {
    const type = this.#typeOf(described)
    if (type?.kind === 'message') return type.fullName
    if (type === undefined && !isScalar(described.field.type.text)) return undefined
    throw new OptionProblem(`"${described.field.name}" in the option "${name}" has nothing in it: write its value`)
  }

  #typeOf({ field, scope, file }: Described): Named | undefined {
    if (isScalar(field.type.text)) return undefined
    const table = file === DESCRIPTOR ? this.#own : this.#table
    return table.find(field.type.text, scope, file, 'type').symbol
  }

  #value({ name, value, isNested }: Option, described: Described): void {
    const { text } = described.field.type
    const type = this.#typeOf(described)
    if (type?.kind === 'message' && value.kind === 'message') return
    if (type?.kind === 'message')
      throw new OptionProblem(`the option "${name}" is a message: write its fields between "{" and "}"`)
    if (type?.values !== undefined) {
      if (value.kind === 'word' && type.values.includes(value.text)) return
      if (isNested && value.kind === 'number') return
      const shown = value.text.slice(0, 40)
      throw new OptionProblem(
        `the option "${name}": "${shown}" is no value of "${type.fullName}": write one of ${type.values.join(', ')}`,
      )
    }
    // Text format has more ways to write these.
    if (!isScalar(text) || (isNested && value.kind !== 'string' && ['bool', 'float', 'double'].includes(text))) return
    const { problem } = scalarDefault(text, value)
    if (problem !== undefined) throw new OptionProblem(`the option "${name}": ${problem}`)
  }
}

/** Those of Gorums are looked at with their methods. */
function isOfMethods(target: Target, name: string): boolean {
  return target === 'method' && /^\(\.?gorums\.[A-Za-z0-9_]+\)$/.test(name)
}

/** Their values are looked at where they are used. */
function isKnownFeature(name: string): boolean {
  return /^features\.(field_presence|enum_type|repeated_field_encoding|utf8_validation|message_encoding|json_format|enforce_naming_style)$/.test(
    name,
  )
}

function listOf(message: MessageDeclaration | undefined): string {
  const names = message?.fields.map(({ name }) => `"${name}"`) ?? []
  return names.length === 0 ? 'remove it' : `there are ${names.slice(0, 10).join(', ')}`
}
