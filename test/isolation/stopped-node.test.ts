// P2 and P9: a stopped node changes neither the fate nor the memory of calls that a quorum of the others can answer.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Configuration, connect, type Response, type RpcError } from 'gorums'
import { Blob } from './blob-service.ts'
import { type ChildServer, startChildServer } from './child-server.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const MIB = 1024 * 1024

async function startChildren(t: TestContext, ids: readonly string[]): Promise<ChildServer[]> {
  const children = await Promise.all(ids.map((id) => startChildServer(id)))
  t.after(() => Promise.all(children.map((child) => child.kill())))
  return children
}

function connectTo(children: readonly ChildServer[]): Promise<Configuration> {
  const nodes = Object.fromEntries(children.map((child) => [child.id, child.address]))
  return connect(nodes, { waitFor: 'all', callTimeoutMs: Infinity, limits: { queueMaxBytes: MIB } })
}

function memoryBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('100 000 calls with a quorum of 3 of 5 complete in flat memory while one node is stopped', async (t) => {
  const children = await startChildren(t, ['a', 'b', 'c', 'd', 'e'])
  const config = await connectTo(children)
  t.after(() => config.close())
  const client = config.client(Blob)
  const bytes = new Uint8Array(1024)
  const codes = new Map<string, Set<string>>()
  let live = 5
  /** One call that goes on with three replies; resolves to the moment at which every live node has answered. */
  const put = async (): Promise<{ all: Promise<void> }> => {
    let replies = 0
    let answered!: () => void
    const all = new Promise<void>((resolve) => {
      answered = resolve
    })
    const onReply = ({ nodeID, error }: Response<unknown>): void => {
      if (error === undefined && ++replies === live) answered()
      else noteError(codes, nodeID, error)
    }
    await client.putAll({ bytes }, { onReply }).threshold(3)
    return { all }
  }
  const run = async (calls: number): Promise<void> => {
    let left = calls
    const worker = async (): Promise<void> => {
      // A live node that the machine gives little time is two calls behind, never a queue full.
      let before = Promise.resolve()
      while (left-- > 0) {
        const { all } = await put()
        await before
        before = all
      }
      await before
    }
    await Promise.all(Array.from({ length: 64 }, worker))
  }
  await run(2_000)
  assert.equal(codes.size, 0)
  children[2]!.process.kill('SIGSTOP')
  live = 4
  // Fills the kernel's buffers and the node's queue to its limit.
  await run(20_000)
  const before = memoryBytes()
  await run(100_000)
  const grown = memoryBytes() - before
  assert.ok(grown < 8 * MIB, `the client grew by ${(grown / MIB).toFixed(1)} MiB`)
  assert.deepEqual([...codes.keys()], ['c'])
  for (const code of codes.get('c')!)
    assert.ok(code === 'resource_exhausted no' || code === 'unavailable no' || code === 'unavailable unknown', code)
  assert.ok(codes.get('c')!.has('resource_exhausted no'))
})

test('cancelling 10 000 calls under back-pressure disturbs no other call and causes no reconnect', async (t) => {
  const children = await startChildren(t, ['a'])
  const config = await connectTo(children)
  t.after(() => config.close())
  const client = config.nodes[0]!.client(Blob)
  let reconnects = 0
  config.on('up', () => reconnects++)
  const bytes = new Uint8Array(64)
  children[0]!.process.kill('SIGSTOP')
  // More than the kernel takes: the rest waits in the queue, where the calls that are cancelled stand as well.
  const large = Array.from({ length: 24 }, () =>
    client.put({ bytes: new Uint8Array(512 * 1024) }).catch((error: RpcError) => error),
  )
  const controller = new AbortController()
  const cancelled: Promise<RpcError>[] = []
  const kept: Promise<unknown>[] = []
  for (let index = 0; index < 10_000; index++) {
    cancelled.push(
      client.put({ bytes }, { signal: controller.signal }).then(
        () => assert.fail('a stopped node has answered'),
        (error: RpcError) => error,
      ),
    )
    if (index % 100 === 0) kept.push(client.put({ bytes }).catch((error: RpcError) => error))
  }
  controller.abort()
  const errors = await Promise.all(cancelled)
  for (const error of errors)
    assert.ok(error.code === 'cancelled' || error.code === 'resource_exhausted', error.message)
  const neverSent = errors.filter((error) => error.code === 'cancelled' && error.executed === 'no').length
  children[0]!.process.kill('SIGCONT')
  const answers = [...(await Promise.all(large)), ...(await Promise.all(kept))] as (RpcError | { started: number })[]
  const served = answers.filter((answer) => 'started' in answer)
  for (const answer of answers)
    if (!('started' in answer)) assert.equal(answer.code, 'resource_exhausted', answer.message)
  assert.ok(served.length > 0)
  const { started } = await client.put({ bytes })
  // What was cancelled before it was sent never ran; what the others asked for ran once each.
  assert.ok(
    started <=
      served.length +
        1 +
        errors.length -
        neverSent -
        errors.filter((error) => error.code === 'resource_exhausted').length,
  )
  assert.ok(started >= served.length + 1)
  assert.equal(reconnects, 0)
})

test('what waits for one node keeps no memory of the calls to others that were made meanwhile', async (t) => {
  const children = await startChildren(t, ['a'])
  const nodes = { a: children[0]!.address, nobody: '127.0.0.1:1' }
  const config = await connect(nodes, { whenDown: 'wait', callTimeoutMs: Infinity })
  t.after(() => config.close())
  await config.waitFor(({ connected }) => connected.has('a'))
  const [live, waiting] = config.nodes.map((node) => node.client(Blob))
  const all = config.client(Blob)
  const bytes = new Uint8Array(1024)
  /** Four kilobytes that wait, of a hundred and more that are sent. */
  const round = async (): Promise<void> => {
    for (let call = 0; call < 2; call++) void waiting!.put({ bytes }).catch(() => {})
    for (let call = 0; call < 2; call++) void all.putAll({ bytes }, { perNode: (request) => ({ ...request }) }).settled
    await Promise.all(Array.from({ length: 120 }, () => live!.put({ bytes })))
  }
  await round()
  const before = memoryBytes()
  for (let count = 0; count < 500; count++) await round()
  const grown = memoryBytes() - before
  assert.equal(config.node('nobody').pending, 4 * 501)
  // What waits, and two thousand calls; the buffers that all of it was written in are 60 MiB.
  assert.ok(grown < 20 * MIB, `the client grew by ${(grown / MIB).toFixed(1)} MiB for 2 MiB that wait`)
})

function noteError(codes: Map<string, Set<string>>, nodeID: string, error: RpcError | undefined): void {
  if (error === undefined) return
  let seen = codes.get(nodeID)
  if (seen === undefined) {
    seen = new Set()
    codes.set(nodeID, seen)
  }
  seen.add(`${error.code} ${error.executed}`)
}
