// The names that one generated file can use: its own types, those of the files that it imports, and what it takes from
// the runtime. Whatever is used is imported, nothing else, under another name when its own is taken.
import path from 'node:path'
import type { Enum, GeneratorOptions, ProtoFile, Reference } from '../model.ts'
import { enumsOf, typeNames } from '../type-names.ts'
import { type Doc, group, list } from './layout.ts'

/** What generated code imports, unless it is part of the runtime itself. */
const RUNTIME = 'gorums/runtime'
/** Files whose types are part of the runtime. */
const WELL_KNOWN = /^google\/protobuf\/(any|duration|empty|field_mask|struct|timestamp|wrappers)\.proto$/
const TIMESTAMP = 'google.protobuf.Timestamp'

interface Import {
  readonly name: string
  readonly local: string
  isType: boolean
}

export class Scope {
  readonly file: ProtoFile
  readonly options: GeneratorOptions
  readonly #files: ReadonlyMap<string, ProtoFile>
  readonly #runtime: string
  readonly #taken: Set<string>
  /** By module and name. */
  readonly #imports = new Map<string, Map<string, Import>>()

  /** `runtime` is the module that defines messages; another one than `gorums/runtime` for files of the runtime itself. */
  constructor(file: ProtoFile, files: ReadonlyMap<string, ProtoFile>, options: GeneratorOptions, runtime = RUNTIME) {
    this.file = file
    this.options = options
    this.#files = files
    this.#runtime = runtime
    const { types, inputs } = typeNames(file)
    this.#taken = new Set([...types.values(), ...inputs.values()])
  }

  /** A value of the runtime. */
  runtime(name: string): string {
    return this.#import(this.#runtime, name, false)
  }

  runtimeType(name: string): string {
    return this.#import(this.#runtime, name, true)
  }

  /** Whether a message is a `Date` on the outside. */
  isDate(reference: Reference): boolean {
    return this.options.timestampAsDate && reference.fullName === TIMESTAMP
  }

  /** The codec of a message, or the object of an enum's values. */
  value(reference: Reference): string {
    if (this.isDate(reference)) return this.runtime('TimestampDate')
    return this.#refer(reference, this.#nameOf(reference), false)
  }

  /** The type that is received. */
  type(reference: Reference): string {
    return this.isDate(reference) ? 'Date' : this.#refer(reference, this.#nameOf(reference), true)
  }

  /** The type that encoding takes. */
  inputType(reference: Reference): string {
    if (this.isDate(reference)) return 'Date'
    const names = this.#files.get(reference.file)
    const input = names === undefined ? undefined : typeNames(names).inputs.get(reference.fullName)
    return this.#refer(reference, input ?? `${this.#nameOf(reference)}Input`, true)
  }

  /** The declaration of an enum. */
  enum(reference: Reference): Enum {
    const file = this.#files.get(reference.file)
    const found = file && enumsOf(file).find((declaration) => declaration.fullName === reference.fullName)
    if (found === undefined) throw new Error(`enum ${reference.fullName} is not declared in ${reference.file}`)
    return found
  }

  /** The import declarations for everything that was used, in the order that formatters give them. */
  imports(): Doc[] {
    return [...this.#imports.keys()].sort(byModule).map((module) => {
      const imports = [...this.#imports.get(module)!.values()].sort((one, other) => compare(one.name, other.name))
      const allTypes = imports.every((each) => each.isType)
      const specifiers = imports.map(({ name, local, isType }) => {
        const renamed = name === local ? name : `${name} as ${local}`
        return isType && !allTypes ? `type ${renamed}` : renamed
      })
      const keyword = allTypes ? 'import type' : 'import'
      return group(
        `${keyword} `,
        list('{', specifiers, '}', { kind: 'line', flat: ' ', isHard: false }),
        ` from '${module}'`,
      )
    })
  }

  #nameOf(reference: Reference): string {
    const file = this.#files.get(reference.file)
    const name = file === undefined ? undefined : typeNames(file).types.get(reference.fullName)
    return name ?? reference.fullName.slice(reference.fullName.lastIndexOf('.') + 1)
  }

  #refer(reference: Reference, name: string, isType: boolean): string {
    if (reference.file === this.file.name) return name
    const module = WELL_KNOWN.test(reference.file) ? this.#runtime : this.#moduleOf(reference.file)
    return this.#import(module, name, isType)
  }

  #moduleOf(protoFile: string): string {
    const from = path.posix.dirname(this.file.name)
    const relative = path.posix.relative(from, outputName(protoFile)).replace(/\.ts$/, '')
    const { importExtension } = this.options
    const extension = importExtension === 'none' ? '' : `.${importExtension}`
    return `${relative.startsWith('.') ? relative : `./${relative}`}${extension}`
  }

  #import(module: string, name: string, isType: boolean): string {
    let names = this.#imports.get(module)
    if (names === undefined) {
      names = new Map()
      this.#imports.set(module, names)
    }
    let found = names.get(name)
    if (found === undefined) {
      let local = name
      while (this.#taken.has(local)) local += '$'
      this.#taken.add(local)
      found = { name, local, isType }
      names.set(name, found)
    }
    found.isType &&= isType
    return found.local
  }
}

/** `storage/storage.proto` becomes `storage/storage_gorums.ts`. */
export function outputName(protoFile: string): string {
  return `${protoFile.replace(/\.proto$/, '')}_gorums.ts`
}

/** Packages before paths, farther paths before nearer ones. */
function byModule(one: string, other: string): number {
  const rank = (module: string): number => (module.startsWith('.') ? 1 : 0)
  return rank(one) - rank(other) || (one < other ? -1 : 1)
}

/** As people sort: case only decides between names that are otherwise the same, digits count as numbers. */
function compare(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true, caseFirst: 'upper' })
}
