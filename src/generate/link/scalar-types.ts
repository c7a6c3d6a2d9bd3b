// The names of protobuf's scalar types, and where they can stand.

import type { ScalarType } from '../model.ts'

const SCALARS: ReadonlySet<string> = new Set<ScalarType>([
  'double',
  'float',
  'int32',
  'uint32',
  'sint32',
  'fixed32',
  'sfixed32',
  'int64',
  'uint64',
  'sint64',
  'fixed64',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])
const NO_MAP_KEYS: ReadonlySet<string> = new Set(['double', 'float', 'bytes'])
const NEVER_PACKED: ReadonlySet<string> = new Set(['string', 'bytes'])

export function isScalar(type: string): type is ScalarType {
  return SCALARS.has(type)
}

export function canBeMapKey(type: string): type is ScalarType {
  return SCALARS.has(type) && !NO_MAP_KEYS.has(type)
}

/** Whether a list of these can be packed; `kind` is that of a type that is no scalar. */
export function isPackable(type: string, kind: string | undefined): boolean {
  return kind === 'enum' || (SCALARS.has(type) && !NEVER_PACKED.has(type))
}
