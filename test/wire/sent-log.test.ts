// The log of counted frames, against a twin that is a plain list of numbered frames.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ProtocolViolation } from '../../src/errors.ts'
import { SentLog } from '../../src/wire/sent-log.ts'

/** Keeps every frame that was ever counted, with what has become of it. */
class DumbLog {
  frames: { readonly entry: number | undefined; isTaken: boolean }[] = []
  acknowledged = 0

  get sent(): number {
    return this.frames.length
  }

  add(entry: number | undefined): void {
    this.frames.push({ entry, isTaken: false })
  }

  accepts(received: number): boolean {
    return received >= this.acknowledged && received <= this.frames.length
  }

  acknowledge(received: number): void {
    this.acknowledged = received
  }

  takeAbove(last: number): number[] {
    const taken: number[] = []
    this.frames.forEach((frame, index) => {
      const number = index + 1
      if (frame.entry === undefined || frame.isTaken || number <= this.acknowledged || number <= last) return
      frame.isTaken = true
      taken.push(frame.entry)
    })
    return taken
  }

  reset(): number[] {
    const rest = this.takeAbove(0)
    this.frames = []
    this.acknowledged = 0
    return rest
  }
}

type Step =
  | { readonly type: 'push'; readonly times: number }
  | { readonly type: 'count'; readonly times: number }
  | { readonly type: 'acknowledge'; readonly number: number }
  | { readonly type: 'takeAbove'; readonly number: number }
  | { readonly type: 'reset' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('push', 'count'), times: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('acknowledge', 'takeAbove'), number: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reset') }) },
) as fc.Arbitrary<Step>

test('a log does what its twin does: counting, acknowledgements, frames taken back, new beginnings', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const log = new SentLog<number>()
      const twin = new DumbLog()
      let entry = 0
      for (const each of steps) {
        if (each.type === 'reset') assert.deepEqual(log.reset(), twin.reset())
        else if (each.type === 'takeAbove') assert.deepEqual(log.takeAbove(each.number), twin.takeAbove(each.number))
        else if (each.type === 'acknowledge') {
          if (twin.accepts(each.number)) {
            log.acknowledge(each.number)
            twin.acknowledge(each.number)
          } else {
            assert.throws(() => log.acknowledge(each.number), ProtocolViolation)
          }
        } else {
          for (let times = each.times; times > 0; times--) {
            const pushed = each.type === 'push' ? ++entry : undefined
            twin.add(pushed)
            if (pushed === undefined) log.count()
            else log.push(pushed)
          }
        }
        assert.deepEqual([log.sent, log.acknowledged], [twin.sent, twin.acknowledged])
      }
      assert.deepEqual(log.reset(), twin.reset())
    }),
  )
})

test('an acknowledgement lets go of everything up to its number, and of nothing above it', () => {
  const log = new SentLog<string>()
  log.push('one')
  log.count()
  log.push('three')
  log.acknowledge(2)
  assert.deepEqual([log.sent, log.acknowledged], [3, 2])
  assert.deepEqual(log.takeAbove(0), ['three'])
})

test('an acknowledgement that goes back, or is ahead of what was sent, is a violation and changes nothing', () => {
  const log = new SentLog<string>()
  log.push('one')
  log.push('two')
  log.acknowledge(1)
  for (const number of [0, 3, 2 ** 53 - 1]) assert.throws(() => log.acknowledge(number), ProtocolViolation)
  assert.equal(log.acknowledged, 1)
  log.acknowledge(1)
  log.acknowledge(2)
  assert.deepEqual(log.reset(), [])
})

test('frames that were taken back are still counted', () => {
  const log = new SentLog<string>()
  log.push('one')
  log.push('two')
  assert.deepEqual(log.takeAbove(1), ['two'])
  assert.equal(log.sent, 2)
  log.push('three')
  log.acknowledge(3)
  assert.deepEqual(log.reset(), [])
  assert.deepEqual([log.sent, log.acknowledged], [0, 0])
})
