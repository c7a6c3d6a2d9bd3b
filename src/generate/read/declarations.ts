// A .proto file as it is written: declarations in order, type names not yet resolved, options as they stand, each with
// its place. The parser makes it from text, the protoc plugin from descriptors; `link.ts` makes the model from it.

/** From 1; 0 when not known. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Also the numbers by which descriptors name them. */
export const EDITIONS = { proto2: 998, proto3: 999, '2023': 1000, '2024': 1001 } as const
export type Edition = keyof typeof EDITIONS

export interface Option {
  /** As written, without blanks, parts of aggregates joined by dots: `deprecated`, `(gorums.rpc)`, `features.enum_type`. */
  readonly name: string
  readonly value: OptionValue
  readonly position: Position
  /** Within `{ … }`, where values are written as in protobuf's text format. */
  readonly isNested: boolean
}

export interface OptionValue {
  /** `message` for `{}`; what has something in it comes as options for that. */
  readonly kind: 'word' | 'number' | 'string' | 'message'
  /** Of a string: one character per byte. */
  readonly text: string
}

export interface FileDeclaration {
  readonly name: string
  readonly comment: string
  readonly edition: Edition
  readonly package: string
  readonly packagePosition: Position
  readonly options: readonly Option[]
  readonly imports: readonly ImportDeclaration[]
  readonly messages: readonly MessageDeclaration[]
  readonly enums: readonly EnumDeclaration[]
  readonly services: readonly ServiceDeclaration[]
  /** Those of its messages too. */
  readonly extensions: readonly ExtensionDeclaration[]
}

export interface ImportDeclaration {
  readonly path: string
  readonly isPublic: boolean
  /** `import option`: for options only. */
  readonly isOption: boolean
  readonly position: Position
}

export interface Declared {
  readonly name: string
  /** Of the name. */
  readonly position: Position
}

interface Declaration extends Declared {
  readonly comment: string
  readonly options: readonly Option[]
}

/** `export` or `local`, where it is written. */
export type Visibility = 'export' | 'local'

export interface MessageDeclaration extends Declaration {
  /** Absent where the file's default holds. */
  readonly visibility: Visibility | undefined
  readonly fields: readonly FieldDeclaration[]
  readonly oneofs: readonly Declaration[]
  readonly messages: readonly MessageDeclaration[]
  readonly enums: readonly EnumDeclaration[]
  readonly reserved: readonly Range[]
  readonly reservedNames: readonly ReservedName[]
  readonly extensionRanges: readonly Range[]
  /** Of its extension ranges. */
  readonly rangeOptions: readonly Option[]
}

/** Both ends belong to it. */
export interface Range {
  readonly from: number
  readonly to: number
  readonly position: Position
}

export interface ReservedName {
  readonly name: string
  readonly position: Position
}

export interface TypeName {
  /** As written: `Request`, `msgs.Request`, `.storage.v1.Request`, `int32`. */
  readonly text: string
  readonly position: Position
}

export interface FieldDeclaration extends Declaration {
  readonly number: number
  /** Of a map: the type of its values. */
  readonly type: TypeName
  readonly mapKey: TypeName | undefined
  readonly label: 'optional' | 'required' | 'repeated' | undefined
  readonly isGroup: boolean
  /** A real one, by name. */
  readonly oneof: string | undefined
}

export interface ExtensionDeclaration {
  readonly field: FieldDeclaration
  /** The package and messages around it: `gorums`, or empty. */
  readonly scope: string
  /** The message that it extends. */
  readonly extendee: TypeName
}

export interface EnumDeclaration extends Declaration {
  /** Absent where the file's default holds. */
  readonly visibility: Visibility | undefined
  readonly values: readonly EnumValueDeclaration[]
  readonly reserved: readonly Range[]
  readonly reservedNames: readonly ReservedName[]
}

export interface EnumValueDeclaration extends Declaration {
  readonly number: number
}

export interface ServiceDeclaration extends Declaration {
  readonly methods: readonly MethodDeclaration[]
}

export interface MethodDeclaration extends Declaration {
  readonly request: TypeName
  readonly reply: TypeName
  readonly isClientStream: boolean
  readonly isServerStream: boolean
}

export type OneofDeclaration = Declaration
