// The table of unfinished calls: ids are given out once, are never 0, wrap at the end of their range, and lead to their
// calls however many there are.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallTable } from '../../src/net/call-table.ts'

const LAST_ID = 2 ** 32 - 1

function fill(table: CallTable<string>, count: number): number[] {
  const ids: number[] = []
  for (let made = 0; made < count; made++) {
    const id = table.nextID()
    table.set(id, `call ${id}`)
    ids.push(id)
  }
  return ids
}

test('ids count up from the first', () => {
  assert.deepEqual(fill(new CallTable<string>(7), 4), [7, 8, 9, 10])
})

test('every unfinished call is found by its id, and only by it', () => {
  const table = new CallTable<string>(1)
  const ids = fill(table, 10_000)
  assert.equal(table.size, 10_000)
  for (const id of ids) assert.equal(table.get(id), `call ${id}`)
  for (const stranger of [0, 10_001, 2 ** 20, LAST_ID]) assert.equal(table.get(stranger), undefined)
})

test('a finished call is forgotten, once', () => {
  const table = new CallTable<string>(1)
  const [first, second] = fill(table, 2) as [number, number]
  table.delete(first)
  table.delete(first)
  table.delete(12_345)
  assert.equal(table.size, 1)
  assert.equal(table.get(first), undefined)
  assert.equal(table.get(second), `call ${second}`)
})

test('an id that shares a slot with a finished one does not lead to it', () => {
  const table = new CallTable<string>(1)
  const [first] = fill(table, 1) as [number]
  assert.equal(table.get(first + 256), undefined)
  table.delete(first + 256)
  assert.equal(table.get(first), `call ${first}`)
})

test('ids wrap from the last to 1 and pass over those of unfinished calls', () => {
  const table = new CallTable<string>(LAST_ID - 1)
  assert.deepEqual(fill(table, 4), [LAST_ID - 1, LAST_ID, 1, 2])
  assert.equal(table.get(LAST_ID), `call ${LAST_ID}`)
  assert.equal(table.get(0), undefined)
})

test('a call that stays unfinished for a whole round of ids keeps its id to itself', () => {
  const table = new CallTable<string>(1)
  const [kept] = fill(table, 1) as [number]
  for (let made = 0; made < 100_000; made++) {
    const id = table.nextID()
    assert.notEqual(id & 255, kept & 255)
    table.set(id, 'short')
    table.delete(id)
  }
  assert.equal(table.get(kept), `call ${kept}`)
  assert.equal(table.size, 1)
})

test('the unfinished calls are listed in the order in which they were made', () => {
  const table = new CallTable<string>(1_000)
  const ids = fill(table, 1_000)
  for (const id of ids) if (id % 3 === 0) table.delete(id)
  const left = ids.filter((id) => id % 3 !== 0).map((id) => `call ${id}`)
  assert.deepEqual(table.values(), left)
  assert.equal(table.size, left.length)
})
