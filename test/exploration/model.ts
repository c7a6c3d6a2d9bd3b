// Two processes with sessions between them, small enough to try everything. The counting, the decisions, and what an acceptor
// keeps of its diallers are the product's (src/wire/session.ts, attach.ts, incarnation.ts); the steps around them mirror src/net
// (caller.ts, acceptor.ts). Here: everything that can happen next, and what must be true everywhere.

import { Acceptor } from './acceptor.ts'
import { Caller } from './caller.ts'
import type { Loosening } from './loosenings.ts'
import { type Bounds, Broken, type End, type State, type Wire } from './state.ts'
import { type Add, Terms } from './terms.ts'

/** One step that can be taken, by its name, on a copy of the state. */
export interface Step {
  readonly name: string
  take(state: State): void
}

export class Machine {
  readonly #terms: Terms
  readonly #caller: Caller
  readonly #acceptor: Acceptor

  constructor(bounds: Bounds, loose?: Loosening) {
    this.#terms = new Terms(bounds, loose)
    this.#caller = new Caller(this.#terms)
    this.#acceptor = new Acceptor(this.#terms)
  }

  /** Everything that can happen next. */
  steps(state: State): Step[] {
    const steps: Step[] = []
    const add: Add = (name, take) => void steps.push({ name, take })
    this.#caller.steps(state, add)
    this.#acceptor.steps(state, add)
    for (const [index, wire] of state.wires.entries()) this.#wireSteps(state, wire, index, add)
    return steps
  }

  #wireSteps(state: State, wire: Wire, index: number, add: Add): void {
    const up = wire.up[0]
    if (wire.isServerOpen && up !== undefined) {
      add(`server reads ${JSON.stringify(up)} on ${index}`, (s) => this.#acceptor.read(s, s.wires[index]!))
      if (state.slips > 0 && wire.isAttached && up === 'req0' && wire.up[1] === 'req1')
        add('server miscounts', (s) => this.#acceptor.slip(s, s.wires[index]!))
    }
    const down = wire.down[0]
    if (wire.isCallerOpen && down !== undefined) {
      if (index === state.wire || this.#terms.is('old connection is read on'))
        add(`caller reads ${JSON.stringify(down)} on ${index}`, (s) => this.#callerReads(s, index))
    }
    if (wire.isCallerOpen && (state.losses > 0 || !wire.isServerOpen)) {
      add(`caller loses ${index}`, (s) => {
        if (s.wires[index]!.isServerOpen) s.losses--
        this.#caller.lose(s, index)
      })
    }
    // Whoever is left alone notices in the end, by its heartbeat. What was on its way may have arrived before.
    if (wire.isServerOpen && !wire.isCallerOpen)
      add(`server loses ${index}`, (s) => this.#acceptor.lose(s, s.wires[index]!))
    if (wire.isServerOpen && wire.isCallerOpen && state.losses > 0) {
      add(`server alone loses ${index}`, (s) => {
        s.losses--
        this.#acceptor.lose(s, s.wires[index]!)
      })
    }
  }

  /** From a connection that it has given up only counted frames are taken, by who reads on. */
  #callerReads(s: State, index: number): void {
    const wire = s.wires[index]!
    if (index !== s.wire && typeof wire.down[0] !== 'string') wire.down.shift()
    else this.#caller.read(s, wire)
  }

  /** What must be true everywhere. */
  check(state: State): void {
    checkRuns('request', state.calls, state.runs, state.isExcused)
    const { callerRestarts } = this.#terms.bounds
    checkRuns('call back', state.backs, state.backRuns, state.isExcused || state.callerRestarts < callerRestarts)
    const attached = state.wires.filter(({ isAttached, isServerOpen }) => isAttached && isServerOpen)
    if (attached.length > 1) throw new Broken('two connections of one node are attached')
    const { caller } = state
    const server = state.known[state.life]!.end
    for (const end of [caller, server]) if (end !== null) this.#checkLog(end)
    if (caller === null || server === null || caller.id === 0 || caller.id !== server.id) return
    if (this.#terms.bounds.slips === 0) {
      checkCounts(caller, server)
      checkCounts(server, caller)
    }
  }

  /** Requests wait for room; what was asked for before must find some. */
  #checkLog({ log }: End): void {
    const { log: logMax, cancels, backs } = this.#terms.bounds
    if (log.length > logMax + cancels + backs) throw new Broken(`${log.length} frames are logged, of ${logMax}`)
  }

  /** What must be true where nothing more can happen. */
  checkEnd(state: State): void {
    state.calls.forEach((fate, call) => {
      if (fate === 'queued' || fate === 'written') throw new Broken(`request ${call} stays ${fate} for ever`)
    })
    state.backs.forEach((fate, back) => {
      if (fate === 'written') throw new Broken(`call back ${back} stays ${fate} for ever`)
    })
    for (const end of [state.caller, state.known[state.life]!.end])
      if (end !== null && end.log.length > 0) throw new Broken(`${end.log.length} frames stay in the log for ever`)
    if (state.isDraining) throw new Broken('the server drains for ever')
  }
}

function checkRuns(what: string, fates: State['calls'], runs: readonly number[], isExcused: boolean): void {
  fates.forEach((fate, index) => {
    const times = runs[index]!
    if (times > 1) throw new Broken(`${what} ${index} has run ${times} times`)
    if (fate === 'ok' && times !== 1) throw new Broken(`${what} ${index} was answered and has run ${times} times`)
    if (fate === 'no' && times > 0) throw new Broken(`${what} ${index} was said not to run, and has`)
    if (fate === 'unknown' && !isExcused) throw new Broken(`${what} ${index} is unknown for no reason`)
  })
}

function checkCounts(one: End, other: End): void {
  const { acknowledged, sent } = one
  if (acknowledged <= other.received && other.received <= sent) return
  throw new Broken(`${acknowledged} acknowledged, ${other.received} received, ${sent} sent`)
}
