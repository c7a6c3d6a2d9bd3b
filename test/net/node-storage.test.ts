// Files of the real disk behave as those of the simulated one: gaps, short reads, names, what is not there.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { nodeStorage } from 'gorums'

function place(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'gorums-storage-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return path.join(made, 'inner')
}

test('what is written is there when the file is opened again, and a gap reads as zeros', async (t) => {
  const storage = nodeStorage(place(t))
  const file = await storage.open('log')
  await file.write(4, Buffer.from('tail'))
  await file.sync()
  assert.equal(await file.size(), 8)
  await file.close()
  const again = await storage.open('log')
  assert.deepEqual(await again.read(0, 100), Buffer.from('\0\0\0\0tail'))
  assert.deepEqual(await again.read(6, 2), Buffer.from('il'))
  assert.equal((await again.read(8, 1)).length, 0)
  await again.truncate(5)
  assert.deepEqual(await again.read(4, 9), Buffer.from('t'))
  await again.close()
})

test('files are listed by name, folders are not, and what is not there is empty', async (t) => {
  const folder = place(t)
  const storage = nodeStorage(folder)
  assert.deepEqual(await storage.list(), [])
  assert.equal(existsSync(folder), false, 'nothing is made before something is opened')
  for (const name of ['b', 'a']) await (await storage.open(name)).close()
  mkdirSync(path.join(folder, 'folder'))
  assert.deepEqual((await storage.list()).sort(), ['a', 'b'])
  await storage.remove('a')
  await storage.remove('a')
  assert.deepEqual(await storage.list(), ['b'])
})

test('a name that is none is a RangeError, and a folder that is a file is a fault', async (t) => {
  const folder = place(t)
  const storage = nodeStorage(folder)
  for (const name of ['', '.', '..', 'a/b', '../a', 'ä', 'x'.repeat(201)])
    await assert.rejects(async () => storage.open(name), RangeError, name)
  writeFileSync(folder, '')
  await assert.rejects(storage.list(), { code: 'ENOTDIR' })
})
