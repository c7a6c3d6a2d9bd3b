// How long sessions are kept that nobody comes back for: no longer than they promise (I8).

import type { ChannelSession } from '../../../src/net/channel-session.ts'
import type { NodeManager } from '../../../src/net/node-manager.ts'
import { Violation } from './ledger.ts'

/** How much longer than its time a session may be seen: it is looked at now and then. */
const LATE_MS = 1_000

export class Ages {
  readonly #now: () => number
  readonly #pausedMs: (name: string) => number
  /** When a session was first seen without a connection. */
  readonly #awaySince = new WeakMap<ChannelSession, number>()

  /** `pausedMs` says for how long a process may have been paused in all: its timers stand still meanwhile. */
  constructor(now: () => number, pausedMs: (name: string) => number) {
    this.#now = now
    this.#pausedMs = pausedMs
  }

  /** Checks the sessions of one process. */
  check(name: string, manager: NodeManager): void {
    for (const { session, nodeID } of manager.channels) {
      if (session === undefined) continue
      const since = this.#awaySince.get(session)
      if (session.connection !== undefined) this.#awaySince.delete(session)
      else if (since === undefined) this.#awaySince.set(session, this.#now())
      else if (this.#now() - since > session.ttlMs + this.#pausedMs(name) + LATE_MS)
        throw new Violation('age', `${name} > ${nodeID}: ${this.#now() - since} ms away, ${session.ttlMs} are allowed`)
    }
  }
}
