// Ranges of numbers that messages and enums keep: none is empty or out of bounds, and no two overlap.

import type { Report } from '../link/check.ts'
import type { EnumDeclaration, MessageDeclaration, Range, ReservedName } from '../read/declarations.ts'

const FIELD_NUMBER_MAX = 536_870_911
const ENUM_NUMBER_MAX = 2_147_483_647

type Kind = 'reserved range' | 'extension range'

export function messageRangeRules(message: MessageDeclaration, report: Report): void {
  const ranges = [
    ...message.reserved.map((range) => ({ range, kind: 'reserved range' as const })),
    ...message.extensionRanges.map((range) => ({ range, kind: 'extension range' as const })),
  ]
  for (const { range, kind } of ranges) {
    if (range.from < 1) report(range.position, `the ${kind} begins with ${range.from}: begin with 1 or more`)
    // protoc lets reserved numbers be what no field can have.
    if (kind === 'extension range' && range.to > FIELD_NUMBER_MAX)
      report(range.position, `the ${kind} ends with ${range.to}: end with ${FIELD_NUMBER_MAX} or less, or with "max"`)
  }
  checkOverlaps(ranges, report)
  checkNames(message.reservedNames, report)
}

export function enumRangeRules(declaration: EnumDeclaration, report: Report): void {
  for (const { from, to, position } of declaration.reserved)
    if (from < -ENUM_NUMBER_MAX - 1 || to > ENUM_NUMBER_MAX)
      report(
        position,
        `the reserved range ${from} to ${to} does not fit into 32 bits: write "max" for the largest number`,
      )
  checkOverlaps(
    declaration.reserved.map((range) => ({ range, kind: 'reserved range' })),
    report,
  )
  checkNames(declaration.reservedNames, report)
}

function checkOverlaps(ranges: readonly { readonly range: Range; readonly kind: Kind }[], report: Report): void {
  for (const [index, { range, kind }] of ranges.entries()) {
    if (range.to < range.from) {
      report(range.position, `the ${kind} ${shown(range)} has nothing in it: write ${range.to} to ${range.from}`)
      continue
    }
    const before = ranges.slice(0, index).find((each) => each.range.from <= range.to && range.from <= each.range.to)
    if (before !== undefined)
      report(
        range.position,
        `the ${kind} ${shown(range)} overlaps with the ${before.kind} ${shown(before.range)}: keep one of them`,
      )
  }
}

function checkNames(names: readonly ReservedName[], report: Report): void {
  const seen = new Set<string>()
  for (const { name, position } of names) {
    if (seen.has(name)) report(position, `the name "${name}" is reserved twice: remove one`)
    seen.add(name)
  }
}

function shown({ from, to }: Range): string {
  return from === to ? String(from) : `${from} to ${to}`
}
