// How two ends agree on a session when a connection begins. The acceptor judges HELLO by what it remembers of the dialler;
// the dialler judges HELLO_OK by what it asked for. Pure: who is fenced and what ends is done by the callers, in this order:
//
//   dialler                                   acceptor
//   drop the old connection
//   HELLO (session, epoch, received) ───────► identity and epoch, else REJECT and nothing changes
//                                             fence older connections of the dialler
//                                             end its other sessions
//                                             read the own count
//   drop what the other has  ◄─────────────── HELLO_OK (session, resumed, received)
//   ACK at once ────────────────────────────► drop what the other has; only now may it write
//   send the rest again, then what is new     send the rest again, then what is new

import { type ErrorCode, ProtocolViolation } from '../errors.ts'
import type { Hello, HelloOk } from './control.ts'
import type { Session } from './session.ts'

/** Why a HELLO is refused. `retry`: trying again soon may help. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly retry: boolean
}

/** One side's end of a session, with the id that names it to the other. */
export interface NamedSession {
  readonly id: Buffer
  readonly frames: Session<unknown>
}

/** Whether a HELLO may be listened to at all. When it may not, nothing else changes. */
export function refusalOfHello(
  record: { readonly epoch: number; readonly identity: string } | undefined,
  hello: Pick<Hello, 'attachEpoch'>,
  identity: string,
): Refusal | undefined {
  if (record !== undefined && record.identity !== identity) {
    return { code: 'permission_denied', message: 'this incarnation belongs to another identity', retry: false }
  }
  const highest = record?.epoch ?? 0
  if (hello.attachEpoch > highest) return undefined
  const message = `attach epoch ${hello.attachEpoch} is not above the highest seen, ${highest}`
  return { code: 'aborted', message, retry: true }
}

/** Whether a HELLO goes on with the session that the acceptor has of its dialler. Otherwise that session ends. */
export function goesOn(
  session: NamedSession | undefined,
  hello: Pick<Hello, 'wantsSession' | 'sessionID' | 'receivedFrames'>,
): boolean {
  if (session === undefined || !hello.wantsSession || session.id.length === 0) return false
  return session.id.equals(hello.sessionID) && session.frames.covers(hello.receivedFrames)
}

/** Whether a HELLO_OK goes on with the session that was asked for; false: a new one begins. Throws for what can not be. */
export function isResumed(
  session: NamedSession | undefined,
  helloOk: Pick<HelloOk, 'resumed' | 'sessionID' | 'receivedFrames'>,
): boolean {
  if (!helloOk.resumed) {
    if (helloOk.receivedFrames === 0) return false
    throw new ProtocolViolation(`HELLO_OK begins a session with ${helloOk.receivedFrames} frames received`)
  }
  if (session === undefined || session.id.length === 0 || !session.id.equals(helloOk.sessionID)) {
    throw new ProtocolViolation('HELLO_OK resumes a session that was not asked for')
  }
  const { frames } = session
  if (frames.covers(helloOk.receivedFrames)) return true
  const range = `${frames.acknowledged} to ${frames.sent}`
  throw new ProtocolViolation(`HELLO_OK says that ${helloOk.receivedFrames} frames arrived, outside of ${range}`)
}
