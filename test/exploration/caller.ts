// The dialling end of the model: makes calls, dials, reads answers, withdraws, runs what the server asks of it. Mirrors
// src/net/dialler.ts and src/net/channel.ts around the product's own counting and decisions (src/wire).

import { ProtocolViolation } from '../../src/errors.ts'
import { isResumed } from '../../src/wire/attach.ts'
import {
  Broken,
  type End,
  type Entry,
  type Frame,
  idOf,
  named,
  newEnd,
  numberIn,
  type State,
  sessionOf,
  store,
  type Wire,
  writtenBy,
} from './state.ts'
import type { Add, Terms } from './terms.ts'

export class Caller {
  readonly #terms: Terms

  constructor(terms: Terms) {
    this.#terms = terms
  }

  steps(state: State, add: Add): void {
    const next = state.calls.indexOf('new')
    if (next >= 0) add(`call ${next}`, (s) => this.#call(s, next))
    if (state.wire < 0 && !state.isRefused) add('dial', (s) => this.#dial(s))
    const { caller } = state
    if (caller !== null) this.#sessionSteps(state, caller, add)
    if (state.cancels > 0) {
      state.calls.forEach((fate, call) => {
        if (fate === 'queued' || fate === 'written') add(`cancel ${call}`, (s) => this.#cancel(s, call))
      })
    }
    if (state.callerRestarts > 0 && state.caller !== null) add('caller restarts', (s) => this.#restart(s))
  }

  #sessionSteps(state: State, end: End, add: Add): void {
    if (state.isUp) {
      const isFull = end.log.length >= this.#terms.bounds.log
      const isBehind = this.#terms.isBehind(end)
      if (isBehind) add('caller sends again', (s) => this.#sendNext(s))
      const hasRoom = !isFull || this.#terms.is('log evicts') || this.#terms.is('log without bound')
      const mayWrite = hasRoom && (!isBehind || this.#terms.is('new before old'))
      if (state.queue.length > 0 && end.lastFrame === null && mayWrite)
        add(`write ${state.queue[0]}`, (s) => this.#writeNext(s))
      if (end.received > end.told && !this.#terms.is('no ACKs'))
        add('caller acknowledges', (s) => this.#acknowledge(s, s.caller!, false))
    }
    if (state.backLane.length > 0) add('caller runs', (s) => this.#run(s))
    if (state.expiries > 0 && !state.isUp && end.id > 0) {
      add("the caller's session expires", (s) => {
        s.expiries--
        this.#end(s, true)
      })
    }
    if (state.slips > 0 && state.isUp && end.received === 0 && state.calls.includes('written')) {
      add('caller miscounts', (s) => {
        s.slips--
        s.caller!.received++
      })
    }
  }

  #call(s: State, call: number): void {
    s.calls[call] = 'queued'
    s.callLife[call] = s.life
    s.queue.push(call)
  }

  #dial(s: State): void {
    const epoch = s.epoch + 1
    if (!this.#terms.is('epoch of success')) s.epoch = epoch
    const asked = s.caller?.id ?? 0
    const ahead = this.#terms.is('counts ahead') && asked > 0 ? 1 : 0
    s.wires.push({
      life: this.#terms.is('incarnation survives') ? 0 : s.life,
      epoch,
      asked,
      up: [{ hello: epoch, session: asked, received: (s.caller?.received ?? 0) + ahead }],
      down: [],
      isCallerOpen: true,
      isServerOpen: true,
      hello: null,
      isAttached: false,
      isHeard: false,
    })
    s.wire = s.wires.length - 1
    s.isUp = false
  }

  /** The caller is told that a connection is gone, or gives it up. */
  lose(s: State, index: number): void {
    const wire = s.wires[index]!
    // Whether it has heard or not: it comes back, at its pace, until the server has gone.
    if (wire.down.some((frame) => typeof frame === 'object' && 'reject' in frame && frame.reject === 'draining'))
      s.isRefused = s.isDraining
    const isReadOn = this.#terms.is('old connection is read on') && wire.isServerOpen && s.wire === index
    if (!isReadOn) {
      wire.isCallerOpen = false
      wire.down = []
    }
    if (s.wire !== index) return
    s.wire = -1
    s.isUp = false
    if (s.caller?.id === 0) this.#end(s, true)
  }

  read(s: State, wire: Wire): void {
    const frame = wire.down.shift()!
    if (typeof frame === 'string') this.#accept(s, frame)
    else if ('reject' in frame) {
      if (frame.reject === 'epoch') throw new Broken('the latest HELLO is refused')
      s.isRefused = s.isDraining
      this.lose(s, s.wire)
    } else if ('ok' in frame) this.#attach(s, wire, frame)
    else if ('ack' in frame) this.#onAck(s, frame)
    else if ('goaway' in frame) this.#onGoAway(s, frame.goaway)
  }

  #accept(s: State, frame: Entry): void {
    const end = s.caller
    if (end === null) return
    end.received++
    const call = numberIn(frame)
    if (frame.startsWith('rep') && s.calls[call] === 'written') s.calls[call] = s.runs[call]! > 0 ? 'ok' : 'no'
    if (frame.startsWith('back')) s.backLane.push(call)
  }

  #onAck(s: State, { ack, sent }: Extract<Frame, { ack: number }>): void {
    const end = s.caller
    if (end === null) return
    const session = sessionOf(end)
    this.#terms.takeAck(session, ack, sent, () => {
      this.#end(s, true)
      this.lose(s, s.wire)
    })
    end.arrived = { above: 0, entries: [] }
    if (s.caller === end) store(end, session)
  }

  #onGoAway(s: State, last: number): void {
    const end = s.caller!
    const session = sessionOf(end)
    const entries = session.refusedAbove(last)
    const forgotten = this.#terms.is('arrived is accepted') ? session.entriesAbove(last) : entries
    const refused = this.#terms.is('last frame by position') ? session.entriesAbove(0).slice(last) : forgotten
    store(end, session)
    end.arrived = { above: 0, entries: [] }
    if (end.lastFrame === null) {
      const calls = refused.filter((entry) => entry.startsWith('req')).map(numberIn)
      const wanted = calls.filter((call) => s.calls[call] === 'written')
      for (const call of wanted) s.calls[call] = 'queued'
      if (this.#terms.is('refused go behind')) s.queue.push(...wanted)
      else s.queue.unshift(...wanted)
    }
    end.lastFrame = last
    this.#acknowledge(s, end, true)
  }

  #attach(s: State, wire: Wire, { ok, resumed, received }: Extract<Frame, { ok: number }>): void {
    if (resumed && ok !== wire.asked) throw new Broken('a session is resumed that was not asked for')
    if (!this.#agrees(s, ok, resumed, received)) return this.lose(s, s.wire)
    const end = s.caller!
    s.isUp = true
    s.epoch = Math.max(s.epoch, wire.epoch)
    if (this.#terms.is('resend everything')) end.sent = end.acknowledged
    else this.#terms.goOn(s, end, received)
    const sent = this.#terms.is('ACK counts the whole log') ? writtenBy(end) : received
    if (!this.#terms.is('no ACK after HELLO_OK')) wire.up.push({ ack: end.received, sent, heard: false })
    end.told = end.received
    if (this.#terms.is('resend in disorder')) wire.up.push(...[...end.log].reverse())
    if (this.#terms.is('resend in disorder') || this.#terms.is('resend nothing')) end.sent = writtenBy(end)
  }

  /** Takes what HELLO_OK says of the session; false when the connection is of no use. */
  #agrees(s: State, ok: number, resumed: boolean, received: number): boolean {
    try {
      const goes = isResumed(named(s.caller), { resumed, sessionID: idOf(ok), receivedFrames: received })
      if (goes) return true
    } catch (error) {
      // Its own end was over before the answer came.
      if (!(error instanceof ProtocolViolation) || s.caller !== null) throw error
      return false
    }
    if (this.#terms.is('end is not heard') && s.caller !== null) {
      s.caller = { ...s.caller, id: ok }
      return true
    }
    this.#end(s, false)
    s.caller = newEnd(ok)
    return true
  }

  #sendNext(s: State): void {
    const end = s.caller!
    const entry = sessionOf(end).next as Entry
    const isWanted = !entry.startsWith('req') || s.calls[numberIn(entry)] === 'written'
    this.#terms.sendNext(end, s.wires[s.wire]!.up, isWanted)
  }

  #writeNext(s: State): void {
    const call = s.queue.shift()!
    s.calls[call] = 'written'
    this.#write(s, `req${call}`)
  }

  #write(s: State, entry: Entry): void {
    const end = s.caller!
    if (this.#terms.is('log evicts') && end.log.length >= this.#terms.bounds.log) {
      const session = sessionOf(end)
      session.acknowledge(session.acknowledged + 1)
      store(end, session)
    }
    this.#terms.write(end, entry, s.isUp ? s.wires[s.wire]!.up : undefined)
  }

  #acknowledge(s: State, end: End, heard: boolean): void {
    end.told = end.received
    s.wires[s.wire]!.up.push({ ack: end.received, sent: end.sent, heard })
  }

  #cancel(s: State, call: number): void {
    s.cancels--
    const wasWritten = s.calls[call] === 'written'
    if (!wasWritten) {
      s.calls[call] = 'no'
      if (!this.#terms.is('withdrawn stays in the queue')) s.queue = s.queue.filter((each) => each !== call)
      else if (s.isUp) this.#write(s, `req${call}`)
      return
    }
    s.calls[call] = this.#terms.is('withdrawn is no') ? 'no' : 'cancelled'
    if (s.caller !== null) this.#write(s, `cancel${call}`)
  }

  /** A handler of the caller's runs, for the server. */
  #run(s: State): void {
    const back = s.backLane.shift()!
    s.backRuns[back]!++
    this.#write(s, `answer${back}`)
  }

  /** The session is over. `isExcused`: not because the other side has said so. */
  #end(s: State, isExcused: boolean): void {
    if (isExcused) s.isExcused = true
    s.backLane = []
    const moves = this.#terms.is('written moves to the next session')
    const isNo = this.#terms.is(s.caller?.id === 0 ? 'lost is no without sessions' : 'lost is no')
    const lost = s.calls.flatMap((fate, call) => (fate === 'written' ? [call] : []))
    for (const call of lost) s.calls[call] = moves ? 'queued' : isNo ? 'no' : 'unknown'
    if (moves) s.queue.unshift(...lost)
    if (this.#terms.is('queue turns round')) s.queue.reverse()
    s.caller = null
  }

  /** The process is killed and started again: another incarnation, which makes the calls that are still to be made. */
  #restart(s: State): void {
    s.callerRestarts--
    s.life++
    s.epoch = 0
    for (const wire of s.wires) {
      wire.isCallerOpen = false
      wire.down = []
    }
    s.wire = -1
    s.isUp = false
    s.caller = null
    s.queue = []
    s.backLane = []
    s.calls = s.calls.map((fate) => (fate === 'queued' || fate === 'written' || fate === 'cancelled' ? 'dead' : fate))
  }
}
