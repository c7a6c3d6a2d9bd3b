// Worlds in which what opens a connection comes late: the dialler has given it up, and a newer one is there before it. And
// in which clients come back when the time of their sessions is nearly over, or just over.

import type { Fault } from '../../../src/testing/simulation/faults.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import type { WorldPlan } from './world.ts'

/** Every so many seeds' world is one of these, on average. */
const ONE_OF = 20
/** So long a dialler waits, for HELLO_OK and for signs of life; acceptors wait for longer. */
const DIALLER_MS = 100
const ACCEPTOR_MS = 3_000

/** The plan itself, or, for one seed of twenty, one with such faults in place of those that it had. */
export function maybeLate(plan: WorldPlan): WorldPlan {
  const random = new Random(plan.seed, 'late')
  if (plan.isRolling || !random.chance(1 / ONE_OF)) return plan
  const ttlMs = random.int(500, 2_000)
  return {
    ...plan,
    isGentle: false,
    clientTransport: {
      handshakeTimeoutMs: DIALLER_MS,
      pingIntervalMs: DIALLER_MS / 2,
      pingTimeoutMs: DIALLER_MS / 2,
    },
    transport: {
      ...plan.transport,
      sessions: true,
      sessionTtlMs: ttlMs,
      handshakeTimeoutMs: ACCEPTOR_MS,
      pingIntervalMs: ACCEPTOR_MS,
      pingTimeoutMs: ACCEPTOR_MS,
      backoff: { minMs: 1, maxMs: 50 },
    },
    faults: drawLate(random, plan, ttlMs),
  }
}

function drawLate(random: Random, { servers, clients, overMs }: WorldPlan, ttlMs: number): Fault[] {
  const faults: Fault[] = []
  for (let times = random.int(4, 12); times > 0; times--) {
    const atMs = random.between(0, overMs)
    const [from, to] = [random.pick(clients), random.pick(servers)]
    faults.push({ kind: 'reset', atMs, from, to, hears: 'both' })
    if (random.chance(0.7)) {
      // The connection stands, and its first frames, or the next, take longer than the dialler waits.
      const extraMs = random.magnitude(2 * DIALLER_MS, 20 * DIALLER_MS)
      faults.push({ kind: 'delay', atMs: atMs + random.magnitude(0.5, 100), forMs: DIALLER_MS, from, to, extraMs })
    } else {
      const forMs = ttlMs * random.between(0.85, 1.05)
      faults.push({ kind: 'partition', atMs, forMs, from: [from], to: [to], isOneWay: false })
    }
  }
  return faults.sort((one, other) => one.atMs - other.atMs)
}
