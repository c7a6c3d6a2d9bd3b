// Runs the codecs' common contract over the MessagePack and the protobuf codec. The cases are in contract.ts.
import fc from 'fast-check'
import protobufjs from 'protobufjs'
import { msgpack } from '../../codec/msgpack.ts'
import { protobuf } from '../../codec/protobuf.ts'
import { contract } from './contract.ts'
import { msgpackValues, plainMsgpack } from './values.ts'

contract('msgpack', {
  codec: msgpack(),
  values: msgpackValues,
  plain: plainMsgpack,
  withBytes: (chunks) => ({ first: chunks[0], list: chunks.slice(1), map: { last: new Uint8Array([1, 2, 3]) } }),
  withText: (text) => ({ text }),
  withGetter: (effect) => ({
    before: 'b'.repeat(30),
    get text() {
      effect()
      return 'outer'
    },
    after: 1,
  }),
  unencodable: { text: 'x'.repeat(200), bad: () => 1 },
})

interface Sample {
  text?: string
  bytes?: Uint8Array
  list?: Uint8Array[]
  map?: Record<string, Uint8Array>
  child?: Sample
  children?: Sample[]
  number?: number
  signed?: number
  packed?: number[]
  doubles?: number[]
  flag?: boolean
}

const Sample = protobufjs
  .parse(`
  syntax = "proto3";
  message Sample {
    string text = 1; bytes bytes = 2; repeated bytes list = 3; map<string, bytes> map = 4; Sample child = 5;
    repeated Sample children = 6; uint32 number = 7; sint32 signed = 8; repeated int32 packed = 9;
    repeated double doubles = 10; bool flag = 300;
  }
`)
  .root.lookupType('Sample')

const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.record(
    {
      text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 150, size: 'max' }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 200, size: 'max' }),
      list: fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      map: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.uint8Array(), {
        minKeys: 1,
        maxKeys: 4,
        noNullPrototype: true,
      }),
      child: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant<Sample>({}), tie('sample')),
      children: fc.array(fc.oneof({ depthSize: 'small' }, fc.constant<Sample>({}), tie('sample')), {
        minLength: 1,
        maxLength: 2,
      }),
      number: fc.integer({ min: 1, max: 0xffffffff }),
      signed: fc.integer().filter((n) => n !== 0),
      packed: fc.array(fc.integer(), { minLength: 1, maxLength: 40 }),
      doubles: fc.array(fc.double(), { minLength: 1, maxLength: 40 }),
      flag: fc.constant(true),
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
}))

contract<Sample>('protobuf', {
  codec: protobuf<Sample>(Sample),
  values: sample,
  plain: (message) => Sample.toObject(message as protobufjs.Message, { bytes: Array }),
  withBytes: (chunks) => ({
    bytes: chunks[0] as Uint8Array,
    list: [...chunks.slice(1), new Uint8Array([1])],
    map: { a: new Uint8Array([1, 2, 3]), b: new Uint8Array([4]) },
    child: { bytes: new Uint8Array([5, 6]) },
  }),
  withText: (text) => ({ child: { child: { text } } }),
  withGetter: (effect) => ({
    bytes: new Uint8Array(30),
    child: {
      get text() {
        effect()
        return 'outer'
      },
    },
    number: 1,
  }),
  unencodable: { text: 'x'.repeat(200), child: { text: 'lone \ud800' } },
})
