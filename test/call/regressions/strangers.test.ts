// Handshakes that overlap, change their mind, or come at a bad moment: who is connected afterwards, and that a server can
// still be closed. The other ends are played byte by byte on a clock that stands still.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, createServer } from 'gorums'
import { controlFrame, encodeGoAway } from '../../../src/wire/control.ts'
import { Kind } from '../../../src/wire/frame.ts'
import { HI, methodID, text } from '../../net/echo-service.ts'
import { servePeer } from '../../net/served-peer.ts'
import { VirtualRuntime } from '../../net/virtual-runtime.ts'
import { LIMIT } from '../cluster.ts'

const FAREWELL = controlFrame(
  Kind.goaway,
  encodeGoAway({
    lastFrame: 0,
    why: { code: 'failed_precondition', message: 'not what I want', metadata: {}, notExecuted: false },
  }),
)

for (const first of ['older', 'newer'] as const) {
  test(
    `of two handshakes of one process the later is its connection, also when the ${first} is completed first`,
    LIMIT,
    async (t) => {
      const { runtime, server, peer, stranger } = await servePeer(t)
      peer.close()
      await runtime.settle()
      const incarnation = Buffer.alloc(16, 7)
      const [older, newer] = [stranger(), stranger()]
      older.sendHello({ incarnation, attachEpoch: 1 })
      await older.next(Kind.helloOk)
      newer.sendHello({ incarnation, attachEpoch: 2 })
      await newer.next(Kind.helloOk)
      for (const each of first === 'older' ? [older, newer] : [newer, older]) {
        each.sendAck()
        await runtime.settle()
      }
      assert.deepEqual([older.isClosed, newer.isClosed], [true, false])
      assert.equal(server.clients.size, 1)
      newer.send({ kind: Kind.request, msgID: 1, methodID: methodID('echo'), payload: HI })
      assert.deepEqual((await newer.next(Kind.reply)).payload, HI)
      await server.close({ drainTimeoutMs: 0 })
      await runtime.settle()
      assert.equal(newer.isClosed, true)
    },
  )
}

test('a stranger that leaves after HELLO_OK displaces nobody, and nobody is told of it', LIMIT, async (t) => {
  const connected: string[] = []
  const { runtime, server, stranger } = await servePeer(t, { onConnect: ({ id }) => connected.push(id) })
  const known = stranger()
  await known.handshake({ nodeID: 'x' })
  await runtime.settle()
  const other = stranger()
  other.sendHello({ nodeID: 'x' })
  await other.next(Kind.helloOk)
  other.send(FAREWELL)
  await runtime.settle()
  assert.deepEqual([known.isClosed, other.isClosed], [false, true])
  assert.ok(server.clients.nodeIDs.includes('x'))
  assert.equal(connected.filter((id) => id === 'x').length, 1)
})

test('no client can take the id that the server has given to one without a name', LIMIT, async (t) => {
  const { runtime, server, peer, stranger } = await servePeer(t)
  const given = server.clients.nodeIDs[0]!
  assert.throws(() => createServer({ nodeID: given }), RangeError)
  for (const nodeID of ['client-1', 'client-2', '1']) {
    await stranger().handshake({ nodeID })
    await stranger().handshake()
  }
  await runtime.settle()
  assert.equal(peer.isClosed, false)
  assert.equal(server.clients.size, 7)
  assert.equal(new Set(server.clients.nodeIDs).size, 7)
})

test('a handshake that ends while the server drains gets a GOAWAY, and its requests do not start', LIMIT, async (t) => {
  const { runtime, server, peer, stranger, handled, letGo } = await servePeer(t)
  peer.send({ kind: Kind.request, msgID: 1, methodID: methodID('hold'), payload: HI })
  await runtime.settle()
  const late = stranger()
  late.sendHello()
  await late.next(Kind.helloOk)
  const closing = server.close({ drainTimeoutMs: 1_000 })
  await runtime.settle()
  late.sendAck()
  late.send({ kind: Kind.request, msgID: 1, methodID: methodID('note'), payload: HI, flags: 0 })
  assert.equal((await late.next(Kind.goaway)).kind, Kind.goaway)
  await runtime.settle()
  assert.deepEqual(handled, ['hi'])
  letGo()
  await runtime.advance(5_000)
  await closing
})

test('closing waits until the answers have gone, however slowly they are taken', LIMIT, async (t) => {
  const { runtime, server, peer, serverEnd } = await servePeer(t)
  const request = text(100_000)
  serverEnd.isTaking = false
  peer.send({ kind: Kind.request, msgID: 1, methodID: methodID('echo'), payload: request })
  await runtime.settle()
  let isClosed = false
  const closing = server.close({ drainTimeoutMs: 9_000 }).then(() => {
    isClosed = true
  })
  await runtime.advance(3_000)
  assert.equal(isClosed, false)
  assert.equal(serverEnd.isClosed, false)
  serverEnd.isTaking = true
  serverEnd.take(Infinity)
  await runtime.settle()
  assert.ok(peer.frames.some((frame) => frame.kind === Kind.reply && frame.payload.equals(request)))
  await runtime.advance(10_000)
  await closing
})

test('no choice of ping options makes a peer break the rule of one PING a second', LIMIT, async (t) => {
  const runtime = new VirtualRuntime()
  const server = createServer({ nodeID: 'a', runtime })
  const { port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const configuration = await connect(
    { a: `127.0.0.1:${port}` },
    { runtime, waitFor: 'none', pingIntervalMs: 100, pingTimeoutMs: 100 },
  )
  t.after(() => configuration.close())
  await runtime.settle()
  const losses: unknown[] = []
  configuration.on('down', (node) => losses.push(node.lastError))
  assert.equal(configuration.node('a').state, 'up')
  for (let second = 0; second < 30; second++) {
    await runtime.advance(1_000)
    assert.equal(configuration.node('a').state, 'up')
  }
  assert.deepEqual(losses, [])
  assert.equal(configuration.node('a').lastError, undefined)
  assert.equal(runtime.dials.length, 1)
})
