// Reading into one buffer: that Node still has what it takes, and that nothing is lost or mixed up on the way.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { readAccepted, readOption } from '../../src/net/socket-reader.ts'

const SOCKETS = 8
const BYTES = 300_000

const isWindows = process.platform === 'win32' ? 'on Windows every read has a buffer of its own' : false

test('accepted and dialled sockets read through one buffer, each its own bytes, to the end', {
  skip: isWindows,
}, async (t) => {
  const received = new Map<net.Socket | number, number[]>()
  const collect = (key: net.Socket | number) => {
    const values: number[] = []
    received.set(key, values)
    return (bytes: Buffer): void => {
      for (const value of bytes) if (values.at(-1) !== value) values.push(value)
    }
  }
  const ends: Promise<unknown>[] = []
  const server = net.createServer((socket) => {
    assert.ok(readAccepted(socket, collect(socket)), 'this version of Node.js keeps its read buffers somewhere else')
    socket.resume()
    ends.push(once(socket, 'close'))
    socket.end(Buffer.alloc(BYTES, 100))
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const clients = Array.from({ length: SOCKETS }, (_, index) => {
    const socket = net.connect({ port, host: '127.0.0.1', onread: readOption(collect(index))! })
    socket.resume()
    socket.end(Buffer.alloc(BYTES, index))
    return once(socket, 'close')
  })
  await Promise.all(clients)
  await Promise.all(ends)
  for (let index = 0; index < SOCKETS; index++) assert.deepEqual(received.get(index), [100])
  const atServer = [...received].filter(([key]) => typeof key !== 'number').map(([, values]) => values)
  assert.deepEqual(
    atServer.sort((one, other) => one[0]! - other[0]!),
    Array.from({ length: SOCKETS }, (_, index) => [index]),
  )
})

test('a socket whose insides are not as expected is left alone', () => {
  const socket = new net.Socket()
  assert.equal(
    readAccepted(socket, () => assert.fail('nothing is to be read')),
    false,
  )
  assert.equal(socket.listenerCount('data'), 0)
})
