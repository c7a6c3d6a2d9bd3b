// Every message of the generated files that are kept – the golden ones, the well-known types, what protoc and a plugin say
// to each other – carries every one of its fields there and back, and reads what a later version of its file writes; and
// the files export what is declared, and nothing else.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { GeneratorOptions, Message, ProtoFile } from '../../src/generate/model.ts'
import { fieldKey } from '../../src/generate/names.ts'
import * as plugin from '../../src/generate/plugin_gorums.ts'
import { readModel } from '../../src/generate/read-model.ts'
import { enumsOf, messagesOf, typeNames, valueKeys } from '../../src/generate/type-names.ts'
import * as runtime from '../../src/runtime.ts'
import { laterCodecs, laterValue } from './later-version.ts'
import { bytesOf, messageOf } from './load-generated.ts'
import { assertHas, SampleMessages, type Value } from './sample-messages.ts'

const generate = path.resolve(import.meta.dirname, '../../src/generate')
const protos = path.join(import.meta.dirname, 'protos')
const WELL_KNOWN = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers']
const BIGINT: GeneratorOptions = { int64: 'bigint', timestampAsDate: false, importExtension: 'ts' }
const GOLDEN: readonly [string, readonly string[], GeneratorOptions][] = [
  ['golden', ['scalars', 'messages', 'proto2', 'names', 'services'], BIGINT],
  ['golden-number', ['scalars', 'messages'], { ...BIGINT, int64: 'number', timestampAsDate: true }],
  ['golden-string', ['scalars', 'messages'], { ...BIGINT, int64: 'string' }],
]

/** Number 1000, a varint. */
const UNKNOWN_FIELD = Buffer.from('c03e01', 'hex')

type Module = Readonly<Record<string, unknown>>
type Codec = runtime.MessageCodec<object, object>

/** A generated file, what it was generated from, and with what. */
interface Generated {
  readonly file: ProtoFile
  readonly files: ReadonlyMap<string, ProtoFile>
  readonly options: GeneratorOptions
  readonly module: Module
  /** The modules that it imports, by their specifiers. */
  readonly imported?: Readonly<Record<string, object>>
}

function everyField(message: Message, file: ProtoFile, codec: Codec, later: Codec, samples: SampleMessages): void {
  if (message.fields.some(({ presence }) => presence === 'required')) {
    assert.throws(() => bytesOf(codec, {}), TypeError)
    assert.throws(() => messageOf(codec, UNKNOWN_FIELD), /required field .* is missing/)
  } else {
    // Nothing at all, and a field that nobody knows.
    const empty = messageOf(codec, bytesOf(codec, {}))
    assert.deepEqual(messageOf(codec, UNKNOWN_FIELD), empty)
  }
  const choices = message.oneofs.length === 0 ? 1 : message.fields.length
  for (let choice = 0; choice < choices; choice++) {
    const given = samples.fill(message, choice)
    const bytes = bytesOf(codec, given)
    const decoded = messageOf(codec, bytes)
    assertHas(decoded, given, message.fullName)
    assert.deepEqual(messageOf(codec, bytesOf(codec, decoded)), decoded)
    assert.deepEqual(messageOf(codec, bytesOf(later, laterValue(given, message, file))), decoded)
    assertTwice(messageOf(codec, Buffer.concat([bytes, bytes])), decoded)
    for (const { name } of message.oneofs) {
      const wrong = { ...given, [fieldKey(name)]: { case: 'no case of it', value: 1 } }
      assert.throws(() => bytesOf(codec, wrong), /expected an object with one of/)
    }
  }
}

/** What comes twice goes on where it was: lists get longer, messages are merged, everything else is replaced. */
function assertTwice(twice: unknown, once: unknown): void {
  if (Array.isArray(once)) return assert.deepEqual(twice, [...once, ...once])
  // Entries of maps, which have no prototype, are replaced as a whole.
  const isMerged = typeof once === 'object' && once !== null && Object.getPrototypeOf(once) === Object.prototype
  if (!isMerged) return assert.deepEqual(twice, once)
  for (const [key, value] of Object.entries(once)) assertTwice((twice as Value)[key], value)
}

/** Whether a text exports what its file declares, with the types that encoding takes, and a codec uses both of each. */
function assertDeclared(text: string, file: ProtoFile): void {
  const { types, inputs } = typeNames(file)
  const exported = [...text.matchAll(/^export (?:\w+ )*?(?:const|function|class|interface|type) ([\w$]+)/gm)]
  assert.deepEqual(
    [...new Set(exported.map(([, name]) => name))].sort(),
    [...types.values(), ...inputs.values()].sort(),
  )
  for (const [message, input] of inputs)
    assert.ok(text.replace(/\s+/g, '').includes(`<${input},${types.get(message)}>`), input)
}

/** Uses everything that a file exports, and says what that is. */
function everyExport({ file, files, options, module, imported = {} }: Generated): string[] {
  const { types } = typeNames(file)
  const later = laterCodecs(file, files, options, imported)
  const samples = new SampleMessages(files, options)
  for (const message of messagesOf(file)) {
    const name = types.get(message.fullName)!
    everyField(message, file, module[name] as Codec, later[name]!, samples)
  }
  for (const each of enumsOf(file)) {
    const declared = [...valueKeys(each)].map(([value, key]) => [key, value.number])
    assert.deepEqual(Object.entries(module[types.get(each.fullName)!] as Value), declared)
  }
  for (const { fullName, methods } of file.services) {
    const { name, bound } = module[types.get(fullName)!] as runtime.Service
    assert.equal(name, fullName)
    assert.deepEqual(
      [...bound.values()].map((method) => [method.fullName, method.type]),
      methods.map((method) => [`${fullName}/${method.name}`, method.callType]),
    )
  }
  return [...types.values()].sort()
}

test('the well-known types carry every field', () => {
  const { files } = readModel(
    WELL_KNOWN.map((name) => `google/protobuf/${name}.proto`),
    [],
  )
  for (const name of WELL_KNOWN)
    everyExport({ file: files.get(`google/protobuf/${name}.proto`)!, files, options: BIGINT, module: runtime })
})

test('what protoc and a plugin say to each other carries every field', () => {
  const { files } = readModel([path.join(generate, 'plugin.proto')], [generate])
  const options: GeneratorOptions = { ...BIGINT, int64: 'number' }
  const exported = everyExport({ file: files.get('plugin.proto')!, files, options, module: plugin })
  assert.deepEqual(exported, Object.keys(plugin).sort())
})

for (const [folder, names, options] of GOLDEN) {
  test(`${folder}: files export what is declared and nothing else, and carry every field`, async () => {
    const { files, problems } = readModel(
      names.map((name) => path.join(protos, `golden/${name}.proto`)),
      [protos],
    )
    assert.deepEqual(problems, [])
    const imported: Record<string, Module> = {}
    for (const name of names) imported[`./${name}_gorums.ts`] = await import(`./${folder}/${name}_gorums.ts`)
    for (const name of names) {
      const module = imported[`./${name}_gorums.ts`]!
      const exported = everyExport({ file: files.get(`golden/${name}.proto`)!, files, options, module, imported })
      assert.deepEqual(exported, Object.keys(module).sort())
      const text = readFileSync(path.join(import.meta.dirname, folder, `${name}_gorums.ts`), 'utf8')
      assertDeclared(text, files.get(`golden/${name}.proto`)!)
    }
  })
}
