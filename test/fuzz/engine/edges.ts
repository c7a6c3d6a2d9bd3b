// The counters of all modules that are loaded with them, and the import of such modules. Which counts are worth keeping an
// input for is judged in coverage.ts.

import { register } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { REGISTRY } from './instrument.ts'

/** Room for the counters of all copies of all modules that one process may load. */
const CAPACITY = 1 << 16

export interface EdgeRange {
  /** The module's path from the root of the project. */
  readonly file: string
  /** What the copy was imported with. */
  readonly mark: string
  readonly start: number
  readonly end: number
  /** The source's line of each counter. */
  readonly lines: readonly number[]
}

class Edges {
  readonly counts = new Uint16Array(CAPACITY)
  readonly ranges: EdgeRange[] = []
  #used = 0

  /** The counters of a module: called by the module itself as it is loaded. */
  readonly claim = (name: string, lines: readonly number[]): Uint16Array => {
    const start = this.#used
    if (start + lines.length > CAPACITY) throw new RangeError(`no room for the ${lines.length} counters of ${name}`)
    this.#used += lines.length
    const [file = '', mark = ''] = name.split('?')
    this.ranges.push({ file, mark, start, end: this.#used, lines })
    return this.counts.subarray(start, this.#used)
  }
}

export const edges = new Edges()
Object.defineProperty(globalThis, Symbol.for(REGISTRY), { value: edges })

const root = path.resolve(import.meta.dirname, '../../..')
let isRegistered = false

/** A copy of the project's modules: with counters, with a planted bug besides, or as they are. */
export type Variant = 'counted' | 'plain' | { readonly bug: string }

/** Imports a file of the project (a path from its root) in one of its variants. */
export async function importVariant(file: string, variant: Variant): Promise<unknown> {
  if (!isRegistered) register('./edges-hook.ts', import.meta.url)
  isRegistered = true
  const mark = markOf(variant)
  return import(pathToFileURL(path.join(root, file)).href + (mark === '' ? '' : `?${mark}`))
}

/** The copies of this variant that have counters. */
export function rangesOf(variant: Variant): readonly EdgeRange[] {
  return edges.ranges.filter(({ mark }) => mark === markOf(variant))
}

function markOf(variant: Variant): string {
  return variant === 'plain' ? '' : variant === 'counted' ? 'edges' : `edges=${variant.bug}`
}
