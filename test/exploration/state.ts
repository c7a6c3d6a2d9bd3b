// What a small world consists of, as plain data: what the callers want, both ends of sessions, what is on the wires.

import type { NamedSession } from '../../src/wire/attach.ts'
import type { Holder, Incarnation, Standing } from '../../src/wire/incarnation.ts'
import { Session } from '../../src/wire/session.ts'

/**
 * A counted frame: a request, its reply, what stands for a request that was withdrawn, a cancellation; a request of the
 * server to the caller (`back`), and the reply to that.
 */
export type Entry = `${'req' | 'rep' | 'cancel' | 'back' | 'answer'}${number}` | 'skip'

/** What is on a wire. */
export type Frame =
  | Entry
  | { readonly hello: number; readonly session: number; readonly received: number }
  | { readonly ok: number; readonly resumed: boolean; readonly received: number }
  | { readonly reject: 'epoch' | 'draining' }
  /** `heard`: it was sent behind a GOAWAY that has come. */
  | { readonly ack: number; readonly sent: number; readonly heard: boolean }
  | { readonly goaway: number }

/** A session's end as plain data. `id` 0: it ends with its connection. */
export interface End {
  readonly id: number
  acknowledged: number
  /** How many have been sent: of the log, what is behind is to be sent over the wire of the moment. */
  sent: number
  received: number
  log: Entry[]
  /** The highest count of the other side's that it has been told. */
  told: number
  /** What had arrived over the last connection, from the frame behind number `above` on. */
  arrived: { above: number; entries: Entry[] }
  /** At the caller: GOAWAY has come. At the server: the last frame that it has accepted, once it drains. */
  lastFrame: number | null
}

export interface Wire {
  /** Which life of the caller has dialled. */
  readonly life: number
  readonly epoch: number
  /** The session that its HELLO has named. */
  readonly asked: number
  up: Frame[]
  down: Frame[]
  isCallerOpen: boolean
  isServerOpen: boolean
  /** The server has read HELLO, and waits for the ACK that attaches; what was agreed on. */
  hello: { session: number; received: number; resumed: boolean } | null
  isAttached: boolean
  /** The caller has heard on this wire that the server drains. */
  isHeard: boolean
}

/** `dead`: its caller's process has ended, and nobody is told. */
export type Fate = 'new' | 'queued' | 'written' | 'ok' | 'no' | 'unknown' | 'cancelled' | 'dead'

/** What the server has of one life of the caller. */
export interface Known {
  end: End | null
  lane: number[]
  /** `promised`: the session that HELLO_OK has named and of which nothing has come; null for none. */
  record: { epoch: number; promised: number | null } | null
  lastRun: number
}

/** What may still go wrong or be asked for. */
export interface Budget {
  losses: number
  /** The server is killed; the caller's process is killed. Both are started again. */
  restarts: number
  callerRestarts: number
  cancels: number
  /** A session's time is over, at either end. */
  expiries: number
  /** The server drains, closes and is started again. */
  drains: number
  /** One end miscounts. */
  slips: number
}

export interface State extends Budget {
  life: number
  epoch: number
  /** The server has refused a new session, as it drains: the caller comes back when it has gone. */
  isRefused: boolean
  calls: Fate[]
  /** Which life of the caller has made each. */
  callLife: number[]
  queue: number[]
  caller: End | null
  /** Requests of the server that wait for the caller's handler. */
  backLane: number[]
  /** The wire that the caller uses, by its place; −1 for none. `isUp`: HELLO_OK has come. */
  wire: number
  isUp: boolean
  wires: Wire[]
  known: Known[]
  isDraining: boolean
  /** Requests of sessions that have ended and that run nevertheless. */
  orphans: number[]
  runs: number[]
  backs: Fate[]
  backLife: number[]
  backRuns: number[]
  nextSession: number
  /** Something has happened that may leave calls unknown. */
  isExcused: boolean
}

export interface Bounds extends Readonly<Budget> {
  readonly requests: number
  readonly backs: number
  readonly log: number
  readonly sessions: boolean
}

/** A promise that was not kept. */
export class Broken extends Error {}

export function newEnd(id: number): End {
  return {
    id,
    acknowledged: 0,
    sent: 0,
    received: 0,
    log: [],
    told: 0,
    arrived: { above: 0, entries: [] },
    lastFrame: null,
  }
}

function newKnown(): Known {
  return { end: null, lane: [], record: null, lastRun: -1 }
}

export function firstState({ requests, backs, log: _log, sessions: _sessions, ...budget }: Bounds): State {
  const fates = (count: number): Fate[] => Array.from({ length: count }, () => 'new')
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)
  return {
    life: 0,
    epoch: 0,
    isRefused: false,
    calls: fates(requests),
    callLife: zeros(requests),
    queue: [],
    caller: null,
    backLane: [],
    wire: -1,
    isUp: false,
    wires: [],
    known: Array.from({ length: budget.callerRestarts + 1 }, newKnown),
    isDraining: false,
    orphans: [],
    runs: zeros(requests),
    backs: fates(backs),
    backLife: zeros(backs),
    backRuns: zeros(backs),
    nextSession: 1,
    isExcused: false,
    ...budget,
  }
}

/** Ids as the product compares them. */
export function idOf(id: number): Buffer {
  return id === 0 ? Buffer.alloc(0) : Buffer.alloc(16, id)
}

export function numberOf(id: Buffer): number {
  return id[0] ?? 0
}

/** The product's session in the state of an end. */
export function sessionOf(end: End): Session<Entry> {
  const session = new Session<Entry>()
  const { above, entries } = end.arrived
  session.written = entries.length > 0 ? above : end.acknowledged
  session.acknowledged = session.written
  session.sent = session.written
  for (const entry of [...entries, ...end.log]) session.write(entry, 1, true)
  session.goOn(end.acknowledged)
  while (session.sent < end.sent) session.noteSent()
  session.received = end.received
  return session
}

/** Takes over what a session has become. */
export function store(end: End, session: Session<Entry>): void {
  end.acknowledged = session.acknowledged
  end.sent = session.sent
  end.received = session.received
  end.log = session.entriesAbove(0)
}

/** An end as the holder of the product's session. */
export class EndHolder implements Holder {
  readonly #end: End

  constructor(end: End) {
    this.#end = end
  }

  get session(): NamedSession | undefined {
    return named(this.#end)
  }
}

/** Time stands still at 0: whoever may come back is waited for. */
export const LATER_MS = 1

/** The product's record of a life of the caller, in the state of what the server has of it. */
export function incarnationOf({ end, record }: Known): Incarnation<Holder> | undefined {
  if (record === null) return undefined
  return { epoch: record.epoch, identity: '', standing: standingOf(end, record.promised) }
}

function standingOf(end: End | null, promised: number | null): Standing<Holder> {
  if (promised !== null) return { is: 'promised', sessionID: idOf(promised), untilMs: LATER_MS }
  return end === null ? { is: 'gone' } : { is: 'joined', holder: new EndHolder(end) }
}

/** Takes over what the record has become. Its holder is the end that there is. */
export function remember(known: Known, { epoch, standing }: Incarnation<Holder>): void {
  known.record = { epoch, promised: standing.is === 'promised' ? numberOf(standing.sessionID) : null }
}

export function named(end: End | null): NamedSession | undefined {
  return end === null ? undefined : { id: idOf(end.id), frames: sessionOf(end) }
}

export function writtenBy(end: End): number {
  return end.acknowledged + end.log.length
}

export function numberIn(entry: Entry): number {
  return Number(entry.replace(/^\D+/, ''))
}
