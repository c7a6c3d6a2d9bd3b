// What an acceptor has of one dialling incarnation, as data, and what becomes of it. Who is fenced, told or ended meanwhile is
// done by the callers, in the order that attach.ts draws.
//
//             letIn: a new session            join
//   unknown ────────────────────► promised ─────────► joined
//      gone                       │  ▲  │             │ │  ▲  letIn: the session goes on
//       ▲ ▲   handshakeEnded,     │  └──┘ letIn       │ └──┘
//       │ └────────── refused ────┘                   │
//       └──────────────────── ended ──────────────────┘
//
// Whether one that has joined has a connection is its session's own affair.

import { goesOn, type NamedSession, type Refusal, refusalOfHello } from './attach.ts'
import type { Hello } from './control.ts'
import { Session } from './session.ts'

/** Whoever has the session of an incarnation that has joined; undefined once it has ended. */
export interface Holder {
  readonly session: NamedSession | undefined
}

export type Standing<H extends Holder> =
  /** Nothing is to be gone on with. */
  | { readonly is: 'gone' }
  /**
   * HELLO_OK has named a session, empty for none, and nothing has come since. It may have sent requests already, and if it
   * was cut off, it may come back: it is waited for until `untilMs`, on the caller's clock; 0 for not at all.
   */
  | { readonly is: 'promised'; readonly sessionID: Buffer; readonly untilMs: number }
  /** It has a session, with a connection or waiting for the next. */
  | { readonly is: 'joined'; readonly holder: H }

export interface Incarnation<H extends Holder> {
  /** The highest epoch it was let in with. */
  readonly epoch: number
  /** Who it is by its certificate; empty without one. */
  readonly identity: string
  readonly standing: Standing<H>
}

/** What HELLO says of the session that it asks for. */
export type Asked = Pick<Hello, 'attachEpoch' | 'wantsSession' | 'sessionID' | 'receivedFrames'>

/**
 * The session that HELLO goes on with; undefined when a new one begins. One that was promised exists for its dialler at the
 * latest: when the dialler's first ACK was lost, it is gone on with like any other.
 */
export function resumedSession(known: Incarnation<Holder> | undefined, hello: Asked): NamedSession | undefined {
  const session = sessionOf(known)
  return goesOn(session, hello) ? session : undefined
}

/**
 * Why HELLO is not let in. `draining`: why no new session begins, when none does any more; the code of that is `unavailable`,
 * and of nothing else.
 */
export function refusalOf(
  known: Incarnation<Holder> | undefined,
  hello: Asked,
  identity: string,
  draining: string | undefined,
): Refusal | undefined {
  const refusal = refusalOfHello(known, hello, identity)
  if (refusal !== undefined || draining === undefined || resumedSession(known, hello) !== undefined) return refusal
  return { code: 'unavailable', message: draining, retry: true }
}

/** HELLO was refused. Whoever may begin no new session has not heard of the one that it was promised; else nothing changes. */
export function refused<H extends Holder>(known: Incarnation<H>, { code }: Pick<Refusal, 'code'>): Incarnation<H> {
  return code === 'unavailable' && known.standing.is === 'promised' ? ended(known) : known
}

/** HELLO is let in: HELLO_OK names this session, empty for none. A session lets its dialler come back until `untilMs`. */
export function letIn<H extends Holder>(
  known: Incarnation<H> | undefined,
  { epoch, identity }: Pick<Incarnation<H>, 'epoch' | 'identity'>,
  sessionID: Buffer,
  untilMs: number,
): Incarnation<H> {
  const isNamed = sessionID.length > 0
  const isThere = isNamed && holderOf(known)?.session?.id.equals(sessionID) === true
  if (isThere) return { ...known!, epoch }
  return { epoch, identity, standing: { is: 'promised', sessionID, untilMs: isNamed ? untilMs : Infinity } }
}

/**
 * Whether the ACK behind the HELLO_OK for `epoch`, which has named this session, makes its connection count: not when a later
 * HELLO was let in meanwhile, nor when the session has ended.
 */
export function mayJoin(known: Incarnation<Holder>, epoch: number, sessionID: Buffer): boolean {
  return known.epoch === epoch && sessionOf(known)?.id.equals(sessionID) === true
}

/** It has joined: its session is this one's. */
export function join<H extends Holder>(known: Incarnation<H>, holder: H): Incarnation<H> {
  return { ...known, standing: { is: 'joined', holder } }
}

/** Its session has ended, or what it was promised will not come to be. */
export function ended<H extends Holder>(known: Incarnation<H>): Incarnation<H> {
  return { ...known, standing: { is: 'gone' } }
}

/**
 * A handshake has ended behind the HELLO_OK for `epoch`, without an ACK. Whoever was promised a session may come back for it,
 * but is not waited for when it `hasLeft` by its own word.
 */
export function handshakeEnded<H extends Holder>(
  known: Incarnation<H>,
  epoch: number,
  hasLeft: boolean,
): Incarnation<H> {
  const { standing } = known
  if (known.epoch !== epoch || standing.is !== 'promised') return known
  if (standing.sessionID.length === 0) return ended(known)
  return hasLeft ? { ...known, standing: { ...standing, untilMs: 0 } } : known
}

/** Until when somebody is waited for who has not been heard since HELLO_OK; Infinity: until its handshake ends; 0: is not. */
export function expectedUntil({ standing }: Incarnation<Holder>): number {
  return standing.is === 'promised' ? standing.untilMs : 0
}

/** Who has its session; undefined unless it has joined. */
export function holderOf<H extends Holder>(known: Incarnation<H> | undefined): H | undefined {
  return known?.standing.is === 'joined' ? known.standing.holder : undefined
}

function sessionOf(known: Incarnation<Holder> | undefined): NamedSession | undefined {
  if (known?.standing.is === 'promised') return { id: known.standing.sessionID, frames: new Session() }
  return holderOf(known)?.session
}
