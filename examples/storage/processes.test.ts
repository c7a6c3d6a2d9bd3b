// Replicas as processes: what can be done to them, and that they do not outlive whoever started them. What they serve
// is tested in this process, with the clients.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuorumError } from 'gorums'
import { Program } from '../run-program.ts'
import { MultiWriterStorage } from './clients.ts'
import { ReplicaProcesses } from './processes.ts'
import { type NestedWriteReply, Storage } from './storage_gorums.ts'
import { connectLocally } from './tour.ts'

test('a replica can be killed, stopped, continued and started again, and finds its way back', async (t) => {
  const processes = await ReplicaProcesses.start({ nodeIDs: ['a', 'b', 'c'] })
  t.after(() => processes.close())
  const configuration = await connectLocally(processes.addresses)
  t.after(() => configuration.close())
  const client = new MultiWriterStorage(configuration, 'w')
  await configuration.client(Storage).writeQC({ key: 'x', value: 'kept', timestamp: 1, writer: 'w' }).all()

  await processes.kill('c')
  assert.equal(processes.state('c'), 'killed')
  await configuration.waitFor((status) => status.down.has('c'))
  await client.write('x', 'written without c')

  const address = processes.addresses.c
  const { keys } = await processes.restart('c')
  assert.equal(keys, 1)
  assert.equal(processes.addresses.c, address)
  await configuration.waitFor((status) => status.connected.has('c'))
  assert.equal((await configuration.node('c').client(Storage).readRPC({ key: 'x' })).value, 'kept')

  processes.stop('b')
  assert.equal(processes.state('b'), 'stopped')
  assert.equal((await client.read('x')).value, 'written without c')
  const waiting = configuration.node('b').client(Storage).readRPC({ key: 'x' }, { timeoutMs: Infinity })
  processes.cont('b')
  assert.equal((await waiting).value, 'written without c')

  // Replicas find each other again, too: without a, b needs the c that came back. It may take a moment to see it.
  await processes.kill('a')
  const onlyB = configuration.subset(['b']).client(Storage)
  const nestedWrite = (): Promise<NestedWriteReply> =>
    onlyB
      .writeNested({ key: 'y', value: 'v', timestamp: 1, writer: 'w' })
      .first()
      .catch((error: unknown) => (isUnavailableAt('b', error) ? nestedWrite() : Promise.reject(error)))
  const { writtenTo } = await nestedWrite()
  assert.deepEqual([...writtenTo].sort(), ['b', 'c'])

  await assert.rejects(processes.restart('z'), /there is no replica z \(a, b, c\)/)
  assert.throws(() => processes.cont('b'), /replica b is running, not stopped/)
})

// The replicas hold the standard error of the program that has started them: it ends with the last of them.

function isUnavailableAt(nodeID: string, error: unknown): boolean {
  return error instanceof QuorumError && error.errors.get(nodeID)?.code === 'unavailable'
}

const LONGEST = { timeout: 60_000 }

test('replicas die with their parent when it is killed, stopped ones too', LONGEST, async (t) => {
  const program = new Program(t, 'storage/main.ts', ['--repl'])
  program.type(['stop 1'])
  await program.printed(/b is stopped/)
  program.child.kill('SIGKILL')
  await program.ended
})

test('the prompt does all that to local replicas while calls go on; Ctrl-C ends it and them', LONGEST, async (t) => {
  const program = new Program(t, 'storage/main.ts', ['--repl'])
  const says = async (line: string, pattern: RegExp): Promise<void> => {
    program.type([line])
    await program.printed(pattern)
  }
  await says('kill 4', /^e is dead \(SIGKILL\)$/m)
  await says('stop 2', /^c is stopped \(SIGSTOP\)/m)
  await says('qc write x 1', /^x = "1" \(timestamp 1 by \S+\), acknowledged by a majority$/m)
  await says('nodes', /^ 2 {2}c .* stopped, .*\n.*\n 4 {2}e .* killed, /m)
  await says('kill e', /^replica e is not running: restart it first$/m)
  await says('cont c', /^c goes on \(SIGCONT\)$/m)
  await says('restart 4', /^e is back with \d+ keys, connected \d+ ms after it listened$/m)
  await says('rpc 4 write y 2', /^e: y = "2"/m)
  await says('load', /^\d+ calls at 100 per second, 0 failed, 0 stale reads/m)
  await says('stop 1', /^b is stopped \(SIGSTOP\)/m)
  program.child.kill('SIGINT')
  assert.equal((await program.ended).code, 130)
})
