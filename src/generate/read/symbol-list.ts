// Everything in a file that has a name of its own, with its full name: types, fields, oneofs, values, services, methods,
// extensions, and the messages that maps make of their entries.

import type {
  Declared,
  EnumDeclaration,
  FileDeclaration,
  MessageDeclaration,
  Position,
  Visibility,
} from './declarations.ts'

export interface Named {
  readonly kind: 'message' | 'enum' | 'value' | 'field' | 'oneof' | 'entry' | 'service' | 'method' | 'extension'
  /** Without a leading dot. */
  readonly fullName: string
  readonly file: string
  readonly position: Position
  /** Not to be used by other files. */
  readonly isLocal: boolean
  /** Of an enum: the names of its values. */
  readonly values?: readonly string[]
}

/** `a.b` and `c`: `a.b.c`. */
export function join(scope: string, name: string): string {
  return scope === '' || name === '' ? scope + name : `${scope}.${name}`
}

/** `foo_bar`: `FooBarEntry`, the message that a map of this name makes of its entries. */
export function entryName(field: string): string {
  return `${field.replace(/(?:^_*|_+)(.?)/g, (_, next: string) => next.toUpperCase())}Entry`
}

/** Those of a file, in the order in which they stand in it. */
export function symbolsOf(file: FileDeclaration): Named[] {
  const list = new SymbolList(file)
  list.file()
  return list.symbols.sort(
    (one, other) => one.position.line - other.position.line || one.position.column - other.position.column,
  )
}

class SymbolList {
  readonly symbols: Named[] = []
  readonly #file: FileDeclaration
  readonly #visibility: string

  constructor(file: FileDeclaration) {
    this.#file = file
    const option = file.options.find(({ name }) => name === 'features.default_symbol_visibility')
    this.#visibility = option?.value.text ?? (file.edition === '2024' ? 'EXPORT_TOP_LEVEL' : 'EXPORT_ALL')
  }

  file(): void {
    const { enums, messages, services, extensions, package: scope } = this.#file
    for (const each of enums) this.#enum(scope, each, true)
    for (const each of messages) this.#message(scope, each, true)
    for (const service of services) {
      this.#add('service', scope, service)
      for (const each of service.methods) this.#add('method', join(scope, service.name), each)
    }
    for (const { scope: around, field } of extensions) this.#add('extension', around, field)
  }

  #add(kind: Named['kind'], scope: string, { name, position }: Declared, more: Partial<Named> = {}): void {
    this.symbols.push({
      kind,
      fullName: join(scope, name),
      file: this.#file.name,
      position,
      isLocal: false,
      ...more,
    })
  }

  #isLocal(visibility: Visibility | undefined, isOutermost: boolean): boolean {
    if (visibility !== undefined) return visibility === 'local'
    return this.#visibility === 'LOCAL_ALL' || (this.#visibility !== 'EXPORT_ALL' && !isOutermost)
  }

  #enum(scope: string, declaration: EnumDeclaration, isOutermost: boolean): void {
    const isLocal = this.#isLocal(declaration.visibility, isOutermost)
    this.#add('enum', scope, declaration, { isLocal, values: declaration.values.map(({ name }) => name) })
    // The names of values stand beside that of their enum, not in it.
    for (const value of declaration.values) this.#add('value', scope, value)
  }

  #message(scope: string, message: MessageDeclaration, isOutermost: boolean): void {
    this.#add('message', scope, message, { isLocal: this.#isLocal(message.visibility, isOutermost) })
    const inner = join(scope, message.name)
    for (const each of message.fields) {
      this.#add('field', inner, each)
      if (each.mapKey !== undefined) this.#add('entry', inner, { ...each, name: entryName(each.name) })
    }
    for (const each of message.oneofs) this.#add('oneof', inner, each)
    for (const each of message.enums) this.#enum(inner, each, false)
    for (const each of message.messages) this.#message(inner, each, false)
  }
}
