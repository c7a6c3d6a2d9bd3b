// The TypeScript types of a message: what is received, and what encoding takes.

import type { Field, Message, Oneof } from '../model.ts'
import { fieldKey } from '../names.ts'
import { docComment } from './comment.ts'
import { declaredDefault, keyType, quote, valueType } from './field-types.ts'
import { type Doc, group, hardline, indent, join, line } from './layout.ts'
import type { Scope } from './scope.ts'

/** The interface of a message as it is received, or as encoding takes it. */
export function messageType(message: Message, isInput: boolean, scope: Scope): Doc {
  const reference = { fullName: message.fullName, file: scope.file.name }
  const name = isInput ? scope.inputType(reference) : scope.type(reference)
  const comment = isInput
    ? docComment({
        comment: `What is taken where ${scope.type(reference)} is written.`,
        isDeprecated: message.isDeprecated,
      })
    : docComment(message)
  const members = memberTypes(message, isInput, scope)
  // An interface without members would take anything.
  if (members.length === 0) return [comment, `export type ${name} = Record<string, never>`]
  const body = indent(members.map((member) => [hardline, member]))
  return [comment, `export interface ${name} {`, body, hardline, '}']
}

function memberTypes(message: Message, isInput: boolean, scope: Scope): Doc[] {
  const seen = new Set<string>()
  return message.fields.flatMap((field): Doc[] => {
    if (field.oneof === undefined) return [fieldType(field, isInput, scope)]
    if (seen.has(field.oneof)) return []
    seen.add(field.oneof)
    const oneof = message.oneofs.find(({ name }) => name === field.oneof)!
    return [oneofType(oneof, message, isInput, scope)]
  })
}

function fieldType(field: Field, isInput: boolean, scope: Scope): Doc {
  const key = fieldKey(field.name)
  const type = wholeType(field, isInput, scope)
  const initial = declaredDefault(field, scope)
  const notes = initial === undefined ? [] : [`Default: ${initial}.`]
  const isOptional = isInput ? field.presence !== 'required' : field.presence === 'explicit' && initial === undefined
  return [docComment(field, notes), isOptional ? group(`${key}?:`, union([type, 'undefined'])) : `${key}: ${type}`]
}

function wholeType(field: Field, isInput: boolean, scope: Scope): string {
  const type = valueType(field.type, isInput, scope)
  const readonly = isInput ? 'readonly ' : ''
  if (field.presence === 'map') return `{ ${readonly}[key: ${keyType(field.mapKey!)}]: ${type} }`
  return field.presence === 'repeated' ? `${readonly}${type}[]` : type
}

function oneofType(oneof: Oneof, message: Message, isInput: boolean, scope: Scope): Doc {
  const fields = message.fields.filter((field) => field.oneof === oneof.name)
  const cases = fields.map((field) => {
    return `{ case: ${quote(fieldKey(field.name))}; value: ${valueType(field.type, isInput, scope)} }`
  })
  const comments = fields
    .filter((field) => field.comment !== '' || field.isDeprecated)
    .map((field) => `\`${fieldKey(field.name)}\`: ${field.comment.trim()}${field.isDeprecated ? ' (deprecated)' : ''}`)
  const key = `${fieldKey(oneof.name)}?:`
  return [docComment(oneof, comments), group(key, union([...cases, 'undefined']))]
}

/** A union type on one line, or with a line for every member. */
function union(members: readonly string[]): Doc {
  return indent(line, { kind: 'if broken', content: '| ' }, join([line, '| '], members))
}
