// What the types of fields are in TypeScript: the type's name, what absence reads as, tags, and which functions of writer
// and reader carry them.
import type { Field, FieldType, ScalarType } from '../model.ts'
import type { Scope } from './scope.ts'

/** What kinds of scalars have in common. */
interface Scalar {
  readonly wireType: 0 | 1 | 2 | 5
  readonly type: 'number' | 'boolean' | 'string' | 'Uint8Array' | '64-bit'
  /** `writeUint32`. */
  readonly write: string
  /** The call that reads a value. */
  readonly read: string
  /** The function of the reader that reads a packed list into an array, where there is one. */
  readonly readList?: string
}

const SCALARS: Record<ScalarType, Scalar> = {
  double: { wireType: 1, type: 'number', write: 'writeDouble', read: 'double()', readList: 'doubles' },
  float: { wireType: 5, type: 'number', write: 'writeFloat', read: 'float()', readList: 'floats' },
  int32: { wireType: 0, type: 'number', write: 'writeInt32', read: 'int32()', readList: 'int32s' },
  uint32: { wireType: 0, type: 'number', write: 'writeUint32', read: 'uint32()', readList: 'uint32s' },
  sint32: { wireType: 0, type: 'number', write: 'writeSint32', read: 'sint32()', readList: 'sint32s' },
  fixed32: { wireType: 5, type: 'number', write: 'writeFixed32', read: 'fixed32()', readList: 'fixed32s' },
  sfixed32: { wireType: 5, type: 'number', write: 'writeSfixed32', read: 'sfixed32()', readList: 'sfixed32s' },
  int64: { wireType: 0, type: '64-bit', write: 'writeInt64', read: 'readInt64()' },
  uint64: { wireType: 0, type: '64-bit', write: 'writeUint64', read: 'readUint64()' },
  sint64: { wireType: 0, type: '64-bit', write: 'writeSint64', read: 'readSint64()' },
  fixed64: { wireType: 1, type: '64-bit', write: 'writeFixed64', read: 'readFixed64()' },
  sfixed64: { wireType: 1, type: '64-bit', write: 'writeSfixed64', read: 'readSfixed64()' },
  bool: { wireType: 0, type: 'boolean', write: 'writeBool', read: 'bool()', readList: 'bools' },
  string: { wireType: 2, type: 'string', write: 'writeString', read: 'readString()' },
  bytes: { wireType: 2, type: 'Uint8Array', write: 'writeBytes', read: 'readBytes()' },
}

export function scalar(name: ScalarType): Scalar {
  return SCALARS[name]
}

const START_GROUP = 3
const END_GROUP = 4
const DELIMITED = 2

/** A field's number and the wire type of one value of it. */
export function tagOf(number: number, type: FieldType): number {
  const wireType = type.kind === 'scalar' ? SCALARS[type.scalar].wireType : type.kind === 'enum' ? 0 : DELIMITED
  const isGroup = type.kind === 'message' && type.isGroup
  return ((number << 3) | (isGroup ? START_GROUP : wireType)) >>> 0
}

/** The tag that ends a group. */
export function endTagOf(number: number): number {
  return ((number << 3) | END_GROUP) >>> 0
}

/** The tag of a packed list. */
export function packedTagOf(number: number): number {
  return ((number << 3) | DELIMITED) >>> 0
}

/** Whether a list of these can be packed. */
export function canBePacked(type: FieldType): boolean {
  return type.kind === 'enum' || (type.kind === 'scalar' && SCALARS[type.scalar].wireType !== DELIMITED)
}

/** The TypeScript type of one value. */
export function valueType(type: FieldType, isInput: boolean, scope: Scope): string {
  if (type.kind === 'enum') return scope.type(type.reference)
  if (type.kind === 'message') return isInput ? scope.inputType(type.reference) : scope.type(type.reference)
  const name = SCALARS[type.scalar].type
  return name === '64-bit' ? scope.options.int64 : name
}

/** The TypeScript type of a map's keys: 32-bit integers are numbers, all others strings. */
export function keyType(key: ScalarType): 'string' | 'number' {
  return SCALARS[key].type === 'number' ? 'number' : 'string'
}

/** What a value is that is not on the wire, as an expression. */
export function zero(type: FieldType, scope: Scope): string {
  if (type.kind === 'enum') return String(scope.enum(type.reference).values[0]!.number)
  if (type.kind === 'message') return 'undefined'
  switch (SCALARS[type.scalar].type) {
    case 'number':
      return '0'
    case 'boolean':
      return 'false'
    case 'string':
      return "''"
    case 'Uint8Array':
      return 'reader.noBytes'
    case '64-bit':
      return integer64('0', scope)
  }
}

/** The default that the .proto file gives to a field, as an expression. */
export function declaredDefault({ type, defaultValue }: Field, scope: Scope): string | undefined {
  if (defaultValue === undefined || type.kind === 'message') return undefined
  if (type.kind === 'enum') {
    const { values } = scope.enum(type.reference)
    return String(values.find((value) => value.name === defaultValue)!.number)
  }
  if (type.scalar === 'bytes') return `new Uint8Array([${[...Buffer.from(String(defaultValue), 'latin1')].join(', ')}])`
  if (SCALARS[type.scalar].type === '64-bit') return integer64(String(defaultValue), scope)
  if (typeof defaultValue === 'string') return quote(defaultValue)
  if (typeof defaultValue === 'boolean' || Number.isFinite(defaultValue)) return String(defaultValue)
  if (Number.isNaN(defaultValue)) return 'Number.NaN'
  return defaultValue > 0 ? 'Number.POSITIVE_INFINITY' : 'Number.NEGATIVE_INFINITY'
}

function integer64(digits: string, scope: Scope): string {
  const { int64 } = scope.options
  return int64 === 'bigint' ? `${digits}n` : int64 === 'number' ? digits : `'${digits}'`
}

/** A string literal: in single quotes, unless it has one itself and no double ones. */
export function quote(text: string): string {
  const json = JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  if (text.includes("'") && !text.includes('"')) return json
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
