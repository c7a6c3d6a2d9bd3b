// npm run fuzz: changes inputs of everything that reads bytes of strangers, keeps those that go where none has gone before,
// and compares what comes out with a second, simpler reading of the same bytes.
//
//   npm run fuzz                                          each target for a minute
//   npm run fuzz -- --target decoder --bytes 100000000    until so many bytes have been read
//   npm run fuzz -- --seed 7 --seconds 600 --keep         and the inputs that have led on go to the corpus
//   npm run fuzz -- --cost 60                             climbs to the dearest inputs: ms per MiB, heap per byte

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { endWithReader } from '../../scripts/broken-pipe.ts'
import { COST_TARGETS } from './cost/inputs.ts'
import { worstCost } from './cost/worst-cost.ts'
import { minimise, readCorpus, writeCorpus } from './engine/corpus.ts'
import type { Variant } from './engine/edges.ts'
import { type Budget, Fuzzer, type FuzzFigures } from './engine/engine.ts'
import type { Features, Target } from './engine/target.ts'
import { Watchdog } from './engine/watchdog.ts'
import { controlTarget } from './targets/control.ts'
import { decoderTarget } from './targets/decoder.ts'
import { handshakeTarget } from './targets/handshake.ts'
import { features as msgpackFeatures, msgpackTarget } from './targets/msgpack.ts'
import { features as protobufFeatures, protobufTarget } from './targets/protobuf.ts'

interface Entry {
  readonly make: (variant?: Variant) => Promise<Target>
  readonly features?: Features
}

const entries: Readonly<Record<string, Entry>> = {
  decoder: { make: decoderTarget },
  control: { make: controlTarget },
  handshake: { make: handshakeTarget },
  msgpack: { make: msgpackTarget, features: msgpackFeatures },
  protobuf: { make: protobufTarget, features: protobufFeatures },
}

export const targetNames = Object.keys(entries)

/** Fuzzes one target from its corpus on. With `keep`, what has led on replaces the corpus, made small. */
export async function fuzz(
  name: string,
  seed: number,
  budget: Budget,
  { variant, keep = false }: { readonly variant?: Variant; readonly keep?: boolean } = {},
): Promise<FuzzFigures> {
  const entry = entries[name]
  if (entry === undefined) throw new RangeError(`no target ${name}; there are: ${targetNames.join(', ')}`)
  const target = await entry.make(variant)
  const watchdog = new Watchdog()
  const fuzzer = new Fuzzer(target, seed, entry.features, watchdog)
  let figures: FuzzFigures
  try {
    figures = await fuzzer.run([...target.seeds, ...readCorpus(name)], budget)
  } finally {
    await watchdog.close()
  }
  // Nobody watches this: it is no input that takes its time.
  if (keep) writeCorpus(name, await minimise(target, fuzzer, fuzzer.corpus))
  return figures
}

async function main(): Promise<void> {
  endWithReader()
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true, default: targetNames },
      seed: { type: 'string', default: '1' },
      bytes: { type: 'string' },
      seconds: { type: 'string' },
      keep: { type: 'boolean', default: false },
      cost: { type: 'string' },
    },
  })
  const seed = Number(values.seed)
  if (values.cost !== undefined) {
    for (const target of COST_TARGETS) console.log(await worstCost({ target, seed, seconds: Number(values.cost) }))
    return
  }
  const bytes = values.bytes === undefined ? Infinity : Number(values.bytes)
  const seconds = values.seconds === undefined ? (bytes === Infinity ? 60 : Infinity) : Number(values.seconds)
  let failures = 0
  for (const name of values.target) {
    const figures = await fuzz(name, seed, { bytes, seconds }, { keep: values.keep })
    failures += figures.failures.length
    console.log(figures)
  }
  process.exitCode = failures === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) await main()
