// The command as a person uses it: what it prints, where files go, how it ends.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Outcome, runCommand } from '../../src/generate/command.ts'

const root = path.resolve(import.meta.dirname, '../..')
const STORE = `syntax = "proto3";
package store;
import "gorums.proto";
import "google/protobuf/timestamp.proto";
service Store {
  rpc Read(Key) returns (Value) { option (gorums.quorumcall) = true; }
}
message Key { string key = 1; }
message Value { uint64 number = 1; google.protobuf.Timestamp at = 2; }
`

interface Place {
  readonly folder: string
  readonly out: string
  gen(...words: string[]): Outcome
}

function place(t: TestContext, files: Readonly<Record<string, string>> = { 'store/store.proto': STORE }): Place {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-command-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  const out = path.join(folder, 'gen')
  return { folder, out, gen: (...words) => runCommand(['gen', '-I', folder, '-o', out, ...words], '1.2.3') }
}

test('gen writes a file per .proto file, mirrors the folders, and prints what it wrote', (t) => {
  const { folder, out, gen } = place(t)
  const file = path.join(out, 'store/store_gorums.ts')
  const outcome = gen(path.join(folder, 'store/store.proto'))
  assert.deepEqual(outcome, { code: 0, out: `${file}\n`, errors: '' })
  assert.match(readFileSync(file, 'utf8'), /^export const Store: Service</m)
})

test('gorums.proto and the well-known types are imported without -I', (t) => {
  const { folder, out } = place(t)
  const outcome = runCommand(['gen', path.join(folder, 'store/store.proto'), '-I', folder, '-o', out], '1')
  assert.equal(outcome.code, 0, outcome.errors)
})

test('a file that would not change keeps its time', (t) => {
  const { folder, out, gen } = place(t)
  const file = path.join(out, 'store/store_gorums.ts')
  gen(path.join(folder, 'store/store.proto'))
  utimesSync(file, 1, 1)
  assert.deepEqual(gen(path.join(folder, 'store/store.proto')), { code: 0, out: '', errors: '' })
  assert.equal(statSync(file).mtimeMs, 1_000)
})

test('--check writes nothing, and says which files are stale and what to run', (t) => {
  const { folder, out, gen } = place(t)
  const proto = path.join(folder, 'store/store.proto')
  const missing = gen(proto, '--check')
  assert.equal(missing.code, 1)
  assert.equal(
    missing.errors,
    `store/store_gorums.ts is not as it would be generated now\nrun: npx gorums gen -I ${folder} -o ${out} ${proto}\n`,
  )
  assert.throws(() => statSync(out))
  gen(proto)
  assert.deepEqual(gen(proto, '--check'), { code: 0, out: '', errors: '' })
  writeFileSync(proto, STORE.replace('number', 'count'))
  assert.equal(gen(proto, '--check').code, 1)
})

test('when the templates or the options change, what was generated is stale (rebuild when templates change)', (t) => {
  const { folder, out, gen } = place(t)
  const proto = path.join(folder, 'store/store.proto')
  gen(proto)
  assert.equal(gen(proto, '--check', '--int64=number').code, 1)
  const file = path.join(out, 'store/store_gorums.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replace('reader.skipField', 'reader.skipFields'))
  assert.equal(gen(proto, '--check').code, 1)
  gen(proto)
  assert.equal(gen(proto, '--check').code, 0)
})

test('--timestamp=date and --int64 change the types', (t) => {
  const { folder, out, gen } = place(t)
  const file = path.join(out, 'store/store_gorums.ts')
  gen(path.join(folder, 'store/store.proto'), '--int64=string', '--timestamp=date')
  const text = readFileSync(file, 'utf8')
  assert.match(text, /^ {2}number: string$/m)
  assert.match(text, /^ {2}at\?: Date \| undefined$/m)
})

test('problems go to the error stream, all of them, sorted, with a count, and nothing is written', (t) => {
  const { folder, out, gen } = place(t, {
    'a.proto': 'syntax = "proto3";\nmessage A { B b = 1; C c = 2; }\n',
    'z.proto': 'syntax = "proto3";\nmessage Z { Y y = 1; }\n',
  })
  const outcome = gen(path.join(folder, 'z.proto'), path.join(folder, 'a.proto'))
  assert.equal(outcome.code, 1)
  assert.equal(
    outcome.errors,
    [
      'a.proto:2:13: there is no type "B": declare it, or import the file that does',
      'a.proto:2:22: there is no type "C": declare it, or import the file that does',
      'z.proto:2:13: there is no type "Y": declare it, or import the file that does',
      'gorums: 3 problems',
      '',
    ].join('\n'),
  )
  assert.throws(() => statSync(out))
})

test('a wrong command line ends with 2 and says what would be right', () => {
  const errors = (...words: string[]): string => {
    const { code, out, errors } = runCommand(words, '1')
    assert.deepEqual([code, out], [2, ''])
    return errors
  }
  assert.equal(errors(), 'gorums: a command is missing: gen; see gorums --help\n')
  assert.equal(errors('make'), 'gorums: there is no command "make": gen; see gorums --help\n')
  assert.equal(errors('gen'), 'gorums: name the .proto files to generate from; see gorums --help\n')
  assert.match(errors('gen', 'a.proto', '--int64=long'), /^gorums: "int64" is bigint, number, string, not "long";/)
  assert.match(errors('gen', 'a.proto', '--fast'), /^gorums: Unknown option '--fast'/)
})

test('--help, --version and --show-proto-path print and end with 0', () => {
  assert.match(runCommand(['--help'], '1').out, /^Usage: gorums gen FILE\.proto/)
  assert.equal(runCommand(['--version'], '1.2.3').out, '1.2.3\n')
  const folder = runCommand(['gen', '--show-proto-path'], '1').out.trim()
  assert.ok(statSync(path.join(folder, 'gorums.proto')).isFile())
})

test('the command is a program that ends with these codes and prints the version of the package', () => {
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', path.join(root, 'scripts/gorums.ts'), ...words], {
      cwd: root,
      encoding: 'utf8',
    })
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  assert.equal(run('--version').stdout, `${version}\n`)
  const wrong = run('gen', 'nowhere.proto')
  assert.deepEqual([wrong.status, wrong.stdout], [1, ''])
  assert.equal(wrong.stderr, 'nowhere.proto: the file is not found in "."\ngorums: 1 problem\n')
})
