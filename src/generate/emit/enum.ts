// An enum: an object of its values, and the type of them.

import type { Enum } from '../model.ts'
import { valueKeys } from '../type-names.ts'
import { docComment } from './comment.ts'
import { type Doc, hardline, indent } from './layout.ts'
import type { Scope } from './scope.ts'

export function enumDeclaration(declaration: Enum, scope: Scope): Doc {
  const name = scope.type({ fullName: declaration.fullName, file: scope.file.name })
  const keys = valueKeys(declaration)
  const values = declaration.values.map(
    (value): Doc => [hardline, docComment(value), `${keys.get(value)}: ${value.number},`],
  )
  // Values that are not declared are numbers as well; so written, editors still propose those that are.
  const others = declaration.isClosed ? '' : ' | (number & {})'
  return [
    docComment(declaration),
    `export const ${name} = {`,
    indent(values),
    hardline,
    '} as const',
    hardline,
    docComment({ isDeprecated: declaration.isDeprecated }),
    `export type ${name} = (typeof ${name})[keyof typeof ${name}]${others}`,
  ]
}
