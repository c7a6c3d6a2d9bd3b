// When text is coloured, and how it is broken into lines. Nothing is printed here: what the programs print is tested
// with them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPaint, hasColours, wrap } from './paint.ts'

test('only terminals show colours, and NO_COLOR turns them off', () => {
  assert.equal(hasColours({ isTTY: true }, {}), true)
  assert.equal(hasColours({}, {}), false)
  assert.equal(hasColours({ isTTY: true }, { NO_COLOR: '1' }), false)
  assert.equal(hasColours({ isTTY: true }, { NO_COLOR: '' }), true)
  assert.equal(hasColours({ isTTY: true }, { TERM: 'dumb' }), false)
  assert.equal(createPaint(false).red('x'), 'x')
  assert.equal(createPaint(true).red('x'), '\u001b[31mx\u001b[39m')
})

test('text is broken at spaces, and long words stay whole', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(wrap('incomprehensible is', 5), ['incomprehensible', 'is'])
})
