// All deadlines of one owner on one timer. What has one timeout expires in the order in which it was added, so there is a
// list per distinct timeout, and only the heads of the lists are looked at. Adding and removing take constant time. Very
// much may expire at once: it does so a slice at a time.

import type { Timer } from './runtime.ts'
import type { Laborious, Turn } from './turn.ts'

/** A timer that fires this much too late, ms, means that the process was paused: what has arrived is read first. */
const PAUSE_MS = 50
/** Each that expires counts as a message of so many bytes: the clock is looked at after every one. */
const EXPIRY_COSTS_BYTES = 512

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

export class Deadlines implements Laborious {
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

  /** Ends what is due, for a slice. */
  goOn(): boolean {
    let isMoreDue = false
    try {
      isMoreDue = this.#expire()
    } finally {
      if (!isMoreDue) this.#startNextTimer()
    }
    return isMoreDue
  }

  /** Whether the slice was over before all that is due had ended. */
  #expire(): boolean {
    const now = this.#turn.now()
    for (const list of [...this.#lists.values()]) {
      while (list.head !== undefined && list.head.dueAt <= now) {
        const expired = list.head
        this.remove(expired)
        expired.onDeadline()
        if (this.#turn.isSliceOver(EXPIRY_COSTS_BYTES)) return true
      }
    }
    return false
  }

  #startNextTimer(): void {
    let next = Infinity
    for (const list of this.#lists.values()) next = Math.min(next, list.head?.dueAt ?? Infinity)
    if (next < this.#timerAt) this.#startTimer(next)
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
    const isLate = this.#turn.now() - this.#timerAt > PAUSE_MS
    this.#stopTimer()
    if (isLate || this.goOn()) this.#turn.goOnLater(this)
  }
}
