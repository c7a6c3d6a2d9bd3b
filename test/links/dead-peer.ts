// How long it takes to notice that a peer is gone without a word: its connection swallows everything from one moment on.

import { connect, createServer } from 'gorums'
import { startFaultProxy } from 'gorums/testing'

export interface DeadPeerResult {
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  readonly times: number
  readonly medianMs: number
  readonly maxMs: number
  /** What was promised: interval and timeout and 10 %. */
  readonly promisedMs: number
}

export async function measureDeadPeer(
  times: number,
  pingIntervalMs = 500,
  pingTimeoutMs = 500,
): Promise<DeadPeerResult> {
  const server = createServer()
  const target = await server.listen()
  const took: number[] = []
  for (let time = 0; time < times; time++) {
    const proxy = await startFaultProxy({ target })
    const config = await connect([proxy.address], { pingIntervalMs, pingTimeoutMs })
    const startedAt = performance.now()
    proxy.treat('both', { flow: 'lose' })
    await config.waitFor((status) => status.connected.size === 0)
    took.push(performance.now() - startedAt)
    await config.close()
    await proxy.close()
  }
  await server.close()
  took.sort((one, other) => one - other)
  return {
    pingIntervalMs,
    pingTimeoutMs,
    times,
    medianMs: took[times >> 1]!,
    maxMs: took.at(-1)!,
    promisedMs: 1.1 * (pingIntervalMs + pingTimeoutMs),
  }
}
