// A module hook that changes the source of one file as it is loaded: how a bug is planted without a switch in the product.

import { readFileSync } from 'node:fs'
import type { LoadHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** One change: `find` must stand exactly once in `file` (a path from the root of the project). */
export interface SourceChange {
  readonly file: string
  readonly find: string
  readonly replace: string
}

let changes: readonly SourceChange[] = []

export function initialize(data: readonly SourceChange[]): void {
  changes = data
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const own = changes.filter(({ file }) => url.split('?')[0]!.endsWith(`/${file}`))
  if (own.length === 0) return nextLoad(url, context)
  const text = own.reduce(changed, readFileSync(fileURLToPath(url), 'utf8'))
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
  })
  return { format: 'module', source: outputText, shortCircuit: true }
}

/** The text with one change made. Throws when it can not be made as it is meant. */
export function changed(text: string, { file, find, replace }: SourceChange): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`${file}: the text to change stands there ${parts.length - 1} times: ${find}`)
  return parts.join(replace)
}
