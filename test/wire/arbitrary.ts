// Random values of what travels in control frames and headers, within the limits that the protocol sets them.

import fc from 'fast-check'
import type { ErrorCode, Metadata } from '../../src/errors.ts'
import type { Ack, GoAway, Hello, HelloOk, Reject, Status } from '../../src/wire/control.ts'

const ALLOWED = Array.from({ length: 0x7f - 0x21 }, (_, index) => String.fromCharCode(0x21 + index)).filter(
  (character) => !/[A-Z]/.test(character),
)
const PLAIN = { noNullPrototype: true } as const

/** Text that UTF-8 can represent, of any characters. */
export const text = (maxLength = 20): fc.Arbitrary<string> => fc.string({ unit: 'binary', maxLength })

/** The name of a node or cluster. */
const name = text().filter((value) => value !== '__proto__')

const bytes = (maxLength = 20): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })

/** Keys that metadata may have, those among them that objects have already. */
export const metadataKey: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...ALLOWED), minLength: 1, maxLength: 64 }).filter((key) => key !== '__proto__'),
  fc.constantFrom('constructor', 'tostring', '__proto', '0', '1', 'hasownproperty', 'then'),
)

export const metadata: fc.Arbitrary<Metadata> = fc.dictionary(metadataKey, fc.oneof(text(), bytes()), {
  maxKeys: 6,
  noNullPrototype: true,
})

const code: fc.Arbitrary<ErrorCode> = fc.constantFrom(
  'cancelled',
  'unknown',
  'not_found',
  'unimplemented',
  'unauthenticated',
)
const count = fc.oneof(fc.nat(1000), fc.maxSafeNat())
const word = fc.oneof(fc.nat(10), fc.nat(2 ** 32 - 1))
const frameMaxBytes = fc.integer({ min: 16_384, max: 2 ** 32 - 1 })
const buffer16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => Buffer.from(value))
const sessionID = fc.oneof(fc.constant(Buffer.alloc(0)), buffer16)

export const status: fc.Arbitrary<Status> = fc.record(
  { code, message: text(), metadata, notExecuted: fc.boolean() },
  PLAIN,
)

export const hello: fc.Arbitrary<Hello> = fc.record(
  {
    versionMin: word,
    versionMax: word,
    clusterID: name,
    nodeID: name,
    expectedNodeID: name,
    incarnation: buffer16,
    frameMaxBytes,
    servesCalls: fc.boolean(),
    metadata,
    wantsSession: fc.boolean(),
    sessionID,
    attachEpoch: word,
    receivedFrames: count,
    requestBytesAllowed: count,
    features: count,
  },
  PLAIN,
)

export const helloOk: fc.Arbitrary<HelloOk> = fc.record(
  {
    version: word,
    nodeID: name,
    incarnation: buffer16,
    frameMaxBytes,
    servesCalls: fc.boolean(),
    metadata,
    sessionID,
    resumed: fc.boolean(),
    receivedFrames: count,
    sessionTtlMs: word,
    requestBytesAllowed: count,
    features: count,
  },
  PLAIN,
)

export const reject: fc.Arbitrary<Reject> = fc.record(
  { why: status, versionMin: word, versionMax: word, retry: fc.boolean() },
  PLAIN,
)

export const ack: fc.Arbitrary<Ack> = fc.record(
  { receivedFrames: count, sentFrames: count, requestBytesAllowed: count },
  PLAIN,
)

export const goAway: fc.Arbitrary<GoAway> = fc.record({ lastFrame: count, why: status }, PLAIN)
