// Generated codecs beside protobufjs's static code and protobuf-es, on the same messages: how many a second, and ours as a
// multiple of theirs. Rounds are interleaved; what is shown is the median of each.
//   npm run bench:micro -- generated

import { Bench } from 'tinybench'
import * as messages from './messages_gorums.ts'
import { protobufES, protobufjsStatic } from './peers.ts'

const ROUNDS = 5
const ROUND_MS = 150

const tiny = { key: 'capital', time: 42 }
const VALUES: readonly [string, keyof typeof CODECS, object][] = [
  ['tiny', 'Tiny', tiny],
  ['20 fields', 'Wide', wide()],
  ['nested', 'Nested', nested(4)],
  ['1 KiB bytes', 'Blob', { data: new Uint8Array(1024).fill(7) }],
  ['1000 integers', 'List', { numbers: Array.from({ length: 1_000 }, (_, i) => i * 37) }],
  ['1000 strings', 'Texts', { texts: Array.from({ length: 1_000 }, (_, i) => `text ${i}`) }],
]
const CODECS = {
  Tiny: messages.Tiny,
  Wide: messages.Wide,
  Nested: messages.Nested,
  Blob: messages.Blob,
  List: messages.List,
  Texts: messages.Texts,
} as const

const statics = await protobufjsStatic()
const es = protobufES()
const rows: Record<string, Record<string, string | number>> = {}
for (const [title, name, value] of VALUES) {
  const codec = CODECS[name] as typeof messages.Tiny
  const target = { buffer: Buffer.alloc(64 * 1024), position: 16 }
  codec.encode(value, target)
  const bytes = Buffer.from(target.buffer.subarray(16, target.position))
  const forStatic = statics[name]!.prepare(value)
  const forES = es[name]!.prepare(value)
  if (!bytes.equals(statics[name]!.encode(forStatic)) || !bytes.equals(es[name]!.encode(forES))) {
    throw new Error(`${name}: the libraries do not write the same bytes`)
  }
  rows[`${title}: encode`] = await compare({
    ours: () => {
      target.position = 16
      codec.encode(value, target)
    },
    protobufjs: () => statics[name]!.encode(forStatic),
    es: () => es[name]!.encode(forES),
  })
  rows[`${title}: decode`] = await compare({
    ours: () => codec.decode(bytes, 0, bytes.length),
    protobufjs: () => statics[name]!.decode(bytes),
    es: () => es[name]!.decode(bytes),
  })
  // Byte fields are copied out of a buffer that will be used again, as sockets are read. The others never copy them.
  if (name === 'Blob') {
    rows[`${title}: decode what is the message's own`] = await compare({
      ours: () => codec.decode(bytes, 0, bytes.length, true),
      protobufjs: () => statics[name]!.decode(bytes),
      es: () => es[name]!.decode(bytes),
    })
  }
}
console.table(rows)

async function compare(tasks: Record<'ours' | 'protobufjs' | 'es', () => unknown>): Promise<Record<string, number>> {
  const rates: Record<string, number[]> = { ours: [], protobufjs: [], es: [] }
  for (let round = 0; round < ROUNDS; round++) {
    const bench = new Bench({ time: ROUND_MS, warmupTime: 50 })
    for (const [name, task] of Object.entries(tasks)) bench.add(name, task)
    await bench.run()
    for (const task of bench.tasks) {
      if (task.result.state === 'completed') rates[task.name]!.push(1_000 / task.result.period)
    }
  }
  const [ours, protobufjs, protobufES] = Object.values(rates).map(median) as [number, number, number]
  return {
    'ours, thousands/s': Math.round(ours / 1_000),
    '× protobufjs static': Math.round((100 * ours) / protobufjs) / 100,
    '× protobuf-es': Math.round((100 * ours) / protobufES) / 100,
  }
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN
}

function wide(): object {
  return {
    ...{
      f1: 'alpha',
      f2: 'a somewhat longer text, as names are',
      f3: 'gamma',
      f4: 'ünïcödé',
      f5: 1,
      f6: -5,
      f7: 70_000,
    },
    ...{ f8: 4_000_000_000, f9: -300, f10: 5, f11: true, f12: true, f13: 3.25, f14: -1e100, f15: 0.5 },
    ...{ f16: new Uint8Array(16).fill(9), f17: 1n << 40n, f18: 12_345n, f19: 1n << 60n, f20: tiny },
  }
}

function nested(depth: number): object {
  const items = [tiny, tiny, tiny]
  return depth === 0 ? { name: 'leaf', items } : { name: `level ${depth}`, items, child: nested(depth - 1) }
}
