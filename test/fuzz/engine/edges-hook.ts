// A module hook: a module that is imported with `?edges` is loaded with counters in its branches, and so is everything of
// this project that it imports. With `?edges=<name>` the planted bug of that name is planted as well. The same modules
// without the question mark are another copy, and as they are.

import { readFileSync } from 'node:fs'
import type { LoadHook, ResolveHook } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { changed } from '../../simulation/planting/source-hook.ts'
import { plantedBugs } from '../planting/planted-bugs.ts'
import { instrument } from './instrument.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const MARK = /\?(edges(?:=[\w-]+)?)$/

/** The path of a file that gets counters, from the root of the project. errors.ts has one copy: its classes are compared. */
function fileOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined
  const file = path
    .relative(root, fileURLToPath(url.split('?')[0]!))
    .split(path.sep)
    .join('/')
  if (file === 'src/errors.ts' || file.startsWith('src/testing/')) return undefined
  return /^(src|codec)\/.*\.ts$/.test(file) || file === 'node_modules/msgpackr/unpack.js' ? file : undefined
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const own = MARK.exec(specifier)
  const mark = own?.[1] ?? MARK.exec(context.parentURL ?? '')?.[1]
  if (mark === undefined) return nextResolve(specifier, context)
  const resolved = await nextResolve(specifier.replace(MARK, ''), {
    ...context,
    parentURL: context.parentURL?.replace(MARK, ''),
  })
  // All of msgpackr is copied: its parts share state.
  const isCopied = fileOf(resolved.url) !== undefined || resolved.url.includes('/node_modules/msgpackr/')
  return isCopied ? { ...resolved, url: `${resolved.url.split('?')[0]}?${mark}` } : resolved
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const mark = MARK.exec(url)?.[1]
  if (mark === undefined) return nextLoad(url, context)
  const file = fileOf(url)
  const text = readFileSync(fileURLToPath(url.split('?')[0]!), 'utf8')
  if (file === undefined) return { format: 'module', source: text, shortCircuit: true }
  const bug = plantedBugs.find(({ name }) => `edges=${name}` === mark)
  const changes = bug?.changes.filter((change) => change.file === file) ?? []
  return {
    format: 'module',
    source: instrument(changes.reduce(changed, text), `${file}?${mark}`).text,
    shortCircuit: true,
  }
}
