// Whoever sends much is read in slices: what others send comes in between, nothing is lost, and order is kept.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kind } from '../../src/wire/frame.ts'
import { methodID } from './echo-service.ts'
import { frameOf } from './raw-peer.ts'
import { servePeer } from './served-peer.ts'

/** "a" or "b" in MessagePack. */
const A = Buffer.from('a161', 'hex')
const B = Buffer.from('a162', 'hex')

function notes(count: number, payload: Buffer): Buffer {
  const frames = Array.from({ length: count }, (_, index) =>
    frameOf({ kind: Kind.oneway, msgID: index + 1, methodID: methodID('note'), payload }),
  )
  return Buffer.concat(frames)
}

test('a peer that sends a thousand requests at once does not keep another waiting', async (t) => {
  const { runtime, peer, stranger, handled } = await servePeer(t)
  const other = stranger()
  await other.handshake({ incarnation: Buffer.alloc(16, 9) })
  await runtime.settle()
  // Every look at the clock takes a millisecond.
  let passed = 0
  const { now } = runtime
  runtime.now = () => now.call(runtime) + passed++
  t.after(() => {
    runtime.now = now
  })
  peer.stream.write([notes(1_000, A)])
  other.stream.write([notes(1, B)])
  await runtime.settle()
  assert.equal(handled.length, 1_001)
  assert.ok(handled.indexOf('b') < 100, `it came after ${handled.indexOf('b')} others`)
})

test('what arrives while earlier bytes wait comes behind them', async (t) => {
  const { runtime, peer, handled } = await servePeer(t)
  let passed = 0
  const { now } = runtime
  runtime.now = () => now.call(runtime) + passed++
  t.after(() => {
    runtime.now = now
  })
  const first = notes(100, A)
  peer.stream.write([first.subarray(0, first.length - 5)])
  peer.stream.write([first.subarray(first.length - 5), notes(100, B)])
  await runtime.settle()
  assert.deepEqual(handled, [...Array(100).fill('a'), ...Array(100).fill('b')])
})

test('a connection that ends while its bytes wait is forgotten, with them', async (t) => {
  const { runtime, server, peer, handled, serverEnd } = await servePeer(t)
  let passed = 0
  const { now } = runtime
  runtime.now = () => now.call(runtime) + passed++
  t.after(() => {
    runtime.now = now
  })
  peer.stream.write([notes(1_000, A)])
  await new Promise((resolve) => setImmediate(resolve))
  while (handled.length === 0) await new Promise((resolve) => setImmediate(resolve))
  serverEnd.fail(new Error('reset'))
  const before = handled.length
  assert.ok(before < 1_000)
  await runtime.settle()
  assert.equal(handled.length, before)
  assert.equal(server.clients.size, 0)
})

test('a violation among bytes that waited ends its connection, and nobody else notices', async (t) => {
  const { runtime, peer, stranger, handled } = await servePeer(t)
  let passed = 0
  const { now } = runtime
  runtime.now = () => now.call(runtime) + passed++
  t.after(() => {
    runtime.now = now
  })
  peer.stream.write([Buffer.concat([notes(100, A), frameOf({ kind: 0x42 }), notes(100, A)])])
  await runtime.settle()
  assert.ok(peer.isClosed)
  const other = stranger()
  await other.handshake({ incarnation: Buffer.alloc(16, 9) })
  other.stream.write([notes(1, B)])
  await runtime.settle()
  assert.deepEqual(handled, [...Array(100).fill('a'), 'b'])
})
