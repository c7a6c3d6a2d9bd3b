// The service of the server under attack, the limits that it runs with, and the bytes of its requests as an attacker
// writes them.

import { quorumStream, rpc, type ServerOptions, service, unicast } from 'gorums'
import { msgpack } from 'gorums/codec/msgpack'
import { protobuf } from 'gorums/codec/protobuf'
import protobufjs from 'protobufjs'
import { Sample } from '../codec/sample_gorums.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** How large messages may be, and what may come of one. */
export interface MessageLimits {
  readonly frameMaxBytes: number
  /** Of MessagePack, each of 32 bytes at most. */
  readonly maxValues: number
  /** Of protobuf; undefined: the default. */
  readonly maxDecodedBytes: number | undefined
}

/**
 * `usual`: what the codecs do by default, with messages up to 1 MiB. `strict`: what docs/security.md advises whoever serves
 * others beside strangers, so that no message takes long to decode.
 */
export const messageLimits = {
  usual: { frameMaxBytes: MIB, maxValues: 1_000_000, maxDecodedBytes: undefined },
  strict: { frameMaxBytes: 32 * KIB, maxValues: 2_000, maxDecodedBytes: 64 * KIB },
} as const satisfies Record<string, MessageLimits>
export type Strictness = keyof typeof messageLimits

/** Which of them hold in this process. */
export const strictness: Strictness = process.env.HOSTILE_LIMITS === 'strict' ? 'strict' : 'usual'
const { frameMaxBytes, maxValues, maxDecodedBytes }: MessageLimits = messageLimits[strictness]

/** What travels in protobuf, read by protobufjs: all that a schema can nest or repeat. */
export interface Tree {
  readonly name?: string
  readonly children?: readonly Tree[]
  readonly numbers?: Readonly<Record<string, number>>
  readonly bytes?: Uint8Array
}

const { root } = protobufjs.parse(`
  syntax = "proto3";
  message Tree { string name = 1; repeated Tree children = 2; map<string, int32> numbers = 3; bytes bytes = 4; }
`)
const tree = protobuf<Tree>(root.lookupType('Tree'), maxDecodedBytes === undefined ? {} : { maxDecodedBytes })
const anything = msgpack<unknown>({ maxValues })
const text = msgpack<string>({ maxValues })
Sample.maxDecodedBytes = maxDecodedBytes

export const Target = service('hostile.Target', {
  /** Answers with its request. */
  echo: rpc({ request: anything, reply: anything }),
  /** Holds its lane until the caller cancels or the session ends. */
  hold: rpc<string, string>(),
  /** As `hold`, without holding its lane. */
  linger: rpc<string, string>({ concurrent: true }),
  /** Does not listen to its signal: runs until the test lets all of them go. */
  stubborn: rpc<string, string>({ concurrent: true }),
  /** Answers with so many bytes. */
  big: rpc<number, Uint8Array>({ concurrent: true }),
  /** Fails in the way that is asked for. */
  fail: rpc({ request: text, reply: text, concurrent: true }),
  /** Answers with 0, 1, … so many items. */
  count: quorumStream<number, number>({ concurrent: true }),
  /** Never ends by itself: items of 1 KiB. */
  gush: quorumStream<string, Uint8Array>({ concurrent: true }),
  note: unicast<string>(),
  echoTree: rpc({ request: tree, reply: tree }),
  /** Thirty fields of every kind, in generated code. */
  echoSample: rpc({ request: Sample, reply: Sample }),
})

export type TargetKey = keyof typeof Target.methods

export function methodID(key: TargetKey): number {
  return Target.bound.get(key)!.methodID
}

/** "hi" in MessagePack. */
export const HI = Buffer.from('a26869', 'hex')

/** The limits of the server under attack: small, so that they are reached within a test and fit a heap of 128 MB. */
export const LIMITS = {
  frameMaxBytes,
  queueMaxBytes: MIB,
  requestWindowBytes: MIB + 64 * KIB,
  handlersMax: 500,
  sessionLogMaxBytes: 8 * MIB,
  detachedSessionsMax: 32,
  detachedBytesMax: 4 * MIB,
} as const

export const SERVER_OPTIONS: ServerOptions = {
  nodeID: 'target',
  limits: LIMITS,
  handshakeTimeoutMs: 1_500,
  frameTimeoutMs: 1_500,
  stallTimeoutMs: 1_500,
  pingIntervalMs: 1_000,
  pingTimeoutMs: 1_000,
  sessionTtlMs: 2_000,
}

/** A CallHeader with these metadata entries (key, text), right or wrong. */
export function metadataHeader(...entries: readonly (readonly [string | Buffer, string | Buffer])[]): Buffer {
  return Buffer.concat(
    entries.map(([key, text]) => {
      const entry = lengthDelimited(0x0a, Buffer.from(key))
      return lengthDelimited(0x12, Buffer.concat([entry, lengthDelimited(0x12, Buffer.from(text))]))
    }),
  )
}

/** A CallHeader with nothing but a remaining time. */
export function timeoutHeader(timeoutMs: number): Buffer {
  const header = Buffer.alloc(5, 0x0d)
  header.writeUInt32LE(timeoutMs, 1)
  return header
}

/** One protobuf field of wire type 2. */
export function lengthDelimited(tag: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(bytes.length), bytes])
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
