// The simulator: the same code that runs in production, on a virtual clock, a simulated network and simulated disks.
//
//   const simulation = new Simulation({ seed: 7 })
//   simulation.host('a', async ({ runtime }) => { … createServer({ runtime }) … })
//   simulation.schedule([{ kind: 'crash', atMs: 100, forMs: 500, host: 'a', isSilent: false }])
//   await simulation.run(10_000)
//   simulation.trace.hash

export { drawFaults, endOfFaults, type Fault, type FaultKind, type FaultPlan, faultKinds } from './faults.ts'
export { type Program, SimulatedHost } from './host.ts'
export type { Weather } from './network.ts'
export { Random } from './random.ts'
export { shrinkSchedule } from './shrink.ts'
export { Simulation, type SimulationCounters, type SimulationOptions } from './simulation.ts'
export { drawTimeline, type TimelineOptions } from './timeline.ts'
export { Trace } from './trace.ts'
