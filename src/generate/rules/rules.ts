// What compilers of protobuf refuse beside what the linker needs to be right. Files that come from protoc and buf have
// been checked by them; so this is for those that are read from text.

import type { Report } from '../link/check.ts'
import { SymbolTable } from '../link/symbols.ts'
import type { Problem, ProtoFile } from '../model.ts'
import type { EnumDeclaration, FileDeclaration, MessageDeclaration, ServiceDeclaration } from '../read/declarations.ts'
import { defaultFeatures, type Features, featuresOf } from '../read/features.ts'
import { join, type Named } from '../read/symbol-list.ts'
import { enumsOf } from '../type-names.ts'
import { enumRules } from './enums.ts'
import { ExtensionRules } from './extensions.ts'
import { fieldRules, jsonNameRules, messageSetRule } from './fields.ts'
import { OptionRules } from './options.ts'
import { enumRangeRules, messageRangeRules } from './ranges.ts'
import { exportRule, packageStyleRule, styleRule } from './style.ts'

/** Where a declaration stands. */
export interface Around {
  readonly file: FileDeclaration
  /** The package and messages around it. */
  readonly scope: string
  /** Its own, with those that it inherits. */
  readonly features: Features
  readonly report: Report
  /** What the type of a field there means; undefined for a scalar and for what nothing has. */
  readonly typeOf: (name: string) => Named | undefined
  readonly isClosed: (enumName: string) => boolean
}

/**
 * Checks files, which `linked` are made of. `isComplete` is false when parts of them could not be read: then options that
 * nothing declares are not told.
 */
export function checkRules(
  files: ReadonlyMap<string, FileDeclaration>,
  linked: ReadonlyMap<string, ProtoFile>,
  isComplete: boolean,
): readonly Problem[] {
  const walk = new RuleWalk(files, linked, isComplete)
  // protobuf's own files are as the package brings them along.
  for (const file of files.values()) if (!file.name.startsWith('google/protobuf/')) walk.file(file)
  return walk.problems
}

class RuleWalk {
  readonly problems: Problem[] = []
  readonly #table: SymbolTable
  readonly #options: OptionRules
  readonly #extensions: ExtensionRules
  readonly #closed: ReadonlySet<string>
  #file: FileDeclaration | undefined

  constructor(
    files: ReadonlyMap<string, FileDeclaration>,
    linked: ReadonlyMap<string, ProtoFile>,
    isComplete: boolean,
  ) {
    this.#table = new SymbolTable(files, () => {})
    this.#options = new OptionRules(files, this.#table, isComplete)
    this.#extensions = new ExtensionRules(files, this.#table, isComplete)
    const enums = [...linked.values()].flatMap(enumsOf)
    this.#closed = new Set(enums.filter(({ isClosed }) => isClosed).map(({ fullName }) => fullName))
  }

  file(file: FileDeclaration): void {
    this.#file = file
    const around = this.#around(file.package, defaultFeatures(file.edition), file)
    this.#options.check('file', file.options, around)
    for (const option of file.options)
      if (option.name === 'features.field_presence' && option.value.text === 'LEGACY_REQUIRED')
        around.report(option.position, 'a file can not make all fields required: write it at the fields')
    packageStyleRule(file, around)
    for (const each of file.enums) this.#enum(each, around)
    for (const each of file.messages) this.#message(each, around)
    for (const each of file.services) this.#service(each, around)
    for (const each of file.extensions) {
      const inner = this.#around(each.scope, around.features, each.field)
      this.#options.check('field', each.field.options, inner)
      this.#extensions.check(each, inner)
      fieldRules(each.field, inner, true)
      styleRule('extension', each.field, 'lower_snake_case', inner)
    }
  }

  readonly #report: Report = ({ line, column }, message) => {
    this.problems.push({ file: this.#file!.name, line, column, message })
  }

  #around(scope: string, inherited: Features, { options }: Pick<MessageDeclaration, 'options'>): Around {
    const file = this.#file!
    return {
      file,
      scope,
      features: featuresOf(inherited, options, file.edition, () => {}),
      report: this.#report,
      typeOf: (name) => this.#table.find(name, scope, file.name, 'type').symbol,
      isClosed: (enumName) => this.#closed.has(enumName),
    }
  }

  #message(message: MessageDeclaration, outer: Around): void {
    const around = this.#around(join(outer.scope, message.name), outer.features, message)
    this.#options.check('message', message.options, outer)
    this.#options.check('range of extensions', message.rangeOptions, around)
    messageRangeRules(message, this.#report)
    jsonNameRules(message, around)
    messageSetRule(message, around)
    styleRule('message', message, 'PascalCase', around)
    for (const oneof of message.oneofs) {
      this.#options.check('oneof', oneof.options, around)
      styleRule('oneof', oneof, 'lower_snake_case', this.#around(around.scope, around.features, oneof))
    }
    for (const field of message.fields) {
      const inner = this.#around(around.scope, around.features, field)
      this.#options.check('field', field.options, around)
      fieldRules(field, inner, false)
      styleRule('field', field, 'lower_snake_case', inner)
    }
    for (const each of message.enums) {
      exportRule(each, 'enum', message, around)
      this.#enum(each, around)
    }
    for (const each of message.messages) {
      exportRule(each, 'message', message, around)
      this.#message(each, around)
    }
  }

  #enum(declaration: EnumDeclaration, outer: Around): void {
    this.#options.check('enum', declaration.options, outer)
    enumRangeRules(declaration, this.#report)
    const around = this.#around(outer.scope, outer.features, declaration)
    enumRules(declaration, around)
    styleRule('enum', declaration, 'PascalCase', around)
    for (const value of declaration.values) {
      this.#options.check('value', value.options, outer)
      styleRule('value', value, 'UPPER_SNAKE_CASE', this.#around(outer.scope, around.features, value))
    }
  }

  #service(service: ServiceDeclaration, outer: Around): void {
    this.#options.check('service', service.options, outer)
    const around = this.#around(join(outer.scope, service.name), outer.features, service)
    styleRule('service', service, 'PascalCase', around)
    for (const method of service.methods) {
      this.#options.check('method', method.options, around)
      styleRule('method', method, 'PascalCase', this.#around(around.scope, around.features, method))
    }
  }
}
