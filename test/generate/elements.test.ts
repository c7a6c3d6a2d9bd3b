// An element of a list that can not be written is told with its place, however the list is encoded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emitFile } from '../../src/generate/emit/emit.ts'
import { link } from '../../src/generate/link/link.ts'
import { parseProto } from '../../src/generate/read/parser.ts'
import { bytesOf, loadGenerated } from './load-generated.ts'

/** For each type of elements: one that can be written, one that can not, how the error goes on. */
const ELEMENTS: readonly (readonly [string, unknown, unknown, RegExp])[] = [
  ['double', 1, '1', /expected a number, got a string/],
  ['float', 1, 1e300, /expected a number that a float can hold/],
  ['int32', 1, 2 ** 31, /expected an integer from -2147483648/],
  ['uint32', 1, -1, /expected an integer from 0 to 4294967295/],
  ['sint32', 1, 1.5, /expected an integer/],
  ['fixed32', 1, 2 ** 32, /expected an integer/],
  ['sfixed32', 1, null, /got null/],
  ['int64', 1n, 2n ** 63n, /expected an integer from -9223372036854775808/],
  ['uint64', 1n, -1n, /expected an integer from 0 to 18446744073709551615/],
  ['sint64', 1n, 1.5, /expected an integer/],
  ['fixed64', 1n, undefined, /got undefined/],
  ['sfixed64', 1n, 'x', /got a string/],
  ['bool', true, 1, /expected a boolean/],
  ['string', 'text', '\ud800', /a string with a lone surrogate/],
  ['string', 'text', 5, /expected a string, got 5/],
  ['bytes', new Uint8Array(1), [1], /expected a Uint8Array/],
  ['Open', 0, 'ZERO', /expected an integer/],
  ['Closed', 1, 2, /2 is not one of the enum's values, 1/],
  ['Closed', 1, 'ONE', /expected an integer/],
  ['Inner', {}, 5, /expected an object, got 5/],
]

/** A codec of a message `M` with the field `list`, whose elements stand between two other lists. */
function codecOf(type: string, options: string) {
  const text = `edition = "2023"; message M {
    repeated string before = 1;
    repeated ${type} list = 2 ${options};
    repeated string behind = 3;
  }
  message Inner { repeated Inner list = 1; repeated string texts = 2; }
  enum Open { ZERO = 0; }
  enum Closed { option features.enum_type = CLOSED; ONE = 1; }`
  const { file, problems } = parseProto('m.proto', text)
  const { files, problems: more } = link(new Map([[file.name, file]]))
  assert.deepEqual([...problems, ...more], [])
  const options64 = { int64: 'bigint', timestampAsDate: false, importExtension: 'js' } as const
  return loadGenerated(emitFile(files.get('m.proto')!, files, options64).text).M!
}

const ENCODINGS = ['', '[features.repeated_field_encoding = EXPANDED]', '[features.message_encoding = DELIMITED]']

for (const [type, right, wrong, expected] of ELEMENTS) {
  test(`an element of a list of ${type} that is ${String(wrong)} is told with its place`, () => {
    for (const options of ENCODINGS) {
      if (options.includes('DELIMITED') !== (type === 'Inner') && options !== '') continue
      const codec = codecOf(type, options)
      for (const at of [0, 1, 5]) {
        const list = [...Array.from({ length: at }, () => right), wrong, wrong, right]
        const message = { before: ['a', 'b'], list, behind: ['c'] }
        assert.throws(() => bytesOf(codec, message), new RegExp(`Error: M\\.list\\[${at}\\]: .*${expected.source}`))
      }
      assert.ok(bytesOf(codec, { before: ['a'], list: [right], behind: ['c'] }).length > 0)
    }
  })
}

test('lists within the elements of a list do not change the places that are told', () => {
  const codec = codecOf('Inner', '')
  const deep = { list: [{ list: [{}], texts: ['a', 'b'] }, {}], texts: ['c'] }
  assert.throws(() => bytesOf(codec, { list: [deep, deep, 5] }), /^TypeError: M\.list\[2\]: expected an object/)
  assert.throws(() => bytesOf(codec, { list: [deep, { list: [deep, {}, 'x'] }] }), /^TypeError: Inner\.list\[2\]: /)
  assert.throws(() => bytesOf(codec, { list: [deep, { list: [deep], texts: ['a', 5] }] }), /Inner\.texts\[1\]: /)
})

test('what is no element of a list is told without a place, also behind one', () => {
  const text = 'syntax = "proto3"; message M { repeated M list = 1; string one = 2; map<string, string> map = 3; }'
  const { file } = parseProto('m.proto', text)
  const { files } = link(new Map([[file.name, file]]))
  const options = { int64: 'bigint', timestampAsDate: false, importExtension: 'js' } as const
  const codec = loadGenerated(emitFile(files.get('m.proto')!, files, options).text).M!
  assert.throws(() => bytesOf(codec, { list: [{ one: 'a' }], one: 5 }), /^TypeError: M\.one: expected a string/)
  assert.throws(() => bytesOf(codec, { list: [{}], map: { a: 5 } }), /^TypeError: M\.map: expected a string/)
})
