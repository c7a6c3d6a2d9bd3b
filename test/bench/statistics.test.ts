// The instrument's arithmetic, against twins that keep every value and sort.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Histogram } from '../../bench/measure/histogram.ts'
import { runLoad } from '../../bench/measure/load.ts'
import { machineTimeIn, shareOfOthers } from '../../bench/measure/machine.ts'
import { median, summarize } from '../../bench/measure/statistics.ts'

const values = fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 })

/** The value of nearest rank. */
function dumbQuantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((one, other) => one - other)
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
}

describe('a histogram', () => {
  it('gives quantiles within one bucket of those of the sorted values, and never above the largest', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999, 1), (list, share) => {
        const histogram = new Histogram()
        for (const value of list) histogram.record(value)
        const exact = dumbQuantile(list, share)
        const found = histogram.quantile(share)
        assert.ok(found >= exact - 1e-9 || found === histogram.maxMs, `${found} is below ${exact}`)
        assert.ok(found <= exact * (1 + 1 / 128) + 2e-4, `${found} is far above ${exact}`)
      }),
    )
  })

  it('has the count, extremes, mean and deviation of its values, also when added up from parts', () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const parts = [one, other].map((list) => {
          const histogram = new Histogram()
          for (const value of list) histogram.record(value)
          return histogram.toData()
        })
        const whole = Histogram.from(...parts)
        const all = [...one, ...other]
        const mean = all.reduce((sum, value) => sum + value, 0) / all.length
        const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length
        assert.equal(whole.count, all.length)
        assert.equal(whole.maxMs, Math.max(...all))
        assert.equal(whole.minMs, Math.min(...all))
        assert.ok(Math.abs(whole.meanMs - mean) <= mean * 1e-9)
        assert.ok(Math.abs(whole.deviationMs ** 2 - variance) <= 1e-6 * (variance + mean ** 2))
      }),
    )
  })

  it('has a distribution that ends at the largest value and at one', () => {
    const histogram = new Histogram()
    for (const value of [1, 2, 3, 500]) histogram.record(value)
    assert.deepEqual(histogram.distribution().at(-1), [500, 1])
    assert.deepEqual(
      histogram.distribution().map(([, share]) => share),
      [0.25, 0.5, 0.75, 1],
    )
  })
})

describe('summaries', () => {
  it('take the middle value, or the mean of the two in the middle', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.throws(() => median([]), RangeError)
  })

  it('say how far apart the rounds are', () => {
    assert.deepEqual(summarize([90, 100, 110]), { median: 100, min: 90, max: 110, spread: 0.2 })
  })
})

describe('load', () => {
  it('counts the calls of the window, times one in eight of many, and makes no more calls at once than it should', async () => {
    let running = 0
    let most = 0
    let made = 0
    const caller = {
      async call() {
        made++
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
      },
      check() {},
    }
    const result = await runLoad([caller], { windowMs: 20, inFlight: 64 })
    assert.equal(most, 64)
    assert.equal(result.allCalls, made)
    assert.ok(result.calls > 0 && result.calls < made)
    assert.ok(result.latency.count <= result.calls / 8 + 64)
  })

  it('times calls of an open loop from when they should have begun: a stall counts for all that it held up', async () => {
    const STALL_MS = 60
    let calls = 0
    const caller = {
      async call() {
        if (++calls !== 3) return
        // Holds everything up, as a garbage collection would.
        for (const end = performance.now() + STALL_MS; performance.now() < end; );
      },
      check() {},
    }
    const { latency } = await runLoad([caller], { windowMs: 100, inFlight: 1000, rate: 1000 })
    assert.equal(calls, 100)
    assert.equal(latency.count, 100)
    const histogram = Histogram.from(latency)
    // Of the calls that should have begun during the stall, evenly spread, half waited for more than half of it: an
    // uncorrected loop would have counted one slow call of a hundred.
    assert.ok(histogram.quantile(0.75) > STALL_MS / 8)
  })

  it('fails with the first error of a call, in both loops', async () => {
    const caller = { call: () => Promise.reject(new Error('no such node')), check() {} }
    await assert.rejects(runLoad([caller], { windowMs: 10, inFlight: 4 }), /no such node/)
    await assert.rejects(runLoad([caller], { windowMs: 10, inFlight: 4, rate: 1000 }), /no such node/)
  })
})

describe('what others have of the machine', () => {
  const stat = (...ticks: number[]): string => `cpu  ${ticks.join(' ')}\ncpu0 1 2 3\n`

  it('is what programs and other machines have used, without our own processes and without interrupts', () => {
    // user nice system idle iowait irq softirq steal guest guest_nice
    const before = machineTimeIn(stat(100, 10, 50, 500, 5, 7, 8, 20, 3, 0))!
    assert.deepEqual(before, { busy: 180, all: 700 })
    const after = machineTimeIn(stat(140, 10, 60, 530, 5, 9, 18, 28, 3, 0))!
    // 58 of 100 ticks were busy; ours were 40, which is 400 ms.
    assert.ok(Math.abs(shareOfOthers(before, after, 400_000) - 0.18) < 1e-9)
    assert.equal(shareOfOthers(before, after, 900_000), 0)
  })

  it('is nothing where it is not known, or no time has passed', () => {
    const look = machineTimeIn(stat(1, 1, 1, 1, 1, 1, 1, 1))!
    assert.equal(shareOfOthers(undefined, look, 0), 0)
    assert.equal(shareOfOthers(look, look, 0), 0)
    assert.equal(machineTimeIn('intr 1 2 3\n'), undefined)
    assert.equal(machineTimeIn('cpu  1 2 3\n'), undefined)
  })
})
