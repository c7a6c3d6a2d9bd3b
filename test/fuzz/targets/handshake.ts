// Fuzzes a connection from its first byte: the handshake and whatever follows it, against a whole server and, the other way
// round, against a whole client with calls that wait. Streams and clock are in memory (virtual-runtime.ts).
//
// An input's first byte says which side is fuzzed and what happens at the end (`settingOf`); the rest is what the other end
// sends, a connection more with every preface in it. Whatever that is: nothing but the connection ends, however the bytes are cut the verdict is the same, nothing is
// run behind a violation, an honest client is served as before, and nothing is left.

import { isDeepStrictEqual } from 'node:util'
import type * as gorumsModule from '../../../src/index.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import { PREFACE } from '../../../src/wire/frame.ts'
import { RawPeer } from '../../net/raw-peer.ts'
import { VirtualRuntime, type VirtualStream } from '../../net/virtual-runtime.ts'
import { importVariant, type Variant } from '../engine/edges.ts'
import { Mismatch, type Target } from '../engine/target.ts'
import { mutateFrames, splitFrames } from './frame-mutation.ts'
import { sessionDictionary, sessionSeeds } from './handshake-seeds.ts'

/** How the other end behaves. */
export interface Setting {
  readonly isDialler: boolean
  readonly sessions: boolean
  /** What follows the bytes: nothing, the end of the stream, or time. */
  readonly ending: 'open' | 'closed' | 'late'
  /** A connection that is followed by another is lost before that. */
  readonly losesFirst: boolean
}

export function settingOf(first: number): Setting {
  const ending = (['open', 'closed', 'late', 'open'] as const)[(first >> 2) & 3]!
  return { isDialler: (first & 1) === 1, sessions: (first & 2) === 0, ending, losesFirst: (first & 16) === 0 }
}

/** More than a session waits, and than any deadline. */
const LATE_MS = 60_000
/** How long a client waits at most before it connects again. */
const BACKOFF_MS = 5_000
const CONNECTIONS_MAX = 4
const QUIET = {} as const
/** What breaks the protocol or does not, depending on what has been answered by then. */
const TIMED = /reuses msgID|acknowledges frame|was the last, of|frames arrived|PONG/

/** What can be seen of one run. */
interface Run {
  /** The requests that handlers were given, or how the calls ended. */
  readonly seen: readonly string[]
  /** What the other end was told last of all: REJECT or GOAWAY, and whether the stream was ended. */
  readonly verdict: string
}

type Gorums = typeof gorumsModule

export async function handshakeTarget(variant: Variant = 'counted'): Promise<Target> {
  const gorums = (await importVariant('src/index.ts', variant)) as Gorums
  const sides = { server: new ServerSide(gorums), client: new ClientSide(gorums) }
  const dictionary = sessionDictionary()
  return {
    name: 'handshake',
    variant,
    owns: /^src\/(net\/(connection|acceptor|dialler|admission|channel|channel-session|intake|flood-guard|heartbeat)|wire\/(attach|incarnation|session)|call\/lane)\.ts$/,
    maxBytes: 4096,
    seeds: sessionSeeds(),
    dictionary,
    mutate(input, random) {
      const preface = input.subarray(0, 1 + PREFACE.length)
      return Buffer.concat([preface, mutateFrames(input.subarray(1 + PREFACE.length), random, dictionary)])
    },
    async run(input) {
      if (input.length === 0) return
      const setting = settingOf(input[0]!)
      const side = setting.isDialler ? sides.client : sides.server
      const streams = connectionsOf(input.subarray(1))
      const whole = await side.run(
        setting,
        streams.map((bytes) => [bytes]),
      )
      const cut = await side.run(setting, streams.map(chunksOf))
      compare(setting, streams, whole, cut)
    },
  }
}

/** What is sent over the first connection and over those that follow. */
function connectionsOf(bytes: Buffer): Buffer[] {
  const streams: Buffer[] = []
  for (let start = 0; streams.length < CONNECTIONS_MAX; ) {
    const next = streams.length === CONNECTIONS_MAX - 1 ? -1 : bytes.indexOf(PREFACE, start + 1)
    streams.push(bytes.subarray(start, next < 0 ? bytes.length : next))
    if (next < 0) break
    start = next
  }
  return streams
}

/** A stream in two to five pieces. */
function chunksOf(bytes: Buffer): Buffer[] {
  const random = new Random(bytes.length, bytes.toString('latin1', 0, 40))
  const points = Array.from({ length: random.int(1, 4) }, () => random.int(0, bytes.length)).sort((a, b) => a - b)
  return [...points, bytes.length].map((point, index) => bytes.subarray(points[index - 1] ?? 0, point))
}

/**
 * What comes in pieces may have been answered before it is cancelled or the connection ends, and so let more handlers run;
 * never fewer, nor in another order.
 */
function compare(setting: Setting, streams: readonly Buffer[], whole: Run, cut: Run): void {
  if (TIMED.test(whole.verdict) || TIMED.test(cut.verdict)) return
  if (whole.verdict !== cut.verdict) throw new Mismatch(`"${whole.verdict}" in one piece, "${cut.verdict}" in several`)
  const isOpen = whole.verdict === 'open'
  const hasCancel = streams.some((bytes) => splitFrames(bytes.subarray(PREFACE.length)).some((frame) => frame[4] === 7))
  if (setting.isDialler && !isOpen) return
  const mustBeEqual = setting.isDialler || (isOpen && !hasCancel)
  const isRight = mustBeEqual ? isDeepStrictEqual(whole.seen, cut.seen) : isSubsequence(whole.seen, cut.seen)
  if (!isRight) throw new Mismatch(`saw ${whole.seen.join()} in one piece, ${cut.seen.join()} in several`)
}

function isSubsequence(part: readonly string[], all: readonly string[]): boolean {
  let found = 0
  for (const each of all) if (each === part[found]) found++
  return found === part.length
}

function serviceOf({ service, rpc, quorumStream, quorumCall, unicast }: Gorums) {
  return service('test.Echo', {
    echo: rpc<string, string>(),
    hold: rpc<string, string>(),
    linger: rpc<string, string>({ concurrent: true }),
    note: unicast<string>(),
    count: quorumStream<string, string>(),
    echoAll: quorumCall<string, string>(),
  })
}

/** Feeds a stream's end as a socket does: a buffer that is its own until the call returns. */
async function feed(runtime: VirtualRuntime, end: VirtualStream, chunks: readonly Buffer[]): Promise<void> {
  for (const piece of chunks) {
    if (piece.length > 0) {
      const chunk = Buffer.from(piece)
      end.receive(chunk)
      chunk.fill(0xee)
    }
    await runtime.settle()
  }
}

function silentPeer(end: VirtualStream): RawPeer {
  const peer = new RawPeer(end)
  peer.answersPings = false
  return peer
}

async function finish(runtime: VirtualRuntime, setting: Setting, strangers: readonly RawPeer[]): Promise<void> {
  if (setting.ending === 'closed') strangers.at(-1)?.close()
  if (setting.ending === 'late') await runtime.advance(LATE_MS)
  await runtime.settle()
}

class ServerSide {
  readonly #gorums: Gorums
  readonly #echo: ReturnType<typeof serviceOf>

  constructor(gorums: Gorums) {
    this.#gorums = gorums
    this.#echo = serviceOf(gorums)
  }

  async run(setting: Setting, streams: readonly (readonly Buffer[])[]): Promise<Run> {
    const runtime = new VirtualRuntime()
    const { sessions } = setting
    const server = this.#gorums.createServer({ nodeID: 'a', runtime, sessions, logger: QUIET })
    const seen: string[] = []
    server.handle(this.#echo, {
      echo: (request) => {
        seen.push(`echo ${show(request)}`)
        return request
      },
      hold: (request) => {
        seen.push(`hold ${show(request)}`)
        return new Promise(() => {})
      },
      linger: (request) => {
        seen.push(`linger ${show(request)}`)
        return new Promise(() => {})
      },
      note: (request) => void seen.push(`note ${show(request)}`),
      echoAll: (request) => {
        seen.push(`echoAll ${show(request)}`)
        return request
      },
      async *count(request) {
        seen.push(`count ${show(request)}`)
        yield request
        yield request
      },
    })
    const { port } = await server.listen()
    const strangers: RawPeer[] = []
    for (const chunks of streams) {
      if (setting.losesFirst) strangers.at(-1)?.close()
      const end = runtime.connect(port)
      strangers.push(silentPeer(end))
      await runtime.settle()
      await feed(runtime, end.other!, chunks)
      if (end.other!.isClosed) await this.#checkSilence(runtime, end.other!, seen)
    }
    const result = { verdict: strangers.map(verdictOf).join(), seen: [...seen] }
    await finish(runtime, setting, strangers)
    await this.#checkHonest(runtime, port)
    for (const stranger of strangers) stranger.close()
    await server.close({ drainTimeoutMs: 0 })
    await runtime.settle()
    checkNothingLeft(runtime)
    return result
  }

  /** A connection that is over runs nothing more. */
  async #checkSilence(runtime: VirtualRuntime, end: VirtualStream, seen: readonly string[]): Promise<void> {
    const before = seen.length
    await feed(runtime, end, [sessionDictionary()[0]!])
    if (seen.length !== before) throw new Mismatch('a request ran behind the end of its connection')
  }

  async #checkHonest(runtime: VirtualRuntime, port: number): Promise<void> {
    const config = await this.#gorums.connect({ a: `127.0.0.1:${port}` }, { runtime, waitFor: 'none', logger: QUIET })
    const reply = config.node('a').client(this.#echo).echo('honest')
    let answer: string | undefined
    reply.then(
      (value) => {
        answer = value
      },
      (error) => {
        answer = String(error)
      },
    )
    await runtime.settle()
    if (answer !== 'honest') throw new Mismatch(`an honest client got ${answer}`)
    await config.close()
    await runtime.settle()
  }
}

class ClientSide {
  readonly #gorums: Gorums
  readonly #echo: ReturnType<typeof serviceOf>

  constructor(gorums: Gorums) {
    this.#gorums = gorums
    this.#echo = serviceOf(gorums)
  }

  async run(setting: Setting, streams: readonly (readonly Buffer[])[]): Promise<Run> {
    const runtime = new VirtualRuntime()
    const acceptors: RawPeer[] = []
    let fresh: VirtualStream | undefined
    runtime.onDial = (dial) => {
      if (acceptors.length >= streams.length || fresh !== undefined) return dial.refuse()
      fresh = dial.accept()
      acceptors.push(silentPeer(fresh))
    }
    const { sessions } = setting
    const config = await this.#gorums.connect({ a: 'a:1' }, { runtime, sessions, waitFor: 'none', logger: QUIET })
    const client = config.client(this.#echo)
    const node = config.node('a').client(this.#echo)
    const seen: string[] = []
    const calls = [node.echo('one'), node.hold('two'), node.note('three'), client.echoAll('four').majority()]
    const items = collect(client.count('five'))
    const settled = [...calls, items].map((call, index) =>
      Promise.resolve(call).then(
        (value) => seen.push(`${index} gave ${show(value)}`),
        (error: unknown) => seen.push(`${index} ${checkError(error, this.#gorums)}`),
      ),
    )
    await runtime.settle()
    for (const chunks of streams) {
      const end = fresh as VirtualStream | undefined
      if (end === undefined) break
      fresh = undefined
      await feed(runtime, end.other!, chunks)
      if (chunks === streams.at(-1)) break
      if (setting.losesFirst) acceptors.at(-1)!.close()
      await runtime.advance(BACKOFF_MS)
    }
    const result = { verdict: acceptors.map(verdictOf).join(), seen: [...seen].sort() }
    await finish(runtime, setting, acceptors)
    if (setting.ending === 'late' && seen.length !== settled.length)
      throw new Mismatch(`${settled.length - seen.length} calls hang after their deadlines`)
    for (const acceptor of acceptors) acceptor.close()
    await config.close()
    await runtime.settle()
    if (seen.length !== settled.length) throw new Mismatch(`${settled.length - seen.length} calls hang after close`)
    checkNothingLeft(runtime)
    return result
  }
}

async function collect(stream: AsyncIterable<unknown>): Promise<string> {
  const items: string[] = []
  for await (const item of stream) items.push(show(item))
  return items.join()
}

/** Calls fail with errors of ours only. */
function checkError(error: unknown, { RpcError, QuorumError }: Gorums): string {
  if (error instanceof RpcError || error instanceof QuorumError) return `failed ${error.name}`
  throw error
}

function verdictOf(peer: RawPeer): string {
  const last = peer.frames.findLast(({ kind }) => kind === 0x82 || kind === 0x86)
  if (!peer.isClosed) return 'open'
  return last === undefined ? 'closed' : `closed with ${last.payload.toString('latin1').replace(/[^ -~]+/g, ' ')}`
}

function checkNothingLeft(runtime: VirtualRuntime): void {
  if (runtime.timerCount > 0) throw new Mismatch(`${runtime.timerCount} timers are left`)
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? `${field}n` : field))?.slice(0, 80) ?? 'undefined'
  )
}
