// The registers: what their reads and writes promise, and with how many phases. On servers in this process, whose
// stores are set up and looked into behind their backs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuorumError, RpcError } from 'gorums'
import { checkLeaks } from 'gorums/testing'
import { CONFIDENCE, confidence, MultiWriterStorage, type Phase, SingleWriterRegister } from './clients.ts'
import { newest } from './entry.ts'
import { type Entry, Storage } from './storage_gorums.ts'
import { plant, startReplicas, startStorage } from './storage-cluster.ts'

const OLD: Entry = { value: 'old', timestamp: 1, writer: 'w' }
const NEW: Entry = { value: 'new', timestamp: 2, writer: 'w' }

test('the one writer of a register writes in one phase, and everybody reads what it wrote', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const phases: Phase[] = []
  const writer = new SingleWriterRegister(await cluster.connect(), 'x', 'w', { onPhase: (phase) => phases.push(phase) })
  const reader = new SingleWriterRegister(await cluster.connect(), 'x', 'r')
  assert.equal((await reader.read()).timestamp, 0)
  await writer.write('one')
  await writer.write('two')
  assert.deepEqual(phases, ['write', 'write'])
  assert.deepEqual(await reader.read(), { value: 'two', timestamp: 2, writer: 'w' })
})

test('a writer that starts again goes on behind its earlier life', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const configuration = await cluster.connect()
  await new SingleWriterRegister(configuration, 'x', 'w').write('before')
  const writer = new SingleWriterRegister(configuration, 'x', 'w')
  await writer.resume()
  assert.equal((await writer.write('after')).timestamp, 2)
  assert.equal((await writer.read()).value, 'after')
})

test('of two writers the later one wins, and its write is two phases', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 5)
  const phases: Phase[] = []
  // Compared with anna's id, bert's decides nothing here: the timestamps differ.
  const anna = new MultiWriterStorage(await cluster.connect(), 'anna', { onPhase: (phase) => phases.push(phase) })
  const bert = new MultiWriterStorage(await cluster.connect(), 'bert')
  await bert.write('x', 'first')
  const written = await anna.write('x', 'second')
  assert.deepEqual(phases, ['read', 'write'])
  assert.deepEqual(written, { value: 'second', timestamp: 2, writer: 'anna' })
  assert.deepEqual(await bert.read('x'), written)
})

test('writes that overlap are ordered alike for all readers, and none of them shares a timestamp', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 5)
  const clients = await Promise.all(
    ['anna', 'bert', 'cleo'].map(async (writerID) => new MultiWriterStorage(await cluster.connect(), writerID)),
  )
  const written = await Promise.all(
    clients.flatMap((client, index) => [1, 2, 3].map((round) => client.write('x', `${index}.${round}`))),
  )
  const stamps = new Set(written.map(({ timestamp, writer }) => `${timestamp} ${writer}`))
  assert.equal(stamps.size, written.length)
  const read = await Promise.all(clients.map((client) => client.read('x')))
  for (const entry of read) assert.deepEqual(entry, newest(written))
})

test('a read writes back what only some replicas have, so that no later read goes back in time', async (t) => {
  checkLeaks(t)
  const storage = await startStorage(t, 5)
  plant(storage, 'abcde', 'x', OLD)
  plant(storage, 'a', 'x', NEW)
  const configuration = await storage.cluster.connect({ waitFor: 'all' })
  const phases: Phase[] = []
  const throughABC = new MultiWriterStorage(configuration.subset(['a', 'b', 'c']), 'r', {
    onPhase: (phase) => phases.push(phase),
  })
  assert.deepEqual(await throughABC.read('x'), NEW)
  assert.deepEqual(phases, ['read', 'write-back'])
  assert.deepEqual(await new MultiWriterStorage(configuration.subset(['c', 'd', 'e']), 'r').read('x'), NEW)
})

test('without the write-back a later read may go back in time: that is what it is for', async (t) => {
  checkLeaks(t)
  const storage = await startStorage(t, 5)
  plant(storage, 'abcde', 'x', OLD)
  plant(storage, 'a', 'x', NEW)
  const configuration = await storage.cluster.connect({ waitFor: 'all' })
  const readThrough = async (...ids: string[]): Promise<Entry> =>
    newest((await configuration.subset(ids).client(Storage).readQC({ key: 'x' }).majority()).values())
  assert.deepEqual(await readThrough('a', 'b', 'c'), NEW)
  assert.deepEqual(await readThrough('c', 'd', 'e'), OLD)
})

test('a read of what a majority agrees on is one phase', async (t) => {
  checkLeaks(t)
  const storage = await startStorage(t, 3)
  plant(storage, 'abc', 'x', NEW)
  const phases: Phase[] = []
  const client = new MultiWriterStorage(await storage.cluster.connect(), 'r', {
    onPhase: (phase) => phases.push(phase),
  })
  assert.deepEqual(await client.read('x'), NEW)
  assert.deepEqual(phases, ['read'])
})

test('a minority neither reads nor writes, and a majority does both', async (t) => {
  checkLeaks(t)
  const { cluster, store } = await startStorage(t, 5)
  const configuration = await cluster.connect({ waitFor: 'all' })
  const minority = new MultiWriterStorage(configuration.subset(['a', 'b']), 'w')
  const isImpossible = (error: unknown): boolean => error instanceof QuorumError && error.reason === 'impossible'
  await assert.rejects(minority.read('x'), isImpossible)
  await assert.rejects(minority.write('x', 'lost'), isImpossible)
  // Its read phase has failed, so nothing was written at all.
  assert.equal(store('a').get('x').timestamp, 0)
  await cluster.stop('d')
  await cluster.stop('e')
  const majority = new MultiWriterStorage(configuration, 'w')
  await majority.write('x', 'kept')
  assert.equal((await majority.read('x')).value, 'kept')
})

test('a streaming read rises from some answer to the newest to one that stays', async (t) => {
  checkLeaks(t)
  const storage = await startStorage(t, 5)
  plant(storage, 'abcde', 'x', OLD)
  plant(storage, 'c', 'x', NEW)
  const configuration = await storage.cluster.connect({ waitFor: 'all' })
  const view = configuration.subset(['a', 'b', 'c'])
  const levels: number[] = []
  const values: Entry[] = []
  for await (const { value, level, done } of view.client(Storage).readStream({ key: 'x' }).correctable(confidence)) {
    levels.push(level)
    values.push(value)
    // Three replicas do not agree yet; when the newest has been written to all, they do.
    if (level === CONFIDENCE.newest)
      await configuration
        .client(Storage)
        .writeQC({ key: 'x', ...NEW })
        .all()
    assert.equal(done, level === CONFIDENCE.settled)
  }
  assert.deepEqual(levels.slice(-2), [CONFIDENCE.newest, CONFIDENCE.settled])
  assert.deepEqual(values.slice(-2), [NEW, NEW])
})

test('one replica reads and writes through a majority on behalf of its caller', async (t) => {
  checkLeaks(t)
  const storage = await startReplicas(t, 3)
  const configuration = await storage.cluster.connect({ waitFor: 'all' })
  for (const id of storage.cluster.nodeIDs)
    await storage.cluster.server(id).configuration.waitFor((status) => status.connected.size === 3)
  plant(storage, 'bc', 'x', NEW)
  const onlyA = configuration.subset(['a']).client(Storage)
  const { readFrom, ...entry } = await onlyA.readNested({ key: 'x' }).first()
  assert.deepEqual(entry, NEW)
  assert.equal(readFrom.length, 2)
  const { writtenTo } = await onlyA.writeNested({ key: 'y', ...NEW }).first()
  assert.ok(writtenTo.length >= 2)
  for (const id of writtenTo) assert.deepEqual(storage.store(id).get('y'), NEW)
})

test('replicas that make nested calls of each other, all at once, do not wait for each other', async (t) => {
  checkLeaks(t)
  const { cluster } = await startReplicas(t, 3)
  const clients = cluster.nodeIDs.map((id) => cluster.server(id).configuration)
  await Promise.all(clients.map((members) => members.waitFor((status) => status.connected.size === 3)))
  const writes = clients.flatMap((members, position) =>
    Array.from({ length: 20 }, (_, index) =>
      members
        .client(Storage)
        .writeNested({ key: 'x', value: `${index}`, timestamp: index + 1, writer: `${position}` })
        .all(),
    ),
  )
  await Promise.all(writes)
  const { value } = await clients[0]!.subset(['b']).client(Storage).readNested({ key: 'x' }).first()
  assert.equal(value, '19')
})

test('a replica that finds no majority says so to its caller', async (t) => {
  checkLeaks(t)
  const { cluster } = await startReplicas(t, 3)
  const configuration = await cluster.connect({ waitFor: 'all' })
  await cluster.stop('b')
  await cluster.stop('c')
  await cluster.server('a').configuration.waitFor((status) => status.down.size === 2)
  await assert.rejects(configuration.subset(['a']).client(Storage).readNested({ key: 'x' }).first(), (error) => {
    assert.ok(error instanceof QuorumError)
    const cause = error.errors.get('a')
    assert.ok(cause instanceof RpcError)
    assert.equal(cause.code, 'unavailable')
    assert.match(cause.message, /a nested call failed: .*needs 2 of 3/)
    return true
  })
})

test('a server that stands alone refuses nested calls and says why', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 1)
  const configuration = await cluster.connect()
  await assert.rejects(configuration.client(Storage).readNested({ key: 'x' }).first(), (error) => {
    assert.ok(error instanceof QuorumError)
    const cause = error.errors.get('a')
    assert.ok(cause instanceof RpcError)
    assert.equal(cause.code, 'failed_precondition')
    assert.match(cause.message, /stands alone/)
    return true
  })
})
