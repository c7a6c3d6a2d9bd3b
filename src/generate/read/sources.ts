// Finds .proto files: those that are named, and what they import, in the folders that are given and among those that the
// package brings along.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Problem } from '../model.ts'
import type { FileDeclaration, ImportDeclaration } from './declarations.ts'
import { parseProto } from './parser.ts'
import { WELL_KNOWN } from './well-known.ts'

export interface Loaded {
  /** By the name under which they are imported; imported files come before those that import them. */
  readonly files: ReadonlyMap<string, FileDeclaration>
  /** The names of the files that were asked for. */
  readonly named: readonly string[]
  readonly problems: readonly Problem[]
}

/**
 * Reads the named files and all that they import. `folders` are where imports are looked for, in this order; a named file
 * is called by its path from the first of them that it lies in. Nothing is thrown: what is not there is a problem.
 */
export function loadProtos(named: readonly string[], folders: readonly string[]): Loaded {
  const loader = new Loader(folders)
  const names = named.flatMap((file) => loader.named(file))
  return { files: loader.files, named: [...new Set(names)], problems: loader.problems }
}

class Loader {
  readonly files = new Map<string, FileDeclaration>()
  readonly problems: Problem[] = []
  readonly #folders: readonly string[]
  /** Files whose imports are being read, outermost first. */
  readonly #open: string[] = []

  constructor(folders: readonly string[]) {
    this.#folders = folders
    for (const folder of folders) {
      const stat = statSync(folder, { throwIfNoEntry: false })
      if (!stat?.isDirectory()) this.#problem(folder, 'there is no such folder: correct the -I')
    }
  }

  /** The name of a file that was asked for, once it is loaded. */
  named(file: string): string[] {
    const name = this.#nameOf(file)
    if (name === undefined) return []
    const found = this.#find(name)
    if (found === undefined) {
      this.#problem(file, `the file is not found in ${this.#places()}`)
      return []
    }
    this.#load(name, found)
    return [name]
  }

  #nameOf(file: string): string | undefined {
    if (!existsSync(file)) return file.split(path.sep).join('/')
    if (statSync(file).isDirectory()) {
      this.#problem(file, 'this is a folder: name the .proto files in it')
      return undefined
    }
    for (const folder of this.#folders) {
      const name = path.relative(folder, file)
      if (name.startsWith('..') || path.isAbsolute(name)) continue
      const before = this.#find(name.split(path.sep).join('/'))
      if (before !== undefined && 'file' in before && path.resolve(before.file) !== path.resolve(file)) {
        this.#problem(file, `"${name}" is also in "${before.file}", which comes first: change the order of the -I`)
        return undefined
      }
      return name.split(path.sep).join('/')
    }
    this.#problem(
      file,
      `the file is in none of the folders of imports (${this.#places()}): add -I ${path.dirname(file)}`,
    )
    return undefined
  }

  #load(name: string, found: Found): void {
    if (this.files.has(name)) return
    let text: string
    try {
      text = 'text' in found ? found.text : decode(readFileSync(found.file))
    } catch (error) {
      this.#problem(name, `the file can not be read: ${error instanceof Error ? error.message : String(error)}`)
      return
    }
    const { file, problems } = parseProto(name, text)
    // protobufjs writes some of its files as compilers would not have them.
    if (!('isBroughtAlong' in found)) this.problems.push(...problems)
    this.#open.push(name)
    for (const each of file.imports) this.#import(name, each)
    this.#open.pop()
    this.files.set(name, file)
  }

  #import(from: string, { path: name, isOption, position }: ImportDeclaration): void {
    const report = (message: string): void => {
      this.problems.push({ file: from, line: position.line, column: position.column, message })
    }
    const circle = this.#open.indexOf(name)
    if (circle >= 0)
      return report(`the files import each other in a circle: ${[...this.#open.slice(circle), name].join(' → ')}`)
    if (
      name === '' ||
      name.includes('\\') ||
      name.split('/').some((part) => part === '' || part === '.' || part === '..')
    )
      return report(
        `"${name.slice(0, 80)}" is no path of an import: write folders and the file with "/" between them, without "." and ".."`,
      )
    const found = this.#find(name)
    if (found !== undefined) return this.#load(name, found)
    // What protoc brings along for the options of other languages is not needed.
    if (!isOption || !FEATURES_OF_OTHERS.test(name))
      report(`"${name}" is not found in ${this.#places()}: add -I with the folder that it is in`)
  }

  #find(name: string): Found | undefined {
    for (const folder of this.#folders) {
      const file = path.join(folder, name)
      if (statSync(file, { throwIfNoEntry: false })?.isFile()) return { file }
    }
    return builtIn(name)
  }

  #places(): string {
    return this.#folders.map((folder) => `"${folder}"`).join(', ')
  }

  /** Of a file as a whole. */
  #problem(file: string, message: string): void {
    this.problems.push({ file, line: 0, column: 0, message })
  }
}

/** Options for the code of other languages: what they declare needs not be known. */
export const FEATURES_OF_OTHERS = /^google\/protobuf\/[a-z]+_features\.proto$/

type Found =
  | { readonly file: string }
  | { readonly file: string; readonly isBroughtAlong: true }
  | { readonly text: string; readonly isBroughtAlong: true }

/** The folder with `gorums.proto`: for `-I` of protoc. */
export function protoFolder(): string {
  const folders = ['../../../proto', '../../../../proto'].map((folder) => path.resolve(import.meta.dirname, folder))
  return folders.find((folder) => existsSync(path.join(folder, 'gorums.proto'))) ?? folders[0]!
}

/** protobuf's own description of files and their options, as the package brings it along. */
export function descriptorProto(): FileDeclaration {
  const name = 'google/protobuf/descriptor.proto'
  const found = builtIn(name)
  if (found === undefined || !('file' in found)) throw new Error(`${name} is missing in protobufjs: install it again`)
  return parseProto(name, decode(readFileSync(found.file))).file
}

function builtIn(name: string): Found | undefined {
  if (name === 'gorums.proto' || name === 'github.com/relab/gorums/gorums.proto')
    return { file: path.join(protoFolder(), 'gorums.proto'), isBroughtAlong: true }
  const text = Object.hasOwn(WELL_KNOWN, name) ? WELL_KNOWN[name] : undefined
  if (text !== undefined) return { text, isBroughtAlong: true }
  if (!/^google\/protobuf\/(compiler\/)?[a-z_]+\.proto$/.test(name)) return undefined
  const file = path.join(path.dirname(createRequire(import.meta.url).resolve('protobufjs/package.json')), name)
  return existsSync(file) ? { file, isBroughtAlong: true } : undefined
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}
