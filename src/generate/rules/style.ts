// How edition 2024 wants names to be written, unless a file or declaration has the style of before; and which types it
// lets a strict file export.

import type { Declared, FileDeclaration, MessageDeclaration, Visibility } from '../read/declarations.ts'
import type { Around } from './rules.ts'

const STYLES = {
  lower_snake_case: /^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*$/,
  PascalCase: /^[A-Z][A-Za-z0-9]*$/,
  UPPER_SNAKE_CASE: /^[A-Z][A-Z0-9]*(_[A-Z][A-Z0-9]*)*$/,
} as const

/** Checks the name of a declaration; `what` is what it is the name of. */
export function styleRule(
  what: string,
  { name, position }: Declared,
  style: keyof typeof STYLES,
  around: Around,
): void {
  if (around.features.enforce_naming_style !== 'STYLE2024' || STYLES[style].test(name)) return
  around.report(
    position,
    `the name of ${what} "${name}" is not in ${style}: rename it, or write "features.enforce_naming_style = STYLE_LEGACY"`,
  )
}

export function packageStyleRule(file: FileDeclaration, around: Around): void {
  if (file.package === '') return
  for (const name of file.package.split('.'))
    styleRule('package', { name, position: file.packagePosition }, 'lower_snake_case', around)
}

/** In a strict file, types within a message are not exported, but for the enums of one that is there for its names only. */
export function exportRule(
  type: Declared & { readonly visibility: Visibility | undefined },
  kind: 'message' | 'enum',
  parent: MessageDeclaration,
  { file, report }: Around,
): void {
  const strict = file.options.find(({ name }) => name === 'features.default_symbol_visibility')?.value.text === 'STRICT'
  if (!strict || type.visibility !== 'export') return
  const isOfNames =
    parent.fields.length === 0 && parent.reserved.some(({ from, to }) => from === 1 && to === 536_870_911)
  if (kind === 'enum' && isOfNames) return
  report(
    type.position,
    `${kind} "${type.name}" within message "${parent.name}" can not be exported from a strict file: declare it outside of it`,
  )
}
