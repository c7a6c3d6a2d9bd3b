// What the callers of a simulated world asked for, what ran, and what they were told; and whether that is what the
// framework promises. Requests are numbered by their callers, in the order in which they are made.

/** A promise of the framework that was not kept. */
export class Violation extends Error {
  readonly invariant: string

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`)
    this.name = 'Violation'
    this.invariant = invariant
  }
}

export type Outcome = 'ok' | 'failed' | 'no' | 'unknown' | 'sent'

/** One request of one caller to one callee. */
interface Entry {
  readonly name: string
  readonly isOneWay: boolean
  /** It was cancelled, or had a short deadline: its caller may be told that the outcome is unknown. */
  readonly isExcused: boolean
  runs: number
  outcome: Outcome | undefined
  /** Items of a stream that have arrived. */
  items: number
}

/** What the promises of a run are. */
export interface LedgerTerms {
  /** No process ends and no session expires: nothing may be unknown. */
  readonly isGentle: boolean
  /** Processes end, but only when they have drained: nothing may be refused. */
  readonly isRolling: boolean
}

export class Ledger {
  calls = 0
  runs = 0
  readonly outcomes: Record<Outcome, number> = { ok: 0, failed: 0, no: 0, unknown: 0, sent: 0 }
  #open = 0
  readonly #terms: LedgerTerms
  readonly #entries = new Map<string, Entry>()
  /** The number of the last request that has started, by caller and life of the callee. */
  readonly #last = new Map<string, number>()
  /** Who holds the lane of a caller in a life of a callee. */
  readonly #holders = new Map<string, number>()
  /** Callers that have died: nobody is told anything. */
  readonly #dead = new Set<string>()

  constructor(terms: LedgerTerms) {
    this.#terms = terms
  }

  /** Calls whose callers live and have not been told. */
  get open(): number {
    return this.#open
  }

  /** A few of those, for messages. */
  get openNames(): string {
    const names = [...this.#entries.values()].filter(({ outcome }) => outcome === undefined).map(({ name }) => name)
    return names.slice(0, 5).join(', ')
  }

  /** A caller makes request `number` to a callee. */
  call(caller: string, callee: string, number: number, isOneWay: boolean, isExcused: boolean): void {
    const name = `${caller} > ${callee} #${number}`
    this.calls++
    this.#open++
    this.#entries.set(name, { name, isOneWay, isExcused, runs: 0, outcome: undefined, items: 0 })
  }

  /** A caller ends with its process. */
  died(caller: string): void {
    this.#dead.add(caller)
    for (const entry of this.#entries.values()) {
      if (!entry.name.startsWith(`${caller} > `) || entry.outcome !== undefined) continue
      entry.outcome = 'unknown'
      this.#open--
    }
  }

  /** A caller is told. */
  tell(caller: string, callee: string, number: number, outcome: Outcome): void {
    if (this.#dead.has(caller)) return
    const entry = this.#entry(caller, callee, number)
    if (entry.outcome !== undefined)
      throw new Violation('settles once', `${entry.name}: ${entry.outcome}, then ${outcome}`)
    entry.outcome = outcome
    this.outcomes[outcome]++
    this.#open--
    this.#check(entry)
  }

  /** A handler starts in `life` of the callee. */
  start(caller: string, callee: string, life: number, number: number, holdsLane: boolean): void {
    const entry = this.#entry(caller, callee, number)
    this.runs++
    entry.runs++
    if (entry.runs > 1) throw new Violation('runs once', `${entry.name} has run ${entry.runs} times`)
    const lane = `${caller} > ${callee}/${life}`
    const last = this.#last.get(lane) ?? 0
    if (number <= last) throw new Violation('order', `${entry.name} starts behind #${last}`)
    this.#last.set(lane, number)
    const holder = this.#holders.get(lane)
    if (holder !== undefined && this.#terms.isGentle)
      throw new Violation('one at a time', `${entry.name} starts while #${holder} holds the lane`)
    if (holdsLane) this.#holders.set(lane, number)
    this.#check(entry)
  }

  /** A handler has returned or released. */
  release(caller: string, callee: string, life: number, number: number): void {
    const lane = `${caller} > ${callee}/${life}`
    if (this.#holders.get(lane) === number) this.#holders.delete(lane)
  }

  /** Item `index` (from 0) of a stream has arrived. */
  item(caller: string, callee: string, number: number, index: number): void {
    const entry = this.#entry(caller, callee, number)
    if (index !== entry.items) throw new Violation('items', `${entry.name}: item ${index} follows ${entry.items} items`)
    entry.items++
  }

  /** A stream has ended well. */
  ended(caller: string, callee: string, number: number, items: number): void {
    const entry = this.#entry(caller, callee, number)
    if (entry.items !== items)
      throw new Violation('items', `${entry.name} ended after ${entry.items} of ${items} items`)
  }

  /** Nothing more will happen. */
  finish(): void {
    for (const entry of this.#entries.values()) {
      this.#check(entry)
      if (entry.outcome === 'sent' && this.#terms.isGentle && entry.runs === 0 && !entry.isExcused)
        throw new Violation('nothing lost', `${entry.name} was sent and has not run`)
    }
  }

  #entry(caller: string, callee: string, number: number): Entry {
    const entry = this.#entries.get(`${caller} > ${callee} #${number}`)
    if (entry === undefined) throw new Violation('made by nobody', `${caller} > ${callee} #${number}`)
    return entry
  }

  #check(entry: Entry): void {
    const { outcome, runs, name } = entry
    if (outcome === 'no' && runs > 0) throw new Violation('no means no', `${name} has run`)
    if ((outcome === 'ok' || outcome === 'failed') && runs !== 1)
      throw new Violation('answered means run', `${name} has run ${runs} times`)
    if (outcome === 'no' && this.#terms.isRolling && !entry.isExcused)
      throw new Violation('nothing refused', `${name}, although servers were only restarted, one by one`)
    if (outcome === 'unknown' && this.#terms.isGentle && !entry.isExcused)
      throw new Violation('nothing unknown', `${name}, although no process ended and no session expired`)
  }
}
