// The API report says what a user can see and nothing else, and differences between two reports are told for what they
// are. That the committed report is up to date is what `npm run api` checks.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { changesBetween, nextVersion } from '../../scripts/api/compare.ts'
import { reportOf } from '../../scripts/api/report.ts'

const BEFORE = [
  'interface Options { readonly a: string; readonly b?: number }',
  'class Made { close(): void }',
  'function make(options: Options): Made;',
  "type Kind = 'one' | 'two';",
]

function report(declarations: readonly string[], name = 'gorums'): string {
  return `declare module '${name}' {\n${declarations.map((text) => `  export ${text}\n`).join('')}}\n`
}

for (const [title, after, expected] of [
  ['nothing', BEFORE, []],
  ['a new name', [...BEFORE, 'const more: number;'], ['adds gorums more is new']],
  ['a name that has gone', BEFORE.slice(1), ['breaks gorums Options is gone']],
  ['an optional member', replace('b?: number', 'b?: number; c?: string'), ['adds gorums Options: new: c?: string']],
  ['a required member', replace('b?: number', 'b?: number; c: string'), ['breaks gorums Options: new: c: string']],
  [
    'a method of a class',
    replace('close(): void', 'close(): void; open(): void'),
    ['adds gorums Made: new: open(): void'],
  ],
  [
    'a changed type of a member',
    replace('a: string', 'a: number'),
    ['breaks gorums Options: gone or changed: readonly a: string', 'breaks gorums Options: new: readonly a: number'],
  ],
  ['one more overload', [...BEFORE, 'function make(): Made;'], ['adds gorums make: new: export function make(): Made']],
  ['a changed union', replace("| 'two'", "| 'three'"), ['breaks gorums Kind has changed']],
] as const) {
  test(`between two reports: ${title}`, () => {
    const changes = changesBetween(report(BEFORE), report(after))
    assert.deepEqual(
      changes.map(({ breaks, text }) => `${breaks ? 'breaks' : 'adds'} ${text}`),
      expected,
    )
  })
}

test('what is only mentioned neither adds nor breaks by coming or going, but by changing', () => {
  const inner = report(['interface Inner { a: string }'], '(mentioned)')
  assert.deepEqual(changesBetween('', inner), [])
  assert.deepEqual(changesBetween(inner, ''), [])
  assert.equal(changesBetween(inner, inner.replace('string', 'number'))[0]?.breaks, true)
})

test('before 1.0 a minor version may break and a patch may add; from then on a major one and a minor one', () => {
  const [adds, breaks] = [
    { breaks: false, text: '' },
    { breaks: true, text: '' },
  ]
  assert.equal(nextVersion('0.3.4', []), undefined)
  assert.equal(nextVersion('0.3.4', [adds]), '0.3.5')
  assert.equal(nextVersion('0.3.4', [adds, breaks]), '0.4.0')
  assert.equal(nextVersion('1.3.4', [adds]), '1.4.0')
  assert.equal(nextVersion('1.3.4', [breaks, adds]), '2.0.0')
})

test('a report follows what is exported to what it mentions, without comments and without insides', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-api-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(path.join(folder, 'tsconfig.json'), '{ "compilerOptions": { "module": "nodenext", "types": [] } }')
  writeFileSync(
    path.join(folder, 'inner.ts'),
    `export interface Shown { readonly text: string }
    export interface Hidden { readonly number: number }
    export class Made {
      #secret = 1
      constructor(hidden: Hidden) { this.#secret = hidden.number }
      /** Says something. */
      say(): Shown { return { text: String(this.#secret) } }
      /** @internal */
      hide(): Hidden { return { number: 1 } }
    }`,
  )
  writeFileSync(path.join(folder, 'index.ts'), "export type { Made } from './inner.js'\n")
  writeFileSync(path.join(folder, 'other.ts'), "export { Made } from './inner.js'\nexport const four = 4\n")
  const text = reportOf(folder, { gorums: 'index.ts', 'gorums/other': 'other.ts' })
  assert.equal(
    text.slice(text.indexOf('declare')),
    `declare module 'gorums' {
  export class Made {
      say(): Shown;
  }
}

declare module 'gorums/other' {
  export { Made } from 'gorums'
  export const four = 4;
}

declare module '(mentioned)' {
  export interface Shown {
      readonly text: string;
  }
}
`,
  )
})

function replace(from: string, to: string): string[] {
  return BEFORE.map((text) => text.replace(from, to))
}
