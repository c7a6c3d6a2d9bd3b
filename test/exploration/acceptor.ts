// The accepting end of the model: lets connections in, runs requests, answers, calls back, drains, closes. Who is let in, what
// it attaches to and who is waited for is decided by the product (src/wire/incarnation.ts), as is the counting; the steps
// around that mirror src/net/admission.ts and src/net/channel.ts.

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
import {
  Broken,
  type End,
  EndHolder,
  type Entry,
  type Frame,
  idOf,
  incarnationOf,
  type Known,
  LATER_MS,
  newEnd,
  numberIn,
  numberOf,
  remember,
  type State,
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
    if (this.#terms.isBehind(end))
      add('server sends again', (s) => this.#terms.sendNext(s.known[life]!.end!, this.#wireOf(s, life)!.down, true))
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
    const { life, isAttached, hello } = wire
    const known = incarnationOf(s.known[life]!)
    if (hello !== null && known !== undefined) remember(s.known[life]!, handshakeEnded(known, wire.epoch, false))
    wire.isServerOpen = false
    wire.isAttached = false
    wire.hello = null
    wire.up = []
    if (isAttached && s.known[life]!.end?.id === 0) this.end(s, life)
  }

  #admit(s: State, wire: Wire, hello: Hello): void {
    const { life } = wire
    const known = s.known[life]!
    const asked = this.#asked(known, hello)
    if (this.#refuses(s, wire, asked)) return this.lose(s, wire)
    if (this.#fences('HELLO')) this.#fence(s, wire)
    const resumed = resumedSession(this.#seen(known), asked)
    const goes = resumed !== undefined
    // Who has miscounted names a count that can not be.
    if (this.#terms.bounds.slips > 0 && hello.session > 0 && !goes) s.isExcused = true
    if (!goes && this.#terms.is('older session lives on')) s.orphans.push(...known.lane)
    if (!goes) this.end(s, life)
    const id = resumed?.id ?? idOf(this.#terms.bounds.sessions ? s.nextSession++ : 0)
    const epoch = Math.max(hello.hello, known.record?.epoch ?? 0)
    remember(known, letIn(incarnationOf(known), { epoch, identity: '' }, id, LATER_MS))
    wire.hello = { session: numberOf(id), received: goes ? hello.received : 0, resumed: goes }
    wire.down.push({ ok: numberOf(id), resumed: goes, received: resumed?.frames.received ?? 0 })
    if (this.#terms.is('displaced at HELLO')) this.#displace(s, life)
    if (this.#terms.is('attaches at HELLO')) this.#attach(s, wire)
  }

  /** What HELLO asks for, as it is read where a rule is left out. */
  #asked(known: Known, { hello, session, received }: Hello): Asked {
    const there = known.end ?? newEnd(known.record?.promised ?? 0)
    const own = this.#terms.is('any session id') ? there.id : session
    const receivedFrames = this.#terms.is('any received count')
      ? Math.min(Math.max(received, there.acknowledged), there.sent)
      : received
    return { attachEpoch: hello, wantsSession: own > 0, sessionID: idOf(own), receivedFrames }
  }

  /** What the server has of a dialler, as it is read where a rule is left out. */
  #seen(known: Known): Incarnation<Holder> | undefined {
    const seen = incarnationOf(known)
    if (seen?.standing.is === 'promised' && this.#terms.is('nothing is promised')) return ended(seen)
    return seen !== undefined && this.#terms.is('any epoch') ? { ...seen, epoch: 0 } : seen
  }

  #refuses(s: State, wire: Wire, asked: Asked): boolean {
    const known = s.known[wire.life]!
    const wantsSession = asked.wantsSession && !(s.isDraining && this.#terms.is('drain refuses resumes'))
    const draining = s.isDraining ? 'draining' : undefined
    const refusal = refusalOf(this.#seen(known), { ...asked, wantsSession }, '', draining)
    if (refusal === undefined) return false
    const isLate = refusal.code === 'aborted'
    if (isLate && this.#terms.is('refused HELLO ends the session')) this.#disconnect(s, wire.life)
    const there = incarnationOf(known)
    if (there !== undefined && !this.#terms.is('refused are waited for')) remember(known, refused(there, refusal))
    wire.down.push({ reject: isLate ? 'epoch' : 'draining' })
    return true
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
    const seen = incarnationOf(known)
    const epoch = this.#terms.is('late ACK attaches') ? (seen?.epoch ?? 0) : wire.epoch
    if (seen === undefined || !mayJoin(seen, epoch, idOf(hello.session))) return this.lose(s, wire)
    if (this.#fences('ACK')) this.#fence(s, wire)
    if (!this.#terms.is('nobody is displaced')) this.#displace(s, life)
    if (holderOf(seen) === undefined) known.end = newEnd(hello.session)
    remember(known, join(seen, new EndHolder(known.end!)))
    wire.isAttached = true
    wire.hello = null
    const end = known.end!
    this.#terms.goOn(s, end, hello.received)
    const isAgain = end.lastFrame !== null
    if (s.isDraining) end.lastFrame ??= end.received
    if (end.lastFrame !== null && !(isAgain && this.#terms.is('GOAWAY is said once')))
      wire.down.push({ goaway: end.lastFrame })
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
    this.#terms.write(end, entry, this.#wireOf(s, life)?.down)
  }

  #acknowledge(end: End, wire: Wire): void {
    end.told = end.received
    wire.down.push({ ack: end.received, sent: end.sent, heard: false })
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
    const seen = incarnationOf(known)
    if (seen !== undefined) remember(known, ended(seen))
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
    return s.known.every((known, life) => {
      const { end, lane } = known
      const seen = incarnationOf(known)
      const isExpected = seen !== undefined && expectedUntil(seen) > 0
      if (isExpected && !this.#terms.is('drain forgets who was let in')) return false
      return end === null || (lane.length === 0 && end.log.length === 0 && this.#wireOf(s, life)?.isHeard === true)
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
