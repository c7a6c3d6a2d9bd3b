// Which names are declared where, and what a name means in a place: by scopes from the inside out, in the files that the
// place's file imports.

import type { EnumDeclaration, FileDeclaration, MessageDeclaration, Position } from './declarations.ts'

export interface Named {
  readonly kind: 'message' | 'enum' | 'value' | 'service' | 'extension'
  /** Without a leading dot. */
  readonly fullName: string
  readonly file: string
  readonly position: Position
  /** Of an enum: the names of its values. */
  readonly values?: readonly string[]
}

export type Found =
  | { readonly symbol: Named; readonly isVisible: boolean }
  /** Nothing has that name. */
  | undefined

export class SymbolTable {
  readonly #symbols = new Map<string, Named>()
  /** For each file, those whose names it may use. */
  readonly #visible = new Map<string, ReadonlySet<string>>()

  /** `onClash` is told of a name that is declared a second time, and where it was before. */
  constructor(files: ReadonlyMap<string, FileDeclaration>, onClash: (symbol: Named, before: Named) => void) {
    const add = (symbol: Named): void => {
      const before = this.#symbols.get(symbol.fullName)
      if (before === undefined) this.#symbols.set(symbol.fullName, symbol)
      else onClash(symbol, before)
    }
    for (const file of files.values()) {
      for (const symbol of symbolsOf(file)) add(symbol)
      this.#visible.set(file.name, visibleFiles(file, files))
    }
  }

  /**
   * What a name means for somebody within `scope` of `file`. What the file can not see is found only if nothing that it
   * sees has the name.
   */
  find(name: string, scope: string, file: string, kinds: readonly Named['kind'][]): Found {
    const candidates = name.startsWith('.') ? [name.slice(1)] : outwards(scope).map((each) => join(each, name))
    const symbols = candidates.flatMap((each) => {
      const symbol = this.#symbols.get(each)
      return symbol !== undefined && kinds.includes(symbol.kind) ? [symbol] : []
    })
    const visible = symbols.find((symbol) => this.#visible.get(file)?.has(symbol.file))
    if (visible !== undefined) return { symbol: visible, isVisible: true }
    return symbols[0] === undefined ? undefined : { symbol: symbols[0], isVisible: false }
  }

  /** Where what has this full name is declared. */
  positionOf(fullName: string): Position {
    return this.#symbols.get(fullName)?.position ?? { line: 0, column: 0 }
  }

  /** Full names of types that end like that, for hints. */
  similar(name: string): string[] {
    const last = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
    return [...this.#symbols.values()]
      .filter(({ kind, fullName }) => {
        const own = fullName.slice(fullName.lastIndexOf('.') + 1).toLowerCase()
        return (kind === 'message' || kind === 'enum') && own === last
      })
      .map(({ fullName }) => fullName)
      .sort()
  }
}

/** `a.b` and `c`: `a.b.c`. */
export function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

/** `a.b`: `a.b`, `a`, and the outermost. */
function outwards(scope: string): string[] {
  if (scope === '') return ['']
  const parts = scope.split('.')
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join('.')), '']
}

/** Itself, what it imports, and what those import publicly. */
function visibleFiles(file: FileDeclaration, files: ReadonlyMap<string, FileDeclaration>): ReadonlySet<string> {
  const visible = new Set([file.name])
  const waiting = file.imports.map(({ path }) => path)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (visible.has(path)) continue
    visible.add(path)
    for (const each of files.get(path)?.imports ?? []) if (each.isPublic) waiting.push(each.path)
  }
  return visible
}

function symbolsOf(file: FileDeclaration): Named[] {
  const symbols: Named[] = []
  const add = (
    kind: Named['kind'],
    scope: string,
    name: string,
    position: Position,
    values?: readonly string[],
  ): void => {
    const symbol = { kind, fullName: join(scope, name), file: file.name, position }
    symbols.push(values === undefined ? symbol : { ...symbol, values })
  }
  const addEnum = (scope: string, each: EnumDeclaration): void => {
    add(
      'enum',
      scope,
      each.name,
      each.position,
      each.values.map(({ name }) => name),
    )
    // The names of values stand beside that of their enum, not in it.
    for (const value of each.values) add('value', scope, value.name, value.position)
  }
  const addMessage = (scope: string, message: MessageDeclaration): void => {
    add('message', scope, message.name, message.position)
    const inner = join(scope, message.name)
    for (const each of message.enums) addEnum(inner, each)
    for (const each of message.messages) addMessage(inner, each)
  }
  for (const each of file.enums) addEnum(file.package, each)
  for (const each of file.messages) addMessage(file.package, each)
  for (const each of file.services) add('service', file.package, each.name, each.position)
  for (const each of file.extensions) add('extension', each.scope, each.name, { line: 0, column: 0 })
  return symbols
}
