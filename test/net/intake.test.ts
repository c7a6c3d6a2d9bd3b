// What an intake tells, and when.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Intake } from '../../src/net/intake.ts'
import { Turn } from '../../src/net/turn.ts'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID } from './echo-service.ts'
import { servePeer } from './served-peer.ts'
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

test('from 25 ms on frames are acknowledged with what is written anyway, and later ones have their own 50 ms', async () => {
  const { runtime, intake, told } = start()
  const take = (): void => {
    intake.count(100)
    intake.acknowledge()
  }
  intake.resume()
  take()
  await runtime.advance(24)
  intake.acknowledgeAlong()
  assert.equal(told.length, 0)
  await runtime.advance(1)
  intake.acknowledgeAlong()
  assert.equal(told.length, 1)
  intake.acknowledgeAlong()
  assert.equal(told.length, 1, 'there is nothing more to tell')
  await runtime.advance(5)
  take()
  await runtime.advance(49)
  assert.equal(told.length, 1, 'at 79 ms, of what has come at 30')
  await runtime.advance(1)
  assert.equal(told.length, 2)
  await runtime.advance(1_000)
  assert.equal(told.length, 2)
  assert.equal(runtime.timerCount, 0)
})

test('where requests are answered, an ACK goes with an answer', async (t) => {
  const { runtime, peer } = await servePeer(t)
  /** What comes back for a request, with no time passing. */
  const kindsFor = async (msgID: number): Promise<number[]> => {
    const before = peer.frames.length
    peer.send({ kind: Kind.request, msgID, methodID: methodID('echo'), payload: HI })
    await runtime.settle()
    return peer.frames.slice(before).map(({ kind }) => kind)
  }
  assert.deepEqual(await kindsFor(1), [Kind.reply])
  await runtime.advance(24)
  assert.deepEqual(await kindsFor(2), [Kind.reply])
  await runtime.advance(1)
  assert.deepEqual(await kindsFor(3), [Kind.reply, Kind.ack])
  await runtime.advance(1_000)
  assert.deepEqual(
    peer.frames.at(-1)?.payload,
    peer.ackPayload({ receivedFrames: 3, sentFrames: 3, requestBytesAllowed: 16 * 1024 * 1024 + 3 * (16 + HI.length) }),
  )
})
