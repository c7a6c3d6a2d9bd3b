// Every TypeScript block of the documents is compiled and run, and prints what the comment beside it says. Which blocks
// belong together is in programs.ts.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { writeCertificates } from './certificates.ts'
import { commandsOf, differenceOf, filesOf, type Program, programsOf } from './programs.ts'
import type { Outcome } from './runner.ts'

const root = path.resolve(import.meta.dirname, '../..')
const DOCUMENTS = [
  'README.md',
  'docs/guide.md',
  'docs/codegen.md',
  'docs/ordering.md',
  'docs/from-gorums.md',
  'docs/simulation.md',
]
/** A process of documents that has not ended by then has left something open. */
const TIMEOUT_MS = 45_000

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command of this Node.js, in the project's folder unless another one is given. */
function node(args: readonly string[], cwd = root): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, stdout, stderr: error?.killed ? `${stderr}\nkilled: it did not end by itself` : stderr })
    })
  })
}

/** The command that a document shows, from source. */
async function gorums(words: readonly string[], cwd: string): Promise<void> {
  const tsx = pathToFileURL(path.join(root, 'node_modules/tsx/dist/loader.mjs')).href
  const { code, stderr } = await node(['--import', tsx, path.join(root, 'scripts/gorums.ts'), ...words], cwd)
  assert.equal(code, 0, `npx gorums ${words.join(' ')}: ${stderr}`)
}

describe('the documents', () => {
  let folder = ''
  const programs = new Map<string, Program[]>()
  const folderOf = (document: string): string => path.join(folder, path.basename(document, '.md').toLowerCase())

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gorums-docs-'))
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: path.join(root, 'tsconfig.json'), include: ['*/*.ts'] }),
    )
    for (const document of DOCUMENTS) {
      mkdirSync(folderOf(document))
      const markdown = readFileSync(path.join(root, document), 'utf8')
      const found = programsOf(markdown)
      const protos = filesOf(markdown).filter(({ file }) => file.endsWith('.proto'))
      for (const { file, text } of [...found, ...protos]) writeFileSync(path.join(folderOf(document), file), text)
      for (const words of commandsOf(markdown)) await gorums(words, folderOf(document))
      programs.set(document, found)
    }
    await writeCertificates(folderOf('docs/guide.md'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('hold programs that compile under the strictest options', async () => {
    const { code, stdout, stderr } = await node([
      path.join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      path.join(folder, 'tsconfig.json'),
    ])
    assert.equal(code, 0, `a file's line is its document's line:\n${stdout}${stderr}`)
  })

  for (const document of DOCUMENTS) {
    it(`hold programs that print what they say: ${document}`, async (t) => {
      const found = programs.get(document)!
      const runnable = found.filter((program) => !program.isModule)
      assert.ok(runnable.length > 0, 'no program was found')
      const runner = path.join(import.meta.dirname, 'runner.ts')
      const files = runnable.map((program) => path.join(folderOf(document), program.file))
      const ended = await node(['--import', 'tsx', runner, ...files])
      const outcomes = ended.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Outcome)
      const problems = runnable.flatMap((program, index) => problemOf(document, program, outcomes[index]))
      assert.deepEqual(problems, [], `${problems.join('\n')}\n${ended.stderr}`)
      assert.equal(ended.code, 0, ended.stderr)
      t.diagnostic(`${runnable.length} programs`)
    })
  }
})

function problemOf(document: string, program: Program, outcome: Outcome | undefined): string[] {
  const where = `${document}, "${program.section}", ${program.file}`
  if (outcome === undefined) return [`${where}: was not run`]
  if (outcome.error !== undefined) return [`${where}: ${outcome.error}`]
  const difference = differenceOf(program.prints, outcome.printed)
  return difference === undefined ? [] : [`${where}: ${difference}`]
}
