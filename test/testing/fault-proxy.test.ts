// What the fault proxy does to the bytes between two plain sockets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { type TestContext, test } from 'node:test'
import { checkLeaks, type FaultProxy, startFaultProxy } from 'gorums/testing'

interface Line {
  readonly proxy: FaultProxy
  readonly near: net.Socket
  readonly far: net.Socket
}

/** Two sockets with a proxy between them. */
async function openLine(t: TestContext): Promise<Line> {
  checkLeaks(t)
  const server = net.createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port } })
  const [host, nearPort] = proxy.address.split(':')
  const near = net.connect({ host: host!, port: Number(nearPort), allowHalfOpen: true })
  const [far] = (await once(server, 'connection')) as [net.Socket]
  t.after(async () => {
    near.destroy()
    far.destroy()
    await proxy.close()
    await new Promise((resolve) => server.close(resolve))
  })
  return { proxy, near, far }
}

/** Collects what arrives at a socket; resolves when it is so many bytes. */
function arrival(socket: net.Socket, bytes: number): Promise<string> {
  let text = ''
  return new Promise((resolve) => {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (text.length >= bytes) resolve(text)
    })
  })
}

/** Resolves when the proxy has what was written. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

test('held bytes, and the end behind them, arrive when they are let go, and not before', async (t) => {
  const { proxy, near, far } = await openLine(t)
  proxy.treat('up', { flow: 'hold' })
  near.end('hello')
  near.resume()
  far.write('the other direction goes on')
  await once(near, 'data')
  assert.equal(proxy.counters.bytes, 'the other direction goes on'.length)
  const ended = once(far, 'end')
  const arrived = arrival(far, 5)
  proxy.treat('up', { flow: 'pass' })
  assert.equal(await arrived, 'hello')
  await ended
})

test('a shorter delay does not let later bytes overtake earlier ones', async (t) => {
  const { proxy, near, far } = await openLine(t)
  const arrived = arrival(far, 4)
  proxy.treat('up', { delayMs: 60 })
  near.write('ab')
  await until(() => near.bytesWritten === 2 && near.writableLength === 0)
  await new Promise((resolve) => setImmediate(resolve))
  proxy.treat('up', { delayMs: 0 })
  near.write('cd')
  assert.equal(await arrived, 'abcd')
})

test('bytes pass at the bandwidth, and the rest at once when it is lifted', async (t) => {
  const { proxy, near, far } = await openLine(t)
  proxy.treat('up', { bytesPerSecond: 1 })
  near.write('slowly')
  const [first] = (await once(far, 'data')) as [Buffer]
  assert.equal(String(first), 's')
  assert.equal(proxy.counters.bytes, 1)
  const arrived = arrival(far, 5)
  proxy.treat('up', { bytesPerSecond: Infinity })
  assert.equal(await arrived, 'lowly')
})

test('a connection that is closed in one direction goes on in the other', async (t) => {
  const { proxy, near, far } = await openLine(t)
  const ended = once(far.resume(), 'end')
  assert.equal(proxy.halfClose('up'), 1)
  await ended
  far.write('still here')
  await once(near, 'data')
  near.write('lost')
  await until(() => proxy.counters.lostBytes === 4)
  assert.equal(proxy.counters.halfCloses, 1)
  assert.equal(proxy.connections, 1)
})

test('in a black hole even the end of a connection vanishes', async (t) => {
  const { proxy, near, far } = await openLine(t)
  proxy.treat('up', { flow: 'lose' })
  far.resume()
  near.resume().end('nobody hears this')
  await until(() => proxy.counters.lostBytes > 0)
  const answered = once(near, 'data')
  far.write('hello?')
  await answered
  assert.equal(far.readableEnded, false)
})

test('random pieces are the same bytes in the same order', async (t) => {
  const { proxy, near, far } = await openLine(t)
  proxy.treat('both', { pieceMaxBytes: 7 })
  const text = Array.from({ length: 10_000 }, (_, index) => String.fromCharCode(32 + (index % 90))).join('')
  const arrived = [arrival(far, text.length), arrival(near, text.length)]
  near.write(text, 'latin1')
  far.write(text, 'latin1')
  assert.deepEqual(await Promise.all(arrived), [text, text])
})

test('a reset reaches both ends', async (t) => {
  const { proxy, near, far } = await openLine(t)
  const errors = [once(near, 'error'), once(far, 'error')]
  assert.equal(proxy.cut(), 1)
  for (const [error] of await Promise.all(errors)) assert.equal((error as NodeJS.ErrnoException).code, 'ECONNRESET')
  await until(() => proxy.connections === 0)
})
