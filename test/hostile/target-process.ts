// The server under attack, in a process of its own: it serves, counts what should never happen to it, and says how it is
// when it is asked. It ends with its parent.

import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { createServer, RpcError, type TlsOptions } from 'gorums'
import { SERVER_OPTIONS, Target } from './target-service.ts'

/** How the server is, as it tells its parent. */
export interface Health {
  readonly pid: number
  readonly rssBytes: number
  /** The most that was ever resident, bytes. */
  readonly peakRssBytes: number
  readonly heapBytes: number
  readonly bufferBytes: number
  /** Rejections and exceptions that nobody caught. */
  readonly crashes: readonly string[]
  /** Handlers that run, by method. */
  readonly running: Readonly<Record<string, number>>
  /** Handlers that have started, by method. */
  readonly started: Readonly<Record<string, number>>
  readonly clients: number
  readonly logLines: number
  /** The last lines of the log. */
  readonly log: readonly string[]
}

const LOG_LINES = 200

const crashes: string[] = []
process.on('uncaughtException', (error) => crashes.push(`uncaughtException: ${error.stack}`))
process.on('unhandledRejection', (reason) => crashes.push(`unhandledRejection: ${String(reason)}`))

const log: string[] = []
let logLines = 0
const add = (line: string): void => {
  logLines++
  log.push(line)
  if (log.length > LOG_LINES) log.shift()
}

const running: Record<string, number> = {}
const started: Record<string, number> = {}
function begin(key: string): () => void {
  running[key] = (running[key] ?? 0) + 1
  started[key] = (started[key] ?? 0) + 1
  return () => running[key]!--
}

function untilAborted(key: string, signal: AbortSignal): Promise<string> {
  const end = begin(key)
  return new Promise<string>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  }).finally(end)
}

const THEN = 'then'
const stubborn: (() => void)[] = []
const late: (() => void)[] = []

function fail(how: string): string | Promise<string> {
  begin('fail')()
  if (how === 'throw') throw new Error('secret of the handler')
  if (how === 'reject') return Promise.reject(new Error('secret of the handler'))
  if (how === 'throw a string') throw 'secret of the handler'
  if (how === 'throw undefined') throw undefined
  if (how === 'reject with nothing') return Promise.reject()
  if (how === 'RpcError') throw new RpcError('aborted', 'told to the caller')
  if (how === 'no reply') return undefined as unknown as string
  if (how === 'a function') return (() => 1) as unknown as string
  if (how === 'settles twice') return new Promise((resolve, reject) => [resolve('once'), reject(new Error('twice'))])
  if (how === 'a thenable that throws') return { [THEN]: () => throwIt() } as unknown as Promise<string>
  if (how === 'a thenable that calls twice')
    return { [THEN]: (done: (value: string) => void) => [done('once'), done('twice')] } as unknown as Promise<string>
  if (how === 'after close') return new Promise((resolve) => late.push(() => resolve('too late')))
  return how
}

function throwIt(): never {
  throw new Error('secret of the handler')
}

const tls = process.env.HOSTILE_TLS === undefined ? undefined : (JSON.parse(process.env.HOSTILE_TLS) as TlsOptions)
const server = createServer({
  ...SERVER_OPTIONS,
  ...(tls === undefined ? {} : { tls }),
  logger: { warn: add, error: add },
})
server.handle(Target, {
  echo: (request) => {
    begin('echo')()
    return request
  },
  hold: (_request, { signal }) => untilAborted('hold', signal),
  linger: (_request, { signal }) => untilAborted('linger', signal),
  stubborn: () => {
    const end = begin('stubborn')
    return new Promise<string>((resolve) => stubborn.push(() => resolve('let go'))).finally(end)
  },
  big: (bytes) => {
    begin('big')()
    return new Uint8Array(bytes)
  },
  fail: (how) => fail(how),
  async *count(items) {
    const end = begin('count')
    try {
      for (let item = 0; item < items; item++) yield item
    } finally {
      end()
    }
  },
  async *gush() {
    const end = begin('gush')
    const item = new Uint8Array(1024)
    try {
      for (;;) yield item
    } finally {
      end()
    }
  },
  note: () => {
    begin('note')()
  },
  echoTree: (request) => {
    begin('echoTree')()
    return request
  },
  echoSample: (request) => {
    begin('echoSample')()
    return request
  },
})

/** The kernel's own record of what is and was resident; 0 when the process has no file left to read it with. */
function residentBytes(): { now: number; peak: number } {
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    const read = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024
    return { now: read('VmRSS'), peak: read('VmHWM') }
  } catch {
    return { now: 0, peak: process.resourceUsage().maxRSS * 1024 }
  }
}

function health(): Health {
  const { used_heap_size: heapBytes, external_memory: bufferBytes } = getHeapStatistics()
  const { now: rssBytes, peak: peakRssBytes } = residentBytes()
  const { pid } = process
  const clients = server.clients.size
  return {
    pid,
    rssBytes,
    peakRssBytes,
    heapBytes,
    bufferBytes,
    crashes,
    running,
    started,
    clients,
    logLines,
    log,
  }
}

process.on('message', (message: { ask: string; number: number }) => {
  if (message.ask === 'let go') {
    for (const resolve of stubborn.splice(0)) resolve()
    for (const resolve of late.splice(0)) resolve()
  }
  if (message.ask !== 'glance') globalThis.gc?.()
  process.send?.({ number: message.number, health: health() })
})
process.on('disconnect', () => process.exit(0))

const { port } = await server.listen()
process.send?.({ port })
