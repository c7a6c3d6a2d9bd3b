// What the pages say about the project is so: links lead somewhere, paths exist, every npm script is described, defaults
// are those of the code. Their code blocks are the matter of code-blocks.test.ts.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { backoffDefaults, limitDefaults, timeDefaults } from '../../src/options.ts'
import { type Page, readPage, readPages, root, tableRows } from './pages.ts'
import { filesOf } from './programs.ts'

const pages = readPages()
const scripts = Object.keys(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).scripts)

/** What somebody's machine is made of; a page that names it was written on one. */
const MACHINE_PATHS = /(?<![\w.])\/(?:home|root|tmp|Users|private|mnt|var|opt)\/|\b[A-Z]:\\|\bfile:\/\//
/** Paths of the project, as pages name them. */
const PROJECT_PATHS = /`((?:src|codec|proto|test|scripts|examples|bench|docs|\.ci)\/[\w./-]*)`/g
const SCRIPT_COMMANDS = /\bnpm (?:run ([\w:-]+)|(start|test)\b)/g

describe('the pages', () => {
  it('are all listed in the README', () => {
    const listed = new Set(readPage('README.md').links.map(({ target }) => target.split('#')[0]))
    const missing = pages.map(({ file }) => file).filter((file) => file !== 'README.md' && !listed.has(file))
    assert.deepEqual(missing, [])
  })

  it('have links that lead to files and headings that are there', () => {
    const broken = pages.flatMap((page) =>
      page.links.flatMap(({ target, line }) =>
        leadsSomewhere(page, target) ? [] : [`${page.file}:${line}: ${target}`],
      ),
    )
    assert.deepEqual(broken, [])
  })

  it('name no path of somebody’s machine', () => {
    const found = pages.flatMap(({ file, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          MACHINE_PATHS.test(line) || line.includes(root) ? [`${file}:${index + 1}: ${line}`] : [],
        ),
    )
    assert.deepEqual(found, [])
  })

  it('name only paths of the project that exist', () => {
    const missing = pages.flatMap(({ file, text }) =>
      [...text.matchAll(PROJECT_PATHS)]
        .map((match) => match[1]!)
        .filter((name) => !existsSync(path.join(root, name)))
        .map((name) => `${file}: ${name}`),
    )
    assert.deepEqual(missing, [])
  })

  it('show files of the project as they are', () => {
    const shown = pages.flatMap(({ text }) => filesOf(text)).filter(({ file }) => file.includes('/'))
    assert.ok(shown.some(({ file }) => file === 'examples/storage/buf.gen.yaml'))
    for (const { file, text } of shown) assert.equal(text, readFileSync(path.join(root, file), 'utf8'), file)
  })

  it('name tests that there are, for everything that users of Gorums have asked for', () => {
    const rows = tableRows(readPage('docs/from-gorums.md').text).filter((cells) => cells[2]?.startsWith('test/'))
    assert.ok(rows.length >= 25, `${rows.length} rows`)
    const untested = rows.filter(([, , file = '', title = '']) => {
      return title === '' || !readFileSync(path.join(root, file), 'utf8').includes(title)
    })
    assert.deepEqual(untested, [])
  })

  it('describe every npm script, in the table of docs/development.md', () => {
    const described = tableRows(readPage('docs/development.md').text).flatMap(([command]) => commandsIn(command ?? ''))
    assert.deepEqual(
      scripts.filter((script) => !described.includes(script)),
      [],
    )
  })

  it('name only npm scripts that there are', () => {
    const unknown = pages.flatMap(({ file, text }) =>
      commandsIn(text)
        .filter((script) => !scripts.includes(script))
        .map((script) => `${file}: ${script}`),
    )
    assert.deepEqual(unknown, [])
  })

  it('give the defaults of the code', () => {
    const defaults: Record<string, number> = { ...timeDefaults }
    for (const [name, value] of Object.entries(limitDefaults)) defaults[`limits.${name}`] = value
    const rows = new Map(tableRows(readPage('docs/guide.md').text).map(([name, value]) => [name, value]))
    for (const [name, value] of Object.entries(defaults)) {
      // These two are options of one function each, and stand in the text.
      if (name === 'connectTimeoutMs' || name === 'drainTimeoutMs') continue
      assert.equal(rows.get(name), String(value), name)
    }
    const { minMs, maxMs, factor } = backoffDefaults
    assert.equal(rows.get('backoff.minMs, .maxMs, .factor'), `${minMs}, ${maxMs}, ${factor}`)
    const { text } = readPage('docs/guide.md')
    assert.ok(text.includes(`\`connectTimeoutMs\` (${timeDefaults.connectTimeoutMs})`))
    assert.ok(text.includes(`close({ drainTimeoutMs: ${timeDefaults.drainTimeoutMs} })`))
  })

  it('give one default for one limit, wherever they give it', () => {
    const wrong = pages.flatMap(({ file, text }) =>
      tableRows(text).flatMap(([name, value]) => {
        const limit = limitDefaults[name?.replace('limits.', '') as keyof typeof limitDefaults]
        return name?.startsWith('limits.') && value !== String(limit) ? [`${file}: ${name} ${value}`] : []
      }),
    )
    assert.deepEqual(wrong, [])
  })
})

function commandsIn(text: string): string[] {
  return [...text.matchAll(SCRIPT_COMMANDS)].map((match) => (match[1] ?? match[2])!)
}

function leadsSomewhere(page: Page, target: string): boolean {
  if (/^https:\/\//.test(target)) return true
  const [file = '', anchor] = target.split('#')
  const place = file === '' ? page.file : path.normalize(path.join(path.dirname(page.file), file))
  if (place.startsWith('..') || !existsSync(path.join(root, place))) return false
  return anchor === undefined || readPage(place).anchors.has(anchor)
}
