// Many calls, and what is left of them: quorum calls, calls of one node, streams and cancelled calls against three servers in
// this process, over sockets, one of which is cut every second. In the end the heap must be where it was after the first
// tenth. Needs --expose-gc.

import { connect, createServer, quorumCall, quorumStream, rpc, service } from 'gorums'
import { startFaultProxy } from 'gorums/testing'

const Soak = service('chaos.Soak', {
  echo: rpc<{ n: number; text: string }, { n: number }>(),
  echoAll: quorumCall<{ n: number; text: string }, { n: number }>(),
  count: quorumStream<{ n: number }, { n: number }>(),
})

export interface SoakResult {
  readonly calls: number
  readonly failed: number
  /** Connections that were cut, one a second, and made again. */
  readonly reconnects: number
  /** Heap and buffers after a tenth of the calls, and after all, MiB. */
  readonly beganMiB: number
  readonly endedMiB: number
  /** Sockets that are left when all is closed. */
  readonly handles: number
  readonly seconds: number
}

const IN_FLIGHT = 256
const CUT_EVERY_MS = 1_000

export async function runSoak(calls: number): Promise<SoakResult> {
  const startedAt = performance.now()
  const servers = ['a', 'b', 'c'].map((nodeID) => createServer({ nodeID }))
  const proxies: Awaited<ReturnType<typeof startFaultProxy>>[] = []
  const addresses: Record<string, string> = {}
  for (const [index, server] of servers.entries()) {
    server.handle(Soak, {
      echo: ({ n }) => ({ n }),
      echoAll: ({ n }) => ({ n }),
      async *count({ n }, context) {
        context.release()
        yield { n }
        yield { n: n + 1 }
      },
    })
    const proxy = await startFaultProxy({ target: await server.listen(), seed: index })
    proxies.push(proxy)
    addresses['abc'[index]!] = proxy.address
  }
  const config = await connect(addresses, { waitFor: 'all', whenDown: 'wait' })
  let reconnects = 0
  config.on('up', () => reconnects++)
  let seconds = 0
  const cutting = setInterval(() => proxies[seconds++ % proxies.length]!.cut(), CUT_EVERY_MS)
  const all = config.client(Soak)
  const nodes = config.nodes.map((node) => node.client(Soak))
  let next = 1
  let failed = 0
  const one = async (n: number): Promise<void> => {
    const request = { n, text: 'x'.repeat(n % 200) }
    if (n % 1_000 === 0) for await (const { error } of all.count({ n })) failed += error === undefined ? 0 : 1
    else if (n % 100 === 0) await all.echoAll(request, { stragglers: 'cancel' }).first()
    else if (n % 4 === 0) await nodes[n % 3]!.echo(request)
    else await all.echoAll(request).majority()
  }
  const keepCalling = async (until: number): Promise<void> => {
    while (next <= until)
      await one(next++).catch(() => {
        failed++
      })
  }
  const run = (until: number): Promise<unknown> =>
    Promise.all(Array.from({ length: IN_FLIGHT }, () => keepCalling(until)))
  await run(calls / 10)
  const beganMiB = await restingMiB(config)
  await run(calls)
  clearInterval(cutting)
  const endedMiB = await restingMiB(config)
  await config.close()
  await Promise.all(servers.map((server) => server.close()))
  await Promise.all(proxies.map((proxy) => proxy.close()))
  const deadline = performance.now() + CLOSED_MS
  while (sockets() > 0 && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  const handles = sockets()
  const tookSeconds = (performance.now() - startedAt) / 1000
  return { calls, failed, reconnects, beganMiB, endedMiB, handles, seconds: tookSeconds }
}

/** Heap and buffers when every answer is there and acknowledged. */
async function restingMiB(config: Awaited<ReturnType<typeof connect>>): Promise<number> {
  while (config.nodes.some(({ pending }) => pending > 0)) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, ACKNOWLEDGED_MS))
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1024 / 1024
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
}

/** By then every socket of ours is gone. */
const CLOSED_MS = 5_000
/** By then everything has been acknowledged. */
const ACKNOWLEDGED_MS = 200
