// TLS between real sockets: who may connect, who may say to be which node, and what either side is told when not. Every
// certificate is made while the tests run.

import assert from 'node:assert/strict'
import { before, type TestContext, test } from 'node:test'
import { type ConnectOptions, connect, type ServerOptions, service, unicast } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { Kind } from '../../src/wire/frame.ts'
import { type Authority, type CertificateOptions, createAuthority, EXPIRED, NOT_YET_VALID } from '../certificates.ts'
import { countedRuntime } from '../net/counted-runtime.ts'
import { Echo, HI } from '../net/echo-service.ts'
import { RawPeer } from '../net/raw-peer.ts'
import {
  assertCanNotConnect,
  assertRejected,
  type ClientSide,
  type ServerSide,
  startClient,
  startServer,
  TIMEOUT,
} from './two-sides.ts'

const Noted = service('test.Noted', { note: unicast<string>() })

let authority: Authority
let stranger: Authority

before(async () => {
  authority = await createAuthority('the authority of the cluster')
  stranger = await createAuthority('another authority')
})

/** A server that asks for certificates of the authority, by default with one that names node a. */
async function mutualServer(t: TestContext, options: ServerOptions = {}): Promise<ServerSide> {
  return startServer(t, { tls: { ...(await authority.issueNode('a')), ca: authority.ca }, ...options })
}

/** The options of a client whose certificate says this. */
async function clientWith(certificate: CertificateOptions, options: ConnectOptions = {}): Promise<ConnectOptions> {
  return { tls: { ...(await authority.issue(certificate)), ca: authority.ca }, ...options }
}

async function connected(t: TestContext, address: string, options: ConnectOptions): Promise<ClientSide> {
  const client = await startClient(t, address, options)
  await client.config.waitFor(({ connected: up }) => up.size === 1)
  return client
}

test('with mutual TLS a node is who its certificate names, and handlers see who called', TIMEOUT, async (t) => {
  const { address, server } = await mutualServer(t)
  const options = await clientWith({ uris: ['gorums:node:x'], commonName: 'the node x' }, { nodeID: 'x' })
  const { config, counted } = await connected(t, address, options)
  assert.deepEqual(await config.node('a').client(Echo).whoAmI('?'), {
    id: 'x',
    names: ['URI:gorums:node:x', 'IP Address:127.0.0.1'],
  })
  const seen = server.clients.node('x').identity!
  assert.equal(seen.commonName, 'the node x')
  assert.match(seen.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  assert.deepEqual(config.node('a').identity?.names, ['URI:gorums:node:a', 'IP Address:127.0.0.1'])
  assert.equal(counted.dials.length, 1)
})

test(
  'a client that claims no node id needs a certificate of the authority, whatever that names',
  TIMEOUT,
  async (t) => {
    const { address, server } = await mutualServer(t)
    const { config } = await connected(t, address, await clientWith({ uris: ['https://example.org/someone'] }))
    const { names } = await config.node('a').client(Echo).whoAmI('?')
    assert.deepEqual(names, ['URI:https://example.org/someone', 'IP Address:127.0.0.1'])
    assert.equal(server.clients.size, 1)
  },
)

test('a node may be named by DNS name', TIMEOUT, async (t) => {
  const { address } = await mutualServer(t)
  const options = await clientWith({ dnsNames: ['x.example'] }, { nodeID: 'x.example' })
  const { config } = await connected(t, address, options)
  assert.equal((await config.node('a').client(Echo).whoAmI('?')).id, 'x.example')
})

test('a certificate may name several nodes', TIMEOUT, async (t) => {
  const { address } = await mutualServer(t)
  for (const nodeID of ['x', 'y']) {
    const options = await clientWith({ uris: ['gorums:node:x', 'gorums:node:y'] }, { nodeID })
    const { config } = await connected(t, address, options)
    assert.equal((await config.node('a').client(Echo).whoAmI('?')).id, nodeID)
  }
})

test(
  'a client with the certificate of another node is rejected, and told which node that names',
  TIMEOUT,
  async (t) => {
    const { address, log, server } = await mutualServer(t)
    const client = await startClient(t, address, await clientWith({ uris: ['gorums:node:b'] }, { nodeID: 'c' }))
    const named = /claims to be node "c", but its certificate names "b"/
    await assertRejected(client, 'permission_denied', named)
    assert.equal(client.ups(), 0)
    await log.until(named)
    assert.deepEqual(server.clients.nodeIDs, [])
  },
)

test('a client that claims a node id with a certificate that names none is rejected', TIMEOUT, async (t) => {
  const { address } = await mutualServer(t)
  const client = await startClient(t, address, await clientWith({ commonName: 'x' }, { nodeID: 'x' }))
  await assertRejected(client, 'permission_denied', /claims to be node "x", but its certificate names no node/)
})

for (const [what, certificate] of [
  ['a name that only begins like it', { uris: ['gorums:node:xy'] }],
  ['a name in which it is hidden behind a comma', { uris: ['gorums:node:y, URI:gorums:node:x, z'] }],
  ['a DNS name that looks like its URI', { dnsNames: ['gorums:node:x'] }],
  ['a URI of another scheme', { uris: ['node:x'] }],
  ['its common name alone', { commonName: 'gorums:node:x' }],
] satisfies [string, CertificateOptions][]) {
  test(`a node is not named by ${what}`, TIMEOUT, async (t) => {
    const { address } = await mutualServer(t)
    const client = await startClient(t, address, await clientWith(certificate, { nodeID: 'x' }))
    await assertRejected(client, 'permission_denied', /claims to be node "x", but its certificate names/)
  })
}

test('a server with the certificate of another node is refused by its client, and told so', TIMEOUT, async (t) => {
  const tls = { ...(await authority.issueNode('b')), ca: authority.ca }
  const { address, log, server } = await startServer(t, { nodeID: 'a', tls })
  const client = await startClient(t, address, await clientWith({ uris: ['gorums:node:x'] }, { nodeID: 'x' }))
  const named = /claims to be node "a", but its certificate names "b"/
  await assertRejected(client, 'permission_denied', named)
  assert.equal(client.ups(), 0)
  await log.until(named)
  assert.deepEqual(server.clients.nodeIDs, [])
})

test('identify decides which nodes a certificate may claim', TIMEOUT, async (t) => {
  const identify: ServerOptions['identify'] = ({ commonName }) => [commonName.replace(/ of the cluster$/, '')]
  const tls = { ...(await authority.issue({ commonName: 'a of the cluster' })), ca: authority.ca }
  const { address } = await startServer(t, { tls, identify })
  const right = { commonName: 'x of the cluster', uris: ['gorums:node:y'] }
  const { config } = await connected(t, address, await clientWith(right, { nodeID: 'x', identify }))
  assert.equal((await config.node('a').client(Echo).whoAmI('?')).id, 'x')

  const wrong = await startClient(t, address, await clientWith(right, { nodeID: 'y', identify }))
  await assertRejected(wrong, 'permission_denied', /claims to be node "y", but its certificate names "x"/)
})

test('an identify that throws refuses that connection and harms no other', TIMEOUT, async (t) => {
  const identify: ServerOptions['identify'] = ({ commonName }) => {
    if (commonName === 'odd') throw new Error('can not make sense of it')
    return ['x']
  }
  const { address, log } = await mutualServer(t, { identify })
  const honest = await connected(t, address, await clientWith({ commonName: 'even' }, { nodeID: 'x' }))
  const odd = await startClient(t, address, await clientWith({ commonName: 'odd' }, { nodeID: 'y' }))
  await assertRejected(odd, 'permission_denied', /certificate/)
  await log.until(/can not make sense of it/)
  assert.equal(await honest.config.node('a').client(Echo).echo('hi'), 'hi')
  assert.equal(honest.counted.dials.length, 1)
})

test('a client without a certificate is rejected by a server that asks for one', TIMEOUT, async (t) => {
  const { address, log, server } = await mutualServer(t)
  const client = await startClient(t, address, { tls: { ca: authority.ca } })
  await assertRejected(
    client,
    'unauthenticated',
    /certificate of the client is not accepted: it did not return a certificate/,
  )
  await log.until(/was rejected: .*it did not return a certificate/)
  assert.equal(client.ups(), 0)
  assert.deepEqual(server.clients.nodeIDs, [])
})

for (const [what, validity, named] of [
  ['has expired', EXPIRED, /certificate has expired|CERT_HAS_EXPIRED/],
  ['is not yet valid', NOT_YET_VALID, /not yet valid|CERT_NOT_YET_VALID/],
] as const) {
  test(`a client whose certificate ${what} is rejected, and both sides say why`, TIMEOUT, async (t) => {
    const { address, log, server } = await mutualServer(t)
    const options = await clientWith({ uris: ['gorums:node:x'], ...validity }, { nodeID: 'x' })
    const client = await startClient(t, address, options)
    await assertRejected(client, 'unauthenticated', named)
    await log.until(named)
    assert.equal(client.ups(), 0)
    assert.deepEqual(server.clients.nodeIDs, [])
  })

  test(`a server whose certificate ${what} is not connected to, and the client says why`, TIMEOUT, async (t) => {
    const { address } = await startServer(t, { tls: await authority.issue({ uris: ['gorums:node:a'], ...validity }) })
    const client = await startClient(t, address, { tls: { ca: authority.ca } })
    await assertCanNotConnect(client, new RegExp(`^can not connect to ${address}: .*(${named.source})`))
  })
}

test('a client whose certificate is of another authority is rejected, and both sides say why', TIMEOUT, async (t) => {
  const { address, log, server } = await mutualServer(t)
  const tls = { ...(await stranger.issueNode('x')), ca: authority.ca }
  const client = await startClient(t, address, { nodeID: 'x', tls })
  const named = /certificate of the client is not accepted: .*(UNABLE_TO_VERIFY|SELF_SIGNED|ISSUER)/
  await assertRejected(client, 'unauthenticated', named)
  await log.until(named)
  assert.equal(client.ups(), 0)
  assert.deepEqual(server.clients.nodeIDs, [])
})

test('a peer whose certificate is not accepted reaches no handler, whatever it sends at once', TIMEOUT, async (t) => {
  const { host, port, server } = await mutualServer(t)
  const handled: string[] = []
  server.handle(Noted, { note: (request) => handled.push(request) })
  const foreign = { ...(await stranger.issueNode('x')), ca: authority.ca }
  for (const tls of [{ ca: authority.ca }, foreign]) {
    for (const nodeID of ['', 'x']) {
      const peer = new RawPeer(nodeRuntime.dial(host, port, tls))
      t.after(() => peer.close())
      await peer.opened
      peer.sendHello({ nodeID })
      peer.sendAck()
      peer.send({ kind: Kind.oneway, msgID: 1, methodID: Noted.bound.get('note')!.methodID, payload: HI })
      const { why, retry } = await peer.reject()
      assert.deepEqual([why.code, retry], ['unauthenticated', false])
    }
  }
  assert.deepEqual(server.clients.nodeIDs, [])
  assert.deepEqual(handled, [])
})

test(
  'a server whose certificate is of another authority is not connected to, and the client says why',
  TIMEOUT,
  async (t) => {
    const { address } = await startServer(t, { tls: await stranger.issueNode('a') })
    const client = await startClient(t, address, { tls: { ca: authority.ca } })
    await assertCanNotConnect(
      client,
      new RegExp(`^can not connect to ${address}: .*(unable to verify|self-signed|issuer)`),
    )
  },
)

test(
  'a server whose certificate is of another host is not connected to, and the client says why',
  TIMEOUT,
  async (t) => {
    const { address } = await startServer(t, { tls: await authority.issueNode('a') })
    const client = await startClient(t, address, { tls: { ca: authority.ca, servername: 'a.example' } })
    await assertCanNotConnect(
      client,
      new RegExp(`^can not connect to ${address}: .*does not match certificate's altnames`),
    )
  },
)

test('servername is what the certificate is checked against when it is given', TIMEOUT, async (t) => {
  const { address } = await startServer(t, { tls: await authority.issue({ dnsNames: ['a.example'] }) })
  const { config } = await connected(t, address, { tls: { ca: authority.ca, servername: 'a.example' } })
  assert.equal(await config.node('a').client(Echo).echo('hi'), 'hi')
})

test('without mutual TLS a server takes clients without certificates, and knows no identity', TIMEOUT, async (t) => {
  const { address, server } = await startServer(t, { tls: await authority.issueNode('a') })
  const { config } = await connected(t, address, { tls: { ca: authority.ca } })
  assert.deepEqual((await config.node('a').client(Echo).whoAmI('?')).names, [])
  assert.equal(server.clients.nodes[0]!.identity, undefined)
})

test('a list of addresses connects over TLS, one way and mutual', TIMEOUT, async (t) => {
  const oneWay = await startServer(t, { tls: await authority.issueNode('a') })
  const mutual = await mutualServer(t)
  for (const [{ address }, options] of [
    [oneWay, { tls: { ca: authority.ca } }],
    [mutual, await clientWith({ uris: ['gorums:node:x'] }, { nodeID: 'x' })],
  ] as const) {
    const { runtime, dials } = countedRuntime()
    const config = await connect([address], { ...options, runtime })
    t.after(() => config.close())
    assert.equal(config.node(address).state, 'up')
    assert.equal(await config.node(address).client(Echo).echo('hi'), 'hi')
    assert.equal(dials.length, 1)
  }
})

test(
  'a list of addresses still refuses a server that claims a node id its certificate does not name',
  TIMEOUT,
  async (t) => {
    const tls = { ...(await authority.issueNode('b')), ca: authority.ca }
    const { address } = await startServer(t, { nodeID: 'a', tls })
    const options = await clientWith({ uris: ['gorums:node:x'] }, { nodeID: 'x', waitFor: 'none' })
    const config = await connect([address], options)
    t.after(() => config.close())
    await config.waitFor(({ down }) => down.size === 1)
    assert.match(config.node(address).lastError!.message, /claims to be node "a", but its certificate names "b"/)
  },
)

test(
  'of fifty clients, ten good ones and ten of each kind of bad ones, exactly the good ones get in',
  TIMEOUT,
  async (t) => {
    const { address, server } = await mutualServer(t)
    const good = await clientWith({ uris: ['gorums:node:x'] })
    const none = { tls: { ca: authority.ca } }
    const expired = await clientWith({ uris: ['gorums:node:x'], ...EXPIRED })
    const foreign = { tls: { ...(await stranger.issueNode('x')), ca: authority.ca } }
    const other = await clientWith({ uris: ['gorums:node:y'] }, { nodeID: 'x' })
    const configs = await Promise.all(
      [good, none, expired, foreign, other].flatMap((options) =>
        Array.from({ length: 10 }, () => connect({ a: address }, { ...options, backoff: { minMs: 5_000 } })),
      ),
    )
    t.after(() => Promise.all(configs.map((config) => config.close())))
    assert.deepEqual(
      configs.map((config) => config.status.connected.size),
      configs.map((_, index) => (index < 10 ? 1 : 0)),
    )
    assert.equal(server.clients.size, 10)
  },
)
