// Runs in a process of its own with --expose-gc: climbs towards the input that takes the most time per MiB, and towards the
// one that leaves the most heap per byte. Prints what it has found as JSON.

import protobufjs from 'protobufjs'
import { msgpack } from '../../../codec/msgpack.ts'
import { protobuf } from '../../../codec/protobuf.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import { FrameDecoder } from '../../../src/wire/decoder.ts'
import { Sample } from '../../codec/sample_gorums.ts'
import { SAMPLE_PROTO } from '../targets/sample-proto.ts'
import { build, type CostTarget, firstGenomes, type Genome, mutateGenome } from './inputs.ts'

const MIB = 1024 * 1024

/** The dearest input of one kind. */
export interface Dearest {
  readonly value: number
  readonly inputBytes: number
  /** The unit that is repeated, as hex, and how. */
  readonly input: string
  readonly isAccepted: boolean
}

export interface CostFigures {
  readonly target: CostTarget
  readonly seed: number
  readonly candidates: number
  readonly worstMsPerMiB: number
  readonly worstHeapFactor: number
  /** The most that any input has left, MiB. */
  readonly mostHeapMiB: number
  readonly slowest: Dearest
  readonly largest: Dearest
}

interface Attempt {
  /** What has been built, to be kept alive. */
  readonly result: unknown
  readonly isAccepted: boolean
}

type Decode = (bytes: Buffer, genome: Genome) => Attempt

function attempt(decode: () => unknown): Attempt {
  try {
    return { result: decode(), isAccepted: true }
  } catch {
    return { result: undefined, isAccepted: false }
  }
}

function decoderOf(target: CostTarget): Decode {
  if (target === 'decoder') return (bytes, { chunkBytes }) => attempt(() => feedDecoder(bytes, chunkBytes))
  const type = protobufjs.parse(SAMPLE_PROTO).root.lookupType('Sample')
  const codec = target === 'msgpack' ? msgpack() : target === 'generated' ? Sample : protobuf<object>(type)
  return (bytes) => attempt(() => codec.decode(bytes, 0, bytes.length))
}

function feedDecoder(bytes: Buffer, chunkBytes: number): FrameDecoder {
  const decoder = new FrameDecoder({ onFrame: () => true }, 4 * MIB)
  for (let at = 0; at < bytes.length; at += chunkBytes) decoder.push(bytes.subarray(at, at + chunkBytes))
  return decoder
}

/**
 * The best of a few: the machine may do other things as well. While it does, processor time says more than the clock; when it
 * does not, the clock: the collector has helpers.
 */
function msPerMiB(decode: Decode, bytes: Buffer, genome: Genome, times: number): [number, boolean] {
  let best = Infinity
  let isAccepted = false
  for (let time = 0; time < times; time++) {
    const startedAt = performance.now()
    const usedBefore = process.cpuUsage()
    const { isAccepted: accepted } = decode(bytes, genome)
    const elapsedMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(usedBefore)
    best = Math.min(best, elapsedMs, (user + system) / 1000)
    isAccepted = accepted
  }
  return [(best * MIB) / bytes.length, isAccepted]
}

function heapFactor(decode: Decode, bytes: Buffer, genome: Genome): [number, boolean] {
  const before = heapBytes()
  const kept = decode(bytes, genome)
  const after = heapBytes()
  return [Math.max(0, after - before) / bytes.length, kept.isAccepted && kept.result !== bytes]
}

function heapBytes(): number {
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Climbs from the first genomes until the time is over. */
function climb(
  target: CostTarget,
  random: Random,
  seconds: number,
  measure: (bytes: Buffer, genome: Genome) => [number, boolean],
): { dearest: Dearest; candidates: number; genome: Genome; most: number } {
  const endsAt = performance.now() + seconds * 1000
  let best: { genome: Genome; dearest: Dearest } | undefined
  let candidates = 0
  let most = 0
  const consider = (genome: Genome): void => {
    candidates++
    const bytes = build(target, genome)
    const [value, isAccepted] = measure(bytes, genome)
    most = Math.max(most, value * bytes.length)
    if (best !== undefined && value <= best.dearest.value) return
    const { unit, wrapping, chunkBytes } = genome
    const how = chunkBytes > 0 ? `in chunks of ${chunkBytes}` : wrapping
    const input = `${unit.toString('hex')}, repeated, ${how}`
    best = { genome, dearest: { value, inputBytes: bytes.length, input, isAccepted } }
  }
  const first = firstGenomes(target)
  for (const genome of first) consider(genome)
  while (performance.now() < endsAt) {
    const from = random.chance(0.8) ? best!.genome : random.pick(first)
    consider(mutateGenome(target, from, random))
  }
  return { ...best!, candidates, most }
}

function search(target: CostTarget, seed: number, seconds: number): CostFigures {
  const decode = decoderOf(target)
  const random = new Random(seed, `cost of ${target}`)
  const time = climb(target, random, seconds / 2, (bytes, genome) => msPerMiB(decode, bytes, genome, 2))
  const heap = climb(target, random, seconds / 2, (bytes, genome) => heapFactor(decode, bytes, genome))
  // Measured again with more care: what was slow once may have been unlucky.
  const [ms] = msPerMiB(decode, build(target, time.genome), time.genome, 7)
  const worstMsPerMiB = Math.round(ms * 10) / 10
  const worstHeapFactor = Math.round(heap.dearest.value * 10) / 10
  return {
    target,
    seed,
    candidates: time.candidates + heap.candidates,
    worstMsPerMiB,
    worstHeapFactor,
    mostHeapMiB: Math.round((heap.most / MIB) * 10) / 10,
    slowest: { ...time.dearest, value: worstMsPerMiB },
    largest: { ...heap.dearest, value: worstHeapFactor },
  }
}

const [target = 'decoder', seed = '1', seconds = '10'] = process.argv.slice(2)
console.log(JSON.stringify(search(target as CostTarget, Number(seed), Number(seconds))))
