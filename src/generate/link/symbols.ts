// What a name means in a place, as compilers of protobuf find it: the innermost scope that has the first part of the name
// decides, also when the rest is not there; among the names of the file itself and of those that it imports.

import type { FileDeclaration, Position } from '../read/declarations.ts'
import { join, type Named, symbolsOf } from '../read/symbol-list.ts'

/** Who uses a name: the type of a field, that of a method or an extended message, the name of an option. */
export type Use = 'type' | 'message' | 'option'

export type Found =
  | { readonly symbol: Named; readonly problem?: undefined }
  /** It is declared in a file that is not imported, or for options only; it is not for other files; it is no such thing. */
  | { readonly symbol: Named; readonly problem: 'hidden' | 'for options' | 'local' | 'kind' }
  /** An inner scope has the first part of the name, but not the rest. What an outer one has is `symbol`. */
  | { readonly symbol: Named; readonly problem: 'shadowed'; readonly fullName: string }
  /** Nothing has that name. */
  | { readonly symbol?: undefined; readonly problem: 'none' }

const KINDS: Readonly<Record<Use, readonly Named['kind'][]>> = {
  type: ['message', 'enum'],
  message: ['message'],
  option: ['extension'],
}
/** What has names within it. */
const AGGREGATES: ReadonlySet<Named['kind']> = new Set(['message', 'enum', 'service'])

/** What a file can see. */
interface View {
  readonly files: ReadonlySet<string>
  /** Their packages, and those around them. */
  readonly packages: ReadonlySet<string>
}

export class SymbolTable {
  readonly #symbols = new Map<string, Named>()
  /** Files that declare a name which another one has declared before. */
  readonly #copies = new Map<string, string[]>()
  readonly #views = new Map<string, View>()
  /** With what is imported for options only. */
  readonly #optionViews = new Map<string, View>()

  /** `onClash` is told of a name that is declared a second time, and where it was before. */
  constructor(files: ReadonlyMap<string, FileDeclaration>, onClash: (symbol: Named, before: Named) => void) {
    for (const file of files.values()) {
      for (const symbol of symbolsOf(file)) {
        const before = this.#symbols.get(symbol.fullName)
        if (before === undefined) this.#symbols.set(symbol.fullName, symbol)
        else {
          this.#copies.set(symbol.fullName, [...(this.#copies.get(symbol.fullName) ?? []), symbol.file])
          onClash(symbol, before)
        }
      }
      this.#views.set(file.name, viewOf(file, files, false))
      this.#optionViews.set(file.name, viewOf(file, files, true))
    }
  }

  /** What a name means for somebody within `scope` of `file`. */
  find(name: string, scope: string, file: string, use: Use): Found {
    const view = (use === 'option' ? this.#optionViews : this.#views).get(file)!
    if (name.startsWith('.')) return this.#judge(this.#symbols.get(name.slice(1)), view, file, use)
    const first = name.split('.', 1)[0]!
    const scopes = outwards(scope)
    for (const [index, each] of scopes.entries()) {
      const begin = join(each, first)
      const symbol = this.#visible(begin, view)
      if (first === name) {
        if (symbol !== undefined && (use !== 'type' || KINDS.type.includes(symbol.kind)))
          return this.#judge(symbol, view, file, use)
      } else if (symbol === undefined ? view.packages.has(begin) : AGGREGATES.has(symbol.kind)) {
        const fullName = join(each, name)
        const whole = this.#symbols.get(fullName)
        if (whole !== undefined) return this.#judge(whole, view, file, use)
        const outer = this.#outer(name, scopes.slice(index + 1), view, use)
        return outer === undefined ? { problem: 'none' } : { symbol: outer, problem: 'shadowed', fullName }
      }
    }
    return this.#judge(this.#outer(name, scopes, undefined, use), view, file, use)
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

  #visible(fullName: string, view: View): Named | undefined {
    const symbol = this.#symbols.get(fullName)
    return symbol !== undefined && this.#isSeen(symbol, view) ? symbol : undefined
  }

  #isSeen({ fullName, file }: Named, { files }: View): boolean {
    return files.has(file) || (this.#copies.get(fullName)?.some((each) => files.has(each)) ?? false)
  }

  /** The first that has the whole name and is of the kind that is wanted; in files that are seen, or in any. */
  #outer(name: string, scopes: readonly string[], view: View | undefined, use: Use): Named | undefined {
    return scopes
      .map((each) => this.#symbols.get(join(each, name)))
      .find(
        (symbol) => symbol && KINDS[use].includes(symbol.kind) && (view === undefined || this.#isSeen(symbol, view)),
      )
  }

  #judge(symbol: Named | undefined, view: View, file: string, use: Use): Found {
    if (symbol === undefined) return { problem: 'none' }
    if (!this.#isSeen(symbol, view)) {
      const isForOptions = this.#isSeen(symbol, this.#optionViews.get(file)!)
      return { symbol, problem: isForOptions ? 'for options' : 'hidden' }
    }
    if (!KINDS[use].includes(symbol.kind)) return { symbol, problem: 'kind' }
    return symbol.isLocal && symbol.file !== file ? { symbol, problem: 'local' } : { symbol }
  }
}

/** `a.b`: `a.b`, `a`, and the outermost. */
function outwards(scope: string): string[] {
  if (scope === '') return ['']
  const parts = scope.split('.')
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join('.')), '']
}

/** Itself, what it imports, and what those import publicly. */
function viewOf(file: FileDeclaration, all: ReadonlyMap<string, FileDeclaration>, withOptions: boolean): View {
  const files = new Set([file.name])
  const waiting = file.imports.filter(({ isOption }) => withOptions || !isOption).map(({ path }) => path)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue
    files.add(path)
    for (const each of all.get(path)?.imports ?? []) if (each.isPublic) waiting.push(each.path)
  }
  const packages = new Set([...files].flatMap((name) => outwards(all.get(name)?.package ?? '')))
  return { files, packages }
}
