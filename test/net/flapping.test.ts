// When two processes count as fighting for one node id.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flapping } from '../../src/net/flapping.ts'

test('a node id that is displaced for the third time within a minute is fought for', () => {
  const flapping = new Flapping()
  assert.equal(flapping.note('a', 0), undefined)
  assert.equal(flapping.note('a', 30_000), undefined)
  assert.match(flapping.note('a', 59_999)!, /^node "a" was displaced by another process 3 times within 60 s: do two /)
  assert.match(flapping.note('a', 60_000)!, / 3 times within /, 'the first is a minute old, and counts no more')
})

test('restarts that are farther apart are none, and every node id counts for itself', () => {
  const flapping = new Flapping()
  for (let at = 0; at < 600_000; at += 30_000) {
    assert.equal(flapping.note('a', at), undefined)
    assert.equal(flapping.note('b', at), undefined)
  }
})

test('a thousand node ids are watched: the one that was displaced longest ago is forgotten', () => {
  const flapping = new Flapping()
  for (const nodeID of ['lately', 'long ago', 'long ago', 'lately']) flapping.note(nodeID, 0)
  for (let other = 0; other < 999; other++) flapping.note(`node ${other}`, 1)
  assert.match(flapping.note('lately', 2)!, / 3 times /)
  assert.equal(flapping.note('long ago', 3), undefined)
})
