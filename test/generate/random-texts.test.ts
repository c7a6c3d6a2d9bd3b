// Ten thousand texts that are nearly .proto files: each gives an output or problems, never a crash, and never code that
// was not the generator's.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { emitFile } from '../../src/generate/emit/emit.ts'
import { link } from '../../src/generate/link/link.ts'
import type { GeneratorOptions } from '../../src/generate/model.ts'
import type { FileDeclaration } from '../../src/generate/read/declarations.ts'
import { parseProto } from '../../src/generate/read/parser.ts'
import { loadProtos } from '../../src/generate/read/sources.ts'
import { tokensOf } from '../../src/generate/read/tokens.ts'

const TEXTS = 10_000
const OPTIONS: GeneratorOptions = { int64: 'bigint', timestampAsDate: false, importExtension: 'js' }
const protos = path.join(import.meta.dirname, 'protos')
const names = readdirSync(path.join(protos, 'corpus')).map((name) => `corpus/${name}`)
const { files: loaded } = loadProtos(
  names.map((name) => path.join(protos, name)),
  [protos],
)
/** The largest of them only extends what nothing here looks at. */
const NOT_READ = 'google/protobuf/descriptor.proto'
/** A file and those of the corpus that it imports, as when it is read from disk. */
function withImports(file: FileDeclaration): Map<string, FileDeclaration> {
  const files = new Map<string, FileDeclaration>()
  const add = (name: string): void => {
    const imported = loaded.get(name)
    if (imported === undefined || name === NOT_READ || name === file.name || files.has(name)) return
    files.set(name, imported)
    for (const each of imported.imports) add(each.path)
  }
  for (const each of file.imports) add(each.path)
  return files.set(file.name, file)
}

/** The tokens of each file, as text that can be put together again. */
const words = names.map((name) =>
  tokensOf(readFileSync(path.join(protos, name), 'utf8'))
    .filter(({ kind }) => kind !== 'end')
    .map(({ kind, text: word }) => (kind === 'string' ? JSON.stringify(word) : word)),
)
const POOL = [
  ...new Set(words.flat()),
  ...['__proto__', 'constructor', '`$', "'", '*/', '-1', '0x7fffffffffff', '"\\xff"', '{', '}', '<', '>', '.', '😀'],
]

/** A file in which a few words are left out, doubled, or changed into others; it may be cut off. */
const nearlyProto = fc
  .record({
    file: fc.nat(words.length - 1),
    length: fc.oneof({ weight: 3, arbitrary: fc.constant(10_000) }, { weight: 1, arbitrary: fc.nat(200) }),
    changes: fc.array(
      fc.record({
        at: fc.nat(10_000),
        what: fc.constantFrom('remove', 'double', 'replace'),
        word: fc.constantFrom(...POOL),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ file, length, changes }) => {
    const part = words[file]!.slice(0, length)
    for (const { at, what, word } of changes) {
      const index = at % Math.max(1, part.length)
      if (what === 'remove') part.splice(index, 1)
      else part.splice(index, what === 'double' ? 0 : 1, what === 'double' ? (part[index] ?? word) : word)
    }
    return { name: names[file]!, text: part.join(' ') }
  })

test(`${TEXTS} texts that are nearly .proto files: a problem or an output, never a crash`, () => {
  let outputs = 0
  let refusals = 0
  fc.assert(
    fc.property(nearlyProto, ({ name, text }) => {
      const { file, problems } = parseProto(name, text)
      const linked = link(withImports(file), problems.length === 0)
      if (problems.length + linked.problems.length > 0) {
        refusals++
        for (const each of [...problems, ...linked.problems]) assert.ok(each.message.length < 600, each.message)
        return
      }
      emitFile(linked.files.get(name)!, linked.files, OPTIONS)
      outputs++
    }),
    { numRuns: TEXTS, seed: 4 },
  )
  assert.ok(outputs > TEXTS / 10, `only ${outputs} outputs, ${refusals} refusals`)
  assert.ok(refusals > TEXTS / 4, `only ${refusals} refusals, ${outputs} outputs`)
})

test('any bytes at all: a problem, never a crash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const { file, problems } = parseProto('a.proto', text)
      link(new Map([['a.proto', file]]), problems.length === 0)
    }),
    { numRuns: 2_000, seed: 5 },
  )
})

test('names, defaults and comments never become code', () => {
  const hostile = `syntax = "proto2";
// */ throw new Error('comment') /* \${1} \`
message M {
  // */ throw new Error("field") //
  optional string a = 1 [default = "'; throw new Error(1); '\\n\\\\ \`\${1}\`"];
  optional bytes b = 2 [default = "\\x00\\xff'"];
}
`
  const { file, problems } = parseProto("a'\\n;throw 1;.proto", hostile)
  assert.deepEqual(problems, [])
  const { files: linked, problems: more } = link(new Map([[file.name, file]]))
  assert.deepEqual(more, [])
  const { text } = emitFile(linked.get(file.name)!, linked, OPTIONS)
  assert.deepEqual(
    text.split('\n').filter((line) => /^\s*throw /.test(line)),
    [],
  )
  assert.doesNotMatch(text, /\*\/ throw/)
})
