// A node on a socket of its own that a test plays by hand: it shakes hands with the first who dials it, and does nothing more
// by itself.

import assert from 'node:assert/strict'
import type { TestContextLike } from 'gorums/testing'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import type { HelloOk } from '../../src/wire/control.ts'
import { RawPeer } from './raw-peer.ts'

export interface PlayedNode {
  readonly address: string
  /** The node's end of the connection, when hands have been shaken. */
  readonly peer: Promise<RawPeer>
}

/** Starts to listen; HELLO_OK will say what is right, and `changes`. Closed when the test ends. */
export async function playNode(t: TestContextLike, changes: Partial<HelloOk> = {}): Promise<PlayedNode> {
  const peers: RawPeer[] = []
  let welcome!: (peer: RawPeer) => void
  const welcomed = new Promise<RawPeer>((resolve) => {
    welcome = resolve
  })
  const port = await nodeRuntime.listen({}, undefined, {
    onStream(stream) {
      const peer = new RawPeer(stream)
      peers.push(peer)
      // Whoever dials again, or is gone before, is no matter of these tests.
      peer.welcome(changes).then(
        () => welcome(peer),
        () => {},
      )
    },
    onError: (error) => assert.fail(error),
  })
  t.after(async () => {
    for (const peer of peers) peer.close()
    await port.close()
  })
  return { address: `${port.host}:${port.port}`, peer: welcomed }
}
