// Which editions have which options, and which declarations have which features.

import { EDITIONS, type Edition } from '../read/declarations.ts'

/** Since which edition an option is no more, and what to write instead. */
const REMOVED: Readonly<Record<string, readonly [Edition, string]>> = {
  ctype: ['2024', '"features.(pb.cpp).string_type"'],
  java_multiple_files: ['2024', '"features.(pb.java).nest_in_file_class"'],
}

/** Of features that came later than edition 2023. */
const INTRODUCED: Readonly<Record<string, Edition>> = {
  enforce_naming_style: '2024',
  default_symbol_visibility: '2024',
}

/** What a feature can stand at; one that is not here, at everything. */
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  field_presence: ['file', 'field'],
  enum_type: ['file', 'enum'],
  repeated_field_encoding: ['file', 'field'],
  utf8_validation: ['file', 'field'],
  message_encoding: ['file', 'field'],
  json_format: ['file', 'message', 'enum'],
  default_symbol_visibility: ['file'],
}

export function removedProblem(option: string, edition: Edition): string | undefined {
  if (!Object.hasOwn(REMOVED, option)) return undefined
  const [since, instead] = REMOVED[option]!
  return EDITIONS[edition] < EDITIONS[since]
    ? undefined
    : `edition ${edition} has no option "${option}": write ${instead}`
}

/** What is wrong with `features.…` at a declaration of this kind. */
export function featureProblem(option: string, target: string, edition: Edition): string | undefined {
  const name = /^features\.([a-z0-9_]+)$/.exec(option)?.[1]
  if (name === undefined) return undefined
  const introduced = Object.hasOwn(INTRODUCED, name) ? INTRODUCED[name]! : '2023'
  if (EDITIONS[edition] < EDITIONS[introduced])
    return `"${option}" is for edition ${introduced} and later: this file is ${edition}`
  const targets = Object.hasOwn(TARGETS, name) ? TARGETS[name]! : [target]
  if (targets.includes(target)) return undefined
  return `"${option}" is an option of a ${targets.join(' or a ').replace('a enum', 'an enum')}, not of a ${target}: move it there`
}
