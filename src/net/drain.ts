// The last phase of a node manager that serves: no request is accepted any more, and what was accepted is finished. It is
// over when every peer that may count on this side has its answers: those that are connected, those that were cut off and
// have a session to come back to, and those that have just been let in and not been heard since.

import type { Channel } from './channel.ts'

/** What those are told whose requests or connections are not accepted any more. */
export const DRAINING = 'the server is shutting down'

export class Drain {
  readonly #channels = new Set<Channel>()
  readonly #expectsSomebody: () => boolean
  #onDone: (() => void) | undefined

  /** `expectsSomebody`: whether a peer that has been let in has not been heard since. `onDone` is called once. */
  constructor(expectsSomebody: () => boolean, onDone: () => void) {
    this.#expectsSomebody = expectsSomebody
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
    if (this.#channels.size > 0 || this.#expectsSomebody()) return
    this.#onDone?.()
    this.#onDone = undefined
  }

  #leave(channel: Channel): void {
    this.#channels.delete(channel)
    this.check()
  }
}
