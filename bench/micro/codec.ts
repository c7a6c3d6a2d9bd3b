// What encoding in place costs beside the libraries' own functions, on a small message. Microseconds, not systems: the
// network is not part of it.
//   npm run bench:micro

import { createRequire } from 'node:module'
import { msgpack } from 'gorums/codec/msgpack'
import { protobuf } from 'gorums/codec/protobuf'
import { pack, unpack } from 'msgpackr'
import type * as protobufjsModule from 'protobufjs'
import { Bench } from 'tinybench'

// The copy that the codec uses, not that of what the other groups compare with, which lies beside this file.
const protobufjs: typeof protobufjsModule = createRequire(new URL('../../package.json', import.meta.url))('protobufjs')

interface Entry {
  readonly key: string
  readonly value: Uint8Array
  readonly time: number
}

const ENTRY: Entry = { key: 'capital', value: new Uint8Array(16), time: 42 }
const EntryType = protobufjs
  .parse('syntax = "proto3"; message Entry { string key = 1; bytes value = 2; uint32 time = 3; }')
  .root.lookupType('Entry')
const packed = Buffer.from(pack(ENTRY))
const written = Buffer.from(EntryType.encode(EntryType.fromObject(ENTRY)).finish())

const packs = msgpack<Entry>()
const writes = protobuf<Entry>(EntryType)
const target = { buffer: Buffer.alloc(64 * 1024), position: 16 }

const bench = new Bench({ time: 500 })
bench
  .add('MessagePack, in place: encode', () => {
    target.position = 16
    packs.encode(ENTRY, target)
  })
  .add('msgpackr pack', () => {
    pack(ENTRY)
  })
  .add('MessagePack, in place: decode', () => {
    packs.decode(packed, 0, packed.length)
  })
  .add('msgpackr unpack', () => {
    unpack(packed)
  })
  .add('protobuf, in place: encode', () => {
    target.position = 16
    writes.encode(ENTRY, target)
  })
  .add('protobufjs encode', () => {
    EntryType.encode(ENTRY).finish()
  })
  .add('protobuf, in place: decode', () => {
    writes.decode(written, 0, written.length)
  })
  .add('protobufjs decode', () => {
    EntryType.decode(written)
  })
await bench.run()
for (const { name, result } of bench.tasks)
  if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`)
console.table(bench.table())
