// How problems are told: sorted, each once, as compilers do.

import type { Problem } from './model.ts'

/** By file, line and column, without repetitions. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const sorted = [...problems].sort(
    (one, other) =>
      compare(one.file, other.file) ||
      one.line - other.line ||
      one.column - other.column ||
      compare(one.message, other.message),
  )
  return sorted.filter((each, index) => index === 0 || problemText(each) !== problemText(sorted[index - 1]!))
}

/** `file:line:column: what is wrong, and what to write instead`. */
export function problemText({ file, line, column, message }: Problem): string {
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
