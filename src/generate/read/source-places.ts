// Where declarations of a descriptor stand in their file, and the comments in front of them, by path: the numbers of
// fields and positions in lists that lead to them.

import type { Location } from '../plugin_gorums.ts'
import type { Position } from './declarations.ts'
import { tidyComment } from './tokens.ts'

export class SourcePlaces {
  readonly #locations = new Map<string, Location>()

  constructor(locations: readonly Location[]) {
    for (const each of locations) {
      const path = each.path.join('.')
      // Several parts of `extend` blocks have one path: the first is as good as any.
      if (!this.#locations.has(path)) this.#locations.set(path, each)
    }
  }

  /** Line 0 when it is not told. */
  position(path: readonly number[]): Position {
    const [line, column] = this.#locations.get(path.join('.'))?.span ?? []
    return line === undefined || column === undefined ? { line: 0, column: 0 } : { line: line + 1, column: column + 1 }
  }

  comment(path: readonly number[]): string {
    return tidyComment(this.#locations.get(path.join('.'))?.leadingComments ?? '')
  }
}
