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

test('what has arrived since is read before whoever is behind goes on', () => {
  const { runtime, turn } = setUp()
  const immediates: (() => void)[] = []
  runtime.afterReading = (callback) => immediates.push(callback)
  let slices = 0
  turn.goOnLater({ goOn: () => ++slices < 3 })
  // What runs when a round of reading is over, and what has been begun in the meantime runs after the next.
  for (const expected of [0, 1, 2, 3]) {
    assert.equal(immediates.length, 1)
    immediates.shift()!()
    assert.equal(slices, expected)
  }
  assert.equal(immediates.length, 0)
})

test('a slice looks at the clock behind its first message, behind each dear one, and seldom among light ones', () => {
  const { runtime, turn } = setUp()
  let [time, readings] = [0, 0]
  runtime.now = () => {
    readings++
    return time
  }
  /** How many of so many messages of 16 bytes were dealt with in a slice, and how often the clock was read. */
  const slice = (messages: number, costMs: number): [number, number] => {
    turn.begin()
    turn.now()
    readings = 0
    for (let message = 1; message <= messages; message++) {
      time += costMs
      if (turn.isSliceOver(16)) return [message, readings]
    }
    return [messages, readings]
  }
  assert.deepEqual(slice(100, 1), [1, 1], 'one alone takes longer than a slice')
  assert.deepEqual(slice(100, 0.04), [3, 3], 'a slice and not more, of 0.1 ms')
  const [light, looks] = slice(1_000, 0.0001)
  assert.equal(light, 1_000)
  assert.ok(looks <= 1_000 / 16 + 1, `${looks} looks`)
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
  immediates.shift()!()
  assert.throws(() => immediates.shift()!(), /a fault/)
  immediates.shift()!()
  assert.deepEqual(went, ['other'])
  assert.equal(immediates.length, 0)
})
