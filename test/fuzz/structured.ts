// Fuzzing that knows the form: valid streams, messages and values made by fast-check, then lies told about lengths, kinds, ids
// and flags, bytes changed, ends cut off, any chunks. What must hold is what the targets check.

import fc from 'fast-check'
import { msgpack } from '../../codec/msgpack.ts'
import { encodeMetadata } from '../../src/wire/call-header.ts'
import * as control from '../../src/wire/control.ts'
import { bytesOf } from '../codec/contract.ts'
import { msgpackValues } from '../codec/values.ts'
import * as arbitrary from '../wire/arbitrary.ts'
import { rawFrame } from '../wire/raw-frame.ts'
import type { Variant } from './engine/edges.ts'
import { controlTarget } from './targets/control.ts'
import { settingOf, streamChecker } from './targets/decoder.ts'
import { msgpackTarget } from './targets/msgpack.ts'
import { decodeWhole } from './targets/reference-decoder.ts'

const KIB = 1024
type Made<A> = A extends fc.Arbitrary<infer T> ? T : never

export interface StructuredFigures {
  readonly seed: number
  readonly executions: number
  readonly bytes: number
  readonly seconds: number
  /** The smallest counterexample of each property that does not hold. */
  readonly failures: readonly string[]
}

/** Byte fields of a few sizes, the large ones by one number only: what is in them says nothing. */
const part = fc.oneof(
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 3, arbitrary: fc.nat(2 * KIB).map((size) => Buffer.alloc(size, size)) },
  { weight: 1, arbitrary: fc.integer({ min: 60 * KIB, max: 70 * KIB }).map((size) => Buffer.alloc(size, size)) },
)
const header = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes))
const kind = fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86), fc.nat(255))
const id = fc.oneof(fc.nat(5), fc.nat(2 ** 32 - 1))
const frame = fc
  .record({ kind, flags: fc.constantFrom(0, 0, 0, 1, 128), msgID: id, methodID: id, header, payload: part })
  .map(rawFrame)

/** A lie: where in a frame, and what stands there instead. */
const lie = fc.oneof(
  fc.record({
    field: fc.constant('length' as const),
    value: fc.oneof(fc.constantFrom(0, 1, 11, 12, 13, 64, 65, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1), fc.nat(20 * KIB)),
  }),
  fc.record({ field: fc.constant('headerBytes' as const), value: fc.nat(0xffff) }),
  fc.record({ field: fc.constant('byte' as const), value: fc.nat(255) }),
  fc.record({ field: fc.constant('end' as const), value: fc.nat(100) }),
)
const lies = fc.array(fc.record({ frame: fc.nat(5), at: fc.nat(40), lie }), { maxLength: 3 })

/** The frames as one stream, after the lies. */
function streamOf(frames: readonly Buffer[], told: Made<typeof lies>): Buffer {
  const changed = frames.map((each) => Buffer.from(each))
  for (const { frame: index, at, lie: what } of told) {
    const each = changed[index % Math.max(1, changed.length)]
    if (each === undefined || each.length < 16) continue
    if (what.field === 'length') each.writeUInt32BE(what.value, 0)
    else if (what.field === 'headerBytes') each.writeUInt16BE(what.value, 6)
    else if (what.field === 'byte') each[at % each.length] = what.value
    else changed[index % changed.length] = each.subarray(0, Math.max(0, each.length - what.value))
  }
  return Buffer.concat(changed)
}

/** Changes of bytes: some are set, then the end is cut off. */
const edits = fc.record({
  set: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }),
  cut: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(20)),
})

function edited(bytes: Buffer, { set, cut }: Made<typeof edits>): Buffer {
  const changed = Buffer.from(bytes.subarray(0, Math.max(0, bytes.length - cut)))
  for (const [at, value] of set) if (changed.length > 0) changed[at % changed.length] = value
  return changed
}

const { hello, helloOk, reject, ack, goAway, status, metadata } = arbitrary
const messages: fc.Arbitrary<Buffer> = fc.oneof(
  ...[
    hello.map(control.encodeHello),
    helloOk.map(control.encodeHelloOk),
    reject.map(control.encodeReject),
    ack.map(control.encodeAck),
    goAway.map(control.encodeGoAway),
    status.map(control.encodeStatus),
    metadata.map(encodeMetadata),
  ].map((bytes, index) => bytes.map((message) => Buffer.concat([Buffer.of(index), message]))),
)
const payloads = msgpackValues.map((value) => Buffer.concat([Buffer.of(0, 3), bytesOf(msgpack(), value)]))

/** Runs so many executions: six tenths of streams of frames, the rest of messages and values. */
export async function fuzzStructured(options: {
  readonly executions: number
  readonly seed: number
  readonly variant?: Variant
}): Promise<StructuredFigures> {
  const { executions, seed, variant = 'plain' } = options
  const startedAt = performance.now()
  const check = await streamChecker(variant)
  const targets = [await controlTarget(variant), await msgpackTarget(variant)] as const
  let count = 0
  let bytes = 0
  const failures: string[] = []
  const run = <T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>, share: number): void => {
    const result = fc.check(property, { seed, numRuns: Math.ceil(executions * share) })
    if (result.failed) failures.push(fc.defaultReportMessage(result)!.slice(0, 2000))
  }
  const note = (input: Buffer): Buffer => {
    count++
    bytes += input.length
    return input
  }
  run(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      lies,
      fc.nat(255),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 }),
      (frames, told, first, sizes) => {
        const stream = note(streamOf(frames, told))
        const setting = settingOf(first)
        const expected = decodeWhole(stream, setting.lengthMax, setting.stopAfter)
        let next = 0
        // A large stream is cut into as many pieces as a small one.
        const scale = Math.ceil(stream.length / 2000)
        check(stream, setting, expected, () => sizes[next++ % sizes.length]! * scale)
      },
    ),
    0.6,
  )
  run(
    fc.property(messages, edits, (message, edit) => void targets[0].run(note(edited(message, edit)))),
    0.3,
  )
  run(
    fc.property(payloads, edits, (payload, edit) => void targets[1].run(note(edited(payload, edit)))),
    0.1,
  )
  const seconds = Math.round((performance.now() - startedAt) / 10) / 100
  return { seed, executions: count, bytes, seconds, failures }
}
