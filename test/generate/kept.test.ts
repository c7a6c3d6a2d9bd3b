// What the generator makes of every construct is kept beside the .proto files: it must still be the same, be formatted and
// lint-free as it is, and pass the strictest type checks.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import ts from 'typescript'
import { keptFiles } from './generated.ts'

const root = path.resolve(import.meta.dirname, '../..')
const files = keptFiles()

describe('generated code', () => {
  for (const { name, text } of files) {
    it(`${name} is what the generator makes (if it should change: npm run golden)`, () => {
      assert.equal(text, readFileSync(path.join(root, name), 'utf8'))
    })
  }

  it('is formatted, and lint has nothing to say', async () => {
    const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome')
    const names = files.map(({ name }) => path.join(root, name))
    await promisify(execFile)(process.execPath, [biome, 'check', '--error-on-warnings', ...names], { cwd: root })
  })

  for (const exactOptionalPropertyTypes of [true, false]) {
    it(`passes strict type checks, exactOptionalPropertyTypes ${exactOptionalPropertyTypes ? 'on' : 'off'}`, () => {
      assert.deepEqual(typeErrors({ exactOptionalPropertyTypes }), [])
    })
  }

  it('passes them without noUncheckedIndexedAccess too, whose types are other ones', () => {
    assert.deepEqual(typeErrors({ noUncheckedIndexedAccess: false }), [])
  })
})

function typeErrors(changed: ts.CompilerOptions): string[] {
  const config = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root)
  const program = ts.createProgram(
    files.map(({ name }) => path.join(root, name)),
    {
      ...options,
      noEmit: true,
      declaration: true,
      isolatedDeclarations: true,
      isolatedModules: true,
      noPropertyAccessFromIndexSignature: true,
      noUncheckedSideEffectImports: true,
      allowUnreachableCode: false,
      allowUnusedLabels: false,
      ...changed,
    },
  )
  const generated = new Set(files.map(({ name }) => path.join(root, name)))
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || generated.has(path.normalize(file.fileName)))
    .map(({ file, start, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n')
      if (file === undefined || start === undefined) return text
      const { line } = file.getLineAndCharacterOfPosition(start)
      return `${path.relative(root, file.fileName)}:${line + 1}: ${text}`
    })
}
