// Aliases of enum values, and values whose names differ too little.

import type { EnumDeclaration } from '../read/declarations.ts'
import type { Around } from './rules.ts'

export function enumRules(declaration: EnumDeclaration, { report, features }: Around): void {
  const { name, values, options } = declaration
  const alias = options.find((option) => option.name === 'allow_alias')
  if (alias?.value.text === 'true' && new Set(values.map(({ number }) => number)).size === values.length)
    report(alias.position, `no two values of enum "${name}" have one number: remove "allow_alias"`)
  if (features.json_format !== 'ALLOW') return
  const seen = new Map<string, (typeof values)[number]>()
  for (const value of values) {
    const bare = bareName(name, value.name)
    const before = seen.get(bare)
    if (before === undefined) seen.set(bare, value)
    // Aliases may be called alike, and those with the very same name are told with the clash of their names.
    else if (before.number !== value.number && before.name !== value.name)
      report(
        value.position,
        `values "${before.name}" and "${value.name}" differ only in the name of enum "${name}" before them, in case or in "_": rename one`,
      )
  }
}

/** The name of a value as languages have it that leave out the enum's: `Color`, `COLOR_DARK_RED`: `DarkRed`. */
function bareName(enumName: string, valueName: string): string {
  const prefix = enumName.replaceAll('_', '').toLowerCase()
  let at = 0
  let matched = 0
  while (at < valueName.length && matched < prefix.length) {
    const character = valueName[at]!
    if (character !== '_' && character.toLowerCase() !== prefix[matched]) break
    if (character !== '_') matched++
    at++
  }
  const rest = matched === prefix.length ? valueName.slice(at).replace(/^_+/, '') : ''
  return (rest === '' ? valueName : rest)
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join('')
}
