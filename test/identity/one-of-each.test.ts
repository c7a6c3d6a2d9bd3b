// Who may be which node at one time: two processes with one id, a process that dials itself, replicas that dial the wrong
// way round, one server under two addresses, and an incarnation that is not its own. Real sockets.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect, createReplica, type Replica, type RpcError, rpc, service } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { decodeHello } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind } from '../../src/wire/frame.ts'
import { type CountedRuntime, countedRuntime } from '../net/counted-runtime.ts'
import { Echo } from '../net/echo-service.ts'
import { RawPeer } from '../net/raw-peer.ts'
import { servePeer } from '../net/served-peer.ts'
import { VirtualRuntime } from '../net/virtual-runtime.ts'
import { assertRejected, SLOWEST_MS, startClient, startServer, TIMEOUT } from './two-sides.ts'

const Slow = service('test.Slow', { hold: rpc<string, string>() })

test(
  'of two processes with one node id the later stays connected; the earlier is told, and takes the slowest step',
  TIMEOUT,
  async (t) => {
    const { address, accepted, server } = await startServer(t)
    const earlier = await startClient(t, address, { nodeID: 'x' })
    await earlier.config.waitFor(({ connected }) => connected.size === 1)
    assert.equal(await earlier.config.node('a').client(Echo).echo('hi'), 'hi')

    const later = await startClient(t, address, { nodeID: 'x' })
    await later.config.waitFor(({ connected }) => connected.size === 1)
    const told = await earlier.rejection
    assert.equal(told.code, 'already_exists')
    assert.match(told.message, /another process has connected as node "x"/)
    assert.match(earlier.config.node('a').lastError!.message, /another process has connected as node "x"/)
    assert.ok(earlier.counted.standing().includes(SLOWEST_MS))
    assert.equal(earlier.counted.dials.length, 1)

    assert.equal((await later.config.node('a').client(Echo).whoAmI('?')).id, 'x')
    assert.deepEqual(server.clients.nodeIDs, ['x'])
    assert.equal(later.counted.dials.length, 1)
    assert.equal(accepted.length, 2)
  },
)

test('what the earlier process had sent fails with the truth when the later takes its place', TIMEOUT, async (t) => {
  const { address, server } = await startServer(t)
  const earlier = await startClient(t, address, { nodeID: 'x' })
  let call: Promise<string> | undefined
  const isHeld = new Promise<void>((resolve) => {
    server.handle(Slow, {
      hold: () => {
        resolve()
        return new Promise<string>(() => {})
      },
    })
    call = earlier.config.node('a').client(Slow).hold('hi')
  })
  await isHeld
  await startClient(t, address, { nodeID: 'x' })
  await assert.rejects(call!, { code: 'unavailable', executed: 'unknown', message: /another process has connected/ })
})

test(
  'a HELLO alone displaces nobody: the earlier process stays until the later has answered HELLO_OK',
  TIMEOUT,
  async (t) => {
    const { address, host, port } = await startServer(t)
    const live = await startClient(t, address, { nodeID: 'x' })
    await live.config.waitFor(({ connected }) => connected.size === 1)
    const late = new RawPeer(nodeRuntime.dial(host, port, undefined))
    t.after(() => late.close())
    await late.opened
    late.sendHello({ nodeID: 'x' })
    await late.next(Kind.helloOk)
    assert.equal(await live.config.node('a').client(Echo).echo('still here'), 'still here')
    assert.equal(live.config.node('a').state, 'up')
    late.sendAck()
    assert.equal((await live.rejection).code, 'already_exists')
  },
)

test('two live processes that claim one node id take turns at the slowest step, and the server says so', async (t) => {
  const { runtime, port, server, log } = await servePeer(t)
  const address = `127.0.0.1:${port}`
  const both = [
    await connect({ a: address }, { nodeID: 'x', runtime }),
    await connect({ a: address }, { nodeID: 'x', runtime }),
  ]
  t.after(() => Promise.all(both.map((config) => config.close())))
  const before = runtime.dials.length
  await runtime.advance(60_000)
  const attempts = runtime.dials.length - before
  assert.ok(attempts >= 2 && attempts <= 24, `${attempts} attempts within a minute`)
  assert.equal(both.filter((config) => config.node('a').state === 'up').length, 1)
  assert.equal(server.clients.nodeIDs.filter((id) => id === 'x').length, 1)
  const told = log.lines.filter((line) => /another process has connected as node "x"/.test(line))
  assert.ok(told.length >= attempts - 1, `${told.length} lines for ${attempts} attempts`)
})

test('a hundred anonymous clients displace nobody', TIMEOUT, async (t) => {
  const { address, server } = await startServer(t)
  const named = await startClient(t, address, { nodeID: 'x' })
  await named.config.waitFor(({ connected }) => connected.size === 1)
  const anonymous = await Promise.all(Array.from({ length: 100 }, () => connect([address])))
  t.after(() => Promise.all(anonymous.map((config) => config.close())))
  for (const config of anonymous) assert.equal(await config.nodes[0]!.client(Echo).echo('hi'), 'hi')
  assert.equal(server.clients.size, 101)
  assert.deepEqual(named.rejections, [])
})

test('a client with the id of its server is rejected', TIMEOUT, async (t) => {
  const { address } = await startServer(t)
  const client = await startClient(t, address, { nodeID: 'a' })
  await assertRejected(client, 'already_exists', /node id "a" is this server's own/)
})

interface Replicas {
  readonly addresses: Readonly<Record<string, string>>
  readonly replicas: readonly Replica[]
  readonly counted: readonly CountedRuntime[]
}

/** Replicas a, b and c, all connected with each other. */
async function startReplicas(t: TestContext): Promise<Replicas> {
  const counted = ['a', 'b', 'c'].map(() => countedRuntime())
  const replicas = ['a', 'b', 'c'].map((nodeID, index) =>
    createReplica({ nodeID, runtime: counted[index]!.runtime, backoff: { maxMs: SLOWEST_MS } }),
  )
  t.after(() => Promise.all(replicas.map((replica) => replica.close({ drainTimeoutMs: 0 }))))
  const addresses: Record<string, string> = {}
  for (const replica of replicas) {
    replica.handle(Echo, { whoAmI: (_request, { peer }) => ({ id: peer.id, names: [] }) })
    const { host, port } = await replica.listen({})
    addresses[replica.nodeID] = `${host}:${port}`
  }
  const configs = replicas.map((replica) => replica.join(addresses))
  await Promise.all(configs.map((config) => config.waitFor(({ connected }) => connected.size === 3)))
  return { addresses, replicas, counted }
}

test('each pair of replicas shares one connection, dialled by the smaller id', TIMEOUT, async (t) => {
  const { addresses, replicas, counted } = await startReplicas(t)
  assert.deepEqual(
    counted.map(({ dials }) => [...dials].sort()),
    [[addresses.b, addresses.c].sort(), [addresses.c], []],
  )
  for (const replica of replicas)
    for (const node of replica.configuration.nodes)
      assert.equal((await node.client(Echo).whoAmI('?')).id, replica.nodeID)
})

for (const target of ['a', 'b']) {
  test(
    `a process that says it is replica c and dials replica ${target} is rejected: that side dials`,
    TIMEOUT,
    async (t) => {
      const { addresses, replicas, counted } = await startReplicas(t)
      const before = counted.map(({ dials }) => dials.length)
      const wrong = await startClient(t, addresses[target]!, { nodeID: 'c' })
      const error = await wrong.rejection.catch(assert.fail)
      assert.ok(['failed_precondition'].includes(error.code), error.code)
      assert.match(error.message, new RegExp(`"c" is dialled by "${target}"|expects node`))
      assert.equal(wrong.counted.dials.length, 1)
      assert.deepEqual(
        counted.map(({ dials }) => dials.length),
        before,
      )
      for (const replica of replicas) assert.equal(replica.configuration.status.connected.size, 3)
    },
  )
}

test(
  'a replica that is given its own address under another id is rejected by itself, and dials on slowly',
  TIMEOUT,
  async (t) => {
    const counted = countedRuntime()
    const replica = createReplica({ nodeID: 'a', runtime: counted.runtime, backoff: { maxMs: SLOWEST_MS } })
    t.after(() => replica.close({ drainTimeoutMs: 0 }))
    replica.handle(Echo, { whoAmI: (_request, { peer }) => ({ id: peer.id, names: [] }) })
    const { host, port } = await replica.listen({})
    const config = replica.join({ a: `${host}:${port}`, b: `${host}:${port}` })
    const rejection = await new Promise<RpcError>((resolve) => config.on('rejected', (_node, error) => resolve(error)))
    assert.equal(rejection.code, 'failed_precondition')
    assert.equal(rejection.nodeID, 'b')
    assert.match(
      rejection.message,
      new RegExp(`^${host}:${port} rejected the connection: the client is this process itself`),
    )
    assert.equal(config.node('b').state, 'down')
    assert.equal(counted.dials.length, 1)
    assert.ok(counted.standing().includes(SLOWEST_MS))
    assert.equal((await config.node('a').client(Echo).whoAmI('?')).id, 'a')
  },
)

test(
  'a process may call a server of its own over a socket: only one and the same object is itself',
  TIMEOUT,
  async (t) => {
    const { address, server } = await startServer(t)
    const { config, counted } = await startClient(t, address, { server })
    await config.waitFor(({ connected }) => connected.size === 1)
    assert.equal(await config.node('a').client(Echo).echo('hi'), 'hi')
    assert.equal(counted.dials.length, 1)
  },
)

test('one server under two addresses does not make its client connect again and again', TIMEOUT, async (t) => {
  const { runtime, port } = await servePeer(t, { nodeID: '' })
  const config = await connect([`one.example:${port}`, `other.example:${port}`], { runtime })
  t.after(() => config.close())
  await runtime.advance(60_000)
  assert.ok(runtime.dials.length < 30, `${runtime.dials.length} attempts within a minute`)
  const up = config.nodes.filter((node) => node.state === 'up')
  assert.equal(up.length, 1, 'one process is one node, not two: a quorum must not count it twice')
  const rest = config.nodes.find((node) => node.state !== 'up')!
  assert.match(rest.lastError!.message, new RegExp(`${rest.address}.*(same|already)`))
})

const SECURED = { cert: '', key: '', ca: 'an authority' }

test('an incarnation belongs to the identity that first used it: nobody else can fence its owner with it', async (t) => {
  const { runtime, port, server } = await servePeer(t, { tls: SECURED })
  const identity = (name: string) => ({ names: [`URI:gorums:node:${name}`], commonName: name, fingerprint: name })
  const settle = (): Promise<void> => runtime.settle()
  const owner = new RawPeer(runtime.connect(port, identity('x')), settle)
  const incarnation = Buffer.alloc(16, 7)
  await owner.handshake({ nodeID: 'x', incarnation })
  await settle()

  const thief = new RawPeer(runtime.connect(port, identity('y')), settle)
  await thief.opened
  thief.sendHello({ nodeID: 'y', incarnation, attachEpoch: 1_000_000 })
  const { why } = await thief.reject()
  assert.equal(why.code, 'permission_denied')
  assert.equal(owner.isClosed, false)
  assert.ok(server.clients.nodeIDs.includes('x'))

  owner.close()
  const again = new RawPeer(runtime.connect(port, identity('x')), settle)
  await again.handshake({ nodeID: 'x', incarnation, attachEpoch: 2 })
  await settle()
  assert.ok(server.clients.nodeIDs.includes('x'))
})

test('a server that asks for certificates binds node ids to them, wherever its authorities come from', async (t) => {
  for (const tls of [{ requestCert: true, cert: '', key: '' }, SECURED, { ca: 'an authority', pfx: '' }]) {
    const { runtime, port } = await servePeer(t, { tls })
    const identity = { names: ['URI:gorums:node:x'], commonName: '', fingerprint: '' }
    const impostor = new RawPeer(runtime.connect(port, identity), () => runtime.settle())
    await impostor.opened
    impostor.sendHello({ nodeID: 'y' })
    assert.equal((await impostor.reject()).why.code, 'permission_denied')
  }
})

test('a client with a certificate of its own binds the node ids of servers to theirs, however it is given', async (t) => {
  for (const tls of [{ cert: '', key: '' }, { pfx: '' }]) {
    const runtime = new VirtualRuntime()
    const config = await connect({ a: 'a.example:1' }, { runtime, tls, waitFor: 'none' })
    t.after(() => config.close())
    const dial = runtime.dials[0]!
    dial.stream.identity = { names: ['URI:gorums:node:b'], commonName: '', fingerprint: '' }
    const impostor = new RawPeer(dial.accept(), () => runtime.settle())
    const hello = await impostor.next(Kind.hello)
    assert.equal(decodeHello(new FieldReader(hello.payload, 0, hello.payload.length)).expectedNodeID, 'a')
    impostor.sendHelloOk({ nodeID: 'a' })
    assert.equal((await impostor.goAway()).why.code, 'permission_denied')
    assert.equal(config.node('a').state, 'down')
  }
})
