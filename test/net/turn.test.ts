// A turn of the event loop: one reading of the clock, one flush of all that was sent, one slice of what takes long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Flushable, Turn } from '../../src/net/turn.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

function setUp(): { runtime: VirtualRuntime; turn: Turn; flushed: string[]; flushable: (name: string) => Flushable } {
  const runtime = new VirtualRuntime()
  const flushed: string[] = []
  return { runtime, turn: new Turn(runtime), flushed, flushable: (name) => ({ flush: () => flushed.push(name) }) }
}

test('the clock is read once per turn, and again in the next', async () => {
  const { runtime, turn } = setUp()
  let readings = 0
  const { now } = runtime
  runtime.now = () => {
    readings++
    return now.call(runtime)
  }
  const first = turn.now()
  await Promise.resolve()
  assert.equal(turn.now(), first)
  assert.equal(readings, 1)
  await runtime.advance(10)
  assert.equal(turn.now(), first + 10)
})

test('what comes from outside begins a new turn: its time is read again', () => {
  const { runtime, turn } = setUp()
  const first = turn.now()
  runtime.now = () => first + 5
  assert.equal(turn.now(), first)
  turn.begin()
  assert.equal(turn.now(), first + 5)
})

test('what waits is flushed when the turn and its promise jobs are over, in order, once', async () => {
  const { runtime, turn, flushed, flushable } = setUp()
  turn.flushLater(flushable('first'))
  await Promise.resolve().then(() => turn.flushLater(flushable('second')))
  assert.deepEqual(flushed, [])
  await runtime.settle()
  assert.deepEqual(flushed, ['first', 'second'])
  await runtime.settle()
  assert.deepEqual(flushed, ['first', 'second'])
})

test('flush() writes at once and leaves nothing for the end of the turn', async () => {
  const { runtime, turn, flushed, flushable } = setUp()
  turn.flushLater(flushable('one'))
  turn.flush()
  assert.deepEqual(flushed, ['one'])
  await runtime.settle()
  assert.deepEqual(flushed, ['one'])
})

test('what a flush sends is flushed in a turn of its own', async () => {
  const { runtime, turn, flushed, flushable } = setUp()
  turn.flushLater({
    flush: () => {
      flushed.push('outer')
      turn.flushLater(flushable('inner'))
    },
  })
  turn.flush()
  assert.deepEqual(flushed, ['outer'])
  await runtime.settle()
  assert.deepEqual(flushed, ['outer', 'inner'])
})

test('those that have more to do go on one at a time, in order, those from within others behind them', async () => {
  const { runtime, turn } = setUp()
  const immediates: (() => void)[] = []
  runtime.afterReading = (callback) => immediates.push(callback)
  const went: string[] = []
  const laborious = (name: string, slices: number, inner?: string): { goOn(): boolean } => ({
    goOn: () => {
      went.push(name)
      if (inner !== undefined && slices > 1) turn.goOnLater(laborious(inner, 1))
      return --slices > 0
    },
  })
  turn.goOnLater(laborious('a', 2, 'within a'))
  for (; immediates.length > 0; immediates.shift()!()) assert.equal(immediates.length, 1, went.join())
  assert.deepEqual(went, ['a', 'within a', 'a'])
  turn.goOnLater(laborious('b', 2))
  turn.goOnLater(laborious('c', 1))
  for (; immediates.length > 0; immediates.shift()!()) assert.equal(immediates.length, 1, went.join())
  assert.deepEqual(went.slice(3), ['b', 'c', 'b'])
})

test('one that fails does not keep the others from going on', () => {
  const { runtime, turn } = setUp()
  const immediates: (() => void)[] = []
  runtime.afterReading = (callback) => immediates.push(callback)
  const went: string[] = []
  turn.goOnLater({
    goOn: () => {
      throw new Error('a fault')
    },
  })
  turn.goOnLater({ goOn: () => went.push('other') > 1 })
  assert.throws(() => immediates.shift()!(), /a fault/)
  immediates.shift()!()
  assert.deepEqual(went, ['other'])
  assert.equal(immediates.length, 0)
})
