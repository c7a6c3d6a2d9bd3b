// All deadlines of one owner on one timer. Calls with one timeout expire in the order in which they were made, so there is
// a list per distinct timeout, and only the heads of the lists are looked at. Adding and removing take constant time.

import type { Timer } from './runtime.ts'
import type { Turn } from './turn.ts'

/** A timer that fires this much too late, ms, means that the process was paused: what has arrived is read first. */
const PAUSE_MS = 50

/** Something with a deadline: a link in the list of its timeout. */
export abstract class Expiring {
  /** When it expires, in the runtime's ms; Infinity for never. */
  abstract readonly dueAt: number
  list: DeadlineList | undefined = undefined
  earlier: Expiring | undefined = undefined
  later: Expiring | undefined = undefined

  /** The deadline has passed. It has been removed by then. */
  abstract onDeadline(): void
}

class DeadlineList {
  readonly timeoutMs: number
  head: Expiring | undefined = undefined
  tail: Expiring | undefined = undefined

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }
}

export class Deadlines {
  readonly #turn: Turn
  readonly #lists = new Map<number, DeadlineList>()
  #timer: Timer | undefined
  #timerAt = Infinity
  #size = 0

  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** Watches over `expiring`, whose time is `timeoutMs` from now, or from earlier in this turn. */
  add(expiring: Expiring, timeoutMs: number): void {
    if (timeoutMs === Infinity) return
    let list = this.#lists.get(timeoutMs)
    if (list === undefined) {
      list = new DeadlineList(timeoutMs)
      this.#lists.set(timeoutMs, list)
    }
    expiring.list = list
    expiring.earlier = list.tail
    if (list.tail === undefined) list.head = expiring
    else list.tail.later = expiring
    list.tail = expiring
    this.#size++
    if (expiring.dueAt < this.#timerAt) this.#startTimer(expiring.dueAt)
  }

  /** Stops the time of `expiring`; does nothing when it is not running. */
  remove(expiring: Expiring): void {
    const list = expiring.list
    if (list === undefined) return
    const { earlier, later } = expiring
    if (earlier === undefined) list.head = later
    else earlier.later = later
    if (later === undefined) list.tail = earlier
    else later.earlier = earlier
    if (list.head === undefined) this.#lists.delete(list.timeoutMs)
    expiring.list = undefined
    expiring.earlier = undefined
    expiring.later = undefined
    this.#size--
    // A timer that stands while calls come and go is cheaper than one per call; without calls none may hold the process.
    if (this.#size === 0) this.#stopTimer()
  }

  #startTimer(at: number): void {
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#turn.runtime.startTimer(Math.ceil(at - this.#turn.now()), this.#onTimer)
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAt = Infinity
  }

  readonly #onTimer = (): void => {
    this.#turn.begin()
    if (this.#turn.now() - this.#timerAt > PAUSE_MS) this.#turn.runtime.afterReading(this.#expire)
    else this.#expire()
  }

  readonly #expire = (): void => {
    this.#turn.begin()
    this.#stopTimer()
    const now = this.#turn.now()
    let next = Infinity
    try {
      for (const list of [...this.#lists.values()]) {
        while (list.head !== undefined && list.head.dueAt <= now) {
          const expired = list.head
          this.remove(expired)
          expired.onDeadline()
        }
      }
    } finally {
      for (const list of this.#lists.values()) next = Math.min(next, list.head?.dueAt ?? Infinity)
      if (next < this.#timerAt) this.#startTimer(next)
    }
  }
}
