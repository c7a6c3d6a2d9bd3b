// What an intake tells, and when.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Intake } from '../../src/net/intake.ts'
import { Turn } from '../../src/net/turn.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

function start(windowBytes = 1_000): { runtime: VirtualRuntime; intake: Intake; told: number[] } {
  const runtime = new VirtualRuntime()
  const told: number[] = []
  const intake: Intake = new Intake(new Turn(runtime), windowBytes, () => told.push(intake.announce()))
  return { runtime, intake, told }
}

test('requests that start between the handshake and the connection are told of, or the other side would wait for ever', async () => {
  const { runtime, intake, told } = start()
  intake.resume()
  intake.countRequest(900)
  intake.pause()
  assert.equal(intake.announce(), 1_000, 'what the handshake says')
  intake.requestStarted(900)
  await runtime.advance(1_000)
  assert.deepEqual(told, [], 'nothing can be told without a connection')
  intake.resume()
  await runtime.advance(50)
  assert.deepEqual(told, [1_900])
})

test('frames are acknowledged after 50 ms, or at once when there are many', async () => {
  const { runtime, intake, told } = start()
  intake.resume()
  intake.count(100)
  intake.acknowledge()
  await runtime.advance(49)
  assert.equal(told.length, 0)
  await runtime.advance(1)
  assert.equal(told.length, 1)
  for (let frame = 0; frame < 256; frame++) {
    intake.count(100)
    intake.acknowledge()
  }
  assert.equal(told.length, 2)
  await runtime.advance(1_000)
  assert.equal(told.length, 2)
  assert.equal(runtime.timerCount, 0)
})
