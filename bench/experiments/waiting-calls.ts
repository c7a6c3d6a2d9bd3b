// What a call costs while it waits for its answer: a hundred thousand of them to three nodes that are stopped.

import { Setting } from '../processes/setting.ts'
import type { Benchmark } from './benchmark.ts'
import { echoPoint } from './goal-points.ts'
import { settingOptions } from './point.ts'

const CALLS = 100_000

export const waitingCalls: Benchmark = {
  name: 'waiting-calls',
  title: `memory of ${CALLS} calls in flight, 16 B, 3 nodes`,
  group: 'full',
  async run({ choose, settings }) {
    const point = echoPoint('waiting-calls', CALLS, 16)
    const options = settingOptions(point, { ...settings, clientFlags: [...settings.clientFlags, '--expose-gc'] })
    const setting = await Setting.start(choose('gorums')[0]!, options)
    try {
      await setting.stopLast(point.nodes)
      const value = await setting.client.ask<number>('hold', { calls: CALLS })
      settings.progress(`  ${Math.round(value)} bytes per call`)
      return {
        name: this.name,
        title: this.title,
        points: [],
        facts: [{ name: 'a call in flight', value, unit: 'bytes' }],
      }
    } finally {
      await setting.end()
    }
  },
}
