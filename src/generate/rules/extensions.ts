// Extensions: the message must have room for their numbers, and each number is taken once.

import { lookupProblem } from '../link/lookup-problem.ts'
import type { SymbolTable } from '../link/symbols.ts'
import type { ExtensionDeclaration, FileDeclaration, MessageDeclaration } from '../read/declarations.ts'
import { join } from '../read/symbol-list.ts'
import type { Around } from './rules.ts'

export class ExtensionRules {
  readonly #table: SymbolTable
  readonly #isComplete: boolean
  readonly #messages: ReadonlyMap<string, MessageDeclaration>
  /** Full names of extensions by the message and the number. */
  readonly #taken = new Map<string, string>()

  constructor(files: ReadonlyMap<string, FileDeclaration>, table: SymbolTable, isComplete: boolean) {
    this.#table = table
    this.#isComplete = isComplete
    this.#messages = messagesOf(files)
  }

  check({ field, scope, extendee }: ExtensionDeclaration, { file, report, typeOf }: Around): void {
    const { name, number, position } = field
    if (field.mapKey !== undefined) report(position, `extension "${name}" can not be a map: use a repeated message`)
    if (field.label === 'required') report(position, `extension "${name}" can not be required: write "optional"`)
    const json = field.options.find((option) => option.name === 'json_name')
    if (json !== undefined) report(json.position, `extension "${name}" has its full name in JSON: remove "json_name"`)
    if (number >= 19_000 && number <= 19_999)
      report(position, `the number of extension "${name}" is ${number}: 19000 to 19999 belong to protobuf itself`)
    const found = this.#table.find(extendee.text, scope, file.name, 'message')
    if (found.problem !== undefined) {
      if (this.#isComplete || found.problem === 'kind')
        report(extendee.position, lookupProblem(extendee.text, 'message', found, this.#table.similar(extendee.text)))
      return
    }
    const { fullName } = found.symbol
    if (file.edition === 'proto3' && !/^google\.protobuf\.[A-Za-z]+Options$/.test(fullName))
      report(extendee.position, `proto3 extends options only, not "${fullName}": write this in a file of an edition`)
    const message = this.#messages.get(fullName)!
    const { extensionRanges, options } = message
    const isSet = options.some((option) => option.name === 'message_set_wire_format' && option.value.text === 'true')
    const ranges = extensionRanges.map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`))
    // Message sets take larger numbers than others.
    if (!extensionRanges.some(({ from, to }) => number >= from && (number <= to || isSet)))
      report(
        position,
        ranges.length === 0
          ? `message "${fullName}" can not be extended: write "extensions ${number};" in it`
          : `the number of extension "${name}" is ${number}: message "${fullName}" takes ${ranges.join(', ')}`,
      )
    if (isSet && (field.label === 'repeated' || typeOf(field.type.text)?.kind !== 'message'))
      report(position, `extension "${name}" of the message set "${fullName}" must be an optional message`)
    this.#take(join(scope, name), fullName, field, report)
  }

  #take(name: string, message: string, { number, position }: ExtensionDeclaration['field'], report: Around['report']) {
    const key = `${message} ${number}`
    const before = this.#taken.get(key)
    if (before === undefined) this.#taken.set(key, name)
    // gorums.proto may come under two paths.
    else if (before !== name)
      report(
        position,
        `extensions "${before}" and "${name}" of message "${message}" both have the number ${number}: give one of them another`,
      )
  }
}

/** All messages, also those within others, by full name. */
export function messagesOf(files: ReadonlyMap<string, FileDeclaration>): Map<string, MessageDeclaration> {
  const messages = new Map<string, MessageDeclaration>()
  const add = (scope: string, message: MessageDeclaration): void => {
    const fullName = join(scope, message.name)
    messages.set(fullName, message)
    for (const each of message.messages) add(fullName, each)
  }
  for (const file of files.values()) for (const each of file.messages) add(file.package, each)
  return messages
}
