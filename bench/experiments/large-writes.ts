// Large writes to five nodes: how fast, and what one of them allocates in the client beyond the value that it is given.

import { median } from '../measure/statistics.ts'
import { Setting } from '../processes/setting.ts'
import type { Target } from '../targets/target.ts'
import type { Benchmark, Fact } from './benchmark.ts'
import { echoPoint } from './goal-points.ts'
import { type Point, type Settings, settingOptions } from './point.ts'
import { measurePoint } from './turns.ts'

const MIB = 1024 * 1024
const ALLOCATING_CALLS = 15

const point: Point = {
  ...echoPoint('5x1MiB', 1, MIB),
  title: 'writes of 1 MiB to 5 nodes, all of which answer',
  operation: 'write',
  nodes: 5,
  quorum: 5,
}

export const largeWrites: Benchmark = {
  name: 'large-writes',
  title: point.title,
  group: 'full',
  async run({ choose, settings }) {
    const targets = choose('gorums', 'grpc-stream', 'grpc-unary')
    const measured = await measurePoint(point, targets, settings)
    const facts: Fact[] = []
    for (const target of targets) {
      const value = (await allocatedByCall(target, settings)) / MIB
      settings.progress(`  ${target.name}: a call allocates ${value.toFixed(3)} MiB beyond the value`)
      const whose = target.name === 'gorums' ? '' : `, ${target.name}`
      facts.push({ name: `allocated by a call beyond the value${whose}`, value, unit: 'MiB' })
    }
    return { name: this.name, title: this.title, points: [measured], facts }
  },
}

/** On processes of their own, because collecting before each call would slow rounds down. The median of some calls. */
async function allocatedByCall(target: Target, settings: Settings): Promise<number> {
  const flags = { ...settings, clientFlags: [...settings.clientFlags, '--expose-gc'] }
  const setting = await Setting.start(target, settingOptions(point, flags))
  try {
    await setting.round({ windowMs: settings.windowMs, inFlight: point.inFlight })
    const found = await setting.client.ask<number[]>('allocations', { calls: ALLOCATING_CALLS })
    if (found.length === 0)
      throw new Error(`${target.name}: the collector ran during each of ${ALLOCATING_CALLS} calls`)
    return median(found)
  } finally {
    await setting.end()
  }
}
