// What is said of a test that has failed, when all have ended: where it is, and why, in a few lines.

import path from 'node:path'

/** Of a message or a stack, so many lines are shown. */
const LINES_MAX = 16

/** What a test runner tells of a test that has failed. */
export interface FailedTest {
  readonly name: string
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly details: { readonly error: Error }
}

/** `✖ place: title`, and below it the first lines of the error and of its stack. */
export function describeFailure(root: string, { name, file, line, details }: FailedTest): string {
  const place = file === undefined ? '' : `${path.relative(root, file)}${line === undefined ? '' : `:${line}`}: `
  // The runner wraps what a test has thrown.
  const { cause } = details.error
  const error = cause instanceof Error ? cause : details.error
  const lines = (error.stack?.includes(error.message) ? error.stack : `${error.message}\n${error.stack ?? ''}`).split(
    '\n',
  )
  const shown = lines.slice(0, LINES_MAX)
  if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`)
  return [`✖ ${place}${name}`, ...shown.map((each) => `    ${each}`)].join('\n')
}
