// Fuzzes the frame decoder: any bytes, in one piece and cut three times at random, lead to what the reference makes of them,
// allocate no more than was promised, and are not looked at behind a violation.
//
// An input's first byte says how the decoder is set up (`settingOf`), the rest is the stream.

import { ProtocolViolation } from '../../../src/errors.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import type * as decoderModule from '../../../src/wire/decoder.ts'
import type { IncomingFrame } from '../../../src/wire/incoming-frame.ts'
import { rawFrame } from '../../wire/raw-frame.ts'
import { importVariant, type Variant } from '../engine/edges.ts'
import { Mismatch, type Target } from '../engine/target.ts'
import { mutateFrames } from './frame-mutation.ts'
import { decodeWhole, type ReferenceResult } from './reference-decoder.ts'

const KIB = 1024
const LIMITS = [64, 16 * KIB, 4096 * KIB, 2 ** 32 - 1] as const
/** What a declared length alone may make the decoder allocate, and how much more than has arrived a frame may. */
const FIRST_STEP_BYTES = 64 * KIB
const STEP_FACTOR = 16

/** How a decoder is set up. */
export interface Setting {
  /** The largest length that is accepted once so many frames have come. */
  readonly lengthMax: (frames: number) => number
  /** The sink, or the owner of the decoder, says stop at this frame. */
  readonly stopAfter: number
  readonly ownerStops: boolean
}

/** The setting that a number from 0 to 255 stands for. */
export function settingOf(first: number): Setting {
  const before = LIMITS[first & 3]!
  const after = LIMITS[(first >> 2) & 3]!
  const changesAfter = (first >> 4) & 3
  const stopAfter = first >> 6
  return {
    lengthMax: (frames) => (frames > changesAfter ? after : before),
    stopAfter: stopAfter === 0 ? Infinity : stopAfter * 2,
    ownerStops: stopAfter === 3,
  }
}

/** Compares what a decoder gives with what it should, frame by frame, and changes the limit as a connection does. */
class Comparing {
  frames = 0
  decoder: decoderModule.FrameDecoder | undefined
  readonly #expected: ReferenceResult
  readonly #setting: Setting

  constructor(expected: ReferenceResult, setting: Setting) {
    this.#expected = expected
    this.#setting = setting
  }

  onFrame({ kind, flags, msgID, methodID, bytes, headerStart, payloadStart, end }: IncomingFrame): boolean {
    const expected = this.#expected.frames[this.frames]
    if (expected === undefined) throw new Mismatch(`frame ${this.frames} that is not in the stream: kind ${kind}`)
    const isEqual =
      kind === expected.kind &&
      flags === expected.flags &&
      msgID === expected.msgID &&
      methodID === expected.methodID &&
      isSame(expected.header, bytes, headerStart, payloadStart) &&
      isSame(expected.payload, bytes, payloadStart, end)
    if (!isEqual) throw new Mismatch(`frame ${this.frames} is another: kind ${kind} for ${expected.kind}`)
    this.frames++
    this.decoder!.frameMaxBytes = this.#setting.lengthMax(this.frames)
    if (this.frames < this.#setting.stopAfter) return true
    if (this.#setting.ownerStops) this.decoder!.stop()
    return this.#setting.ownerStops
  }
}

function isSame(expected: Buffer, bytes: Buffer, start: number, end: number): boolean {
  return end - start === expected.length && expected.compare(bytes, start, end) === 0
}

/** Feeds a stream to a decoder in chunks of the sizes that `nextSize` gives, and checks everything. */
export type CheckStream = (
  stream: Buffer,
  setting: Setting,
  expected: ReferenceResult,
  nextSize: (at: number) => number,
) => void

export async function streamChecker(variant: Variant): Promise<CheckStream> {
  const { FrameDecoder } = (await importVariant('src/wire/decoder.ts', variant)) as typeof decoderModule
  return (stream, setting, expected, nextSize) => {
    const sink = new Comparing(expected, setting)
    const decoder = new FrameDecoder(sink, setting.lengthMax(0))
    sink.decoder = decoder
    const meter = new AllocationMeter()
    let isViolated = false
    try {
      for (let at = 0; at < stream.length; ) {
        const end = Math.min(stream.length, at + nextSize(at))
        // As from a socket: the bytes are the decoder's for the time of the call only.
        const chunk = Buffer.from(stream.subarray(at, end))
        meter.arrived = end
        at = end
        isViolated = push(decoder, chunk, isViolated)
        chunk.fill(0xee)
      }
    } finally {
      meter.stop()
    }
    if (isViolated !== expected.isViolated) throw new Mismatch(`a violation: ${isViolated}, not ${expected.isViolated}`)
    if (sink.frames !== expected.frames.length)
      throw new Mismatch(`${sink.frames} frames, not ${expected.frames.length}`)
    if (!isViolated && sink.frames < setting.stopAfter && decoder.isMidFrame !== expected.isMidFrame)
      throw new Mismatch(`says isMidFrame ${decoder.isMidFrame}`)
    meter.check(expected)
  }
}

/** Whether the protocol has been broken by now. */
function push(decoder: decoderModule.FrameDecoder, chunk: Buffer, isViolated: boolean): boolean {
  try {
    decoder.push(chunk)
    return isViolated
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error
    if (isViolated) throw new Mismatch('a second violation: bytes behind the first were looked at')
    return true
  }
}

export async function decoderTarget(variant: Variant = 'counted'): Promise<Target> {
  const check = await streamChecker(variant)
  return {
    name: 'decoder',
    variant,
    owns: /^src\/wire\/decoder\.ts$/,
    maxBytes: 4096,
    seeds: SEEDS,
    dictionary: DICTIONARY,
    mutate: (input, random) =>
      Buffer.concat([input.subarray(0, 1), mutateFrames(input.subarray(1), random, DICTIONARY)]),
    run(input) {
      if (input.length === 0) return
      const setting = settingOf(input[0]!)
      const stream = input.subarray(1)
      const expected = decodeWhole(stream, setting.lengthMax, setting.stopAfter)
      check(stream, setting, expected, () => stream.length)
      const random = new Random(stream.length, input.toString('latin1', 0, 64))
      for (let round = 0; round < 3; round++) {
        const most = random.pick([1, 3, 8, 20, 100, 1000])
        check(stream, setting, expected, () => random.int(1, most))
      }
    },
  }
}

/** Watches what is allocated for frames that are not complete. */
class AllocationMeter {
  arrived = 0
  readonly #original = Buffer.allocUnsafeSlow
  readonly #sizes: { readonly size: number; readonly arrived: number }[] = []

  constructor() {
    Buffer.allocUnsafeSlow = (size) => {
      this.#sizes.push({ size, arrived: this.arrived })
      // What is too much is told of below, and need not be had for that.
      return this.#original(Math.min(size, 1 << 24))
    }
  }

  stop(): void {
    Buffer.allocUnsafeSlow = this.#original
  }

  check(expected: ReferenceResult): void {
    if (this.#sizes.length === 0) return
    const largest = expected.frames.reduce(
      (most, { header, payload }) => Math.max(most, 16 + header.length + payload.length),
      FIRST_STEP_BYTES,
    )
    for (const { size, arrived } of this.#sizes)
      if (size > Math.max(largest, STEP_FACTOR * arrived))
        throw new Mismatch(`allocates ${size} bytes when ${arrived} have arrived`)
  }
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const KINDS = [1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0xc0, 0xff]
const DICTIONARY: readonly Buffer[] = [
  ...[0, 11, 12, 13, 20, 64, 65, 16 * KIB, 16 * KIB + 1, 4096 * KIB, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map(word),
  ...KINDS.map((kind) => rawFrame({ kind, msgID: kind < 0x80 ? 1 : 0 })),
  rawFrame({ kind: 1, msgID: 2, methodID: 3, header: Buffer.from('0df4010000', 'hex'), payload: Buffer.alloc(20, 7) }),
]

const SEEDS: readonly Buffer[] = [
  Buffer.concat([Buffer.of(0x01), ...KINDS.map((kind) => rawFrame({ kind, payload: Buffer.alloc(kind & 31, kind) }))]),
  Buffer.concat([Buffer.of(0x02), rawFrame({ kind: 1, payload: Buffer.alloc(2000, 1) }), rawFrame({ kind: 7 })]),
  Buffer.concat([Buffer.of(0x03), word(2 ** 32 - 2), Buffer.alloc(100)]),
  Buffer.of(0x00, 0, 0, 0, 12),
]
