import { runSeed } from './test/simulation/campaign/campaign.ts'
const from = Number(process.argv[2]), to = Number(process.argv[3])
const t0 = performance.now(); let calls = 0, events = 0, virtual = 0, bad = 0; const inv: Record<string, number> = {}
for (let s = from; s <= to; s++) { const r = await runSeed(s); calls += r.calls; events += r.events; virtual += r.virtualMs; if (r.violation) { bad++; const k = r.violation.invariant; inv[k] = (inv[k] ?? 0) + 1; if (inv[k]! <= 3) console.log(s, r.isGentle, r.violation, r.faults) } }
const ms = performance.now() - t0
console.log({ ms, perSeed: ms / (to - from + 1), calls, events, usPerEvent: ms * 1000 / events, virtualPerReal: virtual / ms, bad, inv })
