// Whether a node can be reached, as its calls and its users see it, and the time that it is given before it counts as down.
//
//   connecting ──► up ──► connecting (lost) ──► down (after downAfterMs) ──► up …
//        └──► down (an attempt has failed) ──► up …              any ──► closed

import type { RpcError } from '../errors.ts'
import type { ChannelState } from './channel-ports.ts'
import type { Timer } from './runtime.ts'
import type { Turn } from './turn.ts'

export class Availability {
  readonly #turn: Turn
  readonly #downAfterMs: number
  readonly #onChange: (state: ChannelState, error: RpcError | undefined) => void
  readonly #onOverdue: () => void
  #state: ChannelState = 'connecting'
  #timer: Timer | undefined

  /** `onChange` hears of each change of the state; `onOverdue` is called when the time that `awaitConnection` gives is over. */
  constructor(
    turn: Turn,
    downAfterMs: number,
    onChange: (state: ChannelState, error: RpcError | undefined) => void,
    onOverdue: () => void,
  ) {
    this.#turn = turn
    this.#downAfterMs = downAfterMs
    this.#onChange = onChange
    this.#onOverdue = onOverdue
  }

  get state(): ChannelState {
    return this.#state
  }

  /** Whether its time to connect runs. */
  get isAwaited(): boolean {
    return this.#timer !== undefined
  }

  /** A node that is up or closed needs no more time. */
  set(state: ChannelState, error: RpcError | undefined): void {
    if (state === 'up' || state === 'closed') this.#stopTimer()
    if (this.#state === state) return
    this.#state = state
    this.#onChange(state, error)
  }

  /** Gives the node its time to connect, from now on. */
  awaitConnection(): void {
    this.#stopTimer()
    this.#timer = this.#turn.runtime.startTimer(this.#downAfterMs, () => {
      this.#turn.begin()
      this.#timer = undefined
      this.#onOverdue()
    })
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
