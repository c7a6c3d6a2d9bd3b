// Rules that can be left out or read loosely, one at a time, each with the small world in which that is missed.

import type { Bounds } from './state.ts'

const calm: Bounds = {
  requests: 1,
  backs: 0,
  log: 1,
  sessions: true,
  losses: 0,
  restarts: 0,
  callerRestarts: 0,
  cancels: 0,
  expiries: 0,
  drains: 0,
  slips: 0,
}

/** A world with this in it, and nothing else. */
export function world(bounds: Partial<Bounds>): Bounds {
  return { ...calm, ...bounds }
}

/** Two requests, two losses. */
const lossy = world({ requests: 2, log: 2, losses: 2 })

/** What is left out, and where. */
export const loosenings = {
  'incarnation survives': world({ requests: 1, losses: 1, callerRestarts: 1 }),
  'any session id': world({ losses: 1, expiries: 1 }),
  'counted when it runs': lossy,
  'counts ahead': lossy,
  'new before old': lossy,
  'log evicts': world({ requests: 2, losses: 1 }),
  'log without bound': world({ requests: 2 }),
  'no ACKs': world({}),
  'ACK counts the whole log': lossy,
  'miscount is ignored': world({ requests: 2, log: 2, slips: 1 }),
  'old connection is read on': world({ losses: 2 }),
  'epoch of success': lossy,
  'any epoch': world({ requests: 2, log: 2, losses: 2 }),
  'refused HELLO ends the session': lossy,
  'no fence': lossy,
  'fence at the ACK': lossy,
  'older session lives on': world({ requests: 2, log: 2, losses: 1, expiries: 1 }),
  'any received count': world({ requests: 1, losses: 1, slips: 1 }),
  'resend everything': lossy,
  'resend nothing': lossy,
  'resend in disorder': lossy,
  'no ACK after HELLO_OK': world({}),
  'attaches at HELLO': world({ requests: 0, backs: 1, losses: 1 }),
  'late ACK attaches': lossy,
  'nothing is promised': lossy,
  'no SKIP': world({ requests: 2, log: 2, losses: 1, cancels: 1 }),
  'withdrawn is no': world({ cancels: 1 }),
  'withdrawn stays in the queue': world({ cancels: 1 }),
  'end is not heard': world({ losses: 1, expiries: 1 }),
  'written moves to the next session': world({ requests: 1, losses: 1, expiries: 1 }),
  'lost is no': world({ losses: 1, expiries: 1 }),
  'queue turns round': world({ requests: 2, log: 2, restarts: 1 }),
  'replies need a connection': world({ losses: 1 }),
  'log without bound while detached': world({ requests: 2, losses: 1 }),
  'GOAWAY is said once': world({ losses: 1, drains: 1 }),
  'drain refuses resumes': world({ losses: 1, drains: 1 }),
  'drain forgets who was let in': world({ losses: 1, drains: 1 }),
  'refused are waited for': world({ losses: 1, drains: 1 }),
  'refused runs': world({ drains: 1 }),
  'refused go behind': world({ requests: 2, drains: 1 }),
  'last frame by position': world({ requests: 2, log: 2, drains: 1 }),
  'arrived is accepted': world({ losses: 1, drains: 1 }),
  'no fence without sessions': world({ sessions: false, losses: 1 }),
  'lost is no without sessions': world({ sessions: false, losses: 1 }),
  'nobody is displaced': world({ callerRestarts: 1 }),
  'displaced at HELLO': world({ callerRestarts: 1, losses: 1 }),
} as const satisfies Record<string, Bounds>

export type Loosening = keyof typeof loosenings

export const looseningNames = Object.keys(loosenings) as Loosening[]
