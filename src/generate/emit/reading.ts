// The function that reads a message: an object with everything that may be absent, then one case per tag. A field that
// comes again replaces the value that is there; a message goes on where it was.

import type { Field, FieldType, Message, ScalarType } from '../model.ts'
import { fieldKey } from '../names.ts'
import {
  canBePacked,
  declaredDefault,
  endTagOf,
  keyType,
  packedTagOf,
  quote,
  scalar,
  tagOf,
  valueType,
  zero,
} from './field-types.ts'
import { assign, type Doc, group, hardline, indent, line, list } from './layout.ts'
import type { Scope } from './scope.ts'
import { block, branch, call, chain, choose } from './statement.ts'

/** A field, and what errors call it. */
interface NamedField extends Field {
  /** `storage.Value.time`. */
  readonly path: string
}

/** The statements that read a message up to `end` and return it. `type` is its TypeScript type. */
export function readStatements(message: Message, type: string, scope: Scope): Doc[] {
  const fields = message.fields.map((field): NamedField => ({ ...field, path: `${message.fullName}.${field.name}` }))
  const required = fields.filter((field) => field.presence === 'required')
  const initial = initialValues(message, scope)
  return [
    [`const message: ${type} = previous ?? `, list('{', initial, '}', line)],
    ...required.map((field): Doc => `let ${seenName(field)} = previous !== undefined`),
    [
      'while (reader.pos < end) ',
      block([
        'const tag = reader.tag()',
        choose('tag', [...fields.flatMap((field) => readField(field, scope)), unknownField]),
      ]),
    ],
    ...required.map((field) => [`if (!${seenName(field)}) throw `, call('reader.missing', quote(field.path))]),
    call('reader.finish', 'end', ...partsOf(message)),
    'return message',
  ]
}

const unknownField: Doc = ['default:', indent(hardline, 'end = reader.skipField(tag, end)')]

/** The variable that says whether a required field was there. */
function seenName(field: Field): string {
  const key = fieldKey(field.name)
  return `has${key.slice(0, 1).toUpperCase()}${key.slice(1)}`
}

/** How many fields an object has, how many of them are lists, and maps: at the end, zeros are left out. */
function partsOf({ fields }: Message): string[] {
  const count = new Set(fields.map((field) => field.oneof ?? field.name)).size
  const lists = fields.filter(({ presence }) => presence === 'repeated').length
  const maps = fields.filter(({ presence }) => presence === 'map').length
  return [count, ...(maps > 0 ? [lists, maps] : lists > 0 ? [lists] : [])].map(String)
}

function initialValues(message: Message, scope: Scope): string[] {
  const seen = new Set<string>()
  return message.fields.flatMap((field) => {
    const name = field.oneof ?? field.name
    if (seen.has(name)) return []
    seen.add(name)
    return [`${fieldKey(name)}: ${field.oneof === undefined ? initialValue(field, scope) : 'undefined'}`]
  })
}

function initialValue(field: Field, scope: Scope): string {
  switch (field.presence) {
    case 'map':
      return 'Object.create(null)'
    case 'repeated':
      return '[]'
    case 'implicit':
      return zero(field.type, scope)
    case 'explicit':
      return declaredDefault(field, scope) ?? 'undefined'
    case 'required':
      // Of no type at all: it is never seen, a message without it is refused.
      return field.type.kind === 'message' ? 'undefined!' : zero(field.type, scope)
  }
}

/** The cases for the tags of a field. */
function readField(field: NamedField, scope: Scope): Doc[] {
  const { type, number } = field
  const target = `message.${fieldKey(field.name)}`
  const tag = `case ${tagOf(number, type)}`
  if (field.presence === 'map') return [branch(`case ${packedTagOf(number)}`, readEntry(field, target, scope), true)]
  if (field.presence === 'repeated') {
    const one = branch(tag, [readOne(field, target, scope)], isClosed(type, scope))
    return canBePacked(type) ? [one, readPacked(field, target, scope)] : [one]
  }
  if (field.oneof !== undefined) return [branch(tag, readCase(field, scope), isClosed(type, scope))]
  const read = readValue(field, target, scope)
  const value = isClosed(type, scope) ? [read, ` ?? ${target}`] : read
  const isSeen = field.presence === 'required' ? [`${seenName(field)} = true`] : []
  return [branch(tag, [assign(target, value), ...isSeen])]
}

function isClosed(type: FieldType, scope: Scope): boolean {
  return type.kind === 'enum' && scope.enum(type.reference).isClosed
}

/** The expression that reads one value; `previous` is what a message goes on from. */
function readValue(field: NamedField, previous: Doc, scope: Scope): Doc {
  const { type, number } = field
  if (type.kind === 'scalar') return readScalar(type.scalar, field.path, scope)
  if (type.kind === 'enum') {
    return isClosed(type, scope) ? call('reader.readClosedEnum', scope.value(type.reference)) : 'reader.int32()'
  }
  const open = type.isGroup ? `reader.openGroup(${endTagOf(number)})` : 'reader.open()'
  return call(`${scope.value(type.reference)}.read`, 'reader', open, ...(previous === '' ? [] : [previous]))
}

function readScalar(name: ScalarType, path: string, scope: Scope): Doc {
  const { type, read } = scalar(name)
  const value = `reader.${read}`
  if (type !== '64-bit' || scope.options.int64 === 'bigint') return value
  return scope.options.int64 === 'number' ? call('reader.safeInteger', value, quote(path)) : `String(${value})`
}

/** Reads one element of a list. */
function readOne(field: NamedField, target: string, scope: Scope): Doc {
  const value = readValue(field, '', scope)
  const list = `list(${target})`
  if (!isClosed(field.type, scope)) return chain('reader', list, call('push', value))
  return [['const item = ', value], hardline, `if (item !== undefined) reader.${list}.push(item)`]
}

function readPacked(field: NamedField, target: string, scope: Scope): Doc {
  const { type, number } = field
  const label = `case ${packedTagOf(number)}`
  const bulk = type.kind === 'scalar' ? scalar(type.scalar).readList : isClosed(type, scope) ? undefined : 'int32s'
  if (bulk !== undefined) return branch(label, [`reader.${bulk}(reader.list(${target}))`])
  const one = readOne(field, target, scope)
  const loop = isClosed(type, scope)
    ? ['while (reader.pos < stop) ', block([one])]
    : group('while (reader.pos < stop)', indent(line, one))
  return branch(label, ['const stop = reader.open()', loop, 'reader.close(stop)'], true)
}

function readCase(field: NamedField, scope: Scope): Doc[] {
  const oneof = `message.${fieldKey(field.oneof!)}`
  const name = quote(fieldKey(field.name))
  const set = (value: Doc): Doc => [`${oneof} = `, list('{', [`case: ${name}`, ['value: ', value]], '}', line)]
  if (isClosed(field.type, scope)) {
    return [
      ['const item = ', readValue(field, '', scope)],
      ['if (item !== undefined) ', set('item')],
    ]
  }
  const previous = `${oneof}?.case === ${name} ? ${oneof}.value : undefined`
  return [set(readValue(field, field.type.kind === 'message' ? previous : '', scope))]
}

const KEY = 1
const VALUE = 2

function readEntry(field: NamedField, target: string, scope: Scope): Doc[] {
  const { type } = field
  const mapKey = field.mapKey!
  const key: FieldType = { kind: 'scalar', scalar: mapKey }
  const { declaration, set } = entryValue(field, `reader.map(${target}, key)[key]`, scope)
  const value = readValue({ ...field, number: VALUE }, type.kind === 'message' ? 'item' : '', scope)
  return [
    'const stop = reader.open()',
    `let key = ${initialKey(mapKey)}`,
    declaration,
    [
      'while (reader.pos < stop) ',
      block([
        'const tag = reader.tag()',
        choose('tag', [
          branch(`case ${tagOf(KEY, key)}`, [`key = ${readMapKey(mapKey)}`]),
          branch(`case ${tagOf(VALUE, type)}`, [assign('item', value)]),
          ['default:', indent(hardline, 'reader.skipField(tag, stop)')],
        ]),
      ]),
    ],
    'reader.close(stop)',
    set,
  ]
}

/** The variable for an entry's value, and the statement that puts it into the map. */
function entryValue({ type }: Field, target: string, scope: Scope): { declaration: string; set: Doc } {
  if (type.kind === 'message') {
    const empty = call(`${scope.value(type.reference)}.read`, 'reader', 'reader.openEmpty()')
    const declaration = `let item: ${scope.type(type.reference)} | undefined`
    return { declaration, set: [assign('item', empty, '??='), hardline, `${target} = item`] }
  }
  const initial = zero(type, scope)
  if (isClosed(type, scope)) {
    const declaration = `let item: ${valueType(type, false, scope)} | undefined = ${initial}`
    return { declaration, set: `if (item !== undefined) ${target} = item` }
  }
  // Where the type of the initial value would be too narrow.
  const isWider = type.kind === 'enum' || type.scalar === 'bytes'
  return {
    declaration: `let item${isWider ? `: ${valueType(type, false, scope)}` : ''} = ${initial}`,
    set: `${target} = item`,
  }
}

function initialKey(key: ScalarType): string {
  if (keyType(key) === 'number') return '0'
  if (key === 'string') return "''"
  return key === 'bool' ? "'false'" : "'0'"
}

function readMapKey(key: ScalarType): string {
  const read = `reader.${scalar(key).read}`
  return keyType(key) === 'number' || key === 'string' ? read : `String(${read})`
}
