// A peer that acknowledges nothing: calls and answers stop at a number, not only at their bytes, because each keeps memory of
// its own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, service, unicast } from 'gorums'
import { Kind } from '../../src/wire/frame.ts'
import { HI, methodID } from './echo-service.ts'
import { playNode } from './played-node.ts'
import { frameOf } from './raw-peer.ts'
import { servePeer } from './served-peer.ts'

const Store = service('logged.Store', { put: unicast<string>() })
const MIB = 1024 * 1024
/** A log of 4 MiB has room for so many calls, however small. */
const LOGGED = 2048

test('calls that nobody acknowledges stop at one per 2 KiB of the log, and go on when they are acknowledged', async (t) => {
  const node = await playNode(t, { sessionID: Buffer.alloc(16, 7) })
  const config = await connect(
    { a: node.address },
    { limits: { sessionLogMaxBytes: 4 * MIB, frameMaxBytes: 64 * 1024 }, callTimeoutMs: Infinity },
  )
  t.after(() => config.close())
  const peer = await node.peer
  const client = config.node('a').client(Store)
  const calls = Array.from({ length: LOGGED + 100 }, () => client.put('x'))
  await Promise.all(calls.slice(0, LOGGED))
  assert.equal(config.node('a').pending, 100, 'the others wait')
  while (peer.receivedFrames < LOGGED) await peer.next(Kind.oneway)
  peer.sendAck({ requestBytesAllowed: 16 * MIB })
  await Promise.all(calls)
})

test('answers that nobody acknowledges stop at one per 128 bytes of the log, and go on when they are acknowledged', async (t) => {
  const { runtime, peer, handled } = await servePeer(t, {
    limits: { sessionLogMaxBytes: MIB, frameMaxBytes: 64 * 1024 },
  })
  const ANSWERS = MIB / 128
  const requests = Array.from({ length: ANSWERS + 500 }, (_, index) =>
    frameOf({ kind: Kind.request, methodID: methodID('echo'), msgID: index + 1, payload: HI }),
  )
  peer.send(Buffer.concat(requests))
  peer.sentFrames = requests.length
  await runtime.settle()
  assert.equal(peer.receivedFrames, ANSWERS)
  assert.equal(handled.length, ANSWERS, 'the others have not been started')
  peer.sendAck()
  await runtime.settle()
  assert.equal(peer.receivedFrames, ANSWERS + 500)
})
