// Statements of generated code as documents: where calls and conditions are broken when they are too long.
import { type Doc, group, hardline, indent, join, line, list, softline } from './layout.ts'

export function call(name: string, ...parameters: readonly Doc[]): Doc {
  return list(`${name}(`, parameters, ')')
}

/** `subject.first(…).second(…)`: every call on a line of its own when they do not fit on one. */
export function chain(subject: string, ...calls: readonly Doc[]): Doc {
  return group(subject, indent(calls.map((each): Doc => [softline, '.', each])))
}

/** `<…>` behind a generic type; no comma follows the last. */
export function typeParameters(types: readonly string[]): Doc {
  return group('<', indent(softline, join([',', line], types)), softline, '>')
}

/** A condition of several parts, all of which must hold. */
export function all(...conditions: readonly string[]): Doc {
  return join([' &&', line], conditions)
}

/** `if` with one simple statement, or a block for several. */
export function when(condition: Doc, ...statements: readonly Doc[]): Doc {
  return statements.length === 1
    ? group(head(condition), indent(line, statements))
    : whenBlock(condition, ...statements)
}

/** As `when`, always with a block. */
export function whenBlock(condition: Doc, ...statements: readonly Doc[]): Doc {
  return [head(condition), ' ', block(statements)]
}

function head(condition: Doc): Doc {
  return ['if (', group(indent(softline, condition), softline), ')']
}

/** `for … of`, with a block unless it is one simple statement. */
export function forEach(binding: string, list: Doc, ...statements: readonly Doc[]): Doc {
  const head = [`for (const ${binding} of `, list, ')']
  return statements.length === 1 ? group(head, indent(line, statements)) : [head, ' ', block(statements)]
}

export function block(statements: readonly Doc[]): Doc {
  return ['{', indent(statements.map((statement): Doc => [hardline, statement])), hardline, '}']
}

/** A case of a `switch` and the statements that end with `break`; in a block when one of them declares something. */
export function branch(label: string, statements: readonly Doc[], declares = false): Doc {
  const body = [...statements, 'break']
  if (declares) return [`${label}: `, block(body)]
  return [`${label}:`, indent(body.map((statement): Doc => [hardline, statement]))]
}

export function choose(subject: string, branches: readonly Doc[]): Doc {
  return [`switch (${subject}) `, block(branches)]
}
