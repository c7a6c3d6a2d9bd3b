// How long sessions are kept that nobody comes back for: no longer than they promise (I8).

import type { NodeManager } from '../../../src/net/node-manager.ts'
import { Violation } from './ledger.ts'
import type { Witness } from './witness.ts'

/** How much longer than its time a session may be seen: it is looked at now and then. */
const LATE_MS = 1_000

export class Ages {
  readonly #pausedMs: (name: string) => number

  /** `pausedMs` says for how long a process may have been paused in all: its timers stand still meanwhile. */
  constructor(pausedMs: (name: string) => number) {
    this.#pausedMs = pausedMs
  }

  /** Checks the sessions of one process. */
  check(name: string, manager: NodeManager, witness: Witness): void {
    for (const channel of manager.channels) {
      const { session, nodeID } = channel
      const lostAt = witness.lostAt(channel)
      if (session === undefined || session.connection !== undefined || lostAt === undefined) continue
      const awayMs = manager.turn.runtime.now() - lostAt
      if (awayMs > session.ttlMs + this.#pausedMs(name) + LATE_MS)
        throw new Violation('age', `${name} > ${nodeID}: ${awayMs} ms away, ${session.ttlMs} are allowed`)
    }
  }
}
