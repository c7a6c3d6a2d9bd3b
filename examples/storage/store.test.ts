// What a replica remembers, in memory and across crashes: here a crash is a second store on the journal of a first, in
// processes.test.ts it is a real one.

import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { isNewer, NOTHING, newest } from './entry.ts'
import { Store } from './store.ts'

function journalFor(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'gorums-store-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return path.join(directory, 'journal')
}

const write = (value: string, timestamp: number, writer = 'w') => ({ key: 'x', value, timestamp, writer })

test('a store keeps the newest entry, whatever the order in which entries come', () => {
  const store = new Store()
  assert.deepEqual(store.get('x'), NOTHING)
  assert.equal(store.put(write('two', 2)), true)
  assert.equal(store.put(write('one', 1)), false)
  assert.equal(store.put(write('two', 2)), false)
  assert.deepEqual(store.get('x'), { value: 'two', timestamp: 2, writer: 'w' })
  assert.equal(store.size, 1)
})

test('writers with one timestamp are ordered by their ids', () => {
  const anna = { value: 'a', timestamp: 1, writer: 'anna' }
  const bert = { value: 'b', timestamp: 1, writer: 'bert' }
  assert.equal(isNewer(bert, anna), true)
  assert.equal(isNewer(anna, bert), false)
  assert.equal(isNewer(anna, anna), false)
  assert.equal(newest([bert, anna]), bert)
  assert.equal(newest([]), NOTHING)
})

test('a journal brings back what was written, and stays usable', (t) => {
  const journal = journalFor(t)
  const before = new Store(journal)
  before.put(write('one', 1))
  before.put(write('two\nlines, "quoted" and ünïcode', 2))
  before.close()
  const after = new Store(journal)
  assert.deepEqual(after.get('x'), { value: 'two\nlines, "quoted" and ünïcode', timestamp: 2, writer: 'w' })
  after.put(write('three', 3))
  after.close()
  const again = new Store(journal)
  assert.equal(again.get('x').value, 'three')
  again.close()
})

test('a line that a crash has cut short is left out, and spoils nothing that follows', (t) => {
  const journal = journalFor(t)
  const before = new Store(journal)
  before.put(write('whole', 1))
  before.close()
  appendFileSync(journal, '{"key":"x","value":"ha')
  const after = new Store(journal)
  assert.equal(after.get('x').value, 'whole')
  after.put(write('next', 2))
  after.close()
  const again = new Store(journal)
  assert.equal(again.get('x').value, 'next')
  again.close()
})

test('changes begin with what is there, follow the writes, and end with the signal', async () => {
  const store = new Store()
  const controller = new AbortController()
  const changes = store.changes('x', controller.signal)
  assert.deepEqual((await changes.next()).value, NOTHING)
  const first = changes.next()
  store.put(write('one', 1))
  assert.equal((await first).value?.value, 'one')
  store.put(write('two', 2))
  store.put(write('three', 3))
  assert.equal((await changes.next()).value?.value, 'three')
  const last = changes.next()
  controller.abort()
  assert.equal((await last).done, true)
})
