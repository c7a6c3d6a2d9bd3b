// Worlds in which clients say who they are. Some of them are killed and started again, and are there anew before anybody has
// noticed that they were gone.

import type { Fault } from '../../../src/testing/simulation/faults.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import type { WorldPlan } from './world.ts'

/** The plan itself, or, for every third seed on average, one whose clients have node ids. */
export function maybeNamed(plan: WorldPlan): WorldPlan {
  const random = new Random(plan.seed, 'named')
  if (plan.isRolling || !random.chance(1 / 3)) return plan
  if (plan.isGentle || !random.chance(1 / 3)) return { ...plan, clientNames: 'own' }
  const faults: Fault[] = plan.clients.map((host) => {
    const atMs = random.between(0, plan.overMs)
    return { kind: 'crash', atMs, forMs: random.magnitude(1, 1_000), host, isSilent: random.chance(0.7) }
  })
  return {
    ...plan,
    clientNames: 'own',
    faults: [...plan.faults, ...faults].sort((one, other) => one.atMs - other.atMs),
  }
}
