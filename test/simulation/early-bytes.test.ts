// A simulated machine takes bytes before its program takes the connection, as a kernel does.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Simulation } from '../../src/testing/simulation/simulation.ts'
import { SimulatedStream } from '../../src/testing/simulation/stream.ts'

test('bytes that arrive before the program has taken the connection are read when it has, behind onOpen', async () => {
  const simulation = new Simulation({ seed: 1 })
  const host = simulation.host('a', () => {})
  await simulation.run(1)
  const stream = new SimulatedStream(simulation.network, host, 'b:1')
  const told: string[] = []
  stream.receive(Buffer.from('first'))
  stream.start({
    onOpen: () => told.push('open'),
    onBytes: (bytes) => told.push(bytes.toString()),
    onDrain: () => {},
    onClose: () => {},
  })
  stream.receive(Buffer.from('second'))
  stream.open()
  await simulation.run(1)
  stream.receive(Buffer.from('third'))
  assert.deepEqual(told, ['open', 'first', 'second', 'third'])
})
