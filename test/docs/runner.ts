// A process of its own that runs the programs of one document, one after the other, and says on its standard output what
// each of them printed, as one line of JSON per program. It ends by itself if they have closed what they opened.

import { pathToFileURL } from 'node:url'
import { format } from 'node:util'

/** What became of one program. */
export interface Outcome {
  readonly file: string
  readonly printed: readonly string[]
  /** The stack of what it threw. */
  readonly error: string | undefined
}

const log = console.log
for (const file of process.argv.slice(2)) {
  const printed: string[] = []
  console.log = (...values: unknown[]): void => {
    printed.push(...format(...values).split('\n'))
  }
  let error: string | undefined
  try {
    await import(pathToFileURL(file).href)
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
  console.log = log
  log(JSON.stringify({ file, printed, error } satisfies Outcome))
}
