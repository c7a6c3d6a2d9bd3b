// One side of a session against a twin that is a plain list of numbered frames; and how two ends agree on a session.

import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { ProtocolViolation } from '../../src/errors.ts'
import { goesOn, isResumed, refusalOfHello } from '../../src/wire/attach.ts'
import { Session } from '../../src/wire/session.ts'

/** Keeps every frame that was ever written, and finds everything by looking through all of them. */
class DumbSession {
  frames: { entry: number; bytes: number }[] = []
  acknowledged = 0
  sent = 0

  get open(): { entry: number; bytes: number }[] {
    return this.frames.slice(this.acknowledged)
  }

  get logBytes(): number {
    return this.open.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

type Step =
  | { readonly type: 'write'; readonly bytes: number }
  | { readonly type: 'acknowledge' | 'above' | 'go on'; readonly number: number }
  | { readonly type: 'send' }
  | { readonly type: 'skip' }

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('write'), bytes: fc.integer({ min: 16, max: 5000 }) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom('send', 'send', 'send', 'skip') }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('acknowledge', 'above', 'go on'), number: fc.nat(30) }) },
) as fc.Arbitrary<Step>

test('a session does what its twin does: numbering, sending, acknowledging, looking above a number, sending again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const session = new Session<number>()
      const twin = new DumbSession()
      for (const each of steps) {
        if (each.type === 'write') {
          session.write(twin.frames.length, each.bytes)
          twin.frames.push({ entry: twin.frames.length, bytes: each.bytes })
        } else if (each.type === 'above') {
          const above = twin.frames.slice(Math.max(twin.acknowledged, each.number)).map(({ entry }) => entry)
          assert.deepEqual(session.entriesAbove(each.number), above)
        } else if (each.type === 'send' || each.type === 'skip') {
          const next = twin.frames[twin.sent]
          assert.equal(session.isBehind, next !== undefined)
          if (next === undefined) continue
          assert.equal(session.next, next.entry)
          if (each.type === 'skip') {
            assert.equal(session.replaceNext(-next.entry, 16), next.bytes)
            Object.assign(next, { entry: -next.entry, bytes: 16 })
            assert.equal(session.next, next.entry)
          }
          session.noteSent()
          twin.sent++
        } else if (each.number < twin.acknowledged || each.number > twin.sent) {
          assert.throws(() => session.acknowledge(each.number), ProtocolViolation)
          assert.equal(session.covers(each.number), false)
        } else {
          assert.equal(session.covers(each.number), true)
          if (each.type === 'go on') session.goOn(each.number)
          else session.acknowledge(each.number)
          if (each.type === 'go on') twin.sent = each.number
          twin.acknowledged = each.number
        }
        assert.deepEqual(
          [session.written, session.sent, session.acknowledged, session.logged, session.logBytes],
          [twin.frames.length, twin.sent, twin.acknowledged, twin.open.length, twin.logBytes],
        )
      }
    }),
    { numRuns: 500 },
  )
})

/** A session that has sent these frames. */
function sessionOf(entries: Iterable<string>, bytes = 16): Session<string> {
  const session = new Session<string>()
  for (const entry of entries) {
    session.write(entry, bytes)
    session.noteSent()
  }
  return session
}

test('an acknowledgement that goes back, or is ahead of what was sent, is a violation and changes nothing', () => {
  const session = sessionOf(['one', 'two'], 20)
  session.write('not sent', 30)
  session.acknowledge(1)
  for (const number of [0, 3, 2 ** 53 - 1]) assert.throws(() => session.acknowledge(number), ProtocolViolation)
  assert.throws(() => session.refusedAbove(3), ProtocolViolation)
  assert.deepEqual([session.acknowledged, session.logBytes], [1, 50])
})

test('what a log weighs is the bytes of its frames, or 128 for each when that is more', () => {
  assert.equal(new Session<string>().logWeight, 0)
  const session = sessionOf(['small', 'small'], 20)
  assert.deepEqual([session.logged, session.logWeight], [2, 256])
  session.write('large', 1_000)
  session.noteSent()
  assert.deepEqual([session.logged, session.logWeight], [3, 1_040])
  session.acknowledge(3)
  assert.deepEqual([session.logged, session.logWeight], [0, 0])
})

test('an ACK whose count of sent frames differs from what has arrived is a violation', () => {
  const session = sessionOf(['one'])
  session.accept()
  session.onAck(1, 1)
  assert.equal(session.acknowledged, 1)
  for (const sent of [0, 2]) assert.throws(() => session.onAck(1, sent), ProtocolViolation)
})

test('what was not accepted is named by its numbers, also when it had arrived before the connection began', () => {
  const session = sessionOf('abcdef')
  session.acknowledge(1)
  session.goOn(4)
  assert.equal(session.sent, 4)
  session.noteSent()
  session.noteSent()
  assert.deepEqual(session.entriesAbove(0), ['e', 'f'])
  assert.deepEqual(session.refusedAbove(2), ['c', 'd', 'e', 'f'])
  assert.deepEqual(session.refusedAbove(1), ['b', 'c', 'd', 'e', 'f'])
  assert.deepEqual(session.refusedAbove(5), ['f'])
  assert.equal(session.acknowledged, 5, 'a last frame acknowledges')
  assert.throws(() => session.refusedAbove(7), ProtocolViolation)
  session.onAck(5, 0)
  assert.deepEqual(session.refusedAbove(2), ['f'], 'after an ACK what had arrived was accepted')
})

const ID = Buffer.alloc(16, 1)
const OTHER = Buffer.alloc(16, 2)
const NONE = Buffer.alloc(0)

/** A session of which frames 3 to 5 are not acknowledged. */
function named(id = ID): { id: Buffer; frames: Session<string> } {
  const frames = sessionOf('abcde')
  frames.acknowledge(2)
  return { id, frames }
}

describe('the acceptor', () => {
  it('listens to an epoch that is higher than all before, of the same identity, and to no other', () => {
    const record = { epoch: 7, identity: 'CN=a' }
    assert.equal(refusalOfHello(undefined, { attachEpoch: 1 }, ''), undefined)
    assert.equal(refusalOfHello(record, { attachEpoch: 8 }, 'CN=a'), undefined)
    for (const attachEpoch of [7, 6, 0]) {
      const refusal = refusalOfHello(record, { attachEpoch }, 'CN=a')
      assert.deepEqual([refusal?.code, refusal?.retry], ['aborted', true])
    }
    assert.equal(refusalOfHello(undefined, { attachEpoch: 0 }, '')?.code, 'aborted')
    const stolen = refusalOfHello(record, { attachEpoch: 8 }, 'CN=b')
    assert.deepEqual([stolen?.code, stolen?.retry], ['permission_denied', false])
  })

  it('goes on with a session that is named, with a count that it can have', () => {
    const hello = { wantsSession: true, sessionID: ID, receivedFrames: 3 }
    assert.equal(goesOn(named(), hello), true)
    assert.equal(goesOn(named(), { ...hello, receivedFrames: 2 }), true)
    assert.equal(goesOn(named(), { ...hello, receivedFrames: 5 }), true)
    assert.equal(goesOn(named(), { ...hello, receivedFrames: 1 }), false, 'less than it had acknowledged')
    assert.equal(goesOn(named(), { ...hello, receivedFrames: 6 }), false, 'more than was sent')
    assert.equal(goesOn(named(), { ...hello, sessionID: OTHER }), false)
    assert.equal(goesOn(named(), { ...hello, sessionID: NONE }), false)
    assert.equal(goesOn(named(), { ...hello, wantsSession: false }), false)
    assert.equal(goesOn(named(NONE), { ...hello, sessionID: NONE }), false, 'what has no name ends with its connection')
    assert.equal(goesOn(undefined, hello), false)
  })
})

describe('the dialler', () => {
  it('goes on with what it has asked for, or begins anew with nothing received', () => {
    const helloOk = { resumed: true, sessionID: ID, receivedFrames: 4 }
    assert.equal(isResumed(named(), helloOk), true)
    assert.equal(isResumed(named(), { resumed: false, sessionID: OTHER, receivedFrames: 0 }), false)
    assert.equal(isResumed(undefined, { resumed: false, sessionID: NONE, receivedFrames: 0 }), false)
  })

  it('takes no session that it has not asked for, and no count that can not be', () => {
    const helloOk = { resumed: true, sessionID: ID, receivedFrames: 4 }
    for (const receivedFrames of [0, 1, 6]) {
      assert.throws(() => isResumed(named(), { ...helloOk, receivedFrames }), ProtocolViolation)
    }
    assert.throws(() => isResumed(named(OTHER), helloOk), ProtocolViolation)
    assert.throws(() => isResumed(named(NONE), { ...helloOk, sessionID: NONE }), ProtocolViolation)
    assert.throws(() => isResumed(undefined, helloOk), ProtocolViolation)
    assert.throws(() => isResumed(named(), { ...helloOk, resumed: false }), ProtocolViolation)
  })
})
