// Random messages of random schemas through buf, which knows nothing of JavaScript: what it reads from our bytes, writes as
// JSON and reads back are the same bytes again. Many messages go through it at once, as fields of one that holds them all.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import protobufjs from 'protobufjs/minimal.js'
import { emitFile } from '../../src/generate/emit/emit.ts'
import type { Field, Message, ProtoFile } from '../../src/generate/model.ts'
import { bytesOf, loadGenerated } from './load-generated.ts'
import { descriptorOf, randomFile, randomMessage } from './random-model.ts'

const OPTIONS = { int64: 'bigint', timestampAsDate: false, importExtension: 'js' } as const
const SCHEMAS = 8
const MESSAGES = 25
const buf = path.join(import.meta.dirname, 'buf/node_modules/.bin/buf')
const missing = existsSync(buf) || process.env.CI ? false : 'buf is not installed: npm ci --prefix test/generate/buf'

/** A file as Go takes it, with the fields of a oneof side by side, and one more message that holds any number of the others. */
function withAll(file: ProtoFile): { file: ProtoFile; all: Message } {
  const declared = { comment: '', isDeprecated: false }
  const fields = file.messages.map(({ fullName }, at): Field => {
    const type = { kind: 'message', reference: { fullName, file: file.name }, isGroup: false } as const
    const rest = { oneof: undefined, isPacked: false, defaultValue: undefined, mapKey: undefined }
    return { ...declared, ...rest, name: `of_${at}`, number: at + 1, type, presence: 'repeated' }
  })
  const name = 'All'
  const all = { ...declared, name, fullName: `${file.package}.${name}`, fields, oneofs: [], messages: [], enums: [] }
  const messages = file.messages.map((message) => {
    const ordered = message.fields.toSorted((one, other) => (one.oneof ?? '').localeCompare(other.oneof ?? ''))
    return { ...message, fields: ordered }
  })
  return { file: { ...file, messages: [...messages, all] }, all }
}

/** NaN has many bit patterns, and Go has another one than JavaScript. */
function replaceNaN(value: Record<string, unknown>): void {
  for (const [key, each] of Object.entries(value)) {
    if (Number.isNaN(each)) value[key] = Number.NEGATIVE_INFINITY
    else if (typeof each === 'object' && !(each instanceof Uint8Array)) replaceNaN(each as Record<string, unknown>)
  }
}

/** The bytes of a message with its fields by their numbers and the entries of maps sorted: their order means nothing. */
function sorted(bytes: Buffer, message: Message, file: ProtoFile): Buffer {
  const reader = protobufjs.Reader.create(bytes)
  const parts: { number: number; bytes: Buffer }[] = []
  while (reader.pos < reader.len) {
    const start = reader.pos
    const tag = reader.uint32()
    const content = reader.pos
    reader.skipType(tag & 7, 0, tag >>> 3)
    const field = message.fields.find(({ number }) => number === tag >>> 3)!
    parts.push({
      number: field.number,
      bytes: Buffer.concat([
        bytes.subarray(start, content),
        sortedContent(bytes.subarray(content, reader.pos), tag, field, file),
      ]),
    })
  }
  const isMap = (number: number): boolean =>
    message.fields.some((each) => each.number === number && each.presence === 'map')
  parts.sort((one, other) => one.number - other.number || (isMap(one.number) ? one.bytes.compare(other.bytes) : 0))
  return Buffer.concat(parts.map((part) => part.bytes))
}

/** The bytes behind the tag of a field; a message within them is sorted too. */
function sortedContent(bytes: Buffer, tag: number, field: Field, file: ProtoFile): Buffer {
  const { type, presence } = field
  if (type.kind !== 'message') return bytes
  const within = file.messages.find(({ fullName }) => fullName === type.reference.fullName)!
  if ((tag & 7) === 3) {
    const end = protobufjs.Writer.create()
      .uint32(tag + 1)
      .finish().length
    return Buffer.concat([sorted(bytes.subarray(0, -end), within, file), bytes.subarray(-end)])
  }
  const reader = protobufjs.Reader.create(bytes)
  reader.uint32()
  const head = bytes.subarray(0, reader.pos)
  const content = bytes.subarray(reader.pos)
  if (presence !== 'map') return Buffer.concat([head, sorted(content, within, file)])
  const value = { ...field, number: 2, presence: 'explicit' } as const
  const key = { ...field, number: 1, presence: 'explicit', type: { kind: 'scalar', scalar: field.mapKey! } } as const
  return Buffer.concat([head, sorted(content, { ...within, fields: [key, value] }, file)])
}

test('buf reads the same from our bytes: as JSON and back they are the same bytes', { skip: missing }, (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-buf-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const convert = (from: string, to: string): void => {
    execFileSync(buf, ['convert', 'schema.binpb', '--type', 'random.All', '--from', from, '--to', to], { cwd: folder })
  }
  let messages = 0
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const { file, all } = withAll(randomFile(gen))
      const codecs = loadGenerated(emitFile(file, new Map([[file.name, file]]), OPTIONS).text)
      const value: Record<string, unknown[]> = {}
      for (let i = 0; i < MESSAGES; i++) {
        const at = gen(() => fc.integer({ min: 0, max: file.messages.length - 2 }))
        const message = randomMessage(gen, file, file.messages[at]!)
        replaceNaN(message)
        value[`of${at}`] = [...(value[`of${at}`] ?? []), message]
        messages++
      }
      const ours = bytesOf(codecs.All!, value)
      const set = create(FileDescriptorSetSchema, { file: [descriptorOf(file)] })
      writeFileSync(path.join(folder, 'schema.binpb'), toBinary(FileDescriptorSetSchema, set))
      writeFileSync(path.join(folder, 'ours.binpb'), ours)
      convert('ours.binpb', 'ours.json')
      convert('ours.json', 'theirs.binpb')
      const theirs = readFileSync(path.join(folder, 'theirs.binpb'))
      assert.deepEqual(sorted(ours, all, file), sorted(theirs, all, file))
    }),
    // Making a failure smaller would take minutes; its seed is printed.
    { numRuns: SCHEMAS, endOnFailure: true, includeErrorInReport: true },
  )
  assert.equal(messages, SCHEMAS * MESSAGES)
})
