// What the generator makes of every construct is kept beside the .proto files: it must still be the same, be formatted and
// lint-free as it is, and pass the strictest type checks.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { keptFiles } from './generated.ts'
import { typeErrors } from './strict-types.ts'

const root = path.resolve(import.meta.dirname, '../..')
const files = keptFiles()
const names = files.map(({ name }) => path.join(root, name))

describe('generated code', () => {
  for (const { name, text } of files) {
    it(`${name} is what the generator makes (if it should change: npm run golden)`, () => {
      assert.equal(text, readFileSync(path.join(root, name), 'utf8'))
    })
  }

  it('is formatted, and lint has nothing to say', async () => {
    const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome')
    await promisify(execFile)(process.execPath, [biome, 'check', '--error-on-warnings', ...names], { cwd: root })
  })

  for (const exactOptionalPropertyTypes of [true, false]) {
    it(`passes strict type checks, exactOptionalPropertyTypes ${exactOptionalPropertyTypes ? 'on' : 'off'}`, () => {
      assert.deepEqual(typeErrors(names, { exactOptionalPropertyTypes }), [])
    })
  }

  it('passes them without noUncheckedIndexedAccess too, whose types are other ones', () => {
    assert.deepEqual(typeErrors(names, { noUncheckedIndexedAccess: false }), [])
  })
})
