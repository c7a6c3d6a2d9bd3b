// Everything that comes from outside the program: clock, timers, randomness, byte streams. The framework reaches these
// through this interface only, so that the code that runs in production is the code that runs in a simulation.

import type { SecureContextOptions } from 'node:tls'

/** A timer that has been started. */
export interface Timer {
  /** Stops it; does nothing when it has fired or was stopped. */
  cancel(): void
}

/** What is delivered to the owner of a byte stream. Nothing is delivered before `start`, and nothing after `onClose`. */
export interface ByteStreamHandler {
  /** The stream is open: bytes can be written, TLS is done. */
  onOpen(): void
  /** Bytes have arrived. They are valid during the call only. */
  onBytes(bytes: Buffer): void
  /** What was written has been handed to the operating system. */
  onDrain(): void
  /** The stream has ended; `error` says why when it did not end by itself. */
  onClose(error: Error | undefined): void
}

/** Who the other end has proved to be. */
export interface PeerIdentity {
  /** The subject alternative names of its certificate, as `DNS:name`, `URI:…`, `IP Address:…`. */
  readonly names: readonly string[]
  /** The subject's common name; empty when it has none. */
  readonly commonName: string
  /** SHA-256 fingerprint of the certificate. */
  readonly fingerprint: string
}

/** An ordered stream of bytes in both directions: TCP, TLS, in memory, or simulated. */
export interface ByteStream {
  /** `host:port` of the other end, for messages. */
  readonly remoteAddress: string
  /** What the other end's certificate says; undefined without TLS or without a certificate. Known once open. */
  readonly identity: PeerIdentity | undefined
  /** Why the other end's certificate is not accepted, or that it has none although it was asked for one. Known once open. */
  readonly identityError?: string | undefined
  /** Bytes that were written and not yet handed to the operating system. */
  readonly bufferedBytes: number
  /** Begins delivery to `handler`. Called once. */
  start(handler: ByteStreamHandler): void
  /** Writes pieces in order. The pieces must not be changed afterwards. */
  write(pieces: readonly Buffer[]): void
  /** Ends the stream after what was written. */
  end(): void
  /** Ends the stream now; what was not handed over is lost. */
  destroy(): void
  /**
   * Delivers no more bytes until `resume`, but for what is on its way already. Without these two a stream goes on, and what
   * it delivers waits in memory.
   */
  pause?(): void
  resume?(): void
}

/** TLS for one side: passed through to node:tls. */
export interface TlsOptions extends SecureContextOptions {
  /** Server: ask clients for a certificate and refuse those without a valid one. Default: true when `ca` is given. */
  readonly requestCert?: boolean
  /** Client: the name to check the server's certificate against. Default: the host that is dialled. */
  readonly servername?: string
}

/** Where to listen. Default: any free port on 127.0.0.1. */
export interface ListenAddress {
  readonly host?: string
  readonly port?: number
}

/** An open listening socket. */
export interface ListeningPort {
  readonly host: string
  readonly port: number
  /** Accepts no more; resolves when the port is free again. Accepted streams live on. */
  close(): Promise<void>
}

/** What a listener is told. */
export interface AcceptHandler {
  /** A stream was accepted; it is open when its `onOpen` says so (TLS comes in between). */
  onStream(stream: ByteStream): void
  /** Accepting failed in a way that is worth an event: no free file handles, a stranger on a TLS port. */
  onError(error: Error): void
}

/** A file of a `Storage`. What is written is durable when a later `sync` has resolved, and not before. */
export interface StorageFile {
  /** Bytes in the file. */
  size(): Promise<number>
  /** Up to `length` bytes from `position`; fewer at the end of the file. */
  read(position: number, length: number): Promise<Buffer>
  /** Writes all of `bytes` at `position`; a gap before it is filled with zeros. */
  write(position: number, bytes: Uint8Array): Promise<void>
  /** Makes the file `size` bytes long. */
  truncate(size: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * Files by name, for what a service must not forget. The framework itself keeps nothing; a log or a vote that is kept
 * through this can be crashed in a simulation.
 */
export interface Storage {
  /** Opens a file for reading and writing, and makes it when it is not there. */
  open(name: string): Promise<StorageFile>
  /** Removes a file; does nothing when it is not there. */
  remove(name: string): Promise<void>
  /** The names of all files. */
  list(): Promise<string[]>
}

/** All that comes from outside: clock, timers, sockets, randomness, files. */
export interface Runtime {
  /** Files of this machine. */
  readonly storage: Storage
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number
  /** Milliseconds since 1970, as the machine's clock says: for people, never for intervals. */
  wallTime(): number
  /** Calls `callback` once after `delayMs`. A started timer keeps the process alive: owners cancel theirs when they close. */
  startTimer(delayMs: number, callback: () => void): Timer
  /** Calls `callback` when the code that runs now, and every promise job that it set off, has run. */
  afterJobs(callback: () => void): void
  /** Calls `callback` after a turn in which bytes that had already arrived are read. */
  afterReading(callback: () => void): void
  /** A number in [0, 1). */
  random(): number
  randomBytes(count: number): Buffer
  /** Begins to connect to `host:port`; the stream's handler hears of success or failure. The name is resolved each time. */
  dial(host: string, port: number, tls: TlsOptions | undefined): ByteStream
  /** Listens; rejects when the address can not be had. */
  listen(address: ListenAddress, tls: TlsOptions | undefined, handler: AcceptHandler): Promise<ListeningPort>
}
