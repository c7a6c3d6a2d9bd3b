// Every message of the generated files that the project itself uses carries every one of its fields there and back: the
// well-known types, and what protoc and a plugin say to each other.

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import type { FieldType, Message, ProtoFile } from '../../src/generate/model.ts'
import { fieldKey } from '../../src/generate/names.ts'
import * as plugin from '../../src/generate/plugin_gorums.ts'
import { readModel } from '../../src/generate/read-model.ts'
import { enumsOf, messagesOf, typeNames } from '../../src/generate/type-names.ts'
import * as runtime from '../../src/runtime.ts'
import { bytesOf, messageOf } from './load-generated.ts'

/** Messages within messages are filled to this depth. */
const DEPTH = 3
const generate = path.resolve(import.meta.dirname, '../../src/generate')
const names = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers']

/** Number 1000, a varint. */
const UNKNOWN_FIELD = Buffer.from('c03e01', 'hex')

type Value = Record<string, unknown>

class Filler {
  readonly #files: ReadonlyMap<string, ProtoFile>
  readonly #integer64: unknown

  constructor(files: ReadonlyMap<string, ProtoFile>, integer64: unknown) {
    this.#files = files
    this.#integer64 = integer64
  }

  /** A message with all its fields; of each oneof the field number `choice`. */
  fill(message: Message, choice: number, depth = DEPTH): Value {
    const value: Value = {}
    for (const { name } of message.oneofs) {
      const fields = message.fields.filter((field) => field.oneof === name)
      const field = fields[choice % fields.length]!
      const content = this.#value(field.type, depth, 0)
      if (content !== undefined) value[fieldKey(name)] = { case: fieldKey(field.name), value: content }
    }
    for (const field of message.fields.filter(({ oneof }) => oneof === undefined)) {
      const content = this.#value(field.type, depth, choice)
      if (content === undefined) continue
      value[fieldKey(field.name)] =
        field.presence === 'map' ? { key: content } : field.presence === 'repeated' ? [content, content] : content
    }
    return value
  }

  /** Undefined for a message that is too deep. */
  #value(type: FieldType, depth: number, choice: number): unknown {
    if (type.kind === 'message') return depth === 0 ? undefined : this.fill(this.#message(type), choice, depth - 1)
    if (type.kind === 'enum') return enumsOf(this.#files.get(type.reference.file)!)[0]!.values.at(-1)!.number
    if (type.scalar === 'string') return 'text'
    if (type.scalar === 'bytes') return new Uint8Array([1, 2])
    if (type.scalar === 'bool') return true
    return /64/.test(type.scalar) ? this.#integer64 : 7
  }

  #message({ reference }: { reference: { file: string; fullName: string } }): Message {
    return messagesOf(this.#files.get(reference.file)!).find(({ fullName }) => fullName === reference.fullName)!
  }
}

/** Whether everything that was given has come; what was not given may read as anything. */
function assertHas(decoded: unknown, given: unknown, where: string): void {
  if (typeof given !== 'object' || given === null || given instanceof Uint8Array)
    return assert.deepEqual(decoded, given, where)
  assert.ok(typeof decoded === 'object' && decoded !== null, where)
  for (const [key, value] of Object.entries(given)) assertHas((decoded as Value)[key], value, `${where}.${key}`)
}

function everyField(file: ProtoFile, filler: Filler, module: object): void {
  for (const message of messagesOf(file)) {
    const name = typeNames(file).types.get(message.fullName)!
    const codec = (module as Record<string, runtime.MessageCodec<object, object>>)[name]!
    // Nothing at all, and a field that nobody knows.
    const empty = messageOf(codec, bytesOf(codec, {}))
    assert.deepEqual(messageOf(codec, UNKNOWN_FIELD), empty)
    const choices = Math.max(1, ...message.oneofs.map(() => message.fields.length))
    for (let choice = 0; choice < choices; choice++) {
      const given = filler.fill(message, choice)
      const decoded = messageOf(codec, bytesOf(codec, given))
      assertHas(decoded, given, message.fullName)
      assert.deepEqual(messageOf(codec, bytesOf(codec, decoded)), decoded)
    }
  }
}

test('the well-known types carry every field', () => {
  const { files } = readModel(
    names.map((name) => `google/protobuf/${name}.proto`),
    [],
  )
  for (const name of names) everyField(files.get(`google/protobuf/${name}.proto`)!, new Filler(files, 5n), runtime)
})

test('what protoc and a plugin say to each other carries every field', () => {
  const { files } = readModel([path.join(generate, 'plugin.proto')], [generate])
  everyField(files.get('plugin.proto')!, new Filler(files, 5), plugin)
})
