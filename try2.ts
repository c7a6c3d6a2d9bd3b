import { runSeed, planOf } from './test/simulation/campaign/campaign.ts'
const seed = Number(process.argv[2])
console.log(JSON.stringify(planOf(seed), null, 0))
const r = await runSeed(seed, { traceLines: Number(process.argv[3] ?? 60) })
console.log(r.trace.slice(-Number(process.argv[3] ?? 60)).join('\n')); console.log(r.violation)
