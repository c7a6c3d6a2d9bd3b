// Ends that do not speak our protocol, on either side: each is named in what the other reports, closed at the first wrong
// byte, and dialled again only with growing waits. An honest client of the same server notices nothing.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { connect } from 'gorums'
import { PREFACE } from '../../src/wire/frame.ts'
import { createAuthority } from '../certificates.ts'
import { Echo } from '../net/echo-service.ts'
import { assertCanNotConnect, startClient, startServer, TIMEOUT } from './two-sides.ts'

/** Connects, writes, and gives what comes back until the other end closes. */
async function writeToPort(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = net.connect({ host: '127.0.0.1', port })
  const answer: Buffer[] = []
  socket.on('data', (chunk) => answer.push(chunk))
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(answer)
}

const strangers: readonly [string, Buffer, RegExp][] = [
  ['an HTTP GET', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), /sent HTTP/],
  ['an HTTP POST', Buffer.from('POST /rpc HTTP/1.1\r\n\r\n'), /sent HTTP/],
  ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /sent HTTP/],
  ['an SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), /sent SSH/],
  ['a TLS ClientHello', Buffer.from('16030102000100', 'hex'), /TLS ClientHello \(this port speaks plain TCP\)/],
  ['a TLS alert', Buffer.from('15030300020228', 'hex'), /TLS alert/],
  ['an inline Redis command', Buffer.from('PING\r\n'), /no gorums preface, but 50494e470d0a/],
  ['zeroes', Buffer.alloc(64), /no gorums preface, but 0000000000000000/],
  ['a frame without preface', Buffer.from('0000000c83000000', 'hex'), /no gorums preface, but 0000000c83000000/],
  ['a preface mangled by a text proxy', Buffer.from('8947524d0a1a0101', 'hex'), /no gorums preface, but 8947524d0a/],
  ['a preface of another format', Buffer.from('8947524d0d0a1a02', 'hex'), /no gorums preface, but 8947524d0d0a1a02/],
]

for (const [what, bytes, named] of strangers) {
  test(`${what} is named, closed without an answer, and disturbs nobody`, TIMEOUT, async (t) => {
    const { address, port, log } = await startServer(t)
    const honest = await connect({ a: address })
    t.after(() => honest.close())
    assert.deepEqual(await writeToPort(port, bytes), Buffer.alloc(0))
    assert.match(await log.until(named), /^127\.0\.0\.1:\d+ sent /)
    assert.equal(await honest.node('a').client(Echo).echo('hi'), 'hi')
  })
}

test('a stranger is closed at the first wrong byte, not at the end of a preface', TIMEOUT, async (t) => {
  const { port, log } = await startServer(t)
  await writeToPort(port, Buffer.from('G'))
  await log.until(/no gorums preface, but 47|sent HTTP/)
  await writeToPort(port, Buffer.concat([PREFACE.subarray(0, 5), Buffer.from('x')]))
  await log.until(/no gorums preface, but 8947524d0d78/)
})

test('random bytes, a hundred times, are closed and named, and nobody else is disturbed', TIMEOUT, async (t) => {
  const { address, port, log, accepted } = await startServer(t)
  const honest = await connect({ a: address })
  t.after(() => honest.close())
  for (let round = 0; round < 100; round++) {
    const bytes = randomBytes(1 + round * 7)
    if (bytes[0] === PREFACE[0]) bytes[0] = 0
    assert.deepEqual(await writeToPort(port, bytes), Buffer.alloc(0))
  }
  assert.equal(accepted.length, 101)
  assert.equal(log.lines.filter((line) => / sent /.test(line)).length, 100)
  assert.equal(await honest.node('a').client(Echo).echo('hi'), 'hi')
})

test('a port scanner that connects and closes is no error for anybody', TIMEOUT, async (t) => {
  const { address, port, log } = await startServer(t)
  const socket = net.connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.end()
  await once(socket.resume(), 'close')
  await log.until(/^127\.0\.0\.1:\d+ closed the connection before HELLO/)
  const honest = await connect({ a: address })
  t.after(() => honest.close())
  assert.equal(await honest.node('a').client(Echo).echo('hi'), 'hi')
})

test(
  'a plaintext client of a TLS server learns that the other end speaks TLS, and the server names it',
  TIMEOUT,
  async (t) => {
    const authority = await createAuthority()
    const { address, log } = await startServer(t, { tls: await authority.issueNode('a') })
    const client = await startClient(t, address)
    await assertCanNotConnect(client, new RegExp(`^${address} .*TLS`))
    const { message } = client.config.node('a').lastError!
    assert.doesNotMatch(message, /this port speaks plain TCP/, 'it is the port that was dialled which speaks TLS')
    await log.until(/127\.0\.0\.1.*(wrong version number|plain|no TLS)/)
  },
)

test('a TLS client of a plaintext server learns that TLS failed, and the server names it', TIMEOUT, async (t) => {
  const authority = await createAuthority()
  const { address, log } = await startServer(t)
  const client = await startClient(t, address, { tls: { ca: authority.ca } })
  await assertCanNotConnect(client, new RegExp(`^can not connect to ${address}: .*(TLS|SSL)`))
  await log.until(/^127\.0\.0\.1:\d+ sent a TLS ClientHello \(this port speaks plain TCP\)/)
})

test('what a TLS server that is not ours says is named through TLS', TIMEOUT, async (t) => {
  const authority = await createAuthority()
  const web = tls.createServer(await authority.issueNode('a'), (socket) => {
    socket.on('error', () => {})
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  const client = await startClient(t, await listening(t, web), { tls: { ca: authority.ca } })
  await assertCanNotConnect(client, /^127\.0\.0\.1:\d+ sent HTTP/)
})

test('a client that has dialled a web server learns so', TIMEOUT, async (t) => {
  const web = http.createServer((_request, response) => response.end('hello'))
  const client = await startClient(t, await listening(t, web))
  await assertCanNotConnect(client, /^127\.0\.0\.1:\d+ sent HTTP/)
})

test('a client that has dialled an SSH server learns so', TIMEOUT, async (t) => {
  const ssh = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.write('SSH-2.0-OpenSSH_9.2\r\n')
  })
  const client = await startClient(t, await listening(t, ssh))
  await assertCanNotConnect(client, /^127\.0\.0\.1:\d+ sent SSH/)
})

test('a client that is hung up on before HELLO_OK is told what to look at', TIMEOUT, async (t) => {
  const curt = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.resume().end()
  })
  const client = await startClient(t, await listening(t, curt))
  await assertCanNotConnect(
    client,
    /^127\.0\.0\.1:\d+ closed the connection before HELLO.*is it a gorums server.*TLS\?/,
  )
})

test('a client that has dialled an echo server learns that the answer is its own', TIMEOUT, async (t) => {
  const echo = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  const client = await startClient(t, await listening(t, echo))
  await assertCanNotConnect(client, /^127\.0\.0\.1:\d+ .*itself/)
})

test('a client of a port where nobody listens says so', TIMEOUT, async (t) => {
  const taken = net.createServer()
  const address = await listening(t, taken)
  taken.close()
  await once(taken, 'close')
  await assertCanNotConnect(await startClient(t, address), new RegExp(`^can not connect to ${address}: .*ECONNREFUSED`))
})

/** Listens on a free port; closed, with its connections, at the end of the test. */
async function listening(t: TestContext, server: net.Server): Promise<string> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}
