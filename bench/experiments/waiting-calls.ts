// What a call costs while it waits for its answer: a hundred thousand of them to three nodes that are stopped, and which
// objects the bytes of a call are.

import type { Retained } from '../measure/retained.ts'
import { Setting } from '../processes/setting.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { echoPoint } from './goal-points.ts'
import { settingOptions } from './point.ts'

const CALLS = 100_000
/** So many are looked at one by one: a snapshot of more takes long. */
const LOOKED_AT = 10_000

export const waitingCalls: Benchmark = {
  name: 'waiting-calls',
  title: `memory of ${CALLS} calls in flight, 16 B, 3 nodes`,
  group: 'full',
  async run(bench) {
    const value = await hold(bench, CALLS, async (_, bytes) => bytes)
    bench.settings.progress(`  ${Math.round(value)} bytes per call`)
    const parts = await hold(bench, LOOKED_AT, (setting) => setting.client.ask<Retained[]>('retained', 'Call'))
    for (const { path, bytes } of parts) bench.settings.progress(`    ${bytes.toFixed(1).padStart(6)} ${path}`)
    return {
      name: this.name,
      title: this.title,
      points: [],
      facts: [
        { name: 'a call in flight', value, unit: 'bytes' },
        ...parts.map(({ path, bytes }) => ({ name: path, value: bytes, unit: 'bytes' })),
      ],
    }
  },
}

/** Keeps so many calls in flight, to nodes that are stopped, while `look` looks at them; it is told the bytes of each. */
async function hold<T>(
  { choose, settings }: Bench,
  calls: number,
  look: (setting: Setting, bytes: number) => Promise<T>,
): Promise<T> {
  const point = echoPoint('waiting-calls', calls, 16)
  const options = settingOptions(point, { ...settings, clientFlags: [...settings.clientFlags, '--expose-gc'] })
  const setting = await Setting.start(choose('gorums')[0]!, options)
  try {
    await setting.stopLast(point.nodes)
    return await look(setting, await setting.client.ask<number>('hold', { calls }))
  } finally {
    await setting.end()
  }
}
