// Random .proto files as models, the descriptors that protobuf-es takes for them, and random messages of them in the form
// that both take.
import { create } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  Edition,
  FeatureSet_EnumType,
  FeatureSet_FieldPresence,
  FeatureSet_MessageEncoding,
  FeatureSet_RepeatedFieldEncoding,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import type { Enum, Field, FieldType, Message, ProtoFile, ScalarType } from '../../src/generate/model.ts'

const FILE = 'random/random.proto'
const PACKAGE = 'random'
const SCALARS = [
  ...['double', 'float', 'int32', 'uint32', 'sint32', 'fixed32', 'sfixed32', 'int64', 'uint64', 'sint64'],
  ...['fixed64', 'sfixed64', 'bool', 'string', 'bytes'],
] as ScalarType[]
const KEYS = SCALARS.filter((scalar) => !['double', 'float', 'bytes'].includes(scalar))
const declared = { comment: '', isDeprecated: false }

type Gen = fc.GeneratorValue

/** A file with up to four messages that refer to each other, and two enums. */
export function randomFile(gen: Gen): ProtoFile {
  const enums = ['Open', 'Closed'].map((name): Enum => {
    const numbers = gen(() => fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 }))
    const values = [0, ...numbers.filter((number) => number !== 0)]
    return {
      ...declared,
      name,
      fullName: `${PACKAGE}.${name}`,
      values: values.map((number, i) => ({ ...declared, name: `${name.toUpperCase()}_V${i}`, number })),
      isClosed: name === 'Closed',
    }
  })
  const count = gen(() => fc.integer({ min: 1, max: 4 }))
  const messages = Array.from({ length: count }, (_, i): Message => {
    const numbers = gen(() => fc.uniqueArray(fieldNumber(), { maxLength: 6 }))
    const fields = numbers.map((number, at) => randomField(gen, number, at, i, count))
    const used = new Set(fields.map((field) => field.oneof))
    return {
      ...declared,
      name: `M${i}`,
      fullName: `${PACKAGE}.M${i}`,
      fields,
      oneofs: ['choice_a', 'choice_b'].filter((name) => used.has(name)).map((name) => ({ ...declared, name })),
      messages: [],
      enums: [],
    }
  })
  return { name: FILE, comment: '', package: PACKAGE, messages, enums, services: [] }
}

function fieldNumber(): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 18_999 }),
    fc.integer({ min: 20_000, max: 2 ** 29 - 1 }),
  )
}

function randomField(gen: Gen, number: number, at: number, inMessage: number, messages: number): Field {
  const presence = gen(() => fc.constantFrom('implicit', 'explicit', 'required', 'repeated', 'map', 'oneof'))
  const base = {
    ...declared,
    name: `field_${at}`,
    number,
    oneof: presence === 'oneof' ? gen(() => fc.constantFrom('choice_a', 'choice_b')) : undefined,
    isPacked: false,
    defaultValue: undefined,
    mapKey: presence === 'map' ? gen(() => fc.constantFrom(...KEYS)) : undefined,
  }
  const kind = gen(() => fc.constantFrom('scalar', 'scalar', 'enum', 'message'))
  if (kind === 'message') {
    // Required ones must end somewhere.
    const least = presence === 'required' ? inMessage + 1 : 0
    if (least < messages) {
      const name = `M${gen(() => fc.integer({ min: least, max: messages - 1 }))}`
      const isGroup = presence !== 'map' && gen(() => fc.boolean())
      const type: FieldType = { kind: 'message', reference: { fullName: `${PACKAGE}.${name}`, file: FILE }, isGroup }
      return { ...base, type, presence: presence === 'implicit' || presence === 'oneof' ? 'explicit' : presence }
    }
  }
  let type: FieldType = { kind: 'scalar', scalar: gen(() => fc.constantFrom(...SCALARS)) }
  if (kind === 'enum') {
    // Without presence only open ones are allowed.
    const name = presence !== 'implicit' && gen(() => fc.boolean()) ? 'Closed' : 'Open'
    type = { kind: 'enum', reference: { fullName: `${PACKAGE}.${name}`, file: FILE } }
  }
  const isNumber = type.kind === 'enum' || (type.scalar !== 'string' && type.scalar !== 'bytes')
  const isPacked = presence === 'repeated' && isNumber && gen(() => fc.boolean())
  return { ...base, type, isPacked, presence: presence === 'oneof' ? 'explicit' : presence }
}

/** A message in the form that both libraries take. */
export function randomMessage(gen: Gen, file: ProtoFile, message: Message, depth = 0): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const field of message.fields) {
    const key = field.name.replace('_', '')
    const one = (): unknown => randomValue(gen, file, field.type, depth)
    const isDeep = field.type.kind === 'message' && depth >= 1
    if (field.presence === 'required') value[key] = one()
    else if (isDeep || gen(() => fc.boolean())) continue
    else if (field.oneof !== undefined) {
      value[field.oneof.replace('_a', 'A').replace('_b', 'B')] = { case: key, value: one() }
    } else if (field.presence === 'repeated') {
      value[key] = Array.from({ length: gen(() => fc.integer({ min: 0, max: 3 })) }, one)
    } else if (field.presence === 'map') {
      const keys = gen(() => fc.array(mapKey(field.mapKey!), { maxLength: 3 }))
      const map = Object.create(null)
      for (const each of keys) map[String(each)] = one()
      value[key] = map
    } else value[key] = one()
  }
  return value
}

function mapKey(scalar: ScalarType): fc.Arbitrary<unknown> {
  return scalar === 'string' ? fc.oneof(fc.string(), fc.constantFrom('constructor', 'toString')) : scalarValue(scalar)
}

function randomValue(gen: Gen, file: ProtoFile, type: FieldType, depth: number): unknown {
  if (type.kind === 'scalar') return gen(() => scalarValue(type.scalar))
  const { fullName } = type.reference
  if (type.kind === 'message') {
    return randomMessage(gen, file, file.messages.find((message) => message.fullName === fullName)!, depth + 1)
  }
  const { values, isClosed } = file.enums.find((each) => each.fullName === fullName)!
  const known = fc.constantFrom(...values.map(({ number }) => number))
  return gen(() => (isClosed ? known : fc.oneof(known, fc.integer())))
}

function scalarValue(scalar: ScalarType): fc.Arbitrary<unknown> {
  switch (scalar) {
    case 'double':
      return fc.double()
    case 'float':
      return fc.float()
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)))
    case 'uint32':
    case 'fixed32':
      return fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 127, 128, 2 ** 32 - 1))
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'uint64':
    case 'fixed64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    case 'bool':
      return fc.boolean()
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ size: 'large' }))
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 })
  }
}

/** The descriptor of a random file, in edition 2023, where every feature can be chosen for every field. */
export function descriptorOf(file: ProtoFile): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, {
    name: file.name,
    package: file.package,
    syntax: 'editions',
    edition: Edition.EDITION_2023,
    enumType: file.enums.map(({ name, values, isClosed }) => ({
      name,
      value: values.map(({ name, number }) => ({ name, number })),
      options: { features: { enumType: isClosed ? FeatureSet_EnumType.CLOSED : FeatureSet_EnumType.OPEN } },
    })),
    messageType: file.messages.map(messageDescriptor),
  })
}

function messageDescriptor(message: Message): DescriptorProto {
  const descriptor = create(DescriptorProtoSchema, {
    name: message.name,
    oneofDecl: message.oneofs.map(({ name }) => ({ name })),
  })
  for (const field of message.fields) {
    const { Label } = { Label: FieldDescriptorProto_Label }
    const result = fieldDescriptor(field, field.name, field.number)
    if (field.oneof !== undefined) result.oneofIndex = message.oneofs.findIndex(({ name }) => name === field.oneof)
    if (field.presence === 'repeated') result.label = Label.REPEATED
    if (field.presence === 'map') {
      const entry = `${field.name.replace('field_', 'Field')}Entry`
      const key = { ...field, type: { kind: 'scalar', scalar: field.mapKey! } } as const
      descriptor.nestedType.push(
        create(DescriptorProtoSchema, {
          name: entry,
          field: [fieldDescriptor(key, 'key', 1), fieldDescriptor(field, 'value', 2)],
          options: { mapEntry: true },
        }),
      )
      result.label = Label.REPEATED
      result.type = FieldDescriptorProto_Type.MESSAGE
      result.typeName = `.${message.fullName}.${entry}`
    }
    descriptor.field.push(result)
  }
  return descriptor
}

const PRESENCE = {
  implicit: FeatureSet_FieldPresence.IMPLICIT,
  explicit: FeatureSet_FieldPresence.EXPLICIT,
  required: FeatureSet_FieldPresence.LEGACY_REQUIRED,
} as const

function fieldDescriptor(field: Field, name: string, number: number): FieldDescriptorProto {
  const { type, presence } = field
  const types = FieldDescriptorProto_Type
  const isGroup = type.kind === 'message' && type.isGroup
  const { PACKED, EXPANDED } = FeatureSet_RepeatedFieldEncoding
  const isSingular = presence !== 'repeated' && presence !== 'map' && field.oneof === undefined
  const hasChoice = isSingular && type.kind !== 'message'
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    label: FieldDescriptorProto_Label.OPTIONAL,
    type:
      type.kind === 'scalar'
        ? types[type.scalar.toUpperCase() as 'INT32']
        : type.kind === 'enum'
          ? types.ENUM
          : types.MESSAGE,
    ...(type.kind === 'scalar' ? {} : { typeName: `.${type.reference.fullName}` }),
    options: {
      features: {
        ...(hasChoice || presence === 'required' ? { fieldPresence: PRESENCE[presence as 'implicit'] } : {}),
        ...(presence === 'repeated' ? { repeatedFieldEncoding: field.isPacked ? PACKED : EXPANDED } : {}),
        ...(isGroup ? { messageEncoding: FeatureSet_MessageEncoding.DELIMITED } : {}),
      },
    },
  })
}
