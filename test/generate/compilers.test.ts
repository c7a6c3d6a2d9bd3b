// What the generator refuses, protoc and buf refuse, and the other way round: small .proto texts with a verdict, which all
// three are asked for. Where they differ, the table says why.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readModel } from '../../src/generate/read-model.ts'
import { EXTENSIONS } from './verdicts/extensions.ts'
import { FIELDS } from './verdicts/fields.ts'
import { NAMES } from './verdicts/names.ts'
import { OPTIONS } from './verdicts/options.ts'
import type { Judgement, Verdict } from './verdicts/verdict.ts'

const root = path.resolve(import.meta.dirname, '../..')
const buf = path.join(import.meta.dirname, 'buf/node_modules/.bin/buf')
const bufMissing = existsSync(buf) || process.env.CI ? false : 'buf is not installed: npm ci --prefix test/generate/buf'
const protocVersion = /libprotoc ([0-9]+)/.exec(
  spawnSync('protoc', ['--version'], { encoding: 'utf8' }).stdout ?? '',
)?.[1]
const protocMissing = protocVersion === undefined ? 'protoc is not installed' : false
/** The first that knows editions. */
const PROTOC_OF_EDITIONS = 27

const CASES = [...NAMES, ...FIELDS, ...EXTENSIONS, ...OPTIONS].map((verdict, index) => ({
  ...verdict,
  file: `case${index}.proto`,
  // All of them are one build for buf, in which a name is declared once.
  text: /\bpackage\b/.test(verdict.text)
    ? verdict.text
    : verdict.text.replace(/^((?:syntax|edition) = [^;]*;)/, `$1 package case${index};`),
}))

/** Those of which somebody says something else than the table, with what they say. */
function mistakes(
  cases: readonly (Verdict & { readonly file: string })[],
  said: (file: string) => string,
  expected: (verdict: Verdict) => Judgement,
): string[] {
  return cases.flatMap((verdict) => {
    const problem = said(verdict.file)
    const judgement = problem === '' ? 'accepted' : 'refused'
    return judgement === expected(verdict) ? [] : [`${judgement}: ${verdict.text}\n${problem.trim()}`]
  })
}

describe('the generator, protoc and buf', () => {
  let folder = ''

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gorums-verdicts-'))
    cpSync(path.join(root, 'proto/gorums.proto'), path.join(folder, 'gorums.proto'))
    for (const { file, text, others } of CASES)
      for (const [name, content] of Object.entries({ ...others, [file]: text })) {
        mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
        assert.ok(!existsSync(path.join(folder, name)), `two cases have a file ${name}`)
        writeFileSync(path.join(folder, name), content)
      }
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('the table has many of both verdicts, and reasons where they differ', () => {
    assert.ok(CASES.filter(({ ours }) => ours === 'refused').length > 200)
    assert.ok(CASES.filter(({ ours }) => ours === 'accepted').length > 200)
    for (const { ours, buf, protoc, olderProtoc, why, text } of CASES)
      assert.equal(
        why !== '',
        [buf, protoc, olderProtoc].some((each) => each !== ours),
        text,
      )
  })

  it('the generator accepts and refuses what the table says, each problem with its place', () => {
    const said = (file: string): string => {
      const { problems } = readModel([path.join(folder, file)], [folder])
      for (const each of problems) assert.ok(each.line > 0 && each.column > 0, `${each.file}: ${each.message}`)
      return problems.map(({ message }) => message).join('\n')
    }
    assert.deepEqual(
      mistakes(CASES, said, ({ ours }) => ours),
      [],
    )
  })

  it('buf accepts and refuses what the table says', { skip: bufMissing }, () => {
    const words = ['build', '--error-format=json', '-o', '/dev/null']
    const { stdout, stderr, error } = spawnSync(buf, words, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
    assert.equal(error, undefined)
    const told = new Map<string, string>()
    for (const line of `${stdout}\n${stderr}`.split('\n').filter((each) => each.startsWith('{'))) {
      const { path: file, message } = JSON.parse(line) as { path: string; message: string }
      told.set(file, `${told.get(file) ?? ''}${message}\n`)
    }
    assert.deepEqual(
      mistakes(
        CASES,
        (file) => told.get(file) ?? '',
        (verdict) => verdict.buf,
      ),
      [],
    )
  })

  it('protoc accepts and refuses what the table says', { skip: protocMissing }, (t) => {
    const knowsEditions = Number(protocVersion) >= PROTOC_OF_EDITIONS
    const cases = CASES.filter(({ text }) => knowsEditions || !text.startsWith('edition'))
    if (!knowsEditions)
      t.diagnostic(
        `protoc ${protocVersion} knows no editions: ${CASES.length - cases.length} texts were not shown to it`,
      )
    const said = (file: string): string => {
      const words = ['-I', folder, '-o', '/dev/null', file]
      const { status, stderr, error } = spawnSync('protoc', words, { cwd: folder, encoding: 'utf8' })
      assert.equal(error, undefined)
      return status === 0 ? '' : stderr || 'without a word'
    }
    const expected = ({ protoc, olderProtoc }: Verdict): Judgement => (knowsEditions ? protoc : olderProtoc)
    assert.deepEqual(mistakes(cases, said, expected), [])
  })
})
