// Many calls, and what is left of them: quorum calls, calls of one node, streams and cancelled calls against three servers in
// this process, over sockets, one of which is cut every second. The heap is measured again and again meanwhile, and must not
// climb. Needs --expose-gc.

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
  /** Heap and buffers after each twentieth of the calls, MiB. */
  readonly heapMiB: readonly number[]
  /** The slope of the straight line that is nearest to the second half of those (least squares): by then all is compiled. */
  readonly bytesPer100000Calls: number
  /** Sockets and timers that are left when all is closed, beyond those that were there before. */
  readonly handles: number
  readonly seconds: number
}

const IN_FLIGHT = 256
const CUT_EVERY_MS = 1_000

export async function runSoak(calls: number): Promise<SoakResult> {
  const startedAt = performance.now()
  const handlesBefore = openHandles()
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
  const heapMiB: number[] = []
  for (let sample = 1; sample <= SAMPLES; sample++) {
    await run((sample * calls) / SAMPLES)
    heapMiB.push(Number((await restingMiB(config)).toFixed(3)))
  }
  clearInterval(cutting)
  await config.close()
  await Promise.all(servers.map((server) => server.close()))
  await Promise.all(proxies.map((proxy) => proxy.close()))
  const deadline = performance.now() + CLOSED_MS
  while (openHandles() > handlesBefore && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve))
  return {
    calls,
    failed,
    reconnects,
    heapMiB,
    bytesPer100000Calls: Math.round(slope(heapMiB.slice(SAMPLES / 2)) * MIB * ((SAMPLES * 100_000) / calls)),
    handles: Math.max(0, openHandles() - handlesBefore),
    seconds: (performance.now() - startedAt) / 1000,
  }
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
  return (heapUsed + external) / MIB
}

/** By how much the values grow from one to the next, after the straight line that is nearest to them. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const covariance = values.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0)
  const variance = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return covariance / variance
}

/** Sockets and timers that keep a process alive. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP') || name === 'Timeout').length
}

const MIB = 1024 * 1024
const SAMPLES = 20

/** By then every socket of ours is gone. */
const CLOSED_MS = 5_000
/** By then everything has been acknowledged. */
const ACKNOWLEDGED_MS = 200
