// The Runtime of production: Node's sockets, timers, clock and randomness.

import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { performance } from 'node:perf_hooks'
import type tls from 'node:tls'
import { asksForCertificates } from './identity.ts'
import { nodeStorage } from './node-storage.ts'
import type {
  AcceptHandler,
  ByteStream,
  ByteStreamHandler,
  ListenAddress,
  ListeningPort,
  PeerIdentity,
  Runtime,
  Timer,
  TlsOptions,
} from './runtime.ts'
import { readAccepted, readOption } from './socket-reader.ts'

/** Loaded for who uses it: it is a tenth of the memory that importing this library takes. */
const nodeTls = (): typeof tls => process.getBuiltinModule('node:tls')

const ALPN = 'gorums/1'
/** Node's timers fire at once beyond this, ms. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** A node:net or node:tls socket as a byte stream. */
class SocketStream implements ByteStream {
  readonly remoteAddress: string
  identity: PeerIdentity | undefined
  identityError: string | undefined
  #socket: net.Socket
  /** Whether its bytes come through `receive` already: see socket-reader.ts. */
  readonly #isRead: boolean
  #handler: ByteStreamHandler | undefined
  #isOpen = false
  #error: Error | undefined
  #isClosed = false

  constructor(socket: net.Socket, remoteAddress: string, isRead = false) {
    this.#socket = socket
    this.#isRead = isRead
    this.remoteAddress = remoteAddress
    this.#own(socket)
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler
    if (this.#isOpen) handler.onOpen()
  }

  /** The connection, with TLS if there is any, stands. `socket` is the TLS socket when it is another than the first. */
  open(socket: net.Socket): void {
    if (this.#isClosed) {
      socket.destroy()
      return
    }
    if (socket !== this.#socket) {
      this.#socket.removeListener('close', onClose)
      this.#socket = socket
      this.#own(socket)
    }
    this.#isOpen = true
    socket.setNoDelay(true)
    this.identity = isSecure(socket) ? identityOf(socket) : undefined
    if (this.#isRead || (!isSecure(socket) && readAccepted(socket, this.receive))) socket.resume()
    else socket.on('data', this.receive)
    socket.on('drain', onDrain)
    socket.on('end', onEnd)
    this.#handler?.onOpen()
  }

  /** The stream will not open, for this reason. */
  fail(error: Error): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  write(pieces: readonly Buffer[]): void {
    const socket = this.#socket
    if (socket.destroyed || !socket.writable) return
    if (pieces.length === 1) {
      socket.write(pieces[0]!)
      return
    }
    socket.cork()
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Bytes have arrived. */
  readonly receive = (bytes: Buffer): void => this.#handler?.onBytes(bytes)

  onDrain(): void {
    this.#handler?.onDrain()
  }

  onError(error: Error): void {
    this.#error ??= error
  }

  onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handler?.onClose(this.#error)
  }

  #own(socket: OwnedSocket): void {
    socket[STREAM] = this
    socket.on('error', onError)
    socket.on('close', onClose)
  }
}

const STREAM = Symbol('stream')
/** A socket that knows its stream. Listeners are the same functions for all of them: strangers may open very many. */
type OwnedSocket = net.Socket & { [STREAM]?: SocketStream }

function onDrain(this: OwnedSocket): void {
  this[STREAM]!.onDrain()
}

/** The other side has said its last word: nothing that we write would be answered. */
function onEnd(this: OwnedSocket): void {
  this.end()
}

function onError(this: OwnedSocket, error: Error): void {
  this[STREAM]!.onError(error)
}

function onClose(this: OwnedSocket): void {
  this[STREAM]!.onClose()
}

/** Whether it is a TLS socket. */
function isSecure(socket: net.Socket | tls.TLSSocket): socket is tls.TLSSocket {
  return 'encrypted' in socket
}

/** Why a client's certificate is not accepted. It is refused in words, by REJECT, rather than by a cut connection. */
function identityErrorOf(socket: tls.TLSSocket): string | undefined {
  if (socket.authorized) return undefined
  if (Object.keys(socket.getPeerCertificate()).length === 0) return 'it did not return a certificate'
  return String(socket.authorizationError ?? 'not authorized')
}

function identityOf(socket: tls.TLSSocket): PeerIdentity | undefined {
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerCertificate()
  if (!certificate?.fingerprint256) return undefined
  const commonName = certificate.subject?.CN ?? ''
  return {
    names: certificate.subjectaltname?.split(/,\s*/) ?? [],
    commonName: Array.isArray(commonName) ? (commonName[0] ?? '') : commonName,
    fingerprint: certificate.fingerprint256,
  }
}

function dial(host: string, port: number, options: TlsOptions | undefined): ByteStream {
  const target = { host, port, noDelay: true, keepAlive: true }
  const address = `${host}:${port}`
  if (options === undefined) {
    const onread = readOption((bytes) => stream.receive(bytes))
    const socket = net.connect(onread === undefined ? target : { ...target, onread })
    const stream = new SocketStream(socket, address, onread !== undefined)
    socket.once('connect', () => stream.open(socket))
    return stream
  }
  const { requestCert: _, servername, ...secure } = options
  const name = servername ?? (net.isIP(host) ? '' : host)
  const socket = nodeTls().connect({ ...secure, ...target, servername: name, ALPNProtocols: [ALPN] })
  const stream = new SocketStream(socket, address)
  socket.once('secureConnect', () => stream.open(socket))
  return stream
}

async function listen(
  address: ListenAddress,
  options: TlsOptions | undefined,
  handler: AcceptHandler,
): Promise<ListeningPort> {
  const server = net.createServer({ noDelay: true, keepAlive: true })
  const secured = options === undefined ? undefined : tlsAcceptor(options)
  server.on('connection', (socket) => {
    const stream = new SocketStream(socket, `${socket.remoteAddress}:${socket.remotePort}`)
    handler.onStream(stream)
    if (secured === undefined) stream.open(socket)
    else secured(socket, stream)
  })
  server.on('error', (error) => handler.onError(error))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address.host ?? '127.0.0.1', port: address.port ?? 0 }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  const bound = server.address() as net.AddressInfo
  return {
    host: bound.address,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

/** Does the TLS of accepted sockets with a tls.Server that never listens: the deadline then counts from accept. */
function tlsAcceptor(options: TlsOptions): (socket: net.Socket, stream: SocketStream) => void {
  const waiting = new Map<string, SocketStream>()
  const { servername: _, requestCert: _asked, ...secure } = options
  const requestCert = asksForCertificates(options)
  const server = nodeTls().createServer({ ...secure, requestCert, rejectUnauthorized: false, ALPNProtocols: [ALPN] })
  server.on('secureConnection', (socket) => {
    const key = `${socket.remoteAddress}:${socket.remotePort}`
    const stream = waiting.get(key)
    waiting.delete(key)
    if (stream === undefined) socket.destroy()
    else {
      stream.identityError = requestCert ? identityErrorOf(socket) : undefined
      stream.open(socket)
    }
  })
  server.on('tlsClientError', (error, socket) => {
    const key = `${socket.remoteAddress}:${socket.remotePort}`
    const stream = waiting.get(key)
    waiting.delete(key)
    const { reason } = error as { reason?: string }
    stream?.fail(reason === undefined ? error : new Error(reason, { cause: error }))
  })
  return (socket, stream) => {
    const key = `${socket.remoteAddress}:${socket.remotePort}`
    waiting.set(key, stream)
    socket.once('close', () => {
      if (waiting.get(key) === stream) waiting.delete(key)
    })
    server.emit('connection', socket)
  }
}

function startTimer(delayMs: number, callback: () => void): Timer {
  const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), TIMER_MAX_MS))
  return { cancel: () => clearTimeout(timer) }
}

/** The one real runtime. */
export const nodeRuntime: Runtime = Object.freeze({
  storage: nodeStorage('.'),
  now: () => performance.now(),
  wallTime: () => Date.now(),
  startTimer,
  afterJobs: (callback: () => void) => process.nextTick(callback),
  afterReading: (callback: () => void) => {
    setImmediate(callback)
  },
  random: () => Math.random(),
  randomBytes: (count: number) => randomBytes(count),
  dial,
  listen,
})
