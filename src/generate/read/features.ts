// What the edition of a file and its `features` options say about fields and enums. proto2 and proto3 are editions too,
// each with features of its own. A declaration inherits the features of what it stands in.

import type { Edition, Option, Position } from './declarations.ts'

export interface Features {
  readonly field_presence: 'EXPLICIT' | 'IMPLICIT' | 'LEGACY_REQUIRED'
  readonly enum_type: 'OPEN' | 'CLOSED'
  readonly repeated_field_encoding: 'PACKED' | 'EXPANDED'
  readonly message_encoding: 'LENGTH_PREFIXED' | 'DELIMITED'
  /** Nothing here depends on it: strings are checked in any case. */
  readonly utf8_validation: 'VERIFY' | 'NONE'
  readonly json_format: 'ALLOW' | 'LEGACY_BEST_EFFORT'
  readonly enforce_naming_style: 'STYLE2024' | 'STYLE_LEGACY'
}

const VALUES: { readonly [Name in keyof Features]: readonly Features[Name][] } = {
  field_presence: ['EXPLICIT', 'IMPLICIT', 'LEGACY_REQUIRED'],
  enum_type: ['OPEN', 'CLOSED'],
  repeated_field_encoding: ['PACKED', 'EXPANDED'],
  message_encoding: ['LENGTH_PREFIXED', 'DELIMITED'],
  utf8_validation: ['VERIFY', 'NONE'],
  json_format: ['ALLOW', 'LEGACY_BEST_EFFORT'],
  enforce_naming_style: ['STYLE2024', 'STYLE_LEGACY'],
}

/** The numbers of the features in descriptors, and of their values. */
export const FEATURE_NUMBERS: {
  readonly [Name in keyof Features]: readonly [number, Readonly<Record<number, Features[Name]>>]
} = {
  field_presence: [1, { 1: 'EXPLICIT', 2: 'IMPLICIT', 3: 'LEGACY_REQUIRED' }],
  enum_type: [2, { 1: 'OPEN', 2: 'CLOSED' }],
  repeated_field_encoding: [3, { 1: 'PACKED', 2: 'EXPANDED' }],
  utf8_validation: [4, { 2: 'VERIFY', 3: 'NONE' }],
  message_encoding: [5, { 1: 'LENGTH_PREFIXED', 2: 'DELIMITED' }],
  json_format: [6, { 1: 'ALLOW', 2: 'LEGACY_BEST_EFFORT' }],
  enforce_naming_style: [7, { 1: 'STYLE2024', 2: 'STYLE_LEGACY' }],
}

const PROTO3: Features = {
  field_presence: 'IMPLICIT',
  enum_type: 'OPEN',
  repeated_field_encoding: 'PACKED',
  message_encoding: 'LENGTH_PREFIXED',
  utf8_validation: 'VERIFY',
  json_format: 'ALLOW',
  enforce_naming_style: 'STYLE_LEGACY',
}

const DEFAULTS: Readonly<Record<Edition, Features>> = {
  proto2: {
    field_presence: 'EXPLICIT',
    enum_type: 'CLOSED',
    repeated_field_encoding: 'EXPANDED',
    message_encoding: 'LENGTH_PREFIXED',
    utf8_validation: 'NONE',
    json_format: 'LEGACY_BEST_EFFORT',
    enforce_naming_style: 'STYLE_LEGACY',
  },
  proto3: PROTO3,
  '2023': { ...PROTO3, field_presence: 'EXPLICIT' },
  '2024': { ...PROTO3, field_presence: 'EXPLICIT', enforce_naming_style: 'STYLE2024' },
}

export function defaultFeatures(edition: Edition): Features {
  return DEFAULTS[edition]
}

/** The features of a declaration with these options that stands where `inherited` hold. */
export function featuresOf(
  inherited: Features,
  options: readonly Option[],
  edition: Edition,
  report: (position: Position, message: string) => void,
): Features {
  let features = inherited
  for (const { name, value, position } of options) {
    if (!name.startsWith('features.')) continue
    const feature = name.slice('features.'.length)
    if (edition === 'proto2' || edition === 'proto3')
      report(
        position,
        `"features" are for editions: this file is ${edition}; write edition = "2023"; instead of the syntax`,
      )
    if (!Object.hasOwn(VALUES, feature)) continue
    const allowed: readonly string[] = VALUES[feature as keyof Features]
    if (allowed.includes(value.text)) features = { ...features, [feature]: value.text }
    else report(position, `"${feature}" is ${allowed.map((each) => `"${each}"`).join(' or ')}, not "${value.text}"`)
  }
  return features
}
