// The queue of calls and frames, against an array.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Deque } from '../../src/wire/deque.ts'
import { collectGarbage } from './garbage.ts'

type Step =
  | { readonly type: 'push' | 'unshift'; readonly count: number }
  | { readonly type: 'shift'; readonly count: number }
  | { readonly type: 'filter'; readonly modulus: number }
  | { readonly type: 'set'; readonly place: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constantFrom('push', 'unshift', 'shift'), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ type: fc.constant('filter'), modulus: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ type: fc.constant('set'), place: fc.nat(80) }),
) as fc.Arbitrary<Step>

/** Does one step to both, and compares what they give back. */
function apply(deque: Deque<number>, twin: number[], { type, ...how }: Step, next: () => number): void {
  if (type === 'filter') {
    const { modulus } = how as { modulus: number }
    const seen: number[] = []
    const asked = [...twin]
    deque.filter((element) => {
      seen.push(element)
      return element % modulus === 0
    })
    assert.deepEqual(seen, asked)
    twin.splice(0, twin.length, ...asked.filter((element) => element % modulus === 0))
    return
  }
  if (type === 'set') {
    const { place } = how as { place: number }
    if (place >= twin.length) return
    const element = next()
    deque.set(place, element)
    twin[place] = element
    return
  }
  for (let { count } = how as { count: number }; count > 0; count--) {
    if (type === 'shift') {
      assert.equal(deque.shift(), twin.shift())
      continue
    }
    const element = next()
    deque[type](element)
    twin[type](element)
  }
}

function contentOf(deque: Deque<number>): (number | undefined)[] {
  return Array.from({ length: deque.length }, (_, index) => deque.at(index))
}

test('a deque does what an array does, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const deque = new Deque<number>()
      const twin: number[] = []
      let last = 0
      for (const each of steps) {
        apply(deque, twin, each, () => ++last)
        assert.equal(deque.length, twin.length)
        assert.deepEqual(contentOf(deque), twin)
        assert.equal(deque.at(twin.length), undefined)
      }
    }),
  )
})

test('an empty deque gives nothing, before and after it has held something', () => {
  const deque = new Deque<string>()
  assert.deepEqual([deque.length, deque.shift(), deque.at(0)], [0, undefined, undefined])
  deque.push('a')
  assert.equal(deque.shift(), 'a')
  assert.deepEqual([deque.length, deque.shift(), deque.at(0)], [0, undefined, undefined])
})

test('a deque that goes round many times keeps the order', () => {
  const deque = new Deque<number>()
  let taken = 0
  for (let index = 0; index < 10_000; index++) {
    deque.push(index)
    if (index % 3 > 0) assert.equal(deque.shift(), taken++)
  }
  while (deque.length > 0) assert.equal(deque.shift(), taken++)
  assert.equal(taken, 10_000)
})

test('what has left a deque is not kept alive by it', async () => {
  const deque = new Deque<object>()
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  const fill = (): void => {
    for (let index = 0; index < 100; index++) {
      const element = { index }
      registry.register(element, undefined)
      deque.push(element)
    }
    for (let index = 0; index < 50; index++) deque.shift()
    deque.filter(() => false)
  }
  fill()
  for (let round = 0; round < 10 && collected < 100; round++) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(collected, 100)
  assert.equal(deque.length, 0)
})
