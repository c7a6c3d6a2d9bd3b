// The picture of a call: what each bar says, and that bars are on one scale. The records are made up here: it is the
// picture that is tested.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallRecord, RpcError } from 'gorums'
import { explain } from './explain.ts'
import { createPaint } from './paint.ts'

const RECORD: CallRecord = {
  method: 'storage.Storage/ReadQC',
  nodes: [
    { nodeID: 'a', outcome: 'replied', queuedMs: 0, writtenMs: 1, answeredMs: 5, error: undefined },
    { nodeID: 'bb', outcome: 'replied', queuedMs: 0, writtenMs: 0, answeredMs: 10, error: undefined },
    {
      nodeID: 'c',
      outcome: 'failed',
      queuedMs: 0,
      writtenMs: 2,
      answeredMs: undefined,
      error: new RpcError('deadline_exceeded', 'late', { executed: 'unknown' }),
    },
    {
      nodeID: 'd',
      outcome: 'failed',
      queuedMs: 0,
      writtenMs: undefined,
      answeredMs: undefined,
      error: new RpcError('unavailable', 'down', { executed: 'no' }),
    },
    {
      nodeID: 'e',
      outcome: 'skipped',
      queuedMs: undefined,
      writtenMs: undefined,
      answeredMs: undefined,
      error: undefined,
    },
  ],
}

test('there is one bar per node, on one scale, with the time in the queue and the time under way', () => {
  assert.deepEqual(explain(RECORD, { width: 10 }), [
    'storage.Storage/ReadQC: 2 of 5 replied, the last after 10.00 ms',
    '  a  ░████      replied queued 1.00 ms, answered 4.00 ms later',
    '  bb ██████████ replied queued 0.00 ms, answered 10.00 ms later',
    '  c  ░░████████ failed  deadline_exceeded (may have run), queued 2.00 ms',
    '  d             failed  unavailable (did not run), never written',
    '  e             skipped',
    '  ░ queued   █ written, waiting for the answer',
  ])
})

test('an answer that came quickly beside a slow one still has a bar', () => {
  const nodes = [RECORD.nodes[1]!, { ...RECORD.nodes[1]!, nodeID: 'x', answeredMs: 0.1 }]
  assert.equal(
    explain({ method: 'm', nodes }, { width: 4 })[2],
    '  x  █    replied queued 0.00 ms, answered 0.10 ms later',
  )
})

test('a call that nobody has answered is drawn too', () => {
  const nodes = [RECORD.nodes[3]!]
  const [heading, bar] = explain({ method: 'm', nodes }, { width: 4 })
  assert.equal(heading, 'm: 0 of 1 replied')
  assert.equal(bar, '  d      failed  unavailable (did not run), never written')
})

test('colours are added where they are wanted, and change no text', () => {
  const coloured = explain(RECORD, { width: 10, paint: createPaint(true) })
  assert.ok(coloured.some((line) => line.includes('\u001b[32m')))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  const plain = coloured.map((line) => line.replace(/\u001b\[\d+m/g, ''))
  assert.deepEqual(plain, explain(RECORD, { width: 10 }))
})
