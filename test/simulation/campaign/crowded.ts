// Worlds with more and larger messages than there is room for, and acknowledgements that do not come: logs fill, and are cut off
// when they are full.

import type { Fault } from '../../../src/testing/simulation/faults.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import type { WorldPlan } from './world.ts'

/** Every so many seeds' world is one of these, on average. */
const ONE_OF = 25
/** Just below the largest frame, bytes. */
const LARGE_BYTES = 16_000
/** Fast enough for logs to fill in a moment. */
const FAST = {
  delayMinMs: 0.1,
  delayMaxMs: 2,
  stallChance: 0,
  chunkMaxBytes: 64 * 1024,
  pipeBytes: 512 * 1024,
} as const
/** As small as the log of a session may be, bytes. */
const LOG_BYTES = 1024 * 1024
const NEVER_MS = 3_600_000

/** The plan itself, or, for one seed of twenty-five, one with large requests, or large answers, in quick succession. */
export function maybeCrowded(plan: WorldPlan): WorldPlan {
  const random = new Random(plan.seed, 'crowded')
  if (plan.isRolling || !random.chance(1 / ONE_OF)) return plan
  const hasLargeAnswers = random.chance(0.5)
  const callsPerClient = random.int(200, 400)
  const paceMs = random.between(0.1, 1)
  return {
    ...plan,
    // A session whose log is full while its client is away ends.
    isGentle: false,
    weather: FAST,
    callsPerClient,
    paceMs,
    padMaxBytes: hasLargeAnswers ? 60 : LARGE_BYTES,
    answerBytes: hasLargeAnswers ? LARGE_BYTES : 0,
    transport: {
      ...plan.transport,
      sessions: true,
      sessionTtlMs: NEVER_MS,
      // Whoever hears nothing is not given up before its log is full.
      pingIntervalMs: 5_000,
      pingTimeoutMs: 5_000,
      limits: {
        ...plan.transport.limits,
        requestWindowBytes: 4 * LOG_BYTES,
        sessionLogMaxBytes: LOG_BYTES,
        detachedSessionsMax: 1_000,
      },
    },
    faults: drawCrowded(random, plan, callsPerClient * paceMs, hasLargeAnswers),
  }
}

/** Acknowledgements of what is large are held back, or the client is away while its requests run. */
function drawCrowded(
  random: Random,
  { servers, clients }: WorldPlan,
  callingMs: number,
  hasLargeAnswers: boolean,
): Fault[] {
  const faults: Fault[] = []
  for (const client of clients) {
    for (const server of servers) {
      const atMs = callingMs * (hasLargeAnswers ? random.between(0.5, 1.2) : random.between(0, 0.5))
      const forMs = random.magnitude(300, 4_000)
      const isAway = hasLargeAnswers && random.chance(0.7)
      const [from, to] = hasLargeAnswers ? [client, server] : [server, client]
      faults.push({ kind: 'partition', atMs, forMs, from: [from], to: [to], isOneWay: !isAway })
      const cutMs = isAway ? atMs : atMs + forMs * random.between(0.2, 1.2)
      faults.push({ kind: 'reset', atMs: cutMs, from: client, to: server, hears: 'both' })
    }
  }
  return faults.sort((one, other) => one.atMs - other.atMs)
}
