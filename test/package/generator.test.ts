// The generator, as the projects meet it that install the packed tarball: both commands through node_modules/.bin, and
// what they make, type-checked and served.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Request, Response } from '../../src/generate/plugin_gorums.ts'
import { run, succeed } from './command.ts'
import { installTarball, packTarball, removeTarball, root, type Tarball } from './tarball.ts'

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const protocMissing = spawnSync('protoc', ['--version']).status === 0 ? false : 'protoc is not installed'

describe('the installed generator', () => {
  let tarball: Tarball
  let project: string

  before(async () => {
    tarball = await packTarball()
    project = await installTarball(tarball, 'generated', [`@types/node@${manifest.devDependencies['@types/node']}`])
    const source = path.join(import.meta.dirname, 'projects/generated')
    for (const name of readdirSync(source))
      if (name !== 'package.json') copyFileSync(path.join(source, name), path.join(project, name))
    await succeed('npm', ['pkg', 'set', 'type=module'], project)
    await succeed('npx', ['gorums', 'gen', 'storage.proto', '-o', 'gen'], project)
  })
  after(() => removeTarball(tarball))

  it('makes a service without being told where imports are, which type-checks and serves calls', async () => {
    await succeed(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc')], project)
    const printed = await succeed(process.execPath, ['out/main.js'], project)
    assert.equal(printed, 'generated works 9223372036854775808n 5n true true\n')
  })

  it('says with --check whether what was generated is what it would generate', async () => {
    const check = ['gorums', 'gen', 'storage.proto', '-o', 'gen', '--check']
    assert.equal(await succeed('npx', check, project), '')
    copyFileSync(path.join(project, 'storage.proto'), path.join(project, 'other.proto'))
    await succeed('npx', ['gorums', 'gen', 'other.proto', '-o', 'gen'], project)
    appendFileSync(path.join(project, 'other.proto'), 'message More {}\n')
    const { code, stdout, stderr } = await run('npx', ['gorums', 'gen', 'other.proto', '-o', 'gen', '--check'], project)
    assert.deepEqual([code, stdout], [1, ''])
    assert.equal(
      stderr,
      'other_gorums.ts is not as it would be generated now\nrun: npx gorums gen other.proto -o gen\n',
    )
  })

  it('finds the .proto files of protobuf that the runtime has no types for', async () => {
    const { stdout, stderr, code } = await run(
      'npx',
      ['gorums', 'gen', 'google/protobuf/api.proto', '-o', 'api'],
      project,
    )
    assert.deepEqual([code, stderr, stdout], [0, '', 'api/google/protobuf/api_gorums.ts\n'])
  })

  it('knows its version and the folder of gorums.proto', async () => {
    assert.equal(await succeed('npx', ['gorums', '--version'], project), `${manifest.version}\n`)
    const folder = (await succeed('npx', ['gorums', '--show-proto-path'], project)).trim()
    assert.deepEqual(readdirSync(folder).includes('gorums.proto'), true)
  })

  it('answers requests of plugins', () => {
    const target = { buffer: Buffer.alloc(0), position: 0 }
    const protoFile = [{ name: 'a.proto', package: 'a', syntax: 'proto3', messageType: [{ name: 'Empty' }] }]
    Request.encode({ fileToGenerate: ['a.proto'], protoFile }, target)
    const { status, stdout, stderr } = spawnSync('npx', ['protoc-gen-gorums'], {
      cwd: project,
      input: target.buffer.subarray(0, target.position),
    })
    assert.equal(status, 0, stderr.toString())
    const { error, file } = Response.decode(stdout, 0, stdout.length)
    assert.deepEqual([error, file.map(({ name }) => name)], [undefined, ['a_gorums.ts']])
    assert.match(file[0]!.content!, /^export const Empty: MessageCodec<EmptyInput, Empty> = /m)
  })

  it('is a plugin of protoc, with the same output', { skip: protocMissing }, async () => {
    mkdirSync(path.join(project, 'by-protoc'))
    const folder = (await succeed('npx', ['gorums', '--show-proto-path'], project)).trim()
    const plugin = '--plugin=node_modules/.bin/protoc-gen-gorums'
    await succeed('protoc', [plugin, '--gorums_out=by-protoc', '-I', '.', '-I', folder, 'storage.proto'], project)
    const [one, other] = ['gen', 'by-protoc'].map((name) =>
      readFileSync(path.join(project, name, 'storage_gorums.ts'), 'utf8'),
    )
    assert.equal(one, other)
  })
})
