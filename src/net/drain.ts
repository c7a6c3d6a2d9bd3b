// The last phase of a node manager that serves: no request is accepted any more, and what was accepted is finished. It is
// over when every peer that may count on this side has its answers: those that are connected, those that were cut off and
// have a session to come back to, and those that have just been let in and not been heard since.

import type { Channel } from './channel.ts'
import type { Timer } from './runtime.ts'
import type { Turn } from './turn.ts'

/** What those are told whose requests or connections are not accepted any more. */
export const DRAINING = 'the server is shutting down'

export class Drain {
  readonly #turn: Turn
  readonly #channels = new Set<Channel>()
  readonly #expectedUntil: () => number
  #timer: Timer | undefined
  #onDone: (() => void) | undefined

  /**
   * `expectedUntil`: until when a peer is waited for that has been let in and not been heard since, in the runtime's ms; 0
   * for none, Infinity when its end will be told. `onDone` is called once.
   */
  constructor(turn: Turn, expectedUntil: () => number, onDone: () => void) {
    this.#turn = turn
    this.#expectedUntil = expectedUntil
    this.#onDone = onDone
  }

  /** Says on these channels that no more is accepted, and waits for them. */
  add(...channels: readonly Channel[]): void {
    for (const channel of channels) {
      channel.drain(DRAINING)
      this.#channels.add(channel)
    }
    for (const channel of channels) {
      const flush = (): void => channel.whenFlushed(() => this.#leave(channel))
      if (channel.receiver === undefined) flush()
      else channel.receiver.whenIdle(flush)
    }
  }

  /** Somebody who was expected may have come, or may come no more. */
  check(): void {
    if (this.#onDone === undefined || this.#channels.size > 0) return
    this.#timer?.cancel()
    const { runtime } = this.#turn
    const leftMs = this.#expectedUntil() - runtime.now()
    if (leftMs <= 0) {
      this.#onDone()
      this.#onDone = undefined
    } else if (leftMs < Infinity) {
      this.#timer = runtime.startTimer(leftMs, () => {
        this.#turn.begin()
        this.check()
      })
    }
  }

  /** Waits for nobody any more. */
  close(): void {
    this.#timer?.cancel()
    this.#onDone = undefined
  }

  #leave(channel: Channel): void {
    this.#channels.delete(channel)
    this.check()
  }
}
