// Calls do not overtake one another at a server: with a quorum of two of three and one slow server, sequential and pipelined,
// of all types, stragglers included.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multicast, quorumCall, quorumStream, rpc, service, unicast } from 'gorums'
import { connectCluster, eventually, LIMIT } from './cluster.ts'

const CALLS = 3_000

interface Numbered {
  readonly number: number
}

const Log = service('order.Log', {
  call: rpc<Numbered, number>(),
  tell: unicast<Numbered>(),
  tellAll: multicast<Numbered>(),
  ask: quorumCall<Numbered, number>(),
  follow: quorumStream<Numbered, number>(),
})

for (const way of ['one after the other', 'all at once'] as const) {
  test(
    `a quorum call never overtakes an earlier one, made ${way}: every server sees rising numbers`,
    LIMIT,
    async (t) => {
      const seen = new Map<string, number[]>()
      let cancelled = 0
      const { configuration } = await connectCluster(t, 3, (server, nodeID) => {
        const numbers: number[] = []
        seen.set(nodeID, numbers)
        server.handle(Log, {
          ask: async ({ number }, context) => {
            numbers.push(number)
            context.signal.addEventListener('abort', () => cancelled++)
            // The slow one is behind by as much as the others are ahead.
            if (nodeID === 'c') await new Promise((resolve) => setImmediate(resolve))
            return number
          },
        })
      })
      const client = configuration.client(Log)
      const calls = []
      for (let number = 0; number < CALLS; number++) {
        const call = client.ask({ number })
        calls.push(call.settled)
        const majority = call.majority()
        if (way === 'one after the other') await majority
      }
      const records = await Promise.all(calls)
      for (const { nodes } of records) for (const { outcome } of nodes) assert.equal(outcome, 'replied')
      const rising = Array.from({ length: CALLS }, (_, number) => number)
      for (const numbers of seen.values()) assert.deepEqual(numbers, rising)
      assert.equal(cancelled, 0, 'no straggler is cancelled unless asked to')
    },
  )
}

test('calls of different types start in the order in which they were made', LIMIT, async (t) => {
  const seen = new Map<string, number[]>()
  const { configuration } = await connectCluster(t, 3, (server, nodeID) => {
    const numbers: number[] = []
    seen.set(nodeID, numbers)
    const note = ({ number }: Numbered): number => {
      numbers.push(number)
      return number
    }
    const slowly = async (request: Numbered): Promise<number> => {
      note(request)
      if (request.number % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
      return request.number
    }
    server.handle(Log, {
      call: slowly,
      tell: note,
      tellAll: slowly,
      ask: slowly,
      async *follow(request) {
        yield await slowly(request)
      },
    })
  })
  const client = configuration.client(Log)
  const nodes = configuration.nodes.map((node) => node.client(Log))
  const done: Promise<unknown>[] = []
  const makers: readonly ((request: Numbered) => void)[] = [
    (request) => void done.push(client.ask(request).all()),
    (request) => void done.push(client.tellAll(request)),
    (request) => void done.push(...nodes.map((node) => node.call(request))),
    (request) => void done.push(client.follow(request).all()),
    (request) => void done.push(...nodes.map((node) => node.tell(request))),
    (request) => void done.push(client.ask(request, { stragglers: 'cancel', perNode: (each) => ({ ...each }) }).all()),
    (request) => void client.tellAll(request, { confirm: false }),
  ]
  for (let number = 0; number < CALLS; number++) makers[(number * 7 + (number % 3)) % makers.length]!({ number })
  await Promise.all(done)
  await eventually('all have arrived', () => [...seen.values()].every((numbers) => numbers.length === CALLS))
  const rising = Array.from({ length: CALLS }, (_, number) => number)
  for (const numbers of seen.values()) assert.deepEqual(numbers, rising)
})

test('cancelled stragglers leave gaps, and no disorder', LIMIT, async (t) => {
  const seen = new Map<string, number[]>()
  const { configuration } = await connectCluster(t, 3, (server, nodeID) => {
    const numbers: number[] = []
    seen.set(nodeID, numbers)
    server.handle(Log, {
      ask: async ({ number }) => {
        numbers.push(number)
        if (nodeID === 'c') for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
        return number
      },
    })
  })
  const client = configuration.client(Log)
  for (let number = 0; number < 500; number++) await client.ask({ number }, { stragglers: 'cancel' }).majority()
  await eventually('nothing is pending', () => configuration.nodes.every(({ pending }) => pending === 0))
  assert.equal(seen.get('a')!.length, 500)
  assert.ok(seen.get('c')!.length < 500, 'none was cancelled')
  for (const numbers of seen.values())
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((one, other) => one - other),
    )
})
