// The load's books: calls, failures, windows, and what is missing. A load that never finds anything wrong proves
// nothing, so it is shown servers that forget.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLeaks } from 'gorums/testing'
import { Load, LoadWindow } from './load.ts'
import { startStorage } from './storage-cluster.ts'

/** Resolves when the load has counted so many calls. */
async function counted(load: Load, calls: number): Promise<void> {
  while (load.calls < calls) await new Promise((resolve) => setImmediate(resolve))
}

test('a load counts its calls, and finds what it has written through every majority', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const configuration = await cluster.connect({ waitFor: 'all' })
  const load = new Load(configuration, { callsPerSecond: 1_000, keys: 5, writerID: 'w' })
  const window = load.beginWindow()
  load.start()
  await counted(load, 40)
  await load.stop()
  assert.equal(load.failed, 0)
  assert.equal(load.stale, 0)
  assert.equal(window.calls, load.calls)
  assert.equal(load.keys, 5)
  assert.equal(await load.missing(configuration.subset(['b', 'c'])), 0)
})

test('a load notices calls that fail, and writes that were forgotten', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const configuration = await cluster.connect({ waitFor: 'all' })
  const load = new Load(configuration, { callsPerSecond: 1_000, keys: 5, writerID: 'w' })
  load.start()
  await counted(load, 20)
  // Servers without a journal forget everything when they are started again.
  for (const id of ['a', 'b', 'c']) await cluster.stop(id, { drainTimeoutMs: 0 })
  await counted(load, load.calls + 20)
  await load.stop()
  assert.ok(load.failed > 0)
  assert.match(load.firstError!.message, /QC/)
  for (const id of ['a', 'b', 'c']) await cluster.restart(id)
  await configuration.waitFor((status) => status.connected.size === 3)
  assert.equal(await load.missing(configuration), load.keys)
})

test('a window tells percentiles of the calls that were made in it', () => {
  const window = new LoadWindow()
  assert.ok(Number.isNaN(window.percentileMs(0.5)))
  for (let ms = 100; ms > 0; ms--) window.record(ms)
  window.failed++
  assert.equal(window.calls, 101)
  assert.equal(window.percentileMs(0.5), 50)
  assert.equal(window.percentileMs(0.99), 99)
  assert.equal(window.percentileMs(1), 100)
})
