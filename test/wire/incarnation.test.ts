// What an acceptor remembers of one dialling incarnation, through all that can become of it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Asked,
  ended,
  expectedUntil,
  type Holder,
  handshakeEnded,
  holderOf,
  type Incarnation,
  join,
  letIn,
  mayJoin,
  refusalOf,
  refused,
  resumedSession,
} from '../../src/wire/incarnation.ts'
import { Session } from '../../src/wire/session.ts'

const ID = Buffer.alloc(16, 1)
const OTHER = Buffer.alloc(16, 2)
const NONE = Buffer.alloc(0)
const DRAINING = 'the server is shutting down'
const FIRST = { epoch: 1, identity: 'CN=a' }
const SECOND = { epoch: 2, identity: 'CN=a' }
const UNTIL_MS = 30_000

/** A holder of a session in which 2 frames have come and 3 were written. */
function holderWith(id = ID): { session: Holder['session'] } {
  const frames = new Session<string>()
  for (const entry of 'abc') frames.write(entry, 16, true)
  frames.accept()
  frames.accept()
  return { session: { id, frames } }
}

/** A HELLO of epoch 2 for this session, in which nothing has come yet. */
function helloFor(sessionID: Buffer): Asked {
  return { attachEpoch: 2, wantsSession: true, sessionID, receivedFrames: 0 }
}

const promised: Incarnation<Holder> = letIn<Holder>(undefined, FIRST, ID, UNTIL_MS)
const withoutSession: Incarnation<Holder> = letIn<Holder>(undefined, FIRST, NONE, UNTIL_MS)
const gone: Incarnation<Holder> = ended(promised)

describe('somebody who has been told HELLO_OK and not been heard since', () => {
  it('goes on with the session that was promised, of which nothing has come', () => {
    const session = resumedSession(promised, helloFor(ID))
    assert.deepEqual([session?.id, session?.frames.received, session?.frames.sent], [ID, 0, 0])
    assert.equal(resumedSession(promised, helloFor(OTHER)), undefined)
    assert.equal(resumedSession(promised, { ...helloFor(ID), receivedFrames: 1 }), undefined, 'nothing was sent')
    assert.equal(resumedSession(withoutSession, helloFor(NONE)), undefined)
  })

  it('is waited for as long as its session may live, or until its handshake ends', () => {
    assert.equal(expectedUntil(promised), UNTIL_MS)
    assert.equal(expectedUntil(withoutSession), Infinity)
    assert.equal(expectedUntil(join(promised, holderWith())), 0, 'it has come')
    assert.equal(expectedUntil(gone), 0)
  })

  it('joins by the ACK of its latest HELLO, and of no other', () => {
    assert.equal(mayJoin(promised, 1, ID), true)
    assert.equal(mayJoin(promised, 1, OTHER), false)
    assert.equal(mayJoin(withoutSession, 1, NONE), true)
    const again = letIn(promised, SECOND, ID, UNTIL_MS)
    assert.equal(mayJoin(again, 1, ID), false)
    assert.equal(mayJoin(again, 2, ID), true)
    assert.equal(mayJoin(gone, 1, ID), false)
    assert.equal(mayJoin(gone, 1, NONE), false)
  })

  it('is promised what its latest HELLO was answered', () => {
    const anew = letIn(promised, SECOND, OTHER, UNTIL_MS)
    assert.equal(resumedSession(anew, { ...helloFor(ID), attachEpoch: 3 }), undefined)
    assert.notEqual(resumedSession(anew, { ...helloFor(OTHER), attachEpoch: 3 }), undefined)
  })

  it('may come back when it was cut off, but is not waited for when it has left or has nothing to come back for', () => {
    assert.equal(handshakeEnded(promised, 1, false), promised)
    const left = handshakeEnded(promised, 1, true)
    assert.equal(expectedUntil(left), 0)
    assert.equal(resumedSession(left, helloFor(ID))?.id, ID)
    assert.equal(handshakeEnded(withoutSession, 1, false).standing.is, 'gone')
    assert.equal(handshakeEnded(withoutSession, 1, true).standing.is, 'gone')
  })

  it('does not care for the end of an earlier handshake', () => {
    for (const known of [letIn(promised, SECOND, ID, UNTIL_MS), letIn(withoutSession, SECOND, NONE, UNTIL_MS)])
      for (const hasLeft of [true, false]) assert.equal(handshakeEnded(known, 1, hasLeft), known)
  })
})

describe('somebody who has joined', () => {
  const holder = holderWith()
  const joined = join(promised, holder)

  it('goes on with its session, whatever was promised before', () => {
    assert.equal(holderOf(joined), holder)
    assert.equal(resumedSession(joined, helloFor(ID)), holder.session)
    assert.equal(resumedSession(joined, helloFor(OTHER)), undefined)
    assert.equal(resumedSession(joined, { ...helloFor(ID), receivedFrames: 4 }), undefined, '3 were sent')
  })

  it('stays while a HELLO that goes on waits for its ACK, which only the latest may send', () => {
    const again = letIn(joined, SECOND, ID, UNTIL_MS)
    assert.equal(holderOf(again), holder)
    assert.equal(again.epoch, 2)
    assert.equal(expectedUntil(again), 0, 'its session is waited for')
    assert.equal(mayJoin(again, 2, ID), true)
    assert.equal(mayJoin(again, 1, ID), false)
    assert.equal(mayJoin(again, 2, OTHER), false)
    for (const hasLeft of [true, false]) assert.equal(handshakeEnded(again, 2, hasLeft), again)
  })

  it('has nothing any more once its session has ended', () => {
    const left = ended(joined)
    assert.equal(holderOf(left), undefined)
    assert.equal(resumedSession(left, helloFor(ID)), undefined)
    assert.equal(mayJoin(left, 1, ID), false)
    assert.equal(refusalOf(left, { ...helloFor(ID), attachEpoch: 1 }, 'CN=a', undefined)?.code, 'aborted')
    const silent = { session: undefined }
    assert.equal(resumedSession(join(promised, silent), helloFor(ID)), undefined)
    assert.equal(mayJoin(join(promised, silent), 1, ID), false)
  })

  it('is promised another session when it begins anew, and joins that', () => {
    const anew = letIn(joined, SECOND, OTHER, UNTIL_MS)
    assert.equal(holderOf(anew), undefined)
    assert.equal(mayJoin(anew, 2, ID), false)
    assert.equal(mayJoin(anew, 2, OTHER), true)
    const unnamed = letIn(join(withoutSession, holderWith(NONE)), SECOND, NONE, UNTIL_MS)
    assert.equal(unnamed.standing.is, 'promised', 'what has no name ends with its connection')
  })
})

describe('somebody who is refused', () => {
  const codeOf = (known: Incarnation<Holder> | undefined, hello: Asked, identity: string, draining?: string) =>
    refusalOf(known, hello, identity, draining)?.code

  it('says a HELLO of before, or is another, whatever else is asked for', () => {
    const late = { ...helloFor(ID), attachEpoch: 1 }
    for (const draining of [undefined, DRAINING]) {
      assert.equal(codeOf(promised, late, 'CN=a', draining), 'aborted')
      assert.equal(codeOf(promised, helloFor(ID), 'CN=b', draining), 'permission_denied')
    }
    assert.equal(codeOf(promised, helloFor(ID), 'CN=a'), undefined)
    assert.equal(codeOf(undefined, helloFor(NONE), ''), undefined)
  })

  it('asks for a new session while no more begin', () => {
    assert.equal(codeOf(undefined, helloFor(NONE), '', DRAINING), 'unavailable')
    assert.equal(codeOf(gone, helloFor(ID), 'CN=a', DRAINING), 'unavailable')
    assert.equal(codeOf(promised, helloFor(OTHER), 'CN=a', DRAINING), 'unavailable')
    assert.equal(codeOf(promised, helloFor(ID), 'CN=a', DRAINING), undefined)
    assert.equal(codeOf(join(promised, holderWith()), helloFor(ID), 'CN=a', DRAINING), undefined)
    const refusal = refusalOf(undefined, helloFor(NONE), '', DRAINING)
    assert.deepEqual(refusal, { code: 'unavailable', message: DRAINING, retry: true })
  })

  it('has not heard of what it was promised when it asks for a new session, and else loses nothing', () => {
    assert.deepEqual(refused(promised, { code: 'unavailable' }), gone)
    for (const code of ['aborted', 'permission_denied'] as const) assert.equal(refused(promised, { code }), promised)
    const joined = join(promised, holderWith())
    assert.equal(refused(joined, { code: 'unavailable' }), joined)
  })
})
