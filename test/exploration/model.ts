// Two processes with a session between them, small enough to try everything: what the caller wants, what the session has,
// what is on the wires. The counting and the decisions are those of the product (src/wire/session.ts, src/wire/attach.ts);
// the steps around them mirror src/net. Rules can be loosened, to see that this is noticed.

import { goesOn, isResumed, refusalOfHello } from '../../src/wire/attach.ts'
import { Session } from '../../src/wire/session.ts'

/** A counted frame: a request, what stands for one that was withdrawn, a cancellation, or a reply. */
export type Entry = `${'req' | 'rep' | 'cancel'}${number}` | 'skip'

/** What is on a wire. */
type Frame =
  | Entry
  | { readonly hello: number; readonly session: number; readonly received: number }
  | { readonly ok: number; readonly resumed: boolean; readonly received: number }
  | { readonly reject: true }
  | { readonly ack: number; readonly sent: number }

/** A session's end as plain data. `id` 0: none. */
export interface End {
  id: number
  acknowledged: number
  received: number
  log: Entry[]
  /** The highest count of the other side's that it has been told. */
  told: number
}

interface Wire {
  readonly epoch: number
  up: Frame[]
  down: Frame[]
  isCallerOpen: boolean
  isServerOpen: boolean
  /** The server has read HELLO, and waits for the ACK that attaches; what HELLO said. */
  hello: { session: number; received: number } | null
  isAttached: boolean
}

export type Fate = 'new' | 'queued' | 'written' | 'ok' | 'no' | 'unknown' | 'cancelled'

export interface State {
  epoch: number
  calls: Fate[]
  caller: End
  /** The wire that the caller uses, by its place; −1 for none. `isUp`: HELLO_OK has come. */
  wire: number
  isUp: boolean
  wires: Wire[]
  server: End
  record: { epoch: number; promised: number } | null
  lane: number[]
  runs: number[]
  lastRun: number
  nextSession: number
  losses: number
  restarts: number
  cancels: number
  expiries: number
  /** Something has happened that may leave calls unknown. */
  isExcused: boolean
}

/**
 * Rules that can be left out, one at a time. Some are not here, as two correct ends do not miss them: the check of
 * `received_frames` (only a peer that lies gives a wrong one), the withdrawal itself (a cancelled request that is sent
 * again runs, and was said to be unknown), and the emptying of lanes (what runs there late was said to be unknown).
 */
export const loosenings = [
  'no fence',
  'any epoch',
  'late ACK attaches',
  'resend everything',
  'resend nothing',
  'resend in disorder',
  'no SKIP',
  'written moves to the next session',
  'log evicts',
  'new before old',
  'nothing is promised',
  'replies need a connection',
] as const

export type Loosening = (typeof loosenings)[number]

export interface Bounds {
  readonly requests: number
  readonly log: number
  readonly losses: number
  readonly restarts: number
  readonly cancels: number
  readonly expiries: number
}

export class Broken extends Error {}

const NO_END: End = { id: 0, acknowledged: 0, received: 0, log: [], told: 0 }
/** Ids as the product compares them. */
const idOf = (id: number): Buffer => (id === 0 ? Buffer.alloc(0) : Buffer.alloc(16, id))

export function firstState(bounds: Bounds): State {
  return {
    epoch: 0,
    calls: Array.from({ length: bounds.requests }, () => 'new'),
    caller: structuredClone(NO_END),
    wire: -1,
    isUp: false,
    wires: [],
    server: structuredClone(NO_END),
    record: null,
    lane: [],
    runs: Array.from({ length: bounds.requests }, () => 0),
    lastRun: -1,
    nextSession: 1,
    losses: bounds.losses,
    restarts: bounds.restarts,
    cancels: bounds.cancels,
    expiries: bounds.expiries,
    isExcused: false,
  }
}

/** The product's session in the state of an end. */
function sessionOf(end: End): Session<Entry> {
  const session = new Session<Entry>()
  session.sent = end.acknowledged
  session.acknowledged = end.acknowledged
  session.received = end.received
  for (const entry of end.log) session.write(entry, 1)
  return session
}

function store(end: End, session: Session<Entry>): void {
  end.acknowledged = session.acknowledged
  end.received = session.received
  end.log = session.entriesAbove(0)
}

function named(end: End): { id: Buffer; frames: Session<unknown> } | undefined {
  return end.id === 0 ? undefined : { id: idOf(end.id), frames: sessionOf(end) }
}

/** One step that can be taken, by its name, on a copy of the state. */
export interface Step {
  readonly name: string
  take(state: State): void
}

export class Machine {
  readonly #bounds: Bounds
  readonly #loose: Loosening | undefined

  constructor(bounds: Bounds, loose?: Loosening) {
    this.#bounds = bounds
    this.#loose = loose
  }

  /** Everything that can happen next. */
  steps(state: State): Step[] {
    const steps: Step[] = []
    const add = (name: string, take: (state: State) => void): void => void steps.push({ name, take })
    const next = state.calls.indexOf('new')
    if (next >= 0)
      add(`call ${next}`, (s) => {
        s.calls[next] = 'queued'
      })
    if (state.wire < 0) add('dial', (s) => this.#dial(s))
    if (state.isUp) this.#callerSteps(state, add)
    for (const [index, wire] of state.wires.entries()) this.#wireSteps(state, wire, index, add)
    if (state.lane.length > 0) add('run', (s) => this.#run(s))
    if (state.cancels > 0) {
      state.calls.forEach((fate, call) => {
        if (fate === 'queued' || fate === 'written') add(`cancel ${call}`, (s) => this.#cancel(s, call))
      })
    }
    if (state.restarts > 0 && state.record !== null) add('server restarts', (s) => this.#restart(s))
    const isDetached = !state.wires.some(({ isAttached, isServerOpen }) => isAttached && isServerOpen)
    if (state.expiries > 0 && isDetached && state.server.id > 0) {
      add('session expires', (s) => {
        s.expiries--
        s.isExcused = true
        this.#endAtServer(s)
      })
    }
    return steps
  }

  /** What must be true everywhere. */
  check(state: State): void {
    state.runs.forEach((runs, call) => {
      const fate = state.calls[call]!
      if (runs > 1) throw new Broken(`request ${call} has run ${runs} times`)
      if (fate === 'ok' && runs !== 1) throw new Broken(`request ${call} was answered and has run ${runs} times`)
      if (fate === 'no' && runs > 0) throw new Broken(`request ${call} was said not to run, and has`)
      if (fate === 'unknown' && !state.isExcused) throw new Broken(`request ${call} is unknown for no reason`)
    })
    const attached = state.wires.filter(({ isAttached, isServerOpen }) => isAttached && isServerOpen)
    if (attached.length > 1) throw new Broken('two connections are attached')
    const { caller, server } = state
    if (caller.id === 0 || caller.id !== server.id) return
    for (const [one, other] of [
      [caller, server],
      [server, caller],
    ] as const) {
      const sent = one.acknowledged + one.log.length
      if (one.acknowledged > other.received || other.received > sent)
        throw new Broken(`${one.acknowledged} acknowledged, ${other.received} received, ${sent} sent`)
    }
  }

  /** What must be true where nothing more can happen. */
  checkEnd(state: State): void {
    state.calls.forEach((fate, call) => {
      if (fate === 'queued' || fate === 'written') throw new Broken(`request ${call} stays ${fate} for ever`)
    })
  }

  #is(loosening: Loosening): boolean {
    return this.#loose === loosening
  }

  #dial(s: State): void {
    s.epoch++
    const hello: Frame = { hello: s.epoch, session: s.caller.id, received: s.caller.received }
    s.wires.push({
      epoch: s.epoch,
      up: [hello],
      down: [],
      isCallerOpen: true,
      isServerOpen: true,
      hello: null,
      isAttached: false,
    })
    s.wire = s.wires.length - 1
    s.isUp = false
  }

  #callerSteps(state: State, add: (name: string, take: (state: State) => void) => void): void {
    const call = state.calls.indexOf('queued')
    if (call >= 0 && (state.caller.log.length < this.#bounds.log || this.#is('log evicts'))) {
      add(`write ${call}`, (s) => {
        s.calls[call] = 'written'
        this.#write(s.caller, `req${call}`, s.wires[s.wire]!.up)
      })
    }
    if (state.caller.received > state.caller.told)
      add('caller acknowledges', (s) => this.#acknowledge(s.caller, s.wires[s.wire]!.up))
  }

  #wireSteps(state: State, wire: Wire, index: number, add: (name: string, take: (state: State) => void) => void): void {
    const isUsed = index === state.wire
    if (wire.isServerOpen && wire.up.length > 0)
      add(`server reads ${text(wire.up[0]!)} on ${index}`, (s) => this.#serverReads(s, s.wires[index]!))
    if (wire.isCallerOpen && isUsed && wire.down.length > 0)
      add(`caller reads ${text(wire.down[0]!)}`, (s) => this.#callerReads(s, s.wires[index]!))
    if (wire.isCallerOpen && (state.losses > 0 || !wire.isServerOpen)) {
      add(`caller loses ${index}`, (s) => {
        if (s.wires[index]!.isServerOpen) s.losses--
        closeCaller(s, index)
      })
    }
    // Whoever is left alone notices in the end, by its heartbeat. What was on its way may have arrived before.
    if (wire.isServerOpen && !wire.isCallerOpen) add(`server loses ${index}`, (s) => closeServer(s.wires[index]!))
    if (wire.isServerOpen && wire.isCallerOpen && state.losses > 0) {
      add(`server alone loses ${index}`, (s) => {
        s.losses--
        closeServer(s.wires[index]!)
      })
    }
    const { server } = state
    if (wire.isAttached && wire.isServerOpen && server.received > server.told)
      add('server acknowledges', (s) => this.#acknowledge(s.server, s.wires[index]!.down))
  }

  #serverReads(s: State, wire: Wire): void {
    const frame = wire.up.shift()!
    if (typeof frame === 'string') this.#serverAccepts(s, wire, frame)
    else if ('hello' in frame) this.#admit(s, wire, frame)
    else if ('ack' in frame) this.#serverAck(s, wire, frame)
  }

  #admit(s: State, wire: Wire, { hello, session, received }: Extract<Frame, { hello: number }>): void {
    const record =
      s.record === null ? undefined : { epoch: s.record.epoch, identity: '', promised: idOf(s.record.promised) }
    const refusal = refusalOfHello(record, { attachEpoch: hello }, '')
    if (refusal !== undefined && !this.#is('any epoch')) {
      wire.down.push({ reject: true })
      return
    }
    if (!this.#is('no fence')) for (const other of s.wires) if (other !== wire && other.isAttached) closeServer(other)
    const promised = s.record?.promised ?? 0
    const known =
      s.server.id > 0
        ? s.server
        : promised > 0 && !this.#is('nothing is promised')
          ? { ...NO_END, id: promised }
          : NO_END
    const said = { wantsSession: true, sessionID: idOf(session), receivedFrames: received }
    const goes = goesOn(named(known), said)
    if (!goes) this.#endAtServer(s)
    const id = goes ? known.id : s.nextSession++
    s.record = { epoch: Math.max(hello, s.record?.epoch ?? 0), promised: s.server.id === id ? 0 : id }
    wire.hello = { session: id, received: goes ? received : 0 }
    wire.down.push({ ok: id, resumed: goes, received: goes ? known.received : 0 })
  }

  #serverAck(s: State, wire: Wire, { ack, sent }: Extract<Frame, { ack: number }>): void {
    if (wire.isAttached) {
      const session = sessionOf(s.server)
      if (sent !== session.received)
        throw new Broken(`the caller counts ${sent} frames, the server ${session.received}`)
      session.acknowledge(ack)
      return store(s.server, session)
    }
    const { hello } = wire
    if (hello === null) return
    const isLatest = s.record?.epoch === wire.epoch
    const isThere = s.server.id === hello.session || s.record?.promised === hello.session
    if (!isThere || !(isLatest || this.#is('late ACK attaches'))) return closeServer(wire)
    if (s.server.id !== hello.session) s.server = { ...structuredClone(NO_END), id: hello.session }
    if (s.record !== null) s.record.promised = 0
    wire.isAttached = true
    wire.hello = null
    const session = sessionOf(s.server)
    session.acknowledge(hello.received)
    session.replay((entry) => {
      wire.down.push(entry)
      return entry
    }, 1)
    store(s.server, session)
    s.server.told = s.server.received
  }

  #serverAccepts(s: State, wire: Wire, frame: Entry): void {
    if (!wire.isAttached) throw new Broken(`${frame} before the ACK`)
    s.server.received++
    const call = numberIn(frame)
    if (frame.startsWith('req')) s.lane.push(call)
    else if (frame.startsWith('cancel') && s.lane.includes(call)) {
      s.lane = s.lane.filter((each) => each !== call)
      this.#reply(s, call)
    }
  }

  #run(s: State): void {
    const call = s.lane.shift()!
    s.runs[call]!++
    if (call < s.lastRun) throw new Broken(`request ${call} runs behind ${s.lastRun}`)
    s.lastRun = call
    this.#reply(s, call)
  }

  #reply(s: State, call: number): void {
    if (s.server.id === 0) return
    const wire = s.wires.find(({ isAttached, isServerOpen }) => isAttached && isServerOpen)
    if (wire === undefined && this.#is('replies need a connection')) return
    this.#write(s.server, `rep${call}`, wire?.down)
  }

  #callerReads(s: State, wire: Wire): void {
    const frame = wire.down.shift()!
    if (typeof frame === 'string') {
      s.caller.received++
      const call = numberIn(frame)
      if (s.calls[call] === 'written') s.calls[call] = s.runs[call]! > 0 ? 'ok' : 'no'
    } else if ('reject' in frame) closeCaller(s, s.wire)
    else if ('ok' in frame) this.#attach(s, wire, frame)
    else if ('ack' in frame) {
      const session = sessionOf(s.caller)
      if (frame.sent !== session.received)
        throw new Broken(`the server counts ${frame.sent} frames, the caller ${session.received}`)
      session.acknowledge(frame.ack)
      store(s.caller, session)
    }
  }

  #attach(s: State, wire: Wire, { ok, resumed, received }: Extract<Frame, { ok: number }>): void {
    const said = { resumed, sessionID: idOf(ok), receivedFrames: received }
    const goes = isResumed(named(s.caller), said)
    if (!goes) {
      s.calls = s.calls.map((fate) =>
        fate === 'written' ? (this.#is('written moves to the next session') ? 'queued' : 'unknown') : fate,
      )
      s.caller = { ...structuredClone(NO_END), id: ok }
    }
    s.isUp = true
    wire.up.push({ ack: s.caller.received, sent: received })
    s.caller.told = s.caller.received
    if (this.#is('new before old')) this.#writeAll(s, wire)
    const session = sessionOf(s.caller)
    if (!this.#is('resend everything')) session.acknowledge(Math.min(received, session.sent))
    const entries = session.entriesAbove(0)
    if (this.#is('resend in disorder') && entries.length > 1) wire.up.push(...[...entries].reverse())
    else if (!this.#is('resend nothing')) session.replay((entry) => this.#sendAgain(s, wire, entry), 1)
    store(s.caller, session)
  }

  #sendAgain(s: State, wire: Wire, entry: Entry): Entry {
    const isWanted = !entry.startsWith('req') || s.calls[numberIn(entry)] === 'written'
    if (isWanted) {
      wire.up.push(entry)
      return entry
    }
    if (!this.#is('no SKIP')) wire.up.push('skip')
    return 'skip'
  }

  #writeAll(s: State, wire: Wire): void {
    s.calls.forEach((fate, call) => {
      if (fate !== 'queued' || s.caller.log.length >= this.#bounds.log) return
      s.calls[call] = 'written'
      this.#write(s.caller, `req${call}`, wire.up)
    })
  }

  #write(end: End, entry: Entry, to: Frame[] | undefined): void {
    const session = sessionOf(end)
    if (this.#is('log evicts') && end.log.length >= this.#bounds.log) session.acknowledge(session.acknowledged + 1)
    session.write(entry, 1)
    store(end, session)
    to?.push(entry)
  }

  #acknowledge(end: End, to: Frame[]): void {
    end.told = end.received
    to.push({ ack: end.received, sent: end.acknowledged + end.log.length })
  }

  #cancel(s: State, call: number): void {
    s.cancels--
    const wasWritten = s.calls[call] === 'written'
    s.calls[call] = wasWritten ? 'cancelled' : 'no'
    if (wasWritten && s.caller.id > 0) this.#write(s.caller, `cancel${call}`, s.isUp ? s.wires[s.wire]!.up : undefined)
  }

  #endAtServer(s: State): void {
    s.server = structuredClone(NO_END)
    s.lane = []
    if (s.record !== null) s.record.promised = 0
  }

  #restart(s: State): void {
    s.restarts--
    s.isExcused = true
    this.#endAtServer(s)
    s.lane = []
    s.lastRun = -1
    s.record = null
    for (const wire of s.wires) closeServer(wire)
  }
}

function closeCaller(s: State, index: number): void {
  const wire = s.wires[index]!
  wire.isCallerOpen = false
  wire.down = []
  if (s.wire !== index) return
  s.wire = -1
  s.isUp = false
}

function closeServer(wire: Wire): void {
  wire.isServerOpen = false
  wire.isAttached = false
  wire.hello = null
  wire.up = []
}

function numberIn(entry: Entry): number {
  return Number(entry.replace(/^\D+/, ''))
}

function text(frame: Frame): string {
  return typeof frame === 'string' ? frame : JSON.stringify(frame)
}
