// The plugin as bytes in and bytes out: options, problems, and requests that are none.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerPlugin } from '../../src/generate/plugin.ts'
import { type FileInput, Request, type RequestInput, Response } from '../../src/generate/plugin_gorums.ts'
import { bytesOf } from './load-generated.ts'

const STORE: FileInput = {
  name: 'store.proto',
  package: 'store',
  syntax: 'proto3',
  messageType: [{ name: 'Value', field: [{ name: 'time', number: 1, label: 1, type: 4 }] }],
}

function answer(request: RequestInput): Response {
  const bytes = answerPlugin(bytesOf(Request, request))
  return Response.decode(bytes, 0, bytes.length)
}

test('says what it can read, and gives the files that were asked for', () => {
  const response = answer({ fileToGenerate: ['store.proto'], protoFile: [STORE] })
  assert.deepEqual([response.supportedFeatures, response.minimumEdition, response.maximumEdition], [3, 998, 1001])
  assert.deepEqual(
    response.file.map(({ name }) => name),
    ['store_gorums.ts'],
  )
  assert.match(response.file[0]!.content!, /time: bigint/)
})

test('takes its options from the parameter, with dashes or underscores, and blanks between', () => {
  for (const parameter of [' int64=string , ,import_extension=none', 'int64=string,import-extension=none']) {
    const { error, file } = answer({ fileToGenerate: ['store.proto'], protoFile: [STORE], parameter })
    assert.equal(error, undefined)
    assert.match(file[0]!.content!, /time: string/)
  }
})

for (const [parameter, expected] of [
  ['int64=long', '"int64" is bigint, number, string, not "long"'],
  ['int64', '"int64" is bigint, number, string, not ""'],
  ['fast=yes', 'there is no option "fast": there are int64, timestamp, import-extension'],
] as const) {
  test(`the parameter ${parameter} is an error of the response`, () => {
    const { error, file } = answer({ fileToGenerate: ['store.proto'], protoFile: [STORE], parameter })
    assert.deepEqual([error, file], [expected, []])
  })
}

test('an edition that is not known is an error of the response', () => {
  const protoFile = [{ ...STORE, syntax: 'editions', edition: 1002 }]
  const { error } = answer({ fileToGenerate: ['store.proto'], protoFile })
  assert.equal(error, 'store.proto: edition 1002 is not known: write edition = "2024";')
})

test('problems without places are told by file', () => {
  const method = { name: 'Then', inputType: '.store.Value', outputType: '.store.Value' }
  const protoFile = [{ ...STORE, service: [{ name: 'S', method: [method] }] }]
  const { error } = answer({ fileToGenerate: ['store.proto'], protoFile })
  assert.equal(
    error,
    'store.proto: "Then" can not be the name of a method: clients have "then" already, or must not; rename it',
  )
})

test('a file that declares nothing gives none', () => {
  const { error, file } = answer({ fileToGenerate: ['a.proto'], protoFile: [{ name: 'a.proto', syntax: 'proto3' }] })
  assert.deepEqual([error, file], [undefined, []])
})

test('bytes that are no request are thrown back', () => {
  assert.throws(() => answerPlugin(Buffer.from([0x0a, 0xff])), RangeError)
})
