// The function that writes a message: its fields in the order of their numbers, each with its tag as a constant.

import type { Field, FieldType, Message, ScalarType } from '../model.ts'
import { fieldKey } from '../names.ts'
import { canBePacked, endTagOf, packedTagOf, quote, scalar, tagOf, zero } from './field-types.ts'
import { type Doc, line } from './layout.ts'
import type { Scope } from './scope.ts'
import { all, block, branch, call, choose, forEach, when, whenBlock } from './statement.ts'

/** The statements that write all fields of `message`. */
export function writeStatements(message: Message, scope: Scope): Doc[] {
  const fields = [...message.fields].sort((one, other) => one.number - other.number)
  const statements: Doc[] = []
  const begun = new Set<string>()
  for (let i = 0; i < fields.length; i++) {
    const { oneof } = fields[i]!
    if (oneof === undefined) {
      statements.push(...writeField(fields[i]!, message, scope))
      continue
    }
    // Members of a oneof that follow each other are one `switch`.
    let end = i + 1
    while (fields[end]?.oneof === oneof) end++
    statements.push(writeCases(fields.slice(i, end), message, !begun.has(oneof), scope))
    begun.add(oneof)
    i = end - 1
  }
  return statements
}

function pathOf(message: Message, field: { readonly name: string }): string {
  return quote(`${message.fullName}.${field.name}`)
}

function writeField(field: Field, message: Message, scope: Scope): Doc[] {
  const value = `message.${fieldKey(field.name)}`
  const path = pathOf(message, field)
  const isThere = `${value} !== undefined`
  switch (field.presence) {
    case 'required': {
      const statements = writeValue(field.number, field.type, value, path, scope)
      // What they declare is declared for every such field.
      return statements.length === 1 ? statements : [block(statements)]
    }
    case 'explicit':
      return [when(isThere, ...writeValue(field.number, field.type, value, path, scope))]
    case 'implicit':
      return [writeImplicit(field, value, path, scope)]
    case 'repeated':
      return [whenBlock(isThere, writeList(field, value, path, scope))]
    case 'map':
      return [whenBlock(isThere, writeMap(field, value, path, scope))]
  }
}

function writeImplicit(field: Field, value: string, path: string, scope: Scope): Doc {
  const { type } = field
  const isThere = `${value} !== undefined`
  if (type.kind === 'scalar' && type.scalar === 'bytes') {
    return when(isThere, call('writer.writeSomeBytes', String(tagOf(field.number, type)), value, path))
  }
  const isFloat = type.kind === 'scalar' && (type.scalar === 'double' || type.scalar === 'float')
  // -0 is a value of its own.
  const isNotZero = isFloat
    ? `!Object.is(${value}, 0)`
    : type.kind === 'scalar' && type.scalar === 'bool'
      ? `${value} !== false`
      : `${value} !== ${zero(type, scope)}`
  return when(all(isThere, isNotZero), ...writeValue(field.number, type, value, path, scope))
}

/** Writes one value with its tag. */
function writeValue(number: number, type: FieldType, value: string, path: string, scope: Scope): Doc[] {
  const tag = String(tagOf(number, type))
  if (type.kind === 'scalar') return [call(`writer.${scalar(type.scalar).write}`, tag, value, path)]
  if (type.kind === 'enum') {
    if (!scope.enum(type.reference).isClosed) return [call('writer.writeEnum', tag, value, path)]
    return [call('writer.writeClosedEnum', tag, value, scope.value(type.reference), path)]
  }
  const write = call(`${scope.value(type.reference)}.write`, value, 'writer')
  if (type.isGroup) {
    return [call('writer.openGroup', tag, value, path), write, call('writer.closeGroup', String(endTagOf(number)))]
  }
  return [['const at = ', call('writer.open', tag, value, path)], write, 'writer.close(at)']
}

function writeList(field: Field, value: string, path: string, scope: Scope): Doc {
  const { type, number } = field
  if (field.isPacked && canBePacked(type)) {
    const tag = String(packedTagOf(number))
    if (type.kind === 'scalar') return call(`writer.${scalar(type.scalar).write}s`, tag, value, path)
    if (type.kind === 'enum' && scope.enum(type.reference).isClosed) {
      return call('writer.writeClosedEnums', tag, value, scope.value(type.reference), path)
    }
    return call('writer.writeEnums', tag, value, path)
  }
  return forEach('item', call('writer.list', value, path), ...writeValue(number, type, 'item', path, scope))
}

const KEY = 1
const VALUE = 2

function writeMap(field: Field, value: string, path: string, scope: Scope): Doc {
  const key = field.mapKey!
  return forEach(
    '[key, item]',
    call('writer.entries', value, path),
    ['const entry = ', call('writer.openEntry', String(packedTagOf(field.number)))],
    call(`writer.${scalar(key).write}`, String(tagOf(KEY, { kind: 'scalar', scalar: key })), keyValue(key, path), path),
    ...writeValue(VALUE, field.type, 'item', path, scope),
    'writer.close(entry)',
  )
}

/** A map's key as its field takes it; decimal digits are taken as they are by 64-bit fields. */
function keyValue(key: ScalarType, path: string): Doc {
  const { type } = scalar(key)
  if (type === 'number') return call('writer.integerKey', 'key', path)
  return type === 'boolean' ? call('writer.booleanKey', 'key', path) : 'key'
}

function writeCases(fields: readonly Field[], message: Message, isFirst: boolean, scope: Scope): Doc {
  const name = fields[0]!.oneof!
  const oneof = `message.${fieldKey(name)}`
  const branches = fields.map((field) => {
    const statements = writeValue(field.number, field.type, `${oneof}.value`, pathOf(message, field), scope)
    return branch(
      `case ${quote(fieldKey(field.name))}`,
      statements,
      field.type.kind === 'message' && !field.type.isGroup,
    )
  })
  if (!isFirst) return choose(`${oneof}?.case`, branches)
  // Those whose numbers come later are written later; what is none of them is a mistake.
  const others = message.fields.filter((field) => field.oneof === name && !fields.includes(field))
  for (const field of others) branches.push(branch(`case ${quote(fieldKey(field.name))}`, []))
  branches.push([
    'default:',
    { kind: 'indent', content: [{ ...line, isHard: true }, call('writer.noCase', oneof, pathOf(message, { name }))] },
  ])
  return choose(`${oneof}?.case`, branches)
}
