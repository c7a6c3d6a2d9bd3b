// Makes the model from declarations: finds what names mean, works out what depends on syntax, edition and options, and
// tells everything that is wrong. Both front ends go through it, so that their models and their problems are the same.

import { methodIDOf } from '../../wire/method-id.ts'
import type {
  Enum,
  Field,
  FieldType,
  Message,
  Method,
  Problem,
  ProtoFile,
  Reference,
  ScalarType,
  Service,
} from '../model.ts'
import type {
  EnumDeclaration,
  FieldDeclaration,
  FileDeclaration,
  MessageDeclaration,
  MethodDeclaration,
  Option,
  Position,
  ServiceDeclaration,
  TypeName,
} from '../read/declarations.ts'
import { defaultFeatures, type Features, featuresOf } from '../read/features.ts'
import { join, type Named } from '../read/symbol-list.ts'
import { complaintsOf } from '../type-names.ts'
import { callTypeOf, type GorumsOption } from './call-type.ts'
import { checkEnum, checkMessage, checkService, type Report } from './check.ts'
import { type DefaultValue, scalarDefault } from './default-value.ts'
import { lookupProblem } from './lookup-problem.ts'
import { canBeMapKey, isPackable, isScalar } from './scalar-types.ts'
import { SymbolTable, type Use } from './symbols.ts'

export interface Linked {
  /** By name, in the order in which they were given. */
  readonly files: ReadonlyMap<string, ProtoFile>
  readonly problems: readonly Problem[]
}

/**
 * Makes the model of files that import each other. `isComplete` is false when parts of them could not be read: then
 * names that nothing has are not told, because they may be declared there.
 */
export function link(files: ReadonlyMap<string, FileDeclaration>, isComplete = true): Linked {
  const linker = new Linker(files, isComplete)
  const linked = new Map([...files].map(([name, file]) => [name, linker.file(file)]))
  for (const file of linked.values()) linker.checkTypeNames(file)
  return { files: linked, problems: linker.problems }
}

const TOLD_WITH_THEIR_PARENT: ReadonlySet<Named['kind']> = new Set(['field', 'oneof', 'method'])

class Linker {
  readonly problems: Problem[] = []
  readonly #symbols: SymbolTable
  readonly #isComplete: boolean
  /** Methods by their ids on the wire. */
  readonly #methods = new Map<number, string>()
  /** The file that is being linked. */
  #file: FileDeclaration | undefined

  constructor(files: ReadonlyMap<string, FileDeclaration>, isComplete: boolean) {
    this.#isComplete = isComplete
    this.#symbols = new SymbolTable(files, (symbol, before) => this.#reportClash(symbol, before))
  }

  file(file: FileDeclaration): ProtoFile {
    this.#file = file
    const features = this.#features(defaultFeatures(file.edition), file.options)
    // Nothing is generated of extensions, but they are declared like fields; their presence is explicit.
    for (const { field, scope } of file.extensions)
      this.#field(field, scope, { ...this.#features(features, field.options), field_presence: 'EXPLICIT' })
    return {
      name: file.name,
      comment: file.comment,
      package: file.package,
      messages: file.messages.map((each) => this.#message(each, file.package, features)),
      enums: file.enums.map((each) => this.#enum(each, file.package, features)),
      services: file.services.map((each) => this.#service(each)),
    }
  }

  /** Types of one file that would have one name in TypeScript. */
  checkTypeNames(file: ProtoFile): void {
    for (const { element, message } of complaintsOf(file)) {
      const { line, column } = this.#symbols.positionOf(element)
      this.problems.push({ file: file.name, line, column, message })
    }
  }

  readonly #report: Report = (position, message) => {
    this.problems.push({ file: this.#file!.name, line: position.line, column: position.column, message })
  }

  #reportClash(symbol: Named, before: Named): void {
    // gorums.proto may come under two paths.
    if (symbol.kind === 'extension' && before.kind === 'extension' && symbol.file !== before.file) return
    // Those of one message or service are told with it.
    if (TOLD_WITH_THEIR_PARENT.has(symbol.kind) && TOLD_WITH_THEIR_PARENT.has(before.kind)) return
    const where = `${before.file}:${before.position.line}:${before.position.column}`
    const { line, column } = symbol.position
    const makes =
      symbol.kind === 'entry' || before.kind === 'entry' ? ' (a map declares the message of its entries)' : ''
    const message = `"${symbol.fullName}" is declared already, at ${where}${makes}: rename one`
    this.problems.push({ file: symbol.file, line, column, message })
  }

  #features(inherited: Features, options: readonly Option[]): Features {
    return featuresOf(inherited, options, this.#file!.edition, this.#report)
  }

  #message(message: MessageDeclaration, scope: string, inherited: Features): Message {
    const features = this.#features(inherited, message.options)
    const fullName = join(scope, message.name)
    checkMessage(message, this.#report)
    const oneofFeatures = new Map(message.oneofs.map((each) => [each.name, this.#features(features, each.options)]))
    return {
      name: message.name,
      fullName,
      ...declared(message),
      fields: message.fields.map((field) => {
        const around = field.oneof === undefined ? features : (oneofFeatures.get(field.oneof) ?? features)
        return this.#field(field, fullName, this.#features(around, field.options))
      }),
      oneofs: message.oneofs.map((each) => ({ name: each.name, ...declared(each) })),
      messages: message.messages.map((each) => this.#message(each, fullName, features)),
      enums: message.enums.map((each) => this.#enum(each, fullName, features)),
    }
  }

  #field(field: FieldDeclaration, scope: string, features: Features): Field {
    const type = this.#fieldType(field, scope, features)
    const presence = presenceOf(field, type, features)
    const mapKey = field.mapKey === undefined ? undefined : this.#mapKey(field, field.mapKey)
    return {
      name: field.name,
      number: field.number,
      ...declared(field),
      type,
      presence,
      oneof: field.oneof,
      isPacked: presence === 'repeated' && this.#isPacked(field, type, features),
      defaultValue: this.#defaultValue(field, type, presence, scope),
      mapKey,
    }
  }

  #mapKey(field: FieldDeclaration, key: TypeName): ScalarType {
    if (canBeMapKey(key.text)) return key.text
    this.#report(
      key.position,
      `the keys of map "${field.name}" can not be "${key.text}": use an integer type, bool or string`,
    )
    return 'string'
  }

  #fieldType(field: FieldDeclaration, scope: string, features: Features): FieldType {
    const { text } = field.type
    if (isScalar(text)) return { kind: 'scalar', scalar: text }
    const symbol = this.#find(field.type, scope, 'type')
    if (symbol === undefined) return { kind: 'scalar', scalar: 'bytes' }
    const reference = { fullName: symbol.fullName, file: symbol.file }
    if (symbol.kind === 'enum') return { kind: 'enum', reference }
    // Maps are never delimited, whatever they stand in.
    const isDelimited = features.message_encoding === 'DELIMITED' && field.mapKey === undefined
    return { kind: 'message', reference, isGroup: field.isGroup || isDelimited }
  }

  /** What the type name stands for. When nothing does, that is told, and it is undefined. */
  #find(type: TypeName, scope: string, use: Use): Named | undefined {
    const file = this.#file!
    const found = this.#symbols.find(type.text, scope, file.name, use)
    if (found.problem === undefined) return found.symbol
    const mayBeElsewhere = found.problem === 'none' || found.problem === 'shadowed'
    if (this.#isComplete || !mayBeElsewhere)
      this.#report(type.position, lookupProblem(type.text, use, found, this.#symbols.similar(type.text)))
    return undefined
  }

  #isPacked(field: FieldDeclaration, type: FieldType, features: Features): boolean {
    const option = field.options.find(({ name }) => name === 'packed')
    const canBePacked = isPackable(field.type.text, type.kind)
    if (option?.value.text === 'true' && !canBePacked)
      this.#report(
        option.position,
        `field "${field.name}" can not be packed: only numbers, bools and enums can; remove "packed"`,
      )
    if (!canBePacked) return false
    return option === undefined ? features.repeated_field_encoding === 'PACKED' : option.value.text === 'true'
  }

  #defaultValue(
    field: FieldDeclaration,
    type: FieldType,
    presence: Field['presence'],
    scope: string,
  ): string | number | boolean | undefined {
    const option = field.options.find(({ name }) => name === 'default')
    if (option === undefined) return undefined
    const reject = (why: string): undefined =>
      this.#report(option.position, `field "${field.name}" can have no default: ${why}`) as undefined
    if (type.kind === 'message' || presence === 'repeated' || presence === 'map') return reject('remove it')
    if (presence === 'implicit' || this.#file!.edition === 'proto3')
      return reject(
        'what is absent reads as zero here; remove it, or make the presence of the field explicit in an edition',
      )
    const { value, problem } = this.#valueOf(field, type, option, scope)
    if (problem !== undefined) this.#report(option.position, `the default of field "${field.name}": ${problem}`)
    return value
  }

  #valueOf(
    field: FieldDeclaration,
    type: FieldType,
    option: Option,
    scope: string,
  ): DefaultValue & { value?: string | number | boolean } {
    if (type.kind !== 'enum')
      return type.kind === 'scalar' ? scalarDefault(type.scalar, option.value) : { problem: 'is none' }
    const symbol = this.#symbols.find(field.type.text, scope, this.#file!.name, 'type').symbol
    const { text } = option.value
    if (symbol?.values?.includes(text)) return { value: text }
    return {
      problem: `"${text.slice(0, 40)}" is no value of "${type.reference.fullName}": write one of ${symbol?.values?.join(', ')}`,
    }
  }

  #enum(declaration: EnumDeclaration, scope: string, inherited: Features): Enum {
    const isClosed = this.#features(inherited, declaration.options).enum_type === 'CLOSED'
    checkEnum(declaration, isClosed, this.#report)
    return {
      name: declaration.name,
      fullName: join(scope, declaration.name),
      ...declared(declaration),
      values: declaration.values.map((each) => ({ name: each.name, number: each.number, ...declared(each) })),
      isClosed,
    }
  }

  #service(service: ServiceDeclaration): Service {
    const fullName = join(this.#file!.package, service.name)
    checkService(service, this.#report)
    return {
      name: service.name,
      fullName,
      ...declared(service),
      methods: service.methods.map((each) => this.#method(each, fullName)),
    }
  }

  #method(method: MethodDeclaration, scope: string): Method {
    this.#checkID(method, scope)
    return {
      name: method.name,
      ...declared(method),
      ...callTypeOf(method, this.#gorumsOptions(method, scope), this.#report),
      request: this.#messageReference(method.request, scope),
      reply: this.#messageReference(method.reply, scope),
    }
  }

  #checkID({ name, position }: MethodDeclaration, scope: string): void {
    const fullName = `${scope}/${name}`
    const id = methodIDOf(fullName)
    const before = this.#methods.get(id)
    this.#methods.set(id, fullName)
    if (before !== undefined && before !== fullName)
      this.#report(position, `methods "${before}" and "${fullName}" have the same id on the wire: rename one`)
  }

  #messageReference(type: TypeName, scope: string): Reference {
    const symbol = this.#find(type, scope, 'message')
    return symbol === undefined ? { fullName: '', file: '' } : { fullName: symbol.fullName, file: symbol.file }
  }

  /** Those of the method's options that are Gorums', however their names are written. */
  #gorumsOptions(method: MethodDeclaration, scope: string): GorumsOption[] {
    return method.options.flatMap((option) => {
      const written = /^\((.+)\)$/.exec(option.name)?.[1]
      if (written === undefined) return []
      const found = this.#symbols.find(written, scope, this.#file!.name, 'option')
      const fullName = found.symbol?.fullName ?? written.replace(/^\./, '')
      const name = /^gorums\.([A-Za-z0-9_]+)$/.exec(fullName)?.[1]
      if (name === undefined) return []
      if (found.problem !== undefined) this.#reportUndeclared(option.position, name)
      return [{ name, option }]
    })
  }

  #reportUndeclared(position: Position, name: string): void {
    const isImported = this.#file!.imports.some(({ path }) => path === 'gorums.proto' || path.endsWith('/gorums.proto'))
    if (!isImported) this.#report(position, `"(gorums.${name})" is not declared here: add import "gorums.proto";`)
  }
}

function declared({ comment, options }: { readonly comment: string; readonly options: readonly Option[] }) {
  const isDeprecated = options.some(({ name, value }) => name === 'deprecated' && value.text === 'true')
  return { comment, isDeprecated }
}

function presenceOf(field: FieldDeclaration, type: FieldType, features: Features): Field['presence'] {
  if (field.mapKey !== undefined) return 'map'
  if (field.label === 'repeated') return 'repeated'
  if (field.label === 'required') return 'required'
  if (field.oneof !== undefined || field.label === 'optional') return 'explicit'
  if (features.field_presence === 'LEGACY_REQUIRED') return 'required'
  return type.kind === 'message' || features.field_presence === 'EXPLICIT' ? 'explicit' : 'implicit'
}
