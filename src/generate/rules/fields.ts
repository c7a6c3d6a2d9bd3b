// What the type and the place of a field allow: presence, encodings, options, closed enums; and names in JSON.

import { isPackable, isScalar } from '../link/scalar-types.ts'
import type { FieldDeclaration, MessageDeclaration, Option } from '../read/declarations.ts'
import type { Around } from './rules.ts'

/** Checks a field, or an extension. */
export function fieldRules(field: FieldDeclaration, around: Around, isExtension: boolean): void {
  const { report } = around
  const own = (name: string): Option | undefined => field.options.find((option) => option.name === name)
  const type = isScalar(field.type.text) ? undefined : around.typeOf(field.type.text)
  const isMap = field.mapKey !== undefined
  const isMessage = type?.kind === 'message' && !isMap
  const isKnown = isScalar(field.type.text) || type !== undefined
  const isRepeated = field.label === 'repeated'
  const refuse = (option: Option | undefined, why: string): void => {
    if (option !== undefined) report(option.position, `field "${field.name}" ${why}: remove "${option.name}"`)
  }

  const presence = own('features.field_presence')
  if (isExtension) refuse(presence, 'is an extension, which is always explicit')
  else if (field.oneof !== undefined) refuse(presence, `is in oneof "${field.oneof}", where it is always explicit`)
  else if (isRepeated || isMap) refuse(presence, 'is repeated and has no presence')
  else if (isMessage && presence?.value.text === 'IMPLICIT') refuse(presence, 'is a message, which is always explicit')

  const encoding = own('features.repeated_field_encoding')
  if (!isRepeated) refuse(encoding, 'is not repeated')
  else if (isKnown && !isPackable(field.type.text, type?.kind) && encoding?.value.text === 'PACKED')
    refuse(encoding, 'can not be packed: only numbers, bools and enums can')
  if (isKnown && !isMessage) refuse(own('features.message_encoding'), 'is no message')
  const hasText = field.type.text === 'string' || field.mapKey?.text === 'string'
  if (!hasText) refuse(own('features.utf8_validation'), 'is no string')

  const packed = own('packed')
  if (around.file.edition !== 'proto2' && around.file.edition !== 'proto3' && packed !== undefined)
    report(packed.position, '"packed" is for proto2 and proto3: write "features.repeated_field_encoding = PACKED"')
  else if (!isRepeated && packed?.value.text === 'true' && isPackable(field.type.text, type?.kind))
    refuse(packed, 'is not repeated and can not be packed')
  if (isKnown && !isMessage && !isMap) {
    for (const name of ['lazy', 'unverified_lazy'])
      if (own(name)?.value.text === 'true') refuse(own(name), 'is no message and can not be lazy')
  }
  const jstype = own('jstype')
  if (!/64$/.test(field.type.text) && jstype?.value.text !== 'JS_NORMAL') refuse(jstype, 'is no 64-bit integer')
  closedEnumRule(field, around)
}

/** A closed enum need not have the value that an absent field reads as. */
function closedEnumRule(field: FieldDeclaration, { file, features, report, typeOf, isClosed }: Around): void {
  const type = typeOf(field.type.text)
  if (type?.kind !== 'enum' || !isClosed(type.fullName)) return
  const isSingular = field.label === undefined && field.oneof === undefined && field.mapKey === undefined
  if (file.edition === 'proto3')
    report(
      field.type.position,
      `field "${field.name}" of proto3 can not be of the closed enum "${type.fullName}": declare the enum in proto3, or as open in an edition`,
    )
  else if (isSingular && features.field_presence === 'IMPLICIT')
    report(
      field.type.position,
      `field "${field.name}" has implicit presence and can not be of the closed enum "${type.fullName}": make its presence explicit, or the enum open`,
    )
}

/** Messages of extensions only, in an encoding of their own. */
export function messageSetRule({ name, options, fields }: MessageDeclaration, { file, report }: Around): void {
  const option = options.find((each) => each.name === 'message_set_wire_format')
  if (option?.value.text !== 'true') return
  if (file.edition === 'proto3') report(option.position, 'proto3 has no message sets: remove "message_set_wire_format"')
  for (const field of fields)
    report(field.position, `message set "${name}" can not have field "${field.name}": make it an extension`)
}

/** Fields of one name in JSON. Those of one name in TypeScript are told with it. */
export function jsonNameRules({ name: message, fields }: MessageDeclaration, { features, report }: Around): void {
  const names = new Map<string, { readonly field: string; readonly isWritten: boolean }>()
  for (const { name: field, options, position } of fields) {
    const option = options.find(({ name }) => name === 'json_name')
    const json = option?.value.text ?? defaultJsonName(field)
    const isWritten = option !== undefined
    const before = names.get(json)
    if (before === undefined) names.set(json, { field, isWritten })
    else if ((before.isWritten || isWritten) && (features.json_format === 'ALLOW' || (before.isWritten && isWritten)))
      report(
        option?.position ?? position,
        `fields "${before.field}" and "${field}" in message "${message}" are both "${json}" in JSON: change one`,
      )
  }
}

function defaultJsonName(field: string): string {
  return field.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase())
}
