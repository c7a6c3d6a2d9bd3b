// Reads docs/protocol.md for tests: the fenced blocks that have a name, and the rows of its tables. It knows nothing of
// what they mean.

import { readFileSync } from 'node:fs'
import path from 'node:path'

export const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/protocol.md'), 'utf8')

/** The lines of each fenced block of a language, by the block's name. */
function blocks(language: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const fence = new RegExp(`^\`\`\`${language} name=(\\S+)\\n(.*?)^\`\`\`$`, 'gms')
  for (const [, name, text] of page.matchAll(fence)) {
    if (found.has(name!)) throw new Error(`docs/protocol.md has two blocks named ${name}`)
    found.set(name!, text!.trimEnd().split('\n'))
  }
  return found
}

/** The bytes of each block of hex, by name. What follows a # is a note. */
export const vectors: ReadonlyMap<string, Buffer> = new Map(
  [...blocks('hex')].map(([name, lines]) => {
    const digits = lines.map((line) => line.replace(/#.*$/, '').replaceAll(' ', '')).join('')
    if (!/^([0-9a-f]{2})+$/.test(digits)) throw new Error(`docs/protocol.md: ${name} is not hex`)
    return [name, Buffer.from(digits, 'hex')]
  }),
)

/** The bytes of one block. */
export function vector(name: string): Buffer {
  const bytes = vectors.get(name)
  if (bytes === undefined) throw new Error(`docs/protocol.md has no block of hex named ${name}`)
  return bytes
}

/** The words of each line of a block of text. */
export function textBlock(name: string): string[][] {
  const lines = blocks('text').get(name)
  if (lines === undefined) throw new Error(`docs/protocol.md has no block of text named ${name}`)
  return lines.map((line) => line.trim().split(/\s+/))
}

/** The rows of all tables, as cells. */
export const rows: readonly string[][] = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
