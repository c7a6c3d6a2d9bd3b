// Checks within one declaration: numbers and names that are taken twice, reserved, or can not be.

import { fieldKey, isForbiddenMethodKey, methodKey } from '../names.ts'
import type {
  EnumDeclaration,
  MessageDeclaration,
  Position,
  Range,
  ReservedName,
  ServiceDeclaration,
} from '../read/declarations.ts'

export type Report = (position: Position, message: string) => void

const FIELD_NUMBER_MAX = 536_870_911
const ENUM_NUMBER_LIMIT = 2 ** 31

export function checkMessage(message: MessageDeclaration, report: Report): void {
  checkFieldNumbers(message, report)
  const names = new Map<string, string>()
  for (const { name, position } of [...message.fields, ...message.oneofs]) {
    const before = names.get(name)
    if (before !== undefined) report(position, `"${name}" is declared twice in message "${message.name}": rename one`)
    names.set(name, name)
  }
  for (const { name, position } of message.fields)
    if (isReserved(name, message.reservedNames))
      report(position, `the name "${name}" is reserved in message "${message.name}": choose another`)
  const keys = new Map<string, string>()
  for (const { name, position } of [...message.fields, ...message.oneofs]) {
    const key = fieldKey(name)
    const before = keys.get(key)
    if (before !== undefined && before !== name)
      report(
        position,
        `"${before}" and "${name}" in message "${message.name}" are both "${key}" in TypeScript: rename one`,
      )
    keys.set(key, name)
  }
  for (const oneof of message.oneofs)
    if (!message.fields.some((field) => field.oneof === oneof.name))
      report(oneof.position, `oneof "${oneof.name}" has no fields: add one, or remove it`)
}

function checkFieldNumbers(message: MessageDeclaration, report: Report): void {
  const numbers = new Map<number, string>()
  for (const { name, number, position } of message.fields) {
    const before = numbers.get(number)
    if (before !== undefined)
      report(position, `fields "${before}" and "${name}" both have the number ${number}: give one of them another`)
    numbers.set(number, name)
    if (number < 1 || number > FIELD_NUMBER_MAX)
      report(position, `the number of field "${name}" is ${number}: choose one from 1 to ${FIELD_NUMBER_MAX}`)
    else if (number >= 19_000 && number <= 19_999)
      report(position, `the number of field "${name}" is ${number}: 19000 to 19999 belong to protobuf itself`)
    else if (isWithin(number, message.reserved))
      report(
        position,
        `the number ${number} is reserved in message "${message.name}": choose another for field "${name}"`,
      )
    else if (isWithin(number, message.extensionRanges))
      report(
        position,
        `the number ${number} is for extensions of message "${message.name}": choose another for field "${name}"`,
      )
  }
}

export function checkEnum(declaration: EnumDeclaration, isClosed: boolean, report: Report): void {
  const { name, values, options, position } = declaration
  if (values.length === 0) report(position, `enum "${name}" has no values: add one with the number 0`)
  if (values[0] !== undefined && values[0].number !== 0 && !isClosed)
    report(values[0].position, `the first value of enum "${name}" must be 0: it is what an absent field reads as`)
  const mayAlias = options.some((option) => option.name === 'allow_alias' && option.value.text === 'true')
  const numbers = new Map<number, string>()
  for (const value of values) {
    const before = numbers.get(value.number)
    if (before !== undefined && !mayAlias)
      report(
        value.position,
        `values "${before}" and "${value.name}" both have the number ${value.number}: write "option allow_alias = true;" if that is meant`,
      )
    numbers.set(value.number, value.name)
    if (value.number < -ENUM_NUMBER_LIMIT || value.number >= ENUM_NUMBER_LIMIT)
      report(value.position, `the number of value "${value.name}" does not fit into 32 bits: ${value.number}`)
    if (isWithin(value.number, declaration.reserved))
      report(
        value.position,
        `the number ${value.number} is reserved in enum "${name}": choose another for "${value.name}"`,
      )
    if (isReserved(value.name, declaration.reservedNames))
      report(value.position, `the name "${value.name}" is reserved in enum "${name}": choose another`)
  }
}

export function checkService(service: ServiceDeclaration, report: Report): void {
  const keys = new Map<string, string>()
  for (const { name, position } of service.methods) {
    const key = methodKey(name)
    const before = keys.get(key)
    if (before === name) report(position, `method "${name}" is declared twice in service "${service.name}": rename one`)
    else if (before !== undefined)
      report(position, `methods "${before}" and "${name}" are both "${key}" in TypeScript: rename one`)
    keys.set(key, name)
    if (isForbiddenMethodKey(key))
      report(
        position,
        `"${name}" can not be the name of a method: clients have "${key}" already, or must not; rename it`,
      )
  }
}

function isReserved(name: string, names: readonly ReservedName[]): boolean {
  return names.some((each) => each.name === name)
}

function isWithin(number: number, ranges: readonly Range[]): boolean {
  return ranges.some(({ from, to }) => number >= from && number <= to)
}
