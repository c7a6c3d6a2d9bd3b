// One side of a session against a twin that is a plain list of numbered frames; and how two ends agree on a session.

import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { ProtocolViolation } from '../../src/errors.ts'
import { goesOn, isResumed, refusalOfHello } from '../../src/wire/attach.ts'
import { FrameRun } from '../../src/wire/frame-run.ts'
import { Session } from '../../src/wire/session.ts'

/** A frame as the twin keeps it. Of a call it is known what stands for it, of others where they lie. */
interface TwinFrame {
  /** Its place among all that were ever made; negative once another frame has its place. */
  id: number
  bytes: number
  isCall: boolean
}

/** Keeps every frame that was ever written, and finds everything by looking through all of them. */
class DumbSession {
  frames: TwinFrame[] = []
  acknowledged = 0
  sent = 0

  get open(): TwinFrame[] {
    return this.frames.slice(this.acknowledged)
  }

  get logBytes(): number {
    return this.open.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

/** Frames of 8 bytes and more, one behind the other, that say their id. */
class Frames {
  readonly #buffer = Buffer.alloc(64 * 1024)
  #end = 0

  make(id: number, bytes: number, isApart: boolean): { buffer: Buffer; start: number; end: number } {
    const start = this.#end + (isApart ? 1 : 0)
    this.#end = start + bytes
    this.#buffer.writeUInt32BE(bytes - 4, start)
    this.#buffer.writeInt32BE(id, start + 4)
    return { buffer: this.#buffer, start, end: this.#end }
  }
}

function idsIn({ buffer, start, end, frames }: FrameRun): number[] {
  const ids: number[] = []
  for (let at = start; at < end; at += 4 + buffer.readUInt32BE(at)) ids.push(buffer.readInt32BE(at + 4))
  assert.equal(ids.length, frames)
  return ids
}

type Step =
  | {
      readonly type: 'write'
      readonly what: 'call' | 'frame' | 'frame apart'
      readonly bytes: number
      readonly isSent: boolean
    }
  | { readonly type: 'acknowledge' | 'above' | 'go on'; readonly number: number }
  | { readonly type: 'send' }
  | { readonly type: 'skip' }

const written = fc.record({
  type: fc.constant('write'),
  what: fc.constantFrom('call', 'frame', 'frame', 'frame', 'frame apart'),
  bytes: fc.integer({ min: 8, max: 500 }),
  isSent: fc.boolean(),
})
const step = fc.oneof(
  { weight: 6, arbitrary: written },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('send', 'send', 'send', 'skip') }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('acknowledge', 'above', 'go on'), number: fc.nat(30) }) },
) as fc.Arbitrary<Step>

test('a session does what its twin does: numbering, sending, acknowledging, looking above a number, sending again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const session = new Session<number>()
      const twin = new DumbSession()
      const frames = new Frames()
      for (const each of steps) {
        if (each.type === 'write') {
          const id = twin.frames.length + 1
          const { what, bytes } = each
          // What is new is sent when nothing else is to be sent before it.
          const isSent = each.isSent && !session.isBehind
          if (what === 'call') session.write(id, bytes, isSent)
          else {
            const { buffer, start, end } = frames.make(id, bytes, what === 'frame apart')
            session.writeFrame(buffer, start, end, isSent)
          }
          twin.frames.push({ id, bytes, isCall: what === 'call' })
          if (isSent) twin.sent++
        } else if (each.type === 'above') {
          const above = twin.frames.slice(Math.max(twin.acknowledged, each.number)).filter(({ isCall }) => isCall)
          assert.deepEqual(
            session.entriesAbove(each.number),
            above.map(({ id }) => id),
          )
        } else if (each.type === 'send' || each.type === 'skip') {
          const first = twin.frames[twin.sent]
          assert.equal(session.isBehind, first !== undefined)
          if (first === undefined) continue
          if (each.type === 'skip' && first.isCall) {
            const { buffer, start, end } = frames.make(-first.id, 16, true)
            session.replaceNext(new FrameRun(buffer, start, end), 16)
            Object.assign(first, { id: -first.id, bytes: 16, isCall: false })
          }
          const { next, nextBytes } = session
          const ids = next instanceof FrameRun ? idsIn(next) : [next]
          const sent = twin.frames.slice(twin.sent, twin.sent + ids.length)
          assert.deepEqual(
            ids,
            sent.map(({ id }) => id),
          )
          assert.equal(
            nextBytes,
            sent.reduce((sum, { bytes }) => sum + bytes, 0),
          )
          session.noteSent()
          twin.sent += ids.length
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
    { numRuns: 1_000 },
  )
})

test('frames that lie one behind the other have one entry, however many', () => {
  const session = new Session<string>()
  const frames = new Frames()
  for (let id = 1; id <= 1_000; id++) {
    const { buffer, start, end } = frames.make(id, 20, false)
    session.writeFrame(buffer, start, end, true)
  }
  session.acknowledge(300)
  session.goOn(400)
  const { next } = session
  assert.ok(next instanceof FrameRun)
  assert.deepEqual(idsIn(next).slice(0, 2), [401, 402])
  assert.deepEqual([next.frames, session.nextBytes, session.logBytes], [600, 12_000, 12_000])
  session.noteSent()
  assert.deepEqual([session.sent, session.isBehind], [1_000, false])
})

/** A session that has sent these frames. */
function sessionOf(entries: Iterable<string>, bytes = 16): Session<string> {
  const session = new Session<string>()
  for (const entry of entries) session.write(entry, bytes, true)
  return session
}

test('an acknowledgement that goes back, or is ahead of what was sent, is a violation and changes nothing', () => {
  const session = sessionOf(['one', 'two'], 20)
  session.write('not sent', 30, false)
  session.acknowledge(1)
  for (const number of [0, 3, 2 ** 53 - 1]) assert.throws(() => session.acknowledge(number), ProtocolViolation)
  assert.throws(() => session.refusedAbove(3), ProtocolViolation)
  assert.deepEqual([session.acknowledged, session.logBytes], [1, 50])
})

test('what a log weighs is the bytes of its frames, or 128 for each when that is more', () => {
  assert.equal(new Session<string>().logWeight, 0)
  const session = sessionOf(['small', 'small'], 20)
  assert.deepEqual([session.logged, session.logWeight], [2, 256])
  session.write('large', 1_000, true)
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
