// Random messages of random schemas take the bytes that protobuf-es gives them, and come back as they were.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { emitFile } from '../../src/generate/emit/emit.ts'
import { bytesOf, loadGenerated, messageOf } from './load-generated.ts'
import { descriptorOf, randomFile, randomMessage } from './random-model.ts'

const OPTIONS = { int64: 'bigint', timestampAsDate: false, importExtension: 'js' } as const

describe('generated code and protobuf-es', () => {
  it('write the same bytes for the same message, and read each other', () => {
    let messages = 0
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const file = randomFile(gen)
        const codecs = loadGenerated(emitFile(file, new Map([[file.name, file]]), OPTIONS).text)
        const set = create(FileDescriptorSetSchema, { file: [descriptorOf(file)] })
        const registry = createFileRegistry(set)
        for (let i = 0; i < 5; i++) {
          const message = file.messages[gen(() => fc.integer({ min: 0, max: file.messages.length - 1 }))]!
          const value = randomMessage(gen, file, message)
          const schema = registry.getMessage(message.fullName)!
          const codec = codecs[message.name]!
          const theirs = toBinary(schema, create(schema, value))
          const ours = bytesOf(codec, value)
          assert.deepEqual(ours, Buffer.from(theirs))
          // What is read says the same as what was written, to both.
          assert.deepEqual(bytesOf(codec, messageOf(codec, theirs)), ours)
          assert.deepEqual(Buffer.from(toBinary(schema, fromBinary(schema, ours))), ours)
          messages++
        }
      }),
      // Making a failure smaller would take minutes; its seed is printed.
      { numRuns: 100, endOnFailure: true, includeErrorInReport: true },
    )
    assert.equal(messages, 500)
  })
})
