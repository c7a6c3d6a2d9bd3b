// What calls pay for looking at the clock: how often it is read, what one look costs, and which share of a call's time that
// is. The calls go to three servers in this process, over sockets; the servers' looks count as well.

import { quorumCall, type Runtime, rpc, service } from 'gorums'
import { startLocalCluster } from 'gorums/testing'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { compare, digits } from './comparison.ts'

const Work = service('bench.Clock', { echo: quorumCall<number, number>(), one: rpc<number, number>() })
const READS = 1000
const CALLS = 2048

let reads = 0
const runtime: Runtime = {
  ...nodeRuntime,
  now: () => {
    reads++
    return nodeRuntime.now()
  },
}

const [, look] = await compare('a look at the clock', READS, [
  { name: 'Date.now', run: () => manyReads(() => Math.sign(Date.now())) },
  { name: 'the runtime’s clock', run: () => manyReads(() => Math.sign(nodeRuntime.now())) },
])

function manyReads(read: () => number): number {
  let sum = 0
  for (let index = 0; index < READS; index++) sum += read()
  return sum
}

const cluster = await startLocalCluster(
  3,
  (server) => server.handle(Work, { echo: (value) => value, one: (value) => value }),
  { server: { runtime } },
)
const configuration = await cluster.connect({ runtime, waitFor: 'all' })
const client = configuration.client(Work)
const node = configuration.nodes[0]!.client(Work)

console.log('\nlooks at the clock per call, client and servers together')
await show('quorum call, 1 in flight', 1, () => client.echo(1).majority())
await show('quorum call, 64 in flight', 64, () => client.echo(1).majority())
await show('quorum call, 512 in flight', 512, () => client.echo(1).majority())
await show('call of one node, 1 in flight', 1, () => node.one(1))
await cluster.close()

async function show(name: string, inFlight: number, call: () => Promise<unknown>): Promise<void> {
  await manyCalls(inFlight, call)
  const before = reads
  const startedAt = performance.now()
  await manyCalls(inFlight, call)
  const nanosecondsPerCall = ((performance.now() - startedAt) * 1e6) / CALLS
  const readsPerCall = (reads - before) / CALLS
  const share = (readsPerCall * look!.nanoseconds) / nanosecondsPerCall
  console.log(
    `  ${name.padEnd(30)} ${digits(readsPerCall).padStart(6)} looks in ${digits(nanosecondsPerCall / 1000).padStart(6)} µs` +
      `: ${(100 * share).toFixed(2)} % of the call`,
  )
}

async function manyCalls(inFlight: number, call: () => Promise<unknown>): Promise<void> {
  let left = CALLS
  const caller = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
}
