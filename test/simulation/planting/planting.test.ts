// Every planted bug can be planted: the text that it changes stands where it is said to stand, once.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { plantedBugs } from './planted-bugs.ts'
import { changed } from './source-hook.ts'

const root = path.resolve(import.meta.dirname, '../../..')

for (const { name, what, changes } of plantedBugs) {
  test(`${name}: ${what}`, () => {
    for (const change of changes) {
      const text = readFileSync(path.join(root, change.file), 'utf8')
      assert.notEqual(changed(text, change), text)
    }
  })
}

test('names are unique', () => {
  assert.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length)
})
