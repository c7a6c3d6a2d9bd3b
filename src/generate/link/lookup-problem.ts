// What is said when a name does not stand for what is wanted in its place.

import type { Found, Use } from './symbols.ts'

const WANTED: Readonly<Record<Use, string>> = { type: 'type', message: 'message', option: 'option' }

/** What is wrong with `name`, and what to write instead; `similar` are names that may have been meant. */
export function lookupProblem(
  name: string,
  use: Use,
  found: Exclude<Found, { problem?: undefined }>,
  similar: readonly string[],
): string {
  const wanted = WANTED[use]
  const shown = use === 'option' ? `(${name})` : name
  if (found.problem === 'none') {
    const declare = 'declare it, or import the file that does'
    return `there is no ${wanted} "${shown}": ${similar[0] === undefined ? declare : `write "${similar[0]}"`}`
  }
  const { fullName, file, kind } = found.symbol
  switch (found.problem) {
    case 'shadowed': {
      const leading = use === 'option' ? `(.${fullName})` : `.${fullName}`
      return `"${shown}" means "${found.fullName}" here, which is not declared: write "${leading}"`
    }
    case 'hidden':
      return `"${fullName}" is declared in "${file}", which is not imported: add import "${file}";`
    case 'for options':
      return `"${fullName}" is declared in "${file}", which is imported for options only: write import "${file}";`
    case 'local':
      return `"${fullName}" is for "${file}" only: write "export" in front of its declaration there`
    case 'kind':
      return `"${shown}" is the ${kind} "${fullName}" here, not ${wanted === 'option' ? 'an' : 'a'} ${wanted}: write another name`
  }
}
