// The three front ends: the command, protoc and buf make the same bytes of the same files.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '../../src/generate/command.ts'
import { buf, bufMissing } from './buf-program.ts'
import { protos, textsIn } from './corpus.ts'

const root = path.resolve(import.meta.dirname, '../..')
const FILES = readdirSync(path.join(protos, 'corpus')).sort()
/** Debian's protoc is older than editions. */
const EDITIONS = FILES.filter((name) => /^edition = /m.test(readFileSync(path.join(protos, 'corpus', name), 'utf8')))

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'gorums-gen-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** A program that runs the plugin from source, as protoc and buf start plugins. */
function plugin(place: string): string {
  const file = path.join(place, 'protoc-gen-gorums')
  const source = path.join(root, 'scripts/protoc-gen-gorums.ts')
  const loader = path.join(root, 'node_modules/tsx/dist/loader.mjs')
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" --import "file://${loader}" "${source}"\n`, {
    mode: 0o755,
  })
  return file
}

/** Folders in which every import of the corpus is found, for tools that bring none of them along. */
function imports(place: string): string {
  const made = path.join(place, 'imports')
  mkdirSync(path.join(made, 'github.com/relab/gorums'), { recursive: true })
  cpSync(path.join(root, 'proto/gorums.proto'), path.join(made, 'github.com/relab/gorums/gorums.proto'))
  return made
}

/** What the command makes of these files. */
function ours(place: string, names: readonly string[]): Map<string, string> {
  const out = path.join(place, 'ours')
  const files = names.map((name) => path.join(protos, 'corpus', name))
  const { code, errors } = runCommand(['gen', ...files, '-I', protos, '-o', out], '0')
  assert.equal(code, 0, errors)
  return textsIn(out)
}

function run(program: string, words: readonly string[], cwd: string): void {
  const { status, stderr, stdout, error } = spawnSync(program, words, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${program}: ${error?.message ?? ''}${stderr}${stdout}`)
}

const protocMissing = spawnSync('protoc', ['--version']).status === 0 ? false : 'protoc is not installed'

test('protoc gives the same bytes as the command', { skip: protocMissing }, (t) => {
  const place = folder(t)
  const names = FILES.filter((name) => !EDITIONS.includes(name))
  const expected = ours(place, names)
  const out = path.join(place, 'protoc')
  mkdirSync(out)
  const common = [`--plugin=protoc-gen-gorums=${plugin(place)}`, `--gorums_out=${out}`, '-I', protos]
  const isOther = (name: string): boolean => name === 'generations.proto'
  // gorums.proto under two paths would be two files that declare the same.
  const groups = [
    { files: names.filter((name) => !isOther(name)), folder: path.join(root, 'proto') },
    { files: names.filter(isOther), folder: imports(place) },
  ]
  for (const { files, folder: more } of groups)
    run('protoc', [...common, '-I', more, ...files.map((name) => `corpus/${name}`)], place)
  assert.deepEqual(textsIn(out), expected)
})

test('buf gives the same bytes as the command, for editions too', { skip: bufMissing }, (t) => {
  const place = folder(t)
  const module = path.join(place, 'protos')
  cpSync(path.join(protos, 'corpus'), path.join(module, 'corpus'), { recursive: true })
  cpSync(path.join(root, 'proto/gorums.proto'), path.join(module, 'gorums.proto'))
  const older = path.join(module, 'corpus/generations.proto')
  writeFileSync(older, readFileSync(older, 'utf8').replace('github.com/relab/gorums/gorums.proto', 'gorums.proto'))
  writeFileSync(path.join(place, 'buf.yaml'), 'version: v2\nmodules:\n  - path: protos\n')
  const local = `version: v2\nplugins:\n  - local: ${plugin(place)}\n    out: gen\n`
  writeFileSync(path.join(place, 'buf.gen.yaml'), local)
  run(buf, ['generate'], place)
  assert.deepEqual(textsIn(path.join(place, 'gen')), ours(place, FILES))
})

test('a mistake reaches the caller of protoc in words, with its place', { skip: protocMissing }, (t) => {
  const place = folder(t)
  const text = `syntax = "proto3";
import "gorums.proto";
service S {
  rpc M(stream A) returns (A) { option (gorums.quorumcall) = true; }
}
message A {}
`
  writeFileSync(path.join(place, 'wrong.proto'), text)
  const words = [
    `--plugin=protoc-gen-gorums=${plugin(place)}`,
    `--gorums_out=${place}`,
    '-I',
    place,
    '-I',
    path.join(root, 'proto'),
    'wrong.proto',
  ]
  const { status, stderr } = spawnSync('protoc', words, { cwd: place, encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /wrong\.proto:4:16: method "M" takes a stream of requests, which is not supported/)
})

test('a plugin takes the options that the command takes', { skip: protocMissing }, (t) => {
  const place = folder(t)
  const out = path.join(place, 'out')
  mkdirSync(out)
  const words = [
    `--plugin=protoc-gen-gorums=${plugin(place)}`,
    `--gorums_out=${out}`,
    '--gorums_opt=int64=string,import_extension=ts',
    '-I',
    protos,
    '-I',
    path.join(root, 'proto'),
    'corpus/benchmark.proto',
  ]
  run('protoc', words, place)
  const files = [path.join(protos, 'corpus/benchmark.proto'), '-I', protos, '-o', path.join(place, 'ours')]
  const { code, errors } = runCommand(['gen', ...files, '--int64=string', '--import-extension=ts'], '0')
  assert.equal(code, 0, errors)
  assert.deepEqual(textsIn(out), textsIn(path.join(place, 'ours')))
})
