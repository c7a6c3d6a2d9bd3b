// Worlds in which handlers take their time over large answers while connections are cut again and again: logs fill while
// nobody is there to take them, and processes end while answers are sent again.

import type { Fault } from '../../../src/testing/simulation/faults.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import type { WorldPlan } from './world.ts'

/** Every so many seeds' world is one of these, on average. */
const ONE_OF = 25
const KIB = 1024
/** A few of these fill the smallest log of a session, bytes. */
const ANSWER_BYTES = 250_000

/** The plan itself, or, for one seed of twenty-five, one with large and slow answers, and cuts. */
export function maybeTorn(plan: WorldPlan): WorldPlan {
  const random = new Random(plan.seed, 'torn')
  if (plan.isRolling || !random.chance(1 / ONE_OF)) return plan
  const callsPerClient = 40
  return {
    ...plan,
    // A session ends when an answer does not fit its log while its client is away.
    isGentle: false,
    isSlow: true,
    overMs: 1_000,
    callsPerClient,
    paceMs: random.magnitude(1, 25),
    padMaxBytes: 60,
    answerBytes: ANSWER_BYTES,
    whenDown: 'wait',
    // Answers take longer than handlers.
    weather: {
      delayMinMs: 1,
      delayMaxMs: 20,
      stallChance: 0,
      chunkMaxBytes: 64 * KIB,
      pipeBytes: random.pick([16, 64]) * KIB,
    },
    clientTransport: {},
    transport: {
      ...plan.transport,
      sessions: true,
      sessionTtlMs: 60_000,
      pingIntervalMs: 2_000,
      pingTimeoutMs: 2_000,
      backoff: { minMs: random.int(1, 100), maxMs: 500 },
      limits: {
        ...plan.transport.limits,
        frameMaxBytes: 256 * KIB,
        requestWindowBytes: 1024 * KIB,
        queueMaxBytes: 64 * 1024 * KIB,
        sessionLogMaxBytes: 1024 * KIB,
        detachedSessionsMax: 1_000,
      },
    },
    faults: drawTorn(random, plan),
  }
}

function drawTorn(random: Random, { servers, clients }: WorldPlan): Fault[] {
  const faults: Fault[] = []
  for (let cuts = random.int(3, 10); cuts > 0; cuts--) {
    const atMs = random.magnitude(10, 2_000)
    const server = random.pick(servers)
    faults.push({ kind: 'reset', atMs, from: random.pick(clients), to: server, hears: 'both' })
    const forMs = random.magnitude(20, 1_000)
    if (random.chance(0.7)) faults.push({ kind: 'refuse', atMs, forMs, host: server })
    // Clients are back by then.
    const backMs = atMs + forMs + random.magnitude(5, 300)
    if (random.chance(0.3)) faults.push({ kind: 'crash', atMs: backMs, forMs: 100, host: server, isSilent: false })
  }
  return faults.sort((one, other) => one.atMs - other.atMs)
}
