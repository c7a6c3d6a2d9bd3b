// A server is killed and started again while many clients are connected to it: how long until each has been answered.

import { Histogram } from '../measure/histogram.ts'
import { Setting } from '../processes/setting.ts'
import type { Benchmark } from './benchmark.ts'
import { echoPoint } from './goal-points.ts'
import { type Point, settingOptions } from './point.ts'

const CLIENTS = 200

export const reconnectStorm: Benchmark = {
  name: 'reconnect-storm',
  title: `a server is killed and started again under ${CLIENTS} clients`,
  group: 'full',
  async run({ choose, settings }) {
    const point: Point = { ...echoPoint('reconnect-storm', CLIENTS, 16), nodes: 1, quorum: 1, clients: CLIENTS }
    const setting = await Setting.start(choose('gorums')[0]!, settingOptions(point, settings))
    try {
      await setting.restartLast()
      const times = new Histogram()
      for (const ms of await setting.client.ask<number[]>('recover')) times.record(ms)
      const cpuMicros = await setting.serverCpuMicros()
      settings.progress(`  answered again: p50 ${times.quantile(0.5).toFixed(0)} ms, all ${times.maxMs.toFixed(0)} ms`)
      const facts = [
        { name: 'answered again, median client', value: times.quantile(0.5), unit: 'ms' },
        { name: 'answered again, all clients', value: times.maxMs, unit: 'ms' },
        { name: 'CPU time of the new server', value: cpuMicros / 1000, unit: 'ms' },
      ]
      return { name: this.name, title: this.title, points: [], facts }
    } finally {
      await setting.end()
    }
  },
}
