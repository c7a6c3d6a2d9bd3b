// The implementation in Python that docs/protocol.md describes (client.py, protocol.py), against a server of ours: calls of
// every kind in both directions, and what happens to those that break the rules.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { createServer, quorumStream, RpcError, rpc, type Server, service, unicast } from 'gorums'

const Notes = service('interop.Notes', {
  echo: rpc<unknown, unknown>(),
  countTo: quorumStream<{ last: number }, { number: number }>(),
  note: unicast<{ text: string }>(),
  notes: rpc<null, string[]>(),
  inspect: rpc<null, unknown>(),
  fail: rpc<null, null>(),
  waitForCancel: rpc<null, null>(),
  callBack: rpc<number, number>(),
  double: rpc<number, number>(),
  closeServer: rpc<null, string>(),
})

function makeServer(): Server {
  const server = createServer({
    nodeID: 'notes',
    clusterID: 'interop',
    metadata: { language: 'typescript' },
    limits: { frameMaxBytes: 1_000_000 },
  })
  const notes: string[] = []
  return server.handle(Notes, {
    echo: (value) => value,
    async *countTo({ last }, context) {
      for (let number = 1; number <= last; number++) {
        context.replyMetadata.number = String(number)
        yield { number }
      }
    },
    note: ({ text }) => void notes.push(text),
    notes: () => notes,
    inspect(_request, context) {
      context.replyMetadata['served-by'] = 'notes'
      context.replyMetadata.raw = new Uint8Array([0, 255])
      const { trace, token } = context.metadata
      return {
        trace,
        token: Buffer.from(token as Uint8Array).toString('hex'),
        hasTime: context.remainingMs > 0 && context.remainingMs < 15_001,
        peer: context.peer.metadata.language,
      }
    },
    fail() {
      throw new RpcError('not_found', 'no such note', { metadata: { key: 'x' } })
    },
    async waitForCancel(_request, context) {
      if (!context.signal.aborted) await once(context.signal, 'abort')
      throw context.signal.reason
    },
    async callBack(value, context) {
      context.release()
      return context.peer.client(Notes).double(value)
    },
    closeServer(_request, context) {
      context.release()
      void server.close()
      return 'closing'
    },
  })
}

const missing = spawnSync('python3', ['--version']).error
const skip =
  missing !== undefined && process.env.CI !== 'true' ? `python3 can not be started: ${missing.message}` : false

/** What the client has seen, by the names of its checks. */
let seen: Record<string, unknown> = {}

before(async () => {
  if (skip !== false) return
  await using server = makeServer()
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const client = path.join(import.meta.dirname, 'client.py')
  const { stdout } = await promisify(execFile)('python3', ['-B', client, String(port)], { timeout: 60_000 })
  seen = JSON.parse(stdout) as Record<string, unknown>
})

function check(title: string, name: string, expected: unknown): void {
  test(title, { skip }, () => assert.deepEqual(seen[name], expected))
}

const reply = (value: unknown, metadata = {}): unknown => ({ kind: 'reply', value, metadata })
const error = (code: string, message: string, isNotExecuted: boolean, metadata = {}): unknown => ({
  kind: 'error',
  code,
  message,
  metadata,
  not_executed: isNotExecuted,
})

check('a client in Python is greeted, also when its HELLO comes byte by byte', 'handshake', {
  version: 1,
  node_id: 'notes',
  serves_calls: true,
  metadata: { language: 'typescript' },
  incarnation_bytes: 16,
  session_id_bytes: 0,
  frame_max_bytes: 1_000_000,
})

check('an RPC brings its values there and back', 'rpc', [
  reply({ small: 7, negative: -3000, wide: 2 ** 40, half: 0.5, text: 'grüße', none: null, list: [true, []] }),
])

check('a request and a reply of several chunks arrive whole', 'large_rpc', { kind: 'reply', length: 300_000 })

check('a streaming call brings its items in order, then END', 'stream', [
  { kind: 'item', value: { number: 1 }, metadata: { number: '1' } },
  { kind: 'item', value: { number: 2 }, metadata: { number: '2' } },
  { kind: 'item', value: { number: 3 }, metadata: { number: '3' } },
  { kind: 'end', value: null, metadata: {} },
])

check('one-way requests are handled in order, in front of the request behind them', 'one_way_then_rpc', [
  reply(['first', 'second']),
])

check('metadata and the deadline arrive with a request, metadata with its reply', 'metadata_and_deadline', [
  reply(
    { trace: '7f3a', token: '00ff', hasTime: true, peer: 'python' },
    { 'served-by': 'notes', raw: { hex: '00ff' } },
  ),
])

check(
  "a handler's error arrives with its code, text and metadata, and does not say that nothing ran",
  'handler_error',
  [error('not_found', 'no such note', false, { key: 'x' })],
)

test('an unknown method answers unimplemented, and that nothing ran', { skip }, () => {
  const [answer, ...rest] = seen.unknown_method as Record<string, unknown>[]
  assert.deepEqual([answer?.code, answer?.not_executed, rest], ['unimplemented', true, []])
})

test('a request that can not be decoded answers invalid_argument, and that nothing ran', { skip }, () => {
  const [answer, ...rest] = seen.undecodable_request as Record<string, unknown>[]
  assert.deepEqual([answer?.code, answer?.not_executed, rest], ['invalid_argument', true, []])
})

test('CANCEL reaches the handler, and its final answer still comes', { skip }, () => {
  const [answer, ...rest] = seen.cancel as Record<string, unknown>[]
  assert.deepEqual([answer?.kind, answer?.code, rest], ['error', 'cancelled', []])
})

check('a handler calls the client back over the connection that the client has dialled', 'called_back', [reply(42)])

check('PING is answered with its own bytes', 'ping', { pong: '12345678' })

check('frames of kinds that are to come are passed over', 'skipped_kind', [reply('still here')])

check('every counted frame is acknowledged, and every byte of requests given back', 'acknowledged', {
  frames: true,
  bytes: true,
})

check('a wrong preface is closed without a byte', 'wrong_preface', { http: 0, 'last byte': 0 })

for (const [what, name] of [
  ['another cluster', 'wrong_cluster'],
  ['another node than the one expected', 'wrong_node'],
  ['no common version', 'wrong_version'],
] as const) {
  check(`${what} is rejected, for good`, name, { code: 'failed_precondition', retry: false, versions: [1, 1] })
}

test('every violation is answered with GOAWAY and the end of the connection', { skip }, () => {
  const violations = Object.entries(seen.violations as Record<string, unknown>)
  assert.equal(violations.length, 8)
  for (const [what, goAway] of violations)
    assert.deepEqual(goAway, { code: 'internal', last_frame: 0, not_executed: false }, what)
})

check('a server that closes says so, answers what it has accepted, and says goodbye', 'draining', {
  answers: [reply('closing')],
  goaways: [
    { code: 'unavailable', not_executed: true, is_all: true },
    { code: 'cancelled', not_executed: false, is_all: true },
  ],
})
