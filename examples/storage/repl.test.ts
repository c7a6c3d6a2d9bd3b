// The prompt, on servers in this process: every command does what it says, and no line ends it but `exit`. Commands
// that need processes are in processes.test.ts.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { type Configuration, connect } from 'gorums'
import { checkLeaks, type TestContextLike } from 'gorums/testing'
import { metadata } from './interceptors.ts'
import { createPaint } from './paint.ts'
import { runRepl } from './repl.ts'
import { plant, startReplicas, startStorage } from './storage-cluster.ts'

interface Told {
  readonly failures: number
  readonly lines: readonly string[]
}

/** Runs lines at a prompt without a terminal; returns what it printed. */
async function tell(configuration: Configuration, ...lines: string[]): Promise<Told> {
  const input = new PassThrough()
  const output = new PassThrough({ encoding: 'utf8' })
  let text = ''
  output.on('data', (chunk: string) => {
    text += chunk
  })
  input.end(lines.map((line) => `${line}\n`).join(''))
  const session = { configuration, processes: undefined, load: undefined, writerID: 'me', paint: createPaint(false) }
  const failures = await runRepl(session, { input, output, isTerminal: false })
  return { failures, lines: text.trimEnd().split('\n') }
}

async function connectReplicas(t: TestContextLike, count: number) {
  const storage = await startReplicas(t, count)
  for (const id of storage.cluster.nodeIDs)
    await storage.cluster.server(id).configuration.waitFor((status) => status.connected.size === count)
  return { storage, configuration: await storage.cluster.connect({ waitFor: 'all' }) }
}

test('every kind of call can be made from the prompt, and reads see what was written', async (t) => {
  checkLeaks(t)
  const { configuration } = await connectReplicas(t, 3)
  const { failures, lines } = await tell(
    configuration,
    'qc read x',
    'qc write x "hello world"',
    'qc read x',
    'rpc 1 read x',
    "rpc b write x 'on b only'",
    'cfg 0,1 qc read x',
    'rpc a read x',
    'ucast 2 x one-way',
    'rpc 2 read x',
    'mcast y everywhere',
    'rpc 0 read y',
    'cfg 1: mcast z some',
    'qc nwrite n "by others"',
    'qc nread n',
  )
  assert.deepEqual(lines.slice(0, 12), [
    'x has not been written',
    'x = "hello world" (timestamp 1 by me), acknowledged by a majority',
    'x = "hello world" (timestamp 1 by me)',
    'b: x = "hello world" (timestamp 1 by me)',
    'b: x = "on b only" (timestamp 2 by me)',
    'x = "on b only" (timestamp 2 by me), written back: not everyone had it',
    'a: x = "on b only" (timestamp 2 by me)',
    'sent to c: x = "one-way" (timestamp 3 by me)',
    'c: x = "one-way" (timestamp 3 by me)',
    'sent to a, b, c: y = "everywhere" (timestamp 1 by me)',
    'a: y = "everywhere" (timestamp 1 by me)',
    'sent to b, c: z = "some" (timestamp 1 by me)',
  ])
  assert.match(lines[12]!, /^n = "by others" \(timestamp 1 by me\), as [abc] has written it to [abc], [abc]$/)
  assert.match(lines[13]!, /^n = "by others" \(timestamp 1 by me\), as [abc] has read it from [abc], [abc]$/)
  assert.equal(failures, 0)
})

test('a stream is read level by level, and what only some have is written back', async (t) => {
  checkLeaks(t)
  const { storage, configuration } = await connectReplicas(t, 3)
  plant(storage, 'abc', 'x', { value: 'old', timestamp: 1, writer: 'w' })
  plant(storage, 'b', 'x', { value: 'new', timestamp: 2, writer: 'w' })
  const { failures, lines } = await tell(configuration, 'cfg 0,1 qc stream x')
  assert.equal(failures, 0)
  assert.deepEqual(lines.slice(-2), [
    'level 2: x = "new" (timestamp 2 by w), the newest that a majority knows of; it is written back',
    'level 3: x = "new" (timestamp 2 by w), held by a majority',
  ])
})

test('--explain draws every phase, one bar per node, and shows the metadata of replies', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3, (nodeID) => [metadata(nodeID)])
  const configuration = await cluster.connect({ waitFor: 'all' })
  const { lines } = await tell(configuration, 'qc write x 1 --explain')
  const headings = lines.filter((line) => line.startsWith('storage.Storage/'))
  assert.match(headings[0]!, /ReadQC.*: 3 of 3 replied/)
  assert.match(headings[1]!, /WriteQC.*: 3 of 3 replied/)
  for (const id of ['a', 'b', 'c']) {
    assert.equal(lines.filter((line) => line.startsWith(`  ${id} `) && line.includes('█')).length, 2)
    assert.ok(lines.some((line) => line.startsWith(`  ${id}: served-by=${id}`)))
  }
})

test('nodes lists everybody with their state, and load says when there is none', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 2)
  const configuration = await cluster.connect({ waitFor: 'all' })
  await cluster.stop('b')
  await configuration.waitFor((status) => status.down.has('b'))
  const { lines } = await tell(configuration, 'nodes', 'load')
  assert.match(lines[0]!, new RegExp(`^ 0 {2}a {2}${cluster.addresses.a} {2}up +no answer yet$`))
  assert.match(lines[1]!, new RegExp(`^ 1 {2}b {2}${cluster.addresses.b} {2}down +no answer yet$`))
  assert.equal(lines[2], 'there is no background load here')
})

test('nothing that is typed or that fails ends the prompt: it says what was wrong in one line', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const configuration = await cluster.connect({ waitFor: 'all' })
  const { failures, lines } = await tell(
    configuration,
    'nonsense',
    'qc read "open',
    'kill 1',
    'rpc 7 read x',
    'cfg 0:1 qc read x',
    'qc nread x',
    '',
    'rpc a read x',
    'exit',
    'rpc a read never',
  )
  assert.equal(failures, 6)
  assert.equal(lines.length, 7)
  assert.equal(lines[0], 'unknown command "nonsense": try help')
  assert.match(lines[4]!, /the quorum has become impossible \(needs 2 of 3; .*not contacted: b, c/)
  assert.match(lines[5]!, /stands alone/)
  assert.equal(lines[6], 'a: x has not been written')
})

test('a multicast says who could not be reached', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3)
  const configuration = await cluster.connect({ waitFor: 'all' })
  await cluster.stop('c')
  await configuration.waitFor((status) => status.down.has('c'))
  const { lines } = await tell(configuration, 'mcast x 1')
  assert.deepEqual(lines, ['sent to a, b, not to c (unavailable): x = "1" (timestamp 1 by me)'])
})

test('nodes that are down from the start are shown, and calls to them fail in one line', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 1)
  await cluster.stop('a')
  const configuration = await connect([cluster.addresses.a!])
  t.after(() => configuration.close())
  const { failures, lines } = await tell(configuration, 'qc read x', 'rpc 0 read x')
  assert.equal(failures, 2)
  for (const line of lines) assert.match(line, /is down/)
})

test('on a terminal the prompt shows the nodes, completes words, and Ctrl-C cancels a call that waits', async (t) => {
  checkLeaks(t)
  const { cluster } = await startStorage(t, 3, () => [
    () => (_request, context) =>
      new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason))),
  ])
  const configuration = await cluster.connect({ waitFor: 'all' })
  const input = new PassThrough()
  const output = new PassThrough({ encoding: 'utf8' })
  let text = ''
  let onText = (): void => {}
  output.on('data', (chunk: string) => {
    text += chunk
    onText()
  })
  /** Resolves when the terminal shows this, behind everything that was waited for before. */
  const shows = async (what: string): Promise<void> => {
    while (!text.includes(what))
      await new Promise<void>((resolve) => {
        onText = resolve
      })
    text = text.slice(text.indexOf(what) + what.length)
  }
  const session = { configuration, processes: undefined, load: undefined, writerID: 'me', paint: createPaint(false) }
  const ended = runRepl(session, { input, output, isTerminal: true })
  await shows('●●● > ')
  input.write('rp')
  input.write('\t')
  await shows('rpc ')
  input.write('a re\t')
  await shows('read ')
  input.write('x\r')
  await shows('\n')
  input.write('\u0003')
  await shows('was cancelled')
  await shows('●●● > ')
  input.write('half a line\u0003')
  input.write('exit\r')
  assert.equal(await ended, 1)
})
