// Reads what a message or an enum keeps for itself: `reserved` numbers and names, `extensions`.

import type { Edition, Range, ReservedName } from './declarations.ts'
import { place, type TokenStream } from './token-stream.ts'

const FIELD_NUMBER_MAX = 536_870_911
const ENUM_NUMBER_MAX = 2_147_483_647

/** What has been reserved so far. */
export interface Reserved {
  readonly reserved: Range[]
  readonly reservedNames: ReservedName[]
}

/** At the word `reserved`: numbers, or names: in quotes up to proto3, bare in editions. */
export function parseReserved(tokens: TokenStream, into: Reserved, edition: Edition, of: 'message' | 'enum'): void {
  tokens.take()
  const isOfNames = isName(tokens)
  do {
    if (isName(tokens) !== isOfNames)
      tokens.note('names and numbers are reserved apart: write "reserved" twice, once for each')
    if (isName(tokens)) into.reservedNames.push(parseName(tokens, edition))
    else into.reserved.push(parseRange(tokens, of))
  } while (tokens.skip(','))
  tokens.expect(';', 'after the reserved numbers or names')
}

/** `5, 10 to 20, 100 to max`. */
export function parseRanges(tokens: TokenStream): Range[] {
  const ranges: Range[] = []
  do ranges.push(parseRange(tokens, 'message'))
  while (tokens.skip(','))
  return ranges
}

function isName({ token: { kind } }: TokenStream): boolean {
  return kind === 'string' || kind === 'word'
}

function parseName(tokens: TokenStream, edition: Edition): ReservedName {
  const { token } = tokens
  const isQuoted = token.kind === 'string'
  const isEdition = edition !== 'proto2' && edition !== 'proto3'
  const name = isQuoted ? tokens.string('a name') : tokens.take().text
  if (isQuoted && isEdition)
    tokens.note(`reserved names stand without quotes in editions: write ${name || 'a name'}`, place(token))
  if (!isQuoted && !isEdition)
    tokens.note(`reserved names stand in quotes in ${edition}: write "${name}"`, place(token))
  return { name, position: place(token) }
}

function parseRange(tokens: TokenStream, of: 'message' | 'enum'): Range {
  const { position } = tokens
  const mayBeNegative = of === 'enum'
  const from = tokens.integer('the begin of a range', mayBeNegative)
  if (!tokens.skip('to')) return { from, to: from, position }
  const max = mayBeNegative ? ENUM_NUMBER_MAX : FIELD_NUMBER_MAX
  return { from, to: tokens.skip('max') ? max : tokens.integer('the end of a range', mayBeNegative), position }
}
