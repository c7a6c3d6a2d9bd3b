// A short run of every fuzzer: the same inputs each time, since the budget is in bytes and not in time. `npm run fuzz` goes on
// from there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz, targetNames } from './fuzz.ts'
import { fuzzLive } from './live.ts'
import { plantedBugs } from './planting/planted-bugs.ts'
import { fuzzStructured } from './structured.ts'

const BYTES: Readonly<Record<string, number>> = {
  decoder: 4_000_000,
  control: 4_000_000,
  handshake: 300_000,
  msgpack: 4_000_000,
  protobuf: 1_000_000,
}

for (const name of targetNames) {
  test(`${name}: no input crashes it, hangs it, or is read in two ways`, async (t) => {
    const figures = await fuzz(name, 1, { bytes: BYTES[name]! })
    assert.deepEqual(figures.failures, [])
    assert.ok(figures.bytes >= BYTES[name]!)
    t.diagnostic(
      `${figures.executions} executions, ${figures.bytes} bytes, ${figures.edgesCovered} of ${figures.edgesTotal} branches`,
    )
  })
}

test('streams, messages and values of the right form, with lies told about them', async (t) => {
  const figures = await fuzzStructured({ executions: 6_000, seed: 1 })
  assert.deepEqual(figures.failures, [])
  t.diagnostic(`${figures.executions} executions, ${figures.bytes} bytes`)
})

test('a server on a socket outlives whatever it is sent, and goes on serving others', async (t) => {
  const { failures, probesFailed, reconnects, uncaught, hangs, socketsLeft, ...figures } = await fuzzLive({
    inputs: 600,
    seed: 1,
  })
  assert.deepEqual(
    { failures, probesFailed, reconnects, uncaught, hangs, socketsLeft },
    { failures: [], probesFailed: 0, reconnects: 0, uncaught: 0, hangs: 0, socketsLeft: 0 },
  )
  t.diagnostic(`${figures.inputs} inputs, ${figures.bytes} bytes, ${figures.cut} cut by the server`)
})

for (const { name, what, target } of plantedBugs) {
  test(`finds a planted bug: ${what}`, async (t) => {
    const { failures } = await fuzz(target, 1, { bytes: 40_000_000, untilFailure: true }, { variant: { bug: name } })
    assert.ok(failures.length > 0, 'it was not found')
    t.diagnostic(`execution ${failures[0]!.execution}: ${failures[0]!.message.slice(0, 150)}`)
  })
}
