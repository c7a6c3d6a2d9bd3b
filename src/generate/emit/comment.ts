// Doc comments of generated code, from the comments of .proto files.

import type { Declared } from '../model.ts'
import { type Doc, hardline } from './layout.ts'

/** A doc comment and the line break after it; nothing when there is nothing to say. `notes` are paragraphs of their own. */
export function docComment(declared: Partial<Declared>, notes: readonly string[] = []): Doc {
  const paragraphs = [declared.comment?.trim() ?? '', ...notes].filter((text) => text !== '')
  const lines = paragraphs.flatMap((text, i) => [...(i === 0 ? [] : ['']), ...text.split('\n')])
  if (declared.isDeprecated) lines.push(...(lines.length === 0 ? [] : ['']), '@deprecated')
  // What ends a comment would end this one.
  const safe = lines.map((text) => text.trimEnd().replaceAll('*/', '*\\/'))
  if (safe.length === 0) return []
  if (safe.length === 1) return [`/** ${safe[0]} */`, hardline]
  return [
    '/**',
    hardline,
    safe.flatMap((text): Doc[] => [text === '' ? ' *' : ` * ${text}`, hardline]),
    ' */',
    hardline,
  ]
}
