// Fuzzing over real sockets: a server that is sent noise, changed conversations, changed HELLOs, and changed frames behind a
// good handshake, while an honest client calls it. What the bytes may do in memory is fuzzed in targets/handshake.ts.

import { createConnection, type Socket } from 'node:net'
import { connect, createServer, type Server } from 'gorums'
import { Random } from '../../src/testing/simulation/random.ts'
import { controlFrame, encodeAck, encodeHello } from '../../src/wire/control.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { countedRuntime } from '../net/counted-runtime.ts'
import { Echo } from '../net/echo-service.ts'
import { helloWith } from '../net/raw-peer.ts'
import { havoc } from './engine/havoc.ts'
import { mutateFrames } from './targets/frame-mutation.ts'
import { sessionDictionary, sessionSeeds } from './targets/handshake-seeds.ts'

/** So many strangers at the same time. */
const STRANGERS = 32
/** A probe follows so many inputs. */
const PROBE_EVERY = 64
/** A stranger's socket must end so long after the stranger has ended its side, ms. */
const CLOSING_MS = 10_000
/** Turns in which a stranger hears what the server has to say before it ends its side. */
const LISTENING_TURNS = 20

export interface LiveFigures {
  readonly seed: number
  readonly inputs: number
  readonly bytes: number
  readonly seconds: number
  /** Inputs of which the server ended the connection before the stranger did. */
  readonly cut: number
  /** Calls of the honest client between them. */
  readonly probes: number
  readonly probesFailed: number
  /** Times that the honest client has had to connect again. */
  readonly reconnects: number
  /** Exceptions and rejections that nobody caught. */
  readonly uncaught: number
  /** Connections that did not end in time. */
  readonly hangs: number
  /** Sockets that are open when everything is closed, beyond those that were before. */
  readonly socketsLeft: number
  readonly failures: readonly string[]
}

const dictionary = sessionDictionary()
const seeds = sessionSeeds().map((seed) => seed.subarray(1))

/** A conversation as a stranger begins it. The kinds take turns. */
function inputOf(index: number, random: Random): Buffer {
  const hello = controlFrame(Kind.hello, encodeHello(helloWith({ wantsSession: random.chance(0.5) })))
  const greeting = controlFrame(Kind.ack, encodeAck({ receivedFrames: 0, sentFrames: 0, requestBytesAllowed: 1 << 24 }))
  const frames = Buffer.concat(Array.from({ length: random.int(1, 12) }, () => random.pick(dictionary)))
  switch (index % 5) {
    case 0: // no preface, or a part of one
      return Buffer.concat([PREFACE.subarray(0, random.int(0, 7)), random.bytes(random.int(1, 200))])
    case 1: // anything in place of HELLO
      return Buffer.concat([PREFACE, random.chance(0.5) ? random.bytes(random.int(1, 200)) : frames])
    case 2: // a changed HELLO
      return Buffer.concat([PREFACE, havoc(hello, random, dictionary, frames, 2000), greeting, frames])
    case 3: // changed frames behind a good handshake
      return Buffer.concat([PREFACE, hello, greeting, mutateFrames(frames, random, dictionary)])
    default: // a changed conversation
      return havoc(random.pick(seeds), random, dictionary, random.pick(seeds), 4096)
  }
}

/** Sends so many inputs to a server of its own. */
export async function fuzzLive({ inputs, seed }: { inputs: number; seed: number }): Promise<LiveFigures> {
  const startedAt = performance.now()
  const socketsBefore = countSockets()
  const failures: string[] = []
  const counts = { bytes: 0, cut: 0, probes: 0, probesFailed: 0, uncaught: 0, hangs: 0 }
  const onUncaught = (error: unknown): void => {
    counts.uncaught++
    if (failures.length < 10) failures.push(`uncaught: ${error instanceof Error ? error.stack : String(error)}`)
  }
  process.on('uncaughtException', onUncaught)
  process.on('unhandledRejection', onUncaught)
  const server = echoServer()
  const { host, port } = await server.listen()
  const counted = countedRuntime()
  const honest = await connect({ a: `${host}:${port}` }, { runtime: counted.runtime })
  const client = honest.node('a').client(Echo)
  const random = new Random(seed, 'live')
  try {
    for (let index = 0; index < inputs; ) {
      const batch = Math.min(STRANGERS, inputs - index)
      const strangers = Array.from({ length: batch }, (_, offset) => inputOf(index + offset, random))
      const ends = await Promise.all(strangers.map((input) => stranger(host, port, input, random)))
      index += batch
      for (const input of strangers) counts.bytes += input.length
      for (const end of ends) {
        if (end === 'hang') counts.hangs++
        if (end === 'cut') counts.cut++
      }
      if (index % PROBE_EVERY >= STRANGERS && index < inputs) continue
      counts.probes++
      try {
        if ((await client.echo(`probe ${index}`, { timeoutMs: 10_000 })) !== `probe ${index}`) counts.probesFailed++
      } catch (error) {
        counts.probesFailed++
        if (failures.length < 10) failures.push(`probe after input ${index}: ${String(error)}`)
      }
    }
  } finally {
    await honest.close()
    await server.close({ drainTimeoutMs: 0 })
    await socketsGone(socketsBefore)
    process.off('uncaughtException', onUncaught)
    process.off('unhandledRejection', onUncaught)
  }
  const seconds = Math.round((performance.now() - startedAt) / 10) / 100
  const socketsLeft = Math.max(0, countSockets() - socketsBefore)
  return { seed, inputs, seconds, ...counts, reconnects: counted.dials.length - 1, socketsLeft, failures }
}

function echoServer(): Server {
  return createServer({ nodeID: 'a' }).handle(Echo, {
    echo: (request) => request,
    echoAll: (request) => request,
    hold: () => new Promise<string>(() => {}),
    linger: () => new Promise<string>(() => {}),
    note: () => {},
  })
}

/** Plays one stranger: writes in pieces, then ends its side, or hangs up. Tells how the connection ended. */
function stranger(host: string, port: number, input: Buffer, random: Random): Promise<'cut' | 'ended' | 'hang'> {
  const pieces = random.int(1, 3)
  const hangsUp = random.chance(0.2)
  return new Promise((resolve) => {
    const socket: Socket = createConnection({ host, port })
    let isDone = false
    const deadline = setTimeout(() => {
      resolve('hang')
      socket.destroy()
    }, CLOSING_MS)
    socket.on('error', () => {})
    socket.on('end', () => {
      if (!isDone) socket.destroy()
    })
    socket.resume()
    socket.on('close', () => {
      clearTimeout(deadline)
      resolve(isDone ? 'ended' : 'cut')
    })
    const hangUp = (): void => {
      isDone = true
      if (hangsUp) socket.resetAndDestroy()
      else socket.end()
    }
    const write = (piece: number): void => {
      if (socket.destroyed) return
      const [start, end] = [piece, piece + 1].map((at) => Math.floor((input.length * at) / pieces))
      const isLast = piece === pieces - 1
      socket.write(input.subarray(start, end), () => {
        // A turn of reading: what the server has to say of it may come first.
        if (isLast) afterTurns(LISTENING_TURNS, hangUp)
        else setImmediate(write, piece + 1)
      })
    }
    socket.on('connect', () => write(0))
  })
}

function afterTurns(turns: number, callback: () => void): void {
  if (turns === 0) callback()
  else setImmediate(afterTurns, turns - 1, callback)
}

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TCPServerWrap').length
}

/** Closing sockets have some turns, and the linger of the server, to go. */
async function socketsGone(before: number): Promise<void> {
  for (let waited = 0; waited < 200 && countSockets() > before; waited++)
    await new Promise((resolve) => setTimeout(resolve, 20))
}
