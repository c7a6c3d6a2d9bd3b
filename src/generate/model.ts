// What a .proto file says, resolved and checked, as both ends of the generator see it: the front ends (parser, protoc
// plugin) make it, the emitter turns it into TypeScript. It holds only what the output depends on, so that front ends that
// give the same model give the same bytes.

/** How a method is called. `rpc` when the .proto file names no call type. */
export type CallType = 'rpc' | 'unicast' | 'multicast' | 'quorumCall' | 'quorumStream'

/** Options of earlier Gorums versions that need nothing here; the doc comment mentions them. */
export type NotedOption = 'async' | 'per_node_arg' | 'custom_return_type'

export type ScalarType =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

/** What a declaration carries besides its meaning. */
export interface Declared {
  /** The comment in front of it, without comment marks; empty when there is none. */
  readonly comment: string
  readonly isDeprecated: boolean
}

/** One .proto file for which code is generated, or which others refer to. */
export interface ProtoFile {
  /** As it is imported: `storage/storage.proto`. */
  readonly name: string
  /** The comment in front of `syntax`, `edition` or `package`. */
  readonly comment: string
  /** `storage.v1`, or empty. */
  readonly package: string
  /** In the order of the file. Maps' entry types are not among them. */
  readonly messages: readonly Message[]
  readonly enums: readonly Enum[]
  readonly services: readonly Service[]
}

export interface Message extends Declared {
  /** `Inner`. */
  readonly name: string
  /** `storage.v1.Outer.Inner`: no leading dot. */
  readonly fullName: string
  /** In the order of the file. */
  readonly fields: readonly Field[]
  /** Real ones: not those that proto3 `optional` makes. */
  readonly oneofs: readonly Oneof[]
  readonly messages: readonly Message[]
  readonly enums: readonly Enum[]
}

export interface Oneof extends Declared {
  /** As in the .proto file: snake_case. */
  readonly name: string
}

export interface Field extends Declared {
  /** As in the .proto file: snake_case. */
  readonly name: string
  readonly number: number
  readonly type: FieldType
  /**
   * `implicit`: a value is always there (proto3 without `optional`); `explicit`: may be absent (proto3 `optional`, proto2
   * `optional`, messages); `required`: must be there (proto2, LEGACY_REQUIRED).
   */
  readonly presence: 'implicit' | 'explicit' | 'required' | 'repeated' | 'map'
  /** The oneof that it belongs to, by name. Its presence is `explicit`. */
  readonly oneof: string | undefined
  /** Repeated numbers in one length-delimited field. */
  readonly isPacked: boolean
  /** What absence reads as, where the file says so: text for strings and 64-bit integers, a value's name for enums. */
  readonly defaultValue: string | number | boolean | undefined
  /** The type of a map's keys; `type` is that of its values. */
  readonly mapKey: ScalarType | undefined
}

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | {
      readonly kind: 'message'
      readonly reference: Reference
      /** Encoded between start and end tags: proto2 groups, editions' DELIMITED. */
      readonly isGroup: boolean
    }
  | { readonly kind: 'enum'; readonly reference: Reference }

/** A type by name, and where it is declared. */
export interface Reference {
  /** `google.protobuf.Timestamp`: no leading dot. */
  readonly fullName: string
  /** The file that declares it: `google/protobuf/timestamp.proto`. */
  readonly file: string
}

export interface Enum extends Declared {
  readonly name: string
  readonly fullName: string
  readonly values: readonly EnumValue[]
  /** proto2 and editions' CLOSED: values that are not declared are not values of the field. */
  readonly isClosed: boolean
}

export interface EnumValue extends Declared {
  readonly name: string
  readonly number: number
}

export interface Service extends Declared {
  readonly name: string
  readonly fullName: string
  readonly methods: readonly Method[]
}

export interface Method extends Declared {
  /** As in the .proto file: the name on the wire. */
  readonly name: string
  readonly callType: CallType
  readonly request: Reference
  readonly reply: Reference
  readonly noted: readonly NotedOption[]
}

/** Something wrong with the input: where, what, and what to write instead. */
export interface Problem {
  /** As given to the command or as imported. */
  readonly file: string
  /** From 1; 0 when it is the file as a whole. */
  readonly line: number
  readonly column: number
  readonly message: string
}

/** What the user may choose. */
export interface GeneratorOptions {
  /** The TypeScript type of 64-bit integers. Default `bigint`. */
  readonly int64: 'bigint' | 'number' | 'string'
  /** `google.protobuf.Timestamp` as `Date`. Default false. */
  readonly timestampAsDate: boolean
  /** How generated files import each other. Default `js`. */
  readonly importExtension: 'js' | 'ts' | 'none'
}
