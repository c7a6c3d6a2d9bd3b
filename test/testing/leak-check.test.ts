// The leak check: it fails what leaves something behind, names it, and lets pass what is only being closed.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { connect, createServer, quorumCall, service } from 'gorums'
import { checkLeaks, startLocalCluster, testConfiguration } from 'gorums/testing'

const Silent = service('testing.Silent', { ask: quorumCall<{ key: string }, { value: string }>() })

/** The context of a test that ends when it is told to. */
class TestWithin {
  readonly #hooks: (() => unknown)[] = []

  after(hook: () => unknown): void {
    this.#hooks.push(hook)
  }

  /** Runs the hooks one after the other, up to the first that fails. */
  async end(order: 'first to last' | 'last to first' = 'first to last'): Promise<void> {
    for (const hook of order === 'first to last' ? this.#hooks : this.#hooks.reverse()) await hook()
  }
}

/** Resolves when the server is closed and its handle is gone, which takes another turn. */
async function closed(server: net.Server): Promise<void> {
  server.close()
  await once(server, 'close')
  await new Promise((resolve) => setImmediate(resolve))
}

async function listening(server: net.Server): Promise<number> {
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

test('a test that leaves nothing behind passes', async () => {
  const within = new TestWithin()
  checkLeaks(within)
  await within.end()
})

test('what was there before does not count', async (t) => {
  const server = net.createServer()
  await listening(server)
  t.after(() => closed(server))
  const timer = setTimeout(() => {}, 60_000)
  t.after(() => clearTimeout(timer))
  const within = new TestWithin()
  checkLeaks(within)
  await within.end()
})

test('a server that still listens is a leak', async (t) => {
  const within = new TestWithin()
  checkLeaks(within, { closingMs: 0 })
  const server = net.createServer()
  t.after(() => closed(server))
  await listening(server)
  await assert.rejects(within.end(), /left behind: 1 server$/)
})

test('a timer that still runs is a leak', async (t) => {
  const within = new TestWithin()
  checkLeaks(within)
  const timers = [setTimeout(() => {}, 60_000), setInterval(() => {}, 60_000)]
  t.after(() => timers.forEach(clearInterval))
  await assert.rejects(within.end(), /left behind: 2 timers$/)
})

test('open sockets are leaks, named by their ends, and are closed', async (t) => {
  const accepted: net.Socket[] = []
  const server = net.createServer((socket) => accepted.push(socket))
  const port = await listening(server)
  t.after(() => closed(server))
  const within = new TestWithin()
  checkLeaks(within, { closingMs: 0 })
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  await assert.rejects(within.end(), new RegExp(`left behind: 2 sockets \\(.*127\\.0\\.0\\.1:${port}`))
  assert.equal(socket.destroyed, true)
  assert.equal(accepted[0]?.destroyed, true)
})

test('a socket that is being closed is given the time that it takes', async () => {
  const within = new TestWithin()
  checkLeaks(within)
  const server = net.createServer((socket) => socket.resume())
  const socket = net.connect(await listening(server), '127.0.0.1')
  await once(socket, 'connect')
  within.after(() => {
    server.close()
    socket.end()
    socket.resume()
  })
  await within.end()
  assert.equal(socket.destroyed, true)
})

test('a socket of TLS that is still open is a leak', async (t) => {
  const server = net.createServer()
  const port = await listening(server)
  t.after(() => closed(server))
  const within = new TestWithin()
  checkLeaks(within, { closingMs: 0 })
  const socket = tls.connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  await assert.rejects(within.end(), /left behind: .*socket/)
})

test('a cluster and a configuration that were not closed are leaks, and are closed', async () => {
  const within = new TestWithin()
  checkLeaks(within, { closingMs: 0 })
  const cluster = await startLocalCluster(2, () => {})
  const config = await cluster.connect()
  const inMemory = await testConfiguration(Silent, { x: {} })
  await assert.rejects(within.end(), (error: Error) => {
    assert.match(error.message, /a local cluster of a, b that was not closed/)
    assert.match(error.message, /a configuration of a, b that was not closed/)
    assert.match(error.message, /a configuration of x that was not closed/)
    return true
  })
  assert.deepEqual([cluster.isClosed, config.isClosed, inMemory.isClosed], [true, true, true])
})

test('unfinished calls are leaks, of watched configurations too', async (t) => {
  const server = createServer().handle(Silent, { ask: () => new Promise(() => {}) })
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const within = new TestWithin()
  const leaks = checkLeaks(within, { closingMs: 0 })
  const config = await connect({ a: `${host}:${port}` })
  leaks.watch(config)
  const call = config.client(Silent).ask({ key: '' }, { timeoutMs: Infinity })
  await assert.rejects(within.end(), /1 unfinished call to node "a"/)
  await call.settled
})

test('a rejection and an exception that nobody caught fail it', async () => {
  const within = new TestWithin()
  checkLeaks(within)
  // Told to the check alone: real ones would fail this test too.
  for (const listener of process.listeners('unhandledRejection').slice(-1))
    listener(new Error('nobody caught this'), Promise.resolve())
  for (const listener of process.listeners('uncaughtExceptionMonitor').slice(-1))
    listener(new Error('nor this'), 'uncaughtException')
  await assert.rejects(within.end(), (error: Error) => {
    assert.match(error.message, /uncaught: Error: nobody caught this/)
    assert.match(error.message, /uncaught: Error: nor this/)
    return true
  })
})

test('it looks after the hooks that were registered later, in whichever order they run', async () => {
  for (const order of ['first to last', 'last to first'] as const) {
    const within = new TestWithin()
    checkLeaks(within)
    const timers = [setTimeout(() => {}, 60_000), setTimeout(() => {}, 60_000)]
    for (const timer of timers) within.after(async () => clearTimeout(timer))
    await within.end(order)
  }
})

test('the error of a hook is told as it is, and ends the watch', async () => {
  const listeners = process.listenerCount('unhandledRejection')
  const within = new TestWithin()
  checkLeaks(within)
  assert.equal(process.listenerCount('unhandledRejection'), listeners + 1)
  within.after(() => Promise.reject(new Error('close failed')))
  await assert.rejects(within.end(), /^Error: close failed$/)
  assert.equal(process.listenerCount('unhandledRejection'), listeners)
})

test("hooks are given what node:test gives them, and node:test's own context will do", async (t) => {
  await t.test('within', async (inner) => {
    checkLeaks(inner)
    const timer = setTimeout(() => {}, 60_000)
    inner.after((context: unknown) => {
      assert.equal((context as { name: string }).name, 'within')
      clearTimeout(timer)
    })
  })
})
