// The interceptors, around real handlers and real calls: what callers, handlers and logs get to see of them. Never how
// long anything takes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type InterceptedCall, type Metadata, QuorumError, RpcError, type ServerInterceptor } from 'gorums'
import { checkLeaks, startLocalCluster } from 'gorums/testing'
import {
  delay,
  logging,
  metadata,
  parseInterceptors,
  reject,
  retry,
  serverInterceptors,
  timing,
} from './interceptors.ts'
import { Storage, type WriteRequest } from './storage_gorums.ts'
import { startStorage } from './storage-cluster.ts'

const write = (key: string, timestamp = 1): WriteRequest => ({ key, value: 'v', timestamp, writer: 'w' })

function isRpcError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof RpcError && error.code === code
}

test('the names on the command line are read, and a wrong one is answered with the right ones', () => {
  assert.deepEqual(parseInterceptors(''), [])
  assert.deepEqual(parseInterceptors('logging, reject'), ['logging', 'reject'])
  assert.throws(() => parseInterceptors('loging'), {
    name: 'RangeError',
    message: 'there is no interceptor "loging": choose from logging, delay, reject, metadata',
  })
  assert.equal(serverInterceptors(['metadata', 'logging'], { nodeID: 'a' }).length, 2)
})

test('metadata tells beside each reply who served it', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3, (nodeID) => [metadata(nodeID)])
  const configuration = await cluster.connect({ waitFor: 'all' })
  const replies = new Map<string, Metadata>()
  const onReply = (response: { nodeID: string; metadata: Metadata }) => replies.set(response.nodeID, response.metadata)
  await configuration.client(Storage).readQC({ key: 'x' }, { onReply }).all()
  assert.deepEqual([...replies.keys()].sort(), ['a', 'b', 'c'])
  for (const [nodeID, entries] of replies) {
    assert.equal(entries['served-by'], nodeID)
    assert.match(String(entries['served-us']), /^\d+$/)
  }
  for await (const response of configuration.client(Storage).readStream({ key: 'x' })) {
    assert.equal(response.metadata['served-by'], response.nodeID)
    break
  }
})

test('reject keeps writers from read-only keys, whatever the call, and lets everything else pass', async (t) => {
  checkLeaks(t)
  const { cluster, store } = await startStorage(t, 3, () => [reject('_')])
  const configuration = await cluster.connect({ waitFor: 'all' })
  const node = configuration.node('a').client(Storage)
  await assert.rejects(node.writeRPC(write('_x')), isRpcError('permission_denied'))
  await assert.rejects(configuration.client(Storage).writeQC(write('_x')).majority(), (error) => {
    return error instanceof QuorumError && [...error.errors.values()].every(isRpcError('permission_denied'))
  })
  await node.writeUnicast(write('_x'))
  assert.equal((await node.readRPC({ key: '_x' })).timestamp, 0)
  await node.writeRPC(write('x'))
  assert.equal(store('a').get('x').value, 'v')
})

test('logging writes a line per request, and sees what the interceptors inside of it did', async (t) => {
  checkLeaks(t)
  const lines: string[] = []
  const { cluster } = await startStorage(t, 1, () => [logging((line) => lines.push(line)), delay(0), reject('_')])
  const configuration = await cluster.connect()
  const node = configuration.node('a').client(Storage)
  await node.writeRPC(write('x'))
  await assert.rejects(node.writeRPC(write('_x')))
  for await (const _ of configuration.client(Storage).readStream({ key: 'x' })) break
  const masked = lines.map((line) => line.replace(/[\d.]+ ms/, '? ms'))
  assert.deepEqual(masked, [
    'writeRPC "x": done, ? ms',
    'writeRPC "_x": failed: key "_x" is read-only here, ? ms',
    'readStream "x": streaming, ? ms',
  ])
})

test('delay holds requests back without changing their order', async (t) => {
  checkLeaks(t)
  const seen: number[] = []
  const spy: ServerInterceptor = () => (request, context, next) => {
    seen.push((request as WriteRequest).timestamp)
    return next(request, context)
  }
  const { cluster } = await startStorage(t, 1, () => [delay(2), spy])
  const node = (await cluster.connect()).node('a').client(Storage)
  await Promise.all([1, 2, 3, 4, 5].map((timestamp) => node.writeRPC(write('x', timestamp))))
  assert.deepEqual(seen, [1, 2, 3, 4, 5])
})

test('timing tells of each call how long it took until every node was decided', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const taken: [string, number][] = []
  const configuration = await cluster.connect({
    waitFor: 'all',
    interceptors: [timing((method, durationMs) => taken.push([method, durationMs]))],
  })
  const call = configuration.client(Storage).readQC({ key: 'x' })
  const { nodes } = await call.settled
  assert.deepEqual(taken, [['readQC', Math.max(...nodes.map((node) => node.answeredMs!))]])
})

test('retry sends again what did not run, until it runs', async (t) => {
  checkLeaks(t)
  // A server without a handler says that nothing ran. It gets one when that has been seen.
  const cluster = await startLocalCluster(1, () => {})
  t.after(() => cluster.close())
  const retried: string[] = []
  const configuration = await cluster.connect({
    interceptors: [
      retry(3, (nodeID, error) => {
        retried.push(`${nodeID} ${error.code}`)
        if (retried.length === 2)
          cluster.server('a').handle(Storage, { readRPC: () => ({ value: 'here', timestamp: 1, writer: 'w' }) })
      }),
    ],
  })
  const entry = await configuration.node('a').client(Storage).readRPC({ key: 'x' })
  assert.equal(entry.value, 'here')
  assert.deepEqual(retried, ['a unimplemented', 'a unimplemented'])
})

test('retry gives up after its attempts, and the caller gets the last failure', async (t) => {
  checkLeaks(t)
  const cluster = await startLocalCluster(1, () => {})
  t.after(() => cluster.close())
  let retried = 0
  const configuration = await cluster.connect({ interceptors: [retry(3, () => retried++)] })
  await assert.rejects(
    configuration.node('a').client(Storage).readRPC({ key: 'x' }),
    (error) => error instanceof RpcError && error.code === 'unimplemented' && error.executed === 'no',
  )
  assert.equal(retried, 3)
})

test('retry never repeats what may have run', () => {
  const hooks = retry(3)({ fullName: 's.S/m', key: 'm', type: 'rpc' })
  const call: InterceptedCall = { msgID: 1, madeAt: 0, resend: () => assert.fail('sent again') }
  for (const executed of ['yes', 'unknown'] as const) {
    const error = new RpcError('unavailable', 'lost', { nodeID: 'a', executed })
    const response = { nodeID: 'a', value: undefined, error, metadata: {} }
    assert.equal(hooks?.response?.(response, call), response)
  }
})
