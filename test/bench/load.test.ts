// Load: which calls of a round count.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Caller, runLoad } from '../../bench/measure/load.ts'

/** Answers in the next turn; notes when calls ended. */
function fastCaller(endedAt: number[]): Caller {
  return {
    async call() {
      await new Promise((resolve) => setImmediate(resolve))
      endedAt.push(performance.now())
    },
    check() {},
  }
}

describe('a round of load', () => {
  it('counts no call that ends before its ramp is over', async () => {
    const endedAt: number[] = []
    const beganAt = performance.now()
    const rampMs = 100
    const { calls, allCalls } = await runLoad([fastCaller(endedAt)], { windowMs: 20, rampMs, inFlight: 4 })
    // A timer may be early by the fraction of a ms that its clock does not have.
    const during = endedAt.filter((at) => at < beganAt + rampMs - 1).length
    assert.ok(during > 4, 'no more than one call each ended during the ramp: it shows nothing')
    assert.equal(allCalls, endedAt.length)
    assert.ok(calls > 0 && calls <= allCalls - during, `${calls} of ${allCalls} count, ${during} ended before`)
  })
})
