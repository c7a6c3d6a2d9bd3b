// The accepting end of the model: lets connections in, runs requests, answers, calls back, drains, closes. Mirrors
// src/net/admission.ts and src/net/channel.ts around the product's own counting and decisions (src/wire).

import { goesOn, refusalOfHello } from '../../src/wire/attach.ts'
import {
  Broken,
  type End,
  type Entry,
  type Frame,
  idOf,
  type Known,
  named,
  newEnd,
  numberIn,
  type State,
  sentBy,
  sessionOf,
  store,
  type Wire,
} from './state.ts'
import type { Add, Terms } from './terms.ts'

type Hello = Extract<Frame, { hello: number }>

export class Acceptor {
  readonly #terms: Terms

  constructor(terms: Terms) {
    this.#terms = terms
  }

  steps(state: State, add: Add): void {
    for (const [life, known] of state.known.entries()) this.#knownSteps(state, known, life, add)
    if (state.orphans.length > 0) add('an orphan runs', (s) => this.#runRequest(s, s.orphans.shift()!))
    const isAnyKnown = state.known.some(({ record }) => record !== null)
    if (state.restarts > 0 && isAnyKnown) {
      add('server restarts', (s) => {
        s.restarts--
        s.isExcused = true
        this.#begin(s)
      })
    }
    if (state.drains > 0 && isAnyKnown) add('server drains', (s) => this.#drain(s))
    if (state.isDraining && this.#isQuiet(state)) add('server closes', (s) => this.#begin(s))
  }

  #knownSteps(state: State, known: Known, life: number, add: Add): void {
    const { end, lane } = known
    if (end === null) return
    const wire = this.#wireOf(state, life)
    const isFull = end.log.length >= this.#terms.bounds.log
    if (lane.length > 0 && !(isFull && wire !== undefined)) add('server runs', (s) => this.#run(s, life))
    if (wire === undefined) {
      if (state.expiries > 0) {
        add('session expires', (s) => {
          s.expiries--
          s.isExcused = true
          this.end(s, life)
        })
      }
      return
    }
    if (end.received > end.told && !this.#terms.is('no ACKs'))
      add('server acknowledges', (s) => this.#acknowledge(s.known[life]!.end!, this.#wireOf(s, life)!))
    const back = state.backs.indexOf('new')
    if (back >= 0 && !isFull) {
      add(`call back ${back}`, (s) => {
        s.backs[back] = 'written'
        s.backLife[back] = life
        this.#write(s, life, `back${back}`)
      })
    }
  }

  #wireOf(s: State, life: number): Wire | undefined {
    return s.wires.find((wire) => wire.life === life && wire.isAttached && wire.isServerOpen)
  }

  read(s: State, wire: Wire): void {
    const frame = wire.up.shift()!
    if (typeof frame === 'string') this.#accept(s, wire, frame)
    else if ('hello' in frame) this.#admit(s, wire, frame)
    else if ('ack' in frame) this.#onAck(s, wire, frame)
  }

  /** The server is told that a connection is gone, or ends it. */
  lose(s: State, wire: Wire): void {
    const { life, isAttached } = wire
    wire.isServerOpen = false
    wire.isAttached = false
    wire.hello = null
    wire.up = []
    if (isAttached && s.known[life]!.end?.id === 0) this.end(s, life)
  }

  #admit(s: State, wire: Wire, { hello, session, received }: Hello): void {
    const { life } = wire
    const known = s.known[life]!
    const { record } = known
    const promised = record?.promised ?? 0
    const isForgotten = this.#terms.is('nothing is promised')
    const there = known.end ?? (promised > 0 && !isForgotten ? newEnd(promised) : null)
    const goes = this.#goesOn(there, session, received)
    const seen = record === null ? undefined : { epoch: record.epoch, identity: '' }
    if (refusalOfHello(seen, { attachEpoch: hello }, '') !== undefined && !this.#terms.is('any epoch')) {
      if (this.#terms.is('refused HELLO ends the session')) this.#disconnect(s, life)
      wire.down.push({ reject: 'epoch' })
      return this.lose(s, wire)
    }
    if (s.isDraining && (!goes || this.#terms.is('drain refuses resumes'))) {
      // Whoever asks for a new session has not heard of the one that it was promised.
      if (record !== null) record.promised = 0
      wire.down.push({ reject: 'draining' })
      return this.lose(s, wire)
    }
    // Who has miscounted names a count that can not be.
    if (this.#terms.bounds.slips > 0 && session > 0 && !goes) s.isExcused = true
    if (this.#fences('HELLO')) this.#fence(s, wire)
    if (!goes && this.#terms.is('older session lives on')) s.orphans.push(...known.lane)
    if (!goes) this.end(s, life)
    const id = goes ? there!.id : this.#terms.bounds.sessions ? s.nextSession++ : 0
    known.record = { epoch: Math.max(hello, record?.epoch ?? 0), promised: known.end?.id === id ? 0 : id }
    wire.hello = { session: id, received: goes ? received : 0, resumed: goes }
    wire.down.push({ ok: id, resumed: goes, received: goes ? there!.received : 0 })
    if (this.#terms.is('displaced at HELLO')) this.#displace(s, life)
    if (this.#terms.is('attaches at HELLO')) this.#attach(s, wire)
  }

  #goesOn(there: End | null, session: number, received: number): boolean {
    if (there === null) return false
    const own = this.#terms.is('any session id') ? there.id : session
    const { acknowledged } = there
    const counted = this.#terms.is('any received count')
      ? Math.min(Math.max(received, acknowledged), sentBy(there))
      : received
    return goesOn(named(there), { wantsSession: own > 0, sessionID: idOf(own), receivedFrames: counted })
  }

  /** Whether older connections of the dialler are fenced at this point. */
  #fences(at: 'HELLO' | 'ACK'): boolean {
    if (this.#terms.is('no fence')) return false
    if (this.#terms.is('no fence without sessions') && !this.#terms.bounds.sessions) return false
    return this.#terms.is('fence at the ACK') === (at === 'ACK')
  }

  #fence(s: State, wire: Wire): void {
    for (const other of s.wires) if (other !== wire && other.life === wire.life && other.isAttached) this.lose(s, other)
  }

  #onAck(s: State, wire: Wire, { ack, sent, heard }: Extract<Frame, { ack: number }>): void {
    if (!wire.isAttached) this.#attach(s, wire)
    if (!wire.isAttached) return
    const end = s.known[wire.life]!.end!
    end.arrived = { above: 0, entries: [] }
    const session = sessionOf(end)
    this.#terms.takeAck(session, ack, sent, () => {
      s.isExcused = true
      this.#disconnect(s, wire.life)
    })
    if (heard) wire.isHeard = true
    if (s.known[wire.life]!.end === end) store(end, session)
  }

  #attach(s: State, wire: Wire): void {
    const { hello, life } = wire
    if (hello === null) return
    const known = s.known[life]!
    const isLatest = known.record?.epoch === wire.epoch || this.#terms.is('late ACK attaches')
    const isKnown = hello.resumed && known.end?.id === hello.session
    if (!isLatest || !(isKnown || known.record?.promised === hello.session)) return this.lose(s, wire)
    if (known.record !== null) known.record.promised = 0
    if (this.#fences('ACK')) this.#fence(s, wire)
    if (!this.#terms.is('nobody is displaced')) this.#displace(s, life)
    if (!isKnown) known.end = newEnd(hello.session)
    wire.isAttached = true
    wire.hello = null
    const end = known.end!
    this.#terms.goOn(s, end, hello.received)
    const isAgain = end.lastFrame !== null
    if (s.isDraining) end.lastFrame ??= end.received
    if (end.lastFrame !== null && !(isAgain && this.#terms.is('GOAWAY is said once')))
      wire.down.push({ goaway: end.lastFrame })
    const session = sessionOf(end)
    session.replay({ isWanted: () => true, send: (entry) => void wire.down.push(entry), skip: (entry) => entry }, 1)
    store(end, session)
    end.told = end.received
  }

  /** Another process with the same node id has connected: the later one wins. */
  #displace(s: State, life: number): void {
    s.known.forEach(({ end }, other) => {
      if (other === life || end === null) return
      // An ACK of a process that has ended since may be the later one.
      if (other === s.life && !this.#terms.is('displaced at HELLO')) s.isExcused = true
      this.#disconnect(s, other)
    })
  }

  #accept(s: State, wire: Wire, frame: Entry): void {
    if (!wire.isAttached) throw new Broken(`${frame} before the ACK`)
    const known = s.known[wire.life]!
    const end = known.end!
    const call = numberIn(frame)
    const isRequest = frame.startsWith('req')
    if (!(isRequest && this.#terms.is('counted when it runs'))) end.received++
    if (isRequest && (end.lastFrame === null || this.#terms.is('refused runs'))) known.lane.push(call)
    else if (frame.startsWith('answer') && s.backs[call] === 'written') s.backs[call] = 'ok'
    else if (frame.startsWith('cancel') && known.lane.includes(call)) {
      known.lane = known.lane.filter((each) => each !== call)
      this.#reply(s, wire.life, call)
    }
  }

  /** A frame is lost between the decoder and the count, while another is still to come. */
  slip(s: State, wire: Wire): void {
    wire.up.shift()
    s.slips--
  }

  #run(s: State, life: number): void {
    const known = s.known[life]!
    const call = known.lane.shift()!
    if (this.#terms.is('counted when it runs')) known.end!.received++
    this.#runRequest(s, call)
    this.#reply(s, life, call)
  }

  #runRequest(s: State, call: number): void {
    s.runs[call]!++
    const known = s.known[s.callLife[call]!]!
    if (call < known.lastRun) throw new Broken(`request ${call} runs behind ${known.lastRun}`)
    known.lastRun = call
  }

  #reply(s: State, life: number, call: number): void {
    const end = s.known[life]!.end!
    const isDetached = this.#wireOf(s, life) === undefined
    if (isDetached && this.#terms.is('replies need a connection')) return
    const isFull = end.log.length >= this.#terms.bounds.log
    if (isDetached && isFull && !this.#terms.is('log without bound while detached')) {
      s.isExcused = true
      return this.end(s, life)
    }
    this.#write(s, life, `rep${call}`)
  }

  #write(s: State, life: number, entry: Entry): void {
    const end = s.known[life]!.end!
    const session = sessionOf(end)
    session.write(entry, 1)
    store(end, session)
    this.#wireOf(s, life)?.down.push(entry)
  }

  #acknowledge(end: End, wire: Wire): void {
    end.told = end.received
    wire.down.push({ ack: end.received, sent: sentBy(end), heard: false })
  }

  #disconnect(s: State, life: number): void {
    for (const wire of s.wires) if (wire.life === life && wire.isAttached) this.lose(s, wire)
    this.end(s, life)
  }

  /** A session ends: what waits in its lane does not run, answers are nobody's business. */
  end(s: State, life: number): void {
    const known = s.known[life]!
    known.end = null
    known.lane = []
    if (known.record !== null) known.record.promised = 0
    s.backs = s.backs.map((fate, back) => (fate === 'written' && s.backLife[back] === life ? 'unknown' : fate))
  }

  #drain(s: State): void {
    s.drains--
    s.isDraining = true
    s.known.forEach(({ end }, life) => {
      if (end === null) return
      end.lastFrame = end.received
      this.#wireOf(s, life)?.down.push({ goaway: end.lastFrame })
    })
  }

  /** Whether all that was accepted is done, and everybody who is connected, or will come back, knows. */
  #isQuiet(s: State): boolean {
    if (s.wires.some(({ hello, isServerOpen }) => isServerOpen && hello !== null)) return false
    return s.known.every(({ end, lane, record }, life) => {
      if (end === null) return (record?.promised ?? 0) === 0
      return lane.length === 0 && end.log.length === 0 && this.#wireOf(s, life)?.isHeard === true
    })
  }

  /** Another life of the server's process: nothing is known of before. */
  #begin(s: State): void {
    s.isDraining = false
    s.isRefused = false
    for (const wire of s.wires) this.lose(s, wire)
    s.known.forEach((known, life) => {
      this.end(s, life)
      known.record = null
      known.lastRun = -1
    })
  }
}
