// Load of one-way messages: bursts, of which the last message is waited for until it has been written to every node. That
// paces the sender as a socket does, and leaves the rest fire and forget.

import type { Caller } from './load.ts'

export interface OneWayCaller extends Caller {
  /** Sends without waiting. */
  send(): void
}

export interface BurstOptions {
  readonly windowMs: number
  /** Messages of a burst. */
  readonly inFlight: number
}

/** Sends until the window is over; resolves with how many messages were sent. */
export async function runBursts(callers: readonly OneWayCaller[], options: BurstOptions): Promise<number> {
  const endsAt = performance.now() + options.windowMs
  let sent = 0
  const work = async (caller: OneWayCaller): Promise<void> => {
    while (performance.now() < endsAt) {
      for (let message = 1; message < options.inFlight; message++) caller.send()
      caller.check(await caller.call())
      sent += options.inFlight
    }
  }
  await Promise.all(callers.map(work))
  return sent
}
