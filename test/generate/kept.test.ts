// What the generator makes of every construct is kept beside the .proto files: it must still be the same, be formatted and
// lint-free as it is, and pass the strictest type checks.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { CORPUS, generateCorpus, protos, textsIn } from './corpus.ts'
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

  it('depends on the .proto files and the options alone: the same bytes again, in another place, time zone and language', (t) => {
    const once = generateCorpus(CORPUS)
    t.after(() => once.remove())
    const again = generateCorpus([...CORPUS].reverse())
    t.after(() => again.remove())
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'gorums-elsewhere-'))
    t.after(() => rmSync(elsewhere, { recursive: true, force: true }))
    const words = ['gen', ...CORPUS.map((name) => path.join(protos, name)), '-I', protos, '-o', 'out']
    const loader = pathToFileURL(path.join(root, 'node_modules/tsx/dist/loader.mjs')).href
    // Objects are hashed, times told and words sorted in another way.
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--hash-seed=7', '--import', loader, path.join(root, 'scripts/gorums.ts'), ...words],
      { cwd: elsewhere, encoding: 'utf8', env: { ...process.env, TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8' } },
    )
    assert.equal(status, 0, stderr)
    const expected = textsIn(once.folder)
    assert.equal(expected.size, CORPUS.length)
    assert.deepEqual(textsIn(again.folder), expected)
    assert.deepEqual(textsIn(path.join(elsewhere, 'out')), expected)
  })

  it('holds no descriptor of its .proto file: nothing long is in it but the names of fields', () => {
    for (const { name, text } of files) {
      const code = text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')
      const literals = code.match(/'[^'\n]*'|"[^"\n]*"|`[^`]*`|\[[\s\d,]*\]/g) ?? []
      const others = literals.filter((literal) => literal.length > 40 && !/^'\w+(?:\.\w+)+'$/.test(literal))
      assert.deepEqual(others, [], name)
    }
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
