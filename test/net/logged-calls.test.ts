// A peer that acknowledges nothing: calls stop at a number, not only at their bytes, because each keeps memory of its own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, service, unicast } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { Kind } from '../../src/wire/frame.ts'
import { RawPeer } from './raw-peer.ts'

const Store = service('logged.Store', { put: unicast<string>() })
const MIB = 1024 * 1024
/** A log of a mebibyte has room for so many calls, however small. */
const LOGGED = 4096

test('calls that nobody acknowledges stop at one per 256 bytes of the log, and go on when they are acknowledged', async (t) => {
  let onPeer!: (peer: RawPeer) => void
  const accepted = new Promise<RawPeer>((resolve) => {
    onPeer = resolve
  })
  const port = await nodeRuntime.listen({}, undefined, {
    onStream(stream) {
      const peer = new RawPeer(stream)
      onPeer(peer)
      void peer.next(Kind.hello).then(() => peer.sendHelloOk({ sessionID: Buffer.alloc(16, 7) }))
    },
    onError: (error) => assert.fail(error),
  })
  const config = await connect(
    { a: `${port.host}:${port.port}` },
    { limits: { sessionLogMaxBytes: MIB, frameMaxBytes: 64 * 1024 }, callTimeoutMs: Infinity },
  )
  const peer = await accepted
  t.after(async () => {
    await config.close()
    peer.stream.destroy()
    await port.close()
  })
  const client = config.node('a').client(Store)
  const calls = Array.from({ length: LOGGED + 100 }, () => client.put('x'))
  await Promise.all(calls.slice(0, LOGGED))
  assert.equal(config.node('a').pending, 100, 'the others wait')
  while (peer.receivedFrames < LOGGED) await peer.next(Kind.oneway)
  peer.sendAck({ requestBytesAllowed: 16 * MIB })
  await Promise.all(calls)
})
