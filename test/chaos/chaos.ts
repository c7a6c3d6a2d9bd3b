// npm run chaos: processes that are killed, stopped and restarted under load, for longer than the tests do it; and a soak.
//
//   npm run chaos                         all of it, a few minutes
//   npm run chaos -- --only soak --calls 10000000
//   npm run chaos -- --only storage --faults 140 --stop-max 60     replicas are stopped for up to 60 s

import { parseArgs } from 'node:util'
import { endWithReader } from '../../scripts/broken-pipe.ts'
import { runKills } from './kills.ts'
import { runRollingRestart } from './rolling-restart.ts'
import { runSoak } from './soak.ts'
import { runChaos } from './storage-chaos.ts'

endWithReader()
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    calls: { type: 'string', default: '100000' },
    faults: { type: 'string', default: '42' },
    'stop-max': { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
})
const calls = Number(values.calls)
const faults = Number(values.faults)
const seed = Number(values.seed)
const stopMaxMs = 1_000 * Number(values['stop-max'])

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  kills: () => runKills({ kills: faults, callsPerLife: 2_000 }),
  rolling: () => runRollingRestart({ calls, rounds: 3 }),
  storage: async () => {
    const results: unknown[] = []
    for (const replicas of [3, 5, 7] as const)
      results.push(await runChaos({ replicas, clients: 3, faults, stopMaxMs, seed }))
    return results
  },
  soak: () => runSoak(calls),
}
for (const [name, run] of Object.entries(parts))
  if (values.only === undefined || values.only.includes(name)) console.log(name, await run())
