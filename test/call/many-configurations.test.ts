// Ten thousand configurations over the same five nodes: each with its own members, quorum and quorum function, all in use at
// once, and nothing of them left when they have been closed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Configuration, createNodeManager, quorum, quorumCall, service } from 'gorums'
import { connectTo, LIMIT, startCluster } from './cluster.ts'

const CONFIGURATIONS = 10_000
/** What code that has run for the first time, and buffers, may leave behind, bytes: 200 of each configuration. */
const ROOM_BYTES = 2 * 1024 * 1024

const Count = service('many.Count', { ask: quorumCall<{ id: number }, number>() })

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use once everything has been collected that can be. */
async function heapInUse(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  return process.memoryUsage().heapUsed
}

/** Makes configurations, asks each once with a quorum and a function of its own, and closes them. */
async function useMany(configuration: Configuration, count: number): Promise<void> {
  const made: Configuration[] = []
  const results: Promise<number>[] = []
  for (let id = 0; id < count; id++) {
    // Every set of three or more of five, over and over.
    const gone = [...'abcde'].filter((_, position) => (id >> position) % 2 === 1).slice(0, 2)
    const each = gone.length === 0 ? configuration.subset([...'abcde']) : configuration.remove(...gone)
    if (gone.length > 0) made.push(each)
    const k = 1 + (id % each.members.length)
    const client = each.client(Count, {
      quorum: quorum.threshold(k),
      functions: {
        ask: (replies, request) => {
          assert.ok(replies.size >= k, `${replies.size} of ${k}`)
          assert.equal(replies.configuration, each)
          return [...replies.values()].every((value) => value === request.id) ? id * 10 + k : undefined
        },
      },
    })
    results.push(client.ask({ id }).result())
    if (id % 500 === 499) await Promise.all(results.slice(-500))
  }
  for (const [id, result] of results.entries()) assert.equal(Math.floor((await result) / 10), id)
  for (const each of made) await each.close()
}

test('ten thousand overlapping configurations use their own quorums, and are gone once closed', LIMIT, async (t) => {
  const cluster = await startCluster(t, 5, (server) => server.handle(Count, { ask: ({ id }) => id }))
  const manager = createNodeManager()
  t.after(() => manager.close())
  const configuration = await connectTo(t, cluster.addresses, { manager })
  await useMany(configuration, 1_000)
  const before = await heapInUse()
  await useMany(configuration, CONFIGURATIONS)
  const after = await heapInUse()
  assert.equal(manager.nodeCount, 5)
  assert.deepEqual(
    cluster.nodeIDs.map((id) => cluster.server(id).clients.size),
    [1, 1, 1, 1, 1],
  )
  assert.ok(after - before < ROOM_BYTES, `${after - before} bytes more than before`)
})
