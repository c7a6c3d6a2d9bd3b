// The waits between attempts to connect, as numbers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffDelayMs } from '../../src/wire/backoff.ts'

const DEFAULT = { minMs: 50, maxMs: 5000, factor: 1.6 }
/** The largest random number there is. */
const ALMOST_1 = 1 - 2 ** -53

test('the step grows by the factor from the shortest wait to the longest, and stays there', () => {
  const steps = Array.from({ length: 14 }, (_, index) => backoffDelayMs(DEFAULT, index + 1, ALMOST_1))
  assert.deepEqual(steps, [50, 80, 128, 205, 328, 525, 839, 1343, 2148, 3436, 5000, 5000, 5000, 5000])
})

test('the wait lies anywhere between nothing and the step, as chance wants', () => {
  assert.equal(backoffDelayMs(DEFAULT, 1, 0.5), 25)
  assert.equal(backoffDelayMs(DEFAULT, 2, 0.26), 21)
  assert.equal(backoffDelayMs(DEFAULT, 100, 0.1), 500)
})

test('no wait is 0: a dead port is not dialled in a hot loop', () => {
  for (const failures of [1, 2, 10, 1000]) assert.equal(backoffDelayMs(DEFAULT, failures, 0), 1)
  assert.equal(backoffDelayMs({ minMs: 1, maxMs: 1, factor: 1 }, 5, 0.001), 1)
})

test('with a factor of 1 the step does not grow', () => {
  for (const failures of [1, 2, 50])
    assert.equal(backoffDelayMs({ minMs: 200, maxMs: 5000, factor: 1 }, failures, 0.5), 100)
})

test('every wait is a whole number from 1 to the longest, after however many failures', () => {
  const anyBackoff = fc
    .tuple(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 1, max: 100, noNaN: true }),
    )
    .map(([one, other, factor]) => ({ minMs: Math.min(one, other), maxMs: Math.max(one, other), factor }))
  const random = fc.double({ min: 0, max: ALMOST_1, noNaN: true })
  fc.assert(
    fc.property(anyBackoff, fc.integer({ min: 1, max: 1_000_000 }), random, (backoff, failures, chance) => {
      const delayMs = backoffDelayMs(backoff, failures, chance)
      assert.ok(Number.isInteger(delayMs) && delayMs >= 1 && delayMs <= backoff.maxMs, `${delayMs}`)
    }),
  )
})

test('without a longest wait a wait is still a number that a timer can take', () => {
  for (const random of [0, 0.5, ALMOST_1]) {
    const delayMs = backoffDelayMs({ ...DEFAULT, maxMs: Infinity }, 100_000, random)
    assert.ok(Number.isFinite(delayMs) && delayMs >= 1, `${delayMs}`)
  }
})
