// From what protoc and buf hand to a plugin to declarations, as the parser makes them from text: the same options, the
// same comments, the same places.

import type * as plugin from '../plugin_gorums.ts'
import type {
  Edition,
  EnumDeclaration,
  ExtensionDeclaration,
  FieldDeclaration,
  FileDeclaration,
  ImportDeclaration,
  MessageDeclaration,
  MethodDeclaration,
  Option,
  OptionValue,
  Position,
  Range,
  ReservedName,
  ServiceDeclaration,
} from './declarations.ts'
import { EDITIONS } from './declarations.ts'
import { FEATURE_NUMBERS } from './features.ts'
import { SourcePlaces } from './source-places.ts'
import { join } from './symbol-list.ts'
import { tokensOf } from './tokens.ts'

/** The numbers of `FieldDescriptorProto.Type` that are scalars. */
const SCALARS: Readonly<Record<number, string>> = {
  1: 'double',
  2: 'float',
  3: 'int64',
  4: 'uint64',
  5: 'int32',
  6: 'fixed64',
  7: 'fixed32',
  8: 'bool',
  9: 'string',
  12: 'bytes',
  13: 'uint32',
  15: 'sfixed32',
  16: 'sfixed64',
  17: 'sint32',
  18: 'sint64',
}
const STRING = 9
const GROUP = 10
const BYTES = 12
const REQUIRED = 2
const REPEATED = 3
const NO_POSITION: Position = { line: 0, column: 0 }

/** Numbers of fields in descriptors, as parts of paths. */
const AT = {
  package: 2,
  dependency: 3,
  message: 4,
  enum: 5,
  service: 6,
  extension: 7,
  syntax: 12,
  edition: 14,
  field: 2,
  nested: 3,
  nestedEnum: 4,
  nestedExtension: 6,
  oneof: 8,
  value: 2,
  method: 2,
  input: 2,
  output: 3,
  name: 1,
} as const

/** The declarations of one file. Throws RangeError for an edition that is not known. */
export function declarationsOf(file: plugin.File): FileDeclaration {
  return new FileReader(file).read()
}

class FileReader {
  readonly #file: plugin.File
  readonly #edition: Edition
  readonly #places: SourcePlaces
  readonly #extensions: ExtensionDeclaration[] = []

  constructor(file: plugin.File) {
    this.#file = file
    this.#edition = editionOf(file)
    this.#places = new SourcePlaces(file.sourceCodeInfo?.location ?? [])
  }

  read(): FileDeclaration {
    const file = this.#file
    const scope = file.package ?? ''
    const places = this.#places
    const messages = file.messageType.map((each, index) => this.#message(each, scope, [AT.message, index]))
    this.#extend(file.extension, scope, [AT.extension])
    return {
      name: file.name ?? '',
      comment: places.comment([AT.syntax]) || places.comment([AT.edition]) || places.comment([AT.package]),
      edition: this.#edition,
      package: scope,
      packagePosition: places.position([AT.package]),
      options: features(file.options?.features),
      imports: this.#imports(),
      messages,
      enums: file.enumType.map((each, index) => this.#enum(each, [AT.enum, index])),
      services: file.service.map((each, index) => this.#service(each, [AT.service, index])),
      extensions: this.#extensions,
    }
  }

  #imports(): ImportDeclaration[] {
    const { dependency, publicDependency, optionDependency } = this.#file
    const imports = dependency.map((path, index) => ({
      path,
      isPublic: publicDependency.includes(index),
      isOption: false,
      position: this.#places.position([AT.dependency, index]),
    }))
    return [
      ...imports,
      ...optionDependency.map((path) => ({ path, isPublic: false, isOption: true, position: NO_POSITION })),
    ]
  }

  /** What every declaration has. */
  #declared(name: string | undefined, path: readonly number[], options: Option[]) {
    return {
      name: name ?? '',
      comment: this.#places.comment(path),
      options,
      position: this.#places.position([...path, AT.name]),
    }
  }

  #message(message: plugin.Message, scope: string, path: readonly number[]): MessageDeclaration {
    const { options } = message
    const inner = join(scope, message.name ?? '')
    this.#extend(message.extension, inner, [...path, AT.nestedExtension])
    const maps = new Map<string, plugin.Message>()
    const messages: MessageDeclaration[] = []
    message.nestedType.forEach((each, index) => {
      if (each.options?.mapEntry === true) maps.set(`.${inner}.${each.name}`, each)
      else messages.push(this.#message(each, inner, [...path, AT.nested, index]))
    })
    return {
      ...this.#declared(message.name, path, [
        ...flag('deprecated', options?.deprecated),
        ...features(options?.features),
      ]),
      visibility: 'export',
      fields: message.field.map((each, index) =>
        this.#field(each, message.oneofDecl, maps, [...path, AT.field, index]),
      ),
      oneofs: this.#oneofs(message, path),
      messages,
      enums: message.enumType.map((each, index) => this.#enum(each, [...path, AT.nestedEnum, index])),
      reserved: message.reservedRange.map(rangeOf),
      reservedNames: message.reservedName.map(reservedName),
      extensionRanges: message.extensionRange.map(rangeOf),
      rangeOptions: [],
    }
  }

  /** Real ones: those that proto3 `optional` makes have that one field only. */
  #oneofs(message: plugin.Message, path: readonly number[]): MessageDeclaration['oneofs'] {
    return message.oneofDecl.flatMap((each, index) => {
      const isReal = message.field.some((field) => field.oneofIndex === index && field.proto3Optional !== true)
      const options = features(each.options?.features)
      return isReal ? [this.#declared(each.name, [...path, AT.oneof, index], options)] : []
    })
  }

  #field(
    field: plugin.Field,
    oneofs: readonly plugin.Oneof[],
    maps: ReadonlyMap<string, plugin.Message>,
    path: readonly number[],
  ): FieldDeclaration {
    const { options } = field
    const isOptional = field.proto3Optional === true
    const oneof = field.oneofIndex === undefined || isOptional ? undefined : oneofs[field.oneofIndex]?.name
    const entry = maps.get(field.typeName ?? '')
    const type = (of: plugin.Field | undefined) => ({ text: typeText(of), position: this.#places.position(path) })
    return {
      ...this.#declared(field.name, path, [
        ...flag('packed', options?.packed),
        ...flag('deprecated', options?.deprecated),
        ...defaultOption(field),
        ...features(options?.features),
      ]),
      number: field.number ?? 0,
      type: type(entry === undefined ? field : entry.field[1]),
      mapKey: entry === undefined ? undefined : type(entry.field[0]),
      label: entry === undefined ? this.#label(field, oneof !== undefined) : undefined,
      isGroup: field.type === GROUP,
      oneof,
    }
  }

  #label(field: plugin.Field, isInOneof: boolean): FieldDeclaration['label'] {
    if (field.label === REPEATED) return 'repeated'
    if (field.label === REQUIRED) return 'required'
    const isWritten = this.#edition === 'proto2' ? !isInOneof : field.proto3Optional === true
    return isWritten ? 'optional' : undefined
  }

  #enum(declaration: plugin.Enum, path: readonly number[]): EnumDeclaration {
    const { options } = declaration
    return {
      ...this.#declared(declaration.name, path, [
        ...flag('allow_alias', options?.allowAlias),
        ...flag('deprecated', options?.deprecated),
        ...features(options?.features),
      ]),
      visibility: 'export',
      values: declaration.value.map((each, index) => ({
        ...this.#declared(each.name, [...path, AT.value, index], flag('deprecated', each.options?.deprecated)),
        number: each.number ?? 0,
      })),
      // The ends of ranges belong to those of enums only.
      reserved: declaration.reservedRange.map(({ start = 0, end = 0 }) => ({
        from: start,
        to: end,
        position: NO_POSITION,
      })),
      reservedNames: declaration.reservedName.map(reservedName),
    }
  }

  #service(service: plugin.Service, path: readonly number[]): ServiceDeclaration {
    return {
      ...this.#declared(service.name, path, flag('deprecated', service.options?.deprecated)),
      methods: service.method.map((each, index) => this.#method(each, [...path, AT.method, index])),
    }
  }

  #method(method: plugin.Method, path: readonly number[]): MethodDeclaration {
    const place = (part: number) => this.#places.position([...path, part])
    return {
      ...this.#declared(method.name, path, methodOptions(method.options, this.#places.position(path))),
      request: { text: method.inputType ?? '', position: place(AT.input) },
      reply: { text: method.outputType ?? '', position: place(AT.output) },
      isClientStream: method.clientStreaming === true,
      isServerStream: method.serverStreaming === true,
    }
  }

  #extend(extensions: readonly plugin.Field[], scope: string, path: readonly number[]): void {
    for (const [index, each] of extensions.entries()) {
      const field = this.#field(each, [], new Map(), [...path, index])
      this.#extensions.push({ field, scope, extendee: { text: each.extendee ?? '', position: field.position } })
    }
  }
}

function editionOf({ name, syntax, edition }: plugin.File): Edition {
  if (syntax === undefined || syntax === '' || syntax === 'proto2') return 'proto2'
  if (syntax === 'proto3') return 'proto3'
  const known = Object.entries(EDITIONS).find(([, number]) => number === edition)
  if (known === undefined) throw new RangeError(`${name}: edition ${edition} is not known: write edition = "2024";`)
  return known[0] as Edition
}

function typeText(field: plugin.Field | undefined): string {
  return SCALARS[field?.type ?? 0] ?? field?.typeName ?? ''
}

function rangeOf({ start = 0, end = 0 }: plugin.Range): Range {
  return { from: start, to: end - 1, position: NO_POSITION }
}

function reservedName(name: string): ReservedName {
  return { name, position: NO_POSITION }
}

function word(name: string, text: string, position = NO_POSITION): Option {
  return { name, value: { kind: 'word', text }, position, isNested: false }
}

function flag(name: string, value: boolean | undefined): Option[] {
  return value === undefined ? [] : [word(name, String(value))]
}

function features(set: plugin.Features | undefined): Option[] {
  if (set === undefined) return []
  const numbers: Record<keyof typeof FEATURE_NUMBERS, number | undefined> = {
    field_presence: set.fieldPresence,
    enum_type: set.enumType,
    repeated_field_encoding: set.repeatedFieldEncoding,
    utf8_validation: set.utf8Validation,
    message_encoding: set.messageEncoding,
    json_format: set.jsonFormat,
    // Is for sources only: nobody hands it over.
    enforce_naming_style: undefined,
  }
  return Object.entries(numbers).flatMap(([name, number]) => {
    const values: Readonly<Record<number, string>> = FEATURE_NUMBERS[name as keyof typeof FEATURE_NUMBERS][1]
    const value = values[number ?? 0]
    return value === undefined ? [] : [word(`features.${name}`, value)]
  })
}

/** Where an option stands is not told: its method stands for it. */
function methodOptions(options: plugin.MethodOptions | undefined, position: Position): Option[] {
  if (options === undefined) return []
  const { deprecated, customReturnType, rpc, unicast, multicast, quorumcall, correctable, async, perNodeArg } = options
  const flags = { rpc, unicast, multicast, quorumcall, correctable, async, per_node_arg: perNodeArg }
  const found = flag('deprecated', deprecated)
  for (const [name, value] of Object.entries(flags))
    if (value !== undefined) found.push(word(`(.gorums.${name})`, String(value), position))
  if (customReturnType !== undefined) {
    const value: OptionValue = { kind: 'string', text: customReturnType }
    found.push({ name: '(.gorums.custom_return_type)', value, position, isNested: false })
  }
  return found
}

/** `[default = …]`: of bytes it is escaped as in a .proto file. */
function defaultOption({ defaultValue, type }: plugin.Field): Option[] {
  if (defaultValue === undefined) return []
  const value: OptionValue =
    type === STRING
      ? { kind: 'string', text: Buffer.from(defaultValue, 'utf8').toString('latin1') }
      : type === BYTES
        ? { kind: 'string', text: tokensOf(`"${defaultValue}"`)[0]!.text }
        : { kind: 'word', text: defaultValue }
  return [{ name: 'default', value, position: NO_POSITION, isNested: false }]
}
