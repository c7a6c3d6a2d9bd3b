// Worlds in which servers are restarted one after the other, as by whoever installs a new version, and are cut off while
// they drain. Nothing may be lost there: no call unknown, none refused.

import type { Fault } from '../../../src/testing/simulation/faults.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import type { WorldPlan } from './world.ts'

/** Every so many seeds' world is one of these, on average. */
const ONE_OF = 10
const NEVER_MS = 3_600_000
/** More than any drain takes here, and less than everybody has to close at the end. */
const DRAIN_MS = 30_000

/** The plan itself, or, for one seed of ten, one with rolling restarts in place of the faults that it had. */
export function maybeRolling(plan: WorldPlan): WorldPlan {
  const random = new Random(plan.seed, 'rolling')
  if (!random.chance(1 / ONE_OF)) return plan
  return {
    ...plan,
    isGentle: true,
    isRolling: true,
    drainTimeoutMs: DRAIN_MS,
    whenDown: 'wait',
    transport: {
      ...plan.transport,
      sessions: true,
      sessionTtlMs: NEVER_MS,
      limits: {
        ...plan.transport.limits,
        queueMaxBytes: 16 * 1024 * 1024,
        handlersMax: 10_000,
        detachedSessionsMax: 1_000,
      },
    },
    faults: drawRolling(random, plan),
  }
}

/** Each server in its turn begins to drain, and is cut off once or more often before it can be done. */
function drawRolling(random: Random, { servers, clients, overMs }: WorldPlan): Fault[] {
  const faults: Fault[] = []
  servers.forEach((host, index) => {
    const atMs = (overMs * (index + random.between(0.1, 0.9))) / servers.length
    faults.push({ kind: 'restart', atMs, forMs: random.magnitude(1, 100), host })
    for (let cuts = random.int(1, 4); cuts > 0; cuts--) {
      const at = atMs + random.magnitude(0.01, 100)
      faults.push({ kind: 'reset', atMs: at, from: random.pick(clients), to: host, hears: 'both' })
    }
  })
  return faults.sort((one, other) => one.atMs - other.atMs)
}
