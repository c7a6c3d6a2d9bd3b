// What a later version of a .proto file may write and this one has to read all the same: lists packed where they were not,
// and the other way round, and a new field in every entry of a map. It is generated like any other file.

import { emitFile } from '../../src/generate/emit/emit.ts'
import type { Field, FieldType, GeneratorOptions, Message, ProtoFile, ScalarType } from '../../src/generate/model.ts'
import { fieldKey } from '../../src/generate/names.ts'
import { messagesOf } from '../../src/generate/type-names.ts'
import type { MessageCodec } from '../../src/runtime.ts'
import { loadGenerated } from './load-generated.ts'
import type { Value } from './sample-messages.ts'

const declared = { comment: '', isDeprecated: false }
const plain = { oneof: undefined, isPacked: false, defaultValue: undefined, mapKey: undefined }

/** The codecs of a later version of a file, by their names. `imported` are the modules of the files that it imports. */
export function laterCodecs(
  file: ProtoFile,
  files: ReadonlyMap<string, ProtoFile>,
  options: GeneratorOptions,
  imported: Readonly<Record<string, object>>,
): Record<string, MessageCodec<object, object>> {
  const later = { ...file, services: [], messages: file.messages.map((message) => laterMessage(message, file.name)) }
  const { text } = emitFile(later, new Map([...files, [file.name, later]]), options)
  return loadGenerated(text, imported)
}

function laterMessage(message: Message, file: string): Message {
  const entries: Message[] = []
  const fields = message.fields.map((field): Field => {
    if (field.presence === 'repeated') return { ...field, isPacked: !field.isPacked && isNumber(field.type) }
    if (field.presence !== 'map') return field
    const entry = entryMessage(field, message.fullName)
    entries.push(entry)
    const reference = { fullName: entry.fullName, file }
    return { ...field, presence: 'repeated', mapKey: undefined, type: { kind: 'message', reference, isGroup: false } }
  })
  return { ...message, fields, messages: [...message.messages.map((each) => laterMessage(each, file)), ...entries] }
}

/** What an entry of a map is on the wire: a message of key and value. */
function entryMessage({ name, type, mapKey }: Field, parent: string): Message {
  const key = { kind: 'scalar', scalar: mapKey! } as const
  const note = { kind: 'scalar', scalar: 'string' } as const
  return {
    ...declared,
    name: `Entry_${name}`,
    fullName: `${parent}.Entry_${name}`,
    fields: [
      { ...declared, ...plain, name: 'key', number: 1, type: key, presence: 'explicit' },
      { ...declared, ...plain, name: 'value', number: 2, type, presence: 'explicit' },
      { ...declared, ...plain, name: 'note', number: 3, type: note, presence: 'explicit' },
    ],
    oneofs: [],
    messages: [],
    enums: [],
  }
}

function isNumber(type: FieldType): boolean {
  return type.kind === 'enum' || (type.kind === 'scalar' && type.scalar !== 'string' && type.scalar !== 'bytes')
}

/** A message of this version as the later one takes it. */
export function laterValue(value: Value, message: Message, file: ProtoFile): Value {
  const within = (type: FieldType, content: unknown): unknown => {
    if (type.kind !== 'message' || type.reference.file !== file.name) return content
    const { fullName } = type.reference
    return laterValue(content as Value, messagesOf(file).find((each) => each.fullName === fullName)!, file)
  }
  const later = { ...value }
  for (const { name, type, presence, mapKey, oneof } of message.fields) {
    const key = fieldKey(oneof ?? name)
    const content = value[key]
    if (content === undefined) continue
    if (presence === 'map') {
      later[key] = Object.entries(content as Value).map(([at, each]) => {
        return { key: mapKeyOf(mapKey!, at), value: within(type, each), note: 'of a later version' }
      })
    } else if (presence === 'repeated') later[key] = (content as unknown[]).map((each) => within(type, each))
    else if (oneof === undefined) later[key] = within(type, content)
    else {
      const chosen = content as { case: string; value: unknown }
      if (chosen.case === fieldKey(name)) later[key] = { ...chosen, value: within(type, chosen.value) }
    }
  }
  return later
}

/** Keys are properties, fields have types. 64-bit integers may be given as decimal digits whatever the option says. */
function mapKeyOf(scalar: ScalarType, key: string): unknown {
  if (scalar === 'string' || scalar.includes('64')) return key
  return scalar === 'bool' ? key === 'true' : Number(key)
}
