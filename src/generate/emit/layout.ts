// Text that knows where it may be broken: generated code is emitted already formatted, at most 120 columns wide, as the
// formatters of the ecosystem would (after Wadler's "A prettier printer"). It knows nothing of TypeScript.

/** A piece of text, or several; strings hold no line breaks. */
export type Doc = string | readonly Doc[] | Group | Indent | IndentWith | Line | IfBroken

/** On one line if it fits, otherwise all its own lines are broken. */
interface Group {
  readonly kind: 'group'
  readonly content: Doc
}

interface Indent {
  readonly kind: 'indent'
  readonly content: Doc
}

/** A possible break: `flat` when it is not one. */
/** Indented if the group is broken. */
interface IndentWith {
  readonly kind: 'indent with'
  readonly group: Doc
  readonly content: Doc
}

interface Line {
  readonly kind: 'line'
  readonly flat: string
  readonly isHard: boolean
}

/** Text that is only there when the group is broken. */
interface IfBroken {
  readonly kind: 'if broken'
  readonly content: string
}

/** Columns. */
const WIDTH = 120

/** A space or a line break. */
export const line: Line = { kind: 'line', flat: ' ', isHard: false }
/** Nothing or a line break. */
export const softline: Line = { kind: 'line', flat: '', isHard: false }
/** A line break. */
export const hardline: Line = { kind: 'line', flat: '', isHard: true }

export function group(...content: Doc[]): Doc {
  return { kind: 'group', content }
}

export function indent(...content: Doc[]): Doc {
  return { kind: 'indent', content }
}

export function ifBroken(content: string): Doc {
  return { kind: 'if broken', content }
}

/** `left = right`: broken behind the sign when not even the beginning of `right` fits before its first break. */
export function assign(left: Doc, right: Doc, sign = '='): Doc {
  const afterSign = group(indent(line))
  return group(left, ` ${sign}`, afterSign, { kind: 'indent with', group: afterSign, content: right })
}

/** `docs` with `separator` between them. */
export function join(separator: Doc, docs: readonly Doc[]): Doc {
  return docs.flatMap((doc, i) => (i === 0 ? [doc] : [separator, doc]))
}

/** Brackets around a list that is broken into one element per line, with a comma after the last. */
export function list(open: string, elements: readonly Doc[], close: string, padding: Line = softline): Doc {
  if (elements.length === 0) return `${open}${close}`
  return group(open, indent(padding, join([',', line], elements)), ifBroken(','), padding, close)
}

interface Piece {
  readonly doc: Doc
  readonly depth: number
  readonly isBroken: boolean
}

/** The text of a document, with a line break at its end. */
export function layOut(doc: Doc): string {
  const out: string[] = []
  let column = 0
  let pendingIndent = 0
  const pieces: Piece[] = [{ doc, depth: 0, isBroken: true }]
  const broken = new Set<Doc>()
  const put = (text: string): void => {
    if (text === '') return
    // Only lines with something on them are indented.
    out.push(' '.repeat(pendingIndent), text)
    column += pendingIndent + text.length
    pendingIndent = 0
  }
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    const { depth, isBroken } = piece
    const current = piece.doc
    if (typeof current === 'string') put(current)
    else if (isList(current)) pushAll(pieces, current, depth, isBroken)
    else if (current.kind === 'indent') pieces.push({ doc: current.content, depth: depth + 1, isBroken })
    else if (current.kind === 'indent with') {
      pieces.push({ doc: current.content, depth: broken.has(current.group) ? depth + 1 : depth, isBroken })
    } else if (current.kind === 'if broken') put(isBroken ? current.content : '')
    else if (current.kind === 'group') {
      const flat = { doc: current.content, depth, isBroken: false }
      const fits = !hasHardLine(current) && fitsIn(WIDTH - column - pendingIndent, flat, pieces)
      if (!fits) broken.add(current)
      pieces.push(fits ? flat : { ...flat, isBroken: true })
    } else if (isBroken || current.isHard) {
      out.push('\n')
      column = 0
      pendingIndent = 2 * depth
    } else put(current.flat)
  }
  return `${out.join('').trimEnd()}\n`
}

function isList(doc: Doc): doc is readonly Doc[] {
  return Array.isArray(doc)
}

function pushAll(pieces: Piece[], docs: readonly Doc[], depth: number, isBroken: boolean): void {
  for (let i = docs.length - 1; i >= 0; i--) pieces.push({ doc: docs[i]!, depth, isBroken })
}

/** Whether `first`, and what follows it up to the next break, fits into `columns`. */
function fitsIn(columns: number, first: Piece, following: readonly Piece[]): boolean {
  let room = columns
  let next = following.length
  const pieces = [first]
  while (room >= 0) {
    const piece = pieces.pop() ?? following[--next]
    if (piece === undefined) return true
    const { doc, depth, isBroken } = piece
    if (typeof doc === 'string') room -= doc.length
    else if (isList(doc)) pushAll(pieces, doc, depth, isBroken)
    else if (doc.kind === 'indent' || doc.kind === 'indent with' || doc.kind === 'group') {
      pieces.push({ ...piece, doc: doc.content })
    } else if (doc.kind === 'if broken') room -= isBroken ? doc.content.length : 0
    else if (isBroken || doc.isHard) return true
    else room -= doc.flat.length
  }
  return false
}

const hard = new WeakMap<object, boolean>()

/** Whether there is a break in it that can not be avoided. */
function hasHardLine(doc: Doc): boolean {
  if (typeof doc === 'string') return false
  const known = hard.get(doc)
  if (known !== undefined) return known
  let found = false
  if (isList(doc)) found = doc.some(hasHardLine)
  else if (doc.kind === 'line') found = doc.isHard
  else if (doc.kind !== 'if broken') found = hasHardLine(doc.content)
  hard.set(doc, found)
  return found
}
