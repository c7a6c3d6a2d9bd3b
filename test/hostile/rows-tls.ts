// C6, C7, C9, C15: TLS that is not spoken, certificates that prove nothing, and bits that flip on the way.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { type ConnectOptions, connect, type RpcError, type TlsOptions } from 'gorums'
import { controlFrame, encodeHello } from '../../src/wire/control.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { type Authority, createAuthority, EXPIRED, NOT_YET_VALID } from '../certificates.ts'
import { frameOf, helloWith } from '../net/raw-peer.ts'
import { closedBy, openSocket, shakeHands } from './attackers.ts'
import { type Row, request, type Scene, within } from './row.ts'
import { TargetServer } from './target.ts'
import { HI, methodID, Target } from './target-service.ts'

interface SecureTarget {
  readonly target: TargetServer
  readonly authority: Authority
  /** Options of a client that is let in as node `a`. */
  readonly tls: TlsOptions
}

/** A second server, with mutual TLS; stopped when the row is over. */
async function startSecure(scene: Scene): Promise<SecureTarget> {
  const authority = await createAuthority()
  const target = await TargetServer.start({ tls: { ...(await authority.issueNode('target')), ca: authority.ca } })
  scene.after(() => target.stop())
  return { target, authority, tls: { ...(await authority.issueNode('a')), ca: authority.ca } }
}

/** A client that tries once; what it was told. */
async function tryToConnect(address: string, options: ConnectOptions): Promise<RpcError | undefined> {
  const backoff = { minMs: 60_000, maxMs: 60_000 }
  const config = await connect({ target: address }, { waitFor: 'none', backoff, ...options })
  try {
    const node = config.node('target')
    await within(
      10_000,
      'a decision',
      config.waitFor(() => node.lastError !== undefined || node.state === 'up'),
    )
    if (node.state === 'up') assert.equal(await node.client(Target).echo('hi'), 'hi')
    return node.state === 'up' ? undefined : node.lastError
  } finally {
    await config.close()
  }
}

async function plainAndTLS(scene: Scene): Promise<string> {
  const { target, tls: options } = await startSecure(scene)
  const plain = await tryToConnect(target.address, {})
  assert.match(plain?.message ?? '', /TLS/)
  const secured = await tryToConnect(scene.target.address, { tls: options })
  assert.match(secured?.message ?? '', /TLS|SSL/)
  const socket = scene.track(await openSocket(target.port))
  socket.write('GET / HTTP/1.1\r\n\r\n')
  await within(5_000, 'noise on a TLS port', closedBy(socket))
  const half = scene.track(await openSocket(target.port))
  half.write(Buffer.from('16030100fa010000f60303', 'hex'))
  await within(5_000, 'half a ClientHello', closedBy(half))
  const resets = await Promise.all(Array.from({ length: 50 }, () => openSocket(target.port)))
  for (const each of resets) each.resetAndDestroy()
  assert.equal(await tryToConnect(target.address, { tls: options }), undefined)
  assert.deepEqual((await target.health()).crashes, [])
  return `told: "${plain?.message}" and "${secured?.message}"`
}

async function certificates(scene: Scene): Promise<string> {
  const { target, authority, tls: right } = await startSecure(scene)
  const other = await createAuthority('another authority')
  const { ca } = authority
  const uris = ['gorums:node:a']
  const rows: readonly (readonly [string, ConnectOptions, string])[] = [
    ['no certificate', { tls: { ca } }, 'unauthenticated'],
    ['another authority', { tls: { ca, ...(await other.issueNode('a')) } }, 'unauthenticated'],
    ['expired', { tls: { ca, ...(await authority.issue({ uris, ...EXPIRED })) } }, 'unauthenticated'],
    ['not yet valid', { tls: { ca, ...(await authority.issue({ uris, ...NOT_YET_VALID })) } }, 'unauthenticated'],
    ['of another node', { nodeID: 'b', tls: right }, 'permission_denied'],
    ['the id of the server', { nodeID: 'target', tls: right }, 'permission_denied'],
    [
      'a name that looks like two',
      { nodeID: 'b', tls: { ca, ...(await authority.issue({ uris: ['x, URI:gorums:node:b, y'] })) } },
      'permission_denied',
    ],
    [
      'the id as its common name only',
      { nodeID: 'b', tls: { ca, ...(await authority.issue({ commonName: 'b' })) } },
      'permission_denied',
    ],
    ['a server of another authority', { tls: { ...right, ca: other.ca } }, 'unavailable'],
  ]
  for (const [what, options, code] of rows) {
    const error = await tryToConnect(target.address, options)
    assert.equal(error?.code, code, `${what}: ${error?.message}`)
  }
  assert.equal(await tryToConnect(target.address, { nodeID: 'a', tls: right }), undefined)
  const health = await target.health()
  assert.deepEqual(health.crashes, [])
  assert.equal(health.started.echo, 1, 'nobody who was refused has called')
  return `${rows.length} refused; the right one is let in`
}

/** Forwards to a port, and flips one bit of what the client sends. */
class FlippingProxy {
  readonly #server: net.Server
  readonly #port: number
  #sockets = new Set<net.Socket>()
  readonly #bit: number
  hasFlipped = false

  /** `bit` counts from the beginning of each connection. */
  constructor(port: number, bit: number) {
    this.#port = port
    this.#bit = bit
    this.#server = net.createServer((socket) => this.#forward(socket))
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #forward(socket: net.Socket): void {
    const onward = net.connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    for (const [one, two] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        this.#sockets.delete(one)
        two.destroy()
      })
    }
    onward.on('data', (bytes: Buffer) => socket.write(bytes))
    let passed = 0
    socket.on('data', (bytes: Buffer) => {
      const at = Math.floor(this.#bit / 8) - passed
      passed += bytes.length
      if (at >= 0 && at < bytes.length) {
        bytes[at]! ^= 1 << (this.#bit % 8)
        this.hasFlipped = true
      }
      onward.write(bytes)
    })
  }
}

/** A client that finds out soon when nothing comes back, and tries once. */
const IMPATIENT: ConnectOptions = {
  waitFor: 'none',
  sessions: false,
  handshakeTimeoutMs: 700,
  pingIntervalMs: 100,
  pingTimeoutMs: 200,
  backoff: { minMs: 60_000, maxMs: 60_000 },
}
/** A client that the machine gives no time gives up before it has sent the bit: so often it is tried with another. */
const TRIES = 3
/** Flips at the same time. */
const FLIPS_AT_ONCE = 10
/** So many bytes of a client are in reach: its TLS handshake is about the first third. */
const REACH_BYTES = 6_000

/** Flips bits of TLS connections that carry calls; every flip must end its connection, and no answer may be wrong. */
async function flipsUnderTLS(scene: Scene, flips: number): Promise<string> {
  const { target, tls: options } = await startSecure(scene)
  let inHandshake = 0
  for (let first = 0; first < flips; first += FLIPS_AT_ONCE) {
    const some = Array.from({ length: Math.min(FLIPS_AT_ONCE, flips - first) }, (_, index) => {
      const flip = first + index
      return flipOnce(scene, target, options, Math.floor((flip * REACH_BYTES) / flips) * 8 + (flip % 8))
    })
    for (const wasUp of await Promise.all(some)) if (!wasUp) inHandshake++
  }
  assert.deepEqual((await target.health()).crashes, [])
  return `${flips} flips, ${flips} detected (${inHandshake} of them in the handshake), 0 wrong answers`
}

/** Whether the connection whose bit was flipped had come up before that. */
async function flipOnce(scene: Scene, target: TargetServer, options: TlsOptions, bit: number): Promise<boolean> {
  for (let left = TRIES; left > 0; left--) {
    const wasUp = await tryToFlip(scene, target, options, bit)
    if (wasUp !== undefined) return wasUp
  }
  return assert.fail(`bit ${bit} was not reached by ${TRIES} connections`)
}

/** Undefined when the connection ended, or had made its calls, before the bit had come by. */
async function tryToFlip(
  scene: Scene,
  target: TargetServer,
  options: TlsOptions,
  bit: number,
): Promise<boolean | undefined> {
  const proxy = new FlippingProxy(target.port, bit)
  const config = await connect({ target: await proxy.listen() }, { tls: options, ...IMPATIENT })
  scene.after(() => proxy.close())
  try {
    const node = config.node('target')
    await within(
      10_000,
      'a decision',
      config.waitFor(() => node.lastError !== undefined || node.state === 'up'),
    )
    const wasUp = node.state === 'up'
    for (let call = 0; call < 200 && node.state === 'up' && !proxy.hasFlipped; call++) {
      const text = `bit ${bit} call ${call}`
      // An answer is right or there is none.
      const answer = await node
        .client(Target)
        .echo(text)
        .catch((error: RpcError) => error)
      if (typeof answer === 'string') assert.equal(answer, text)
    }
    if (!proxy.hasFlipped) return undefined
    await within(
      5_000,
      `the end of the connection with bit ${bit} flipped`,
      config.waitFor(() => node.state !== 'up'),
    )
    return wasUp
  } finally {
    await config.close()
    proxy.close()
  }
}

/** Flips every bit of a conversation in plain text. What comes of it is anybody's guess; the server lives. */
async function flipsInPlainText(scene: Scene): Promise<string> {
  const conversation = Buffer.concat([
    PREFACE,
    controlFrame(Kind.hello, encodeHello(helloWith({ incarnation: randomBytes(16) }))),
    frameOf({ kind: Kind.ack, payload: Buffer.from('08001000188080800' + '8', 'hex') }),
    frameOf(request('echo', 1)),
    frameOf({ kind: Kind.oneway, methodID: methodID('note'), msgID: 2, payload: HI }),
    frameOf(request('count', 3, { payload: Buffer.from([2]) })),
    frameOf({ kind: Kind.cancel, methodID: methodID('count'), msgID: 3 }),
    frameOf({ kind: Kind.ping, payload: Buffer.alloc(8) }),
  ])
  const bits = conversation.length * 8
  for (let first = 0; first < bits; first += 50) {
    const some: Promise<void>[] = []
    for (let bit = first; bit < Math.min(bits, first + 50); bit++) some.push(sendFlipped(scene, conversation, bit))
    await Promise.all(some)
  }
  const peer = await shakeHands(scene.port)
  peer.close()
  return `${bits} flips, no crash`
}

async function sendFlipped(scene: Scene, conversation: Buffer, bit: number): Promise<void> {
  const bytes = Buffer.from(conversation)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  const socket = await openSocket(scene.port)
  socket.end(bytes)
  await within(10_000, `bit ${bit}`, closedBy(socket))
}

/** How many bits the short form flips under TLS. */
const FLIPS = 60

export const tlsRows: readonly Row[] = [
  {
    id: 'C6',
    what: 'plain text to a TLS port, TLS to a plain one (C7), noise, half a ClientHello, resets',
    expected: 'both ends are told what it is',
    run: plainAndTLS,
  },
  {
    id: 'C9',
    what: 'no certificate, a wrong, old, or future one, one of another node',
    expected: 'refused with a code',
    run: certificates,
  },
  {
    id: 'C15',
    what: 'flipped bits under TLS',
    expected: 'every flip ends its connection; no wrong answer',
    run: (scene) => flipsUnderTLS(scene, FLIPS),
  },
  {
    id: 'C15',
    what: 'every bit of a conversation in plain text, flipped',
    expected: 'never a crash',
    run: flipsInPlainText,
  },
]
