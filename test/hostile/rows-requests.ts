// F5, F7 to F11 and the codecs: requests that keep to the protocol and can not be served. Each costs its own call only.

import assert from 'node:assert/strict'
import { Kind } from '../../src/wire/frame.ts'
import type { FrameParts } from '../net/raw-peer.ts'
import { flood, framesOf, turn } from './attackers.ts'
import { expectRefusal, expectServed, inMiB, type Row, request, type Scene, statusOf, within } from './row.ts'
import { HI, lengthDelimited, metadataHeader, methodID, timeoutHeader, varint } from './target-service.ts'

const MIB = 1024 * 1024
const LARGE_BYTES = 64 * 1024

/**
 * Sends each as a request of its own, with one behind it in the lane that is served, and expects a refusal with this code.
 * Large ones have a connection each: an attacker that exceeds its window would be cut for that.
 */
async function expectRefused(
  scene: Scene,
  code: string,
  requests: readonly (readonly [string, Partial<FrameParts>])[],
  key: 'echo' | 'echoTree' = 'echo',
): Promise<void> {
  let peer = await scene.peer()
  let msgID = 1
  for (const [what, parts] of requests) {
    try {
      if ((parts.payload?.length ?? 0) > LARGE_BYTES) peer = await scene.peer()
      peer.send(request(key, msgID, parts), request('echo', msgID + 1))
      await within(10_000, 'a refusal', expectRefusal(peer, msgID, code))
      assert.equal((await peer.next(Kind.reply, Kind.error)).msgID, msgID + 1)
      msgID += 2
    } catch (error) {
      throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  await expectServed(peer, msgID)
}

async function unknownMethods(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const before = await scene.target.health()
  const batch = framesOf(5_000, 1, { kind: Kind.request, methodID: 77, payload: HI })
  const rounds = 20
  let during = before
  for (let round = 1; round <= rounds; round++) {
    await flood(peer, batch, 1)
    while (peer.receivedFrames < round * 5_000 && !peer.isClosed) await turn()
    peer.sentFrames = round * 5_000
    peer.sendAck({ requestBytesAllowed: 2 ** 40 })
    peer.frames.length = 0
    if (round === rounds) during = await scene.target.health()
  }
  assert.equal(peer.receivedFrames, rounds * 5_000)
  assert.equal(peer.isClosed, false)
  const grown = during.heapBytes - before.heapBytes
  assert.ok(grown < 4 * MIB, `the heap grew by ${inMiB(grown)}`)
  return `100 000 refusals, heap grown by ${inMiB(grown)}; the connection lives`
}

async function strayAnswers(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const before = await scene.target.health()
  for (const kind of [Kind.reply, Kind.item, Kind.end, Kind.error, Kind.cancel]) {
    const payload = kind === Kind.end || kind === Kind.cancel ? Buffer.alloc(0) : HI
    await flood(peer, framesOf(10_000, 1, { kind, methodID: methodID('echo'), payload }), 2)
  }
  await expectServed(peer, 1)
  const after = await scene.target.health()
  const grown = after.heapBytes - before.heapBytes
  assert.ok(grown < 2 * MIB, `the heap grew by ${inMiB(grown)}`)
  return '20 000 each of REPLY, ITEM, END, ERROR, CANCEL that mean nothing'
}

function arrays(count: number, byte: number): Buffer {
  const payload = Buffer.alloc(5 + count, byte)
  payload[0] = 0xdd
  payload.writeUInt32BE(count, 1)
  return payload
}

const nested = (depth: number, last: string): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), hex(last)])

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

async function badMsgpack(scene: Scene): Promise<string> {
  const rows: readonly (readonly [string, Buffer])[] = [
    ['nothing', Buffer.alloc(0)],
    ['cut short', hex('a268')],
    ['bytes behind the value', hex('c0c0')],
    ['a byte without a meaning', hex('c1')],
    ['an array of 2^32 - 1 that is not there', hex('ddffffffff')],
    ['a map of 2^32 - 1 that is not there', hex('dfffffffff')],
    ['a string of 4 GiB', hex('dbffffffff')],
    ['bytes of 4 GiB', hex('c6ffffffff')],
    ['an extension of 4 GiB', hex('c9ffffffff01')],
    ['array headers of 65 535 inside one another (70 KB)', Buffer.concat(Array(23_000).fill(hex('dcffff')))],
    ['65 arrays deep', nested(65, 'c0')],
    ['100 000 arrays deep', nested(100_000, 'c0')],
    ['maps 1 000 deep', Buffer.concat(Array(1_000).fill(hex('81a161')))],
    ['1 000 000 empty maps', arrays(1_000_000, 0x80)],
    ['600 000 empty arrays', arrays(600_000, 0x90)],
    ['a record definition (code generation)', hex('d4724093a161a162a163010203')],
    ['a reference', hex('d6700000000001')],
    ['a cyclic object', hex('d669000000018191a161c0')],
    ['a regular expression', hex('c70578' + '92a3282b29a0')],
    ['an error with a name of the peer', hex('c70665' + '93a178a179c0')],
    ['a set', hex('c70373' + '920102')],
    ['a typed array', hex('c70274' + '0001')],
    ['a bigint extension', hex('d44201')],
    ['the key __proto__', Buffer.concat([hex('81a9'), Buffer.from('__proto__'), hex('80')])],
    ['a key that is a map', hex('8180c0')],
    ['invalid UTF-8', hex('a2fffe')],
    ['a key that is invalid UTF-8', hex('81a1ffc0')],
  ]
  await expectRefused(
    scene,
    'invalid_argument',
    rows.map(([what, payload]) => [what, { payload }] as const),
  )
  return `${rows.length} payloads`
}

async function badProtobuf(scene: Scene): Promise<string> {
  let deep = Buffer.from('0a0161', 'hex')
  for (let depth = 0; depth < 5_000; depth++) deep = Buffer.concat([lengthDelimited(0x12, deep)])
  const rows: readonly (readonly [string, Buffer])[] = [
    ['random bytes', hex('ffffffffffffffffffffffff')],
    ['cut short', hex('0a05616263')],
    ['a length of 4 GiB', Buffer.concat([hex('0a'), varint(0xffffffff)])],
    ['a length of 2^63', hex('0affffffffffffffff7f')],
    ['field number 0', hex('020161')],
    ['wire type 6', hex('0e')],
    ['wire type 7', hex('0f')],
    ['an end of a group that did not begin', hex('0c')],
    ['groups 100 000 deep', Buffer.alloc(100_000, 0x2b)],
    ['messages 5 000 deep', deep],
    ['text that is no UTF-8', hex('0a02fffe')],
    ['overlong UTF-8', hex('0a02c0af')],
    ['bytes behind the message', hex('0a016100')],
  ]
  await expectRefused(
    scene,
    'invalid_argument',
    rows.map(([what, payload]) => [what, { payload }] as const),
    'echoTree',
  )
  // What protobufjs skips as an unknown field is answered, one way or the other.
  const peer = await scene.peer()
  for (const payload of [hex('08ffffffffffffffffffff01'), hex('0801'), hex('f801ffff7f')]) {
    peer.send(request('echoTree', 1, { payload }))
    await within(5_000, payload.toString('hex'), peer.next(Kind.reply, Kind.error))
  }
  await expectServed(peer, 1)
  return `${rows.length + 3} payloads`
}

/** A message with a map that makes V8 reserve room for a thousand entries. */
const SPARSE_MAPS = hex('8a0106c2010308e807')

async function heavyPayloads(scene: Scene): Promise<string> {
  const notes: string[] = []
  /** What, as a request, and whether it takes more memory than a message may. */
  const rows: readonly (readonly [string, FrameParts, boolean?])[] = [
    ['240 000 empty maps', request('fail', 1, { payload: arrays(240_000, 0x80) })],
    ['490 000 empty arrays', request('fail', 2, { payload: arrays(490_000, 0x90) })],
    ['990 000 nils', request('fail', 3, { payload: arrays(990_000, 0xc0) })],
    ['200 000 empty messages', { ...request('echoTree', 4), payload: Buffer.alloc(400_000, '1200', 'hex') }],
    ['a million bytes of them', { ...request('echoTree', 5), payload: Buffer.alloc(1_000_000, '1200', 'hex') }, true],
    ['25 000 of thirty fields', { ...request('echoSample', 6), payload: Buffer.alloc(75_000, '8a0100', 'hex') }],
    ['a million bytes of them', { ...request('echoSample', 7), payload: Buffer.alloc(999_999, '8a0100', 'hex') }, true],
    ['maps with 1000 as key', { ...request('echoSample', 8), payload: Buffer.alloc(900_000, SPARSE_MAPS) }, true],
  ]
  for (const [what, frame, isTooLarge = false] of rows) {
    const peer = await scene.peer()
    const start = performance.now()
    peer.send(frame)
    const answer = await within(20_000, what, peer.next(Kind.reply, Kind.error))
    if (isTooLarge) assert.match(statusOf(answer).message, /bytes of memory/, what)
    const ms = performance.now() - start
    const mib = frame.payload!.length / MIB
    notes.push(`${what}: ${Math.round(ms / mib)} ms/MiB`)
  }
  return notes.join(', ')
}

async function keysOfPrototypes(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  // {constructor: {prototype: {polluted: true}}}
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0xa0 + value.length]), Buffer.from(value)])
  const map = Buffer.from([0x81])
  const payload = Buffer.concat([map, text('constructor'), map, text('prototype'), map, text('polluted'), hex('c3')])
  peer.send(request('echo', 1, { payload }))
  assert.deepEqual((await peer.next(Kind.reply, Kind.error)).payload, payload)
  const entry = Buffer.concat([lengthDelimited(0x0a, Buffer.from('__proto__')), hex('1001')])
  peer.send({ ...request('echoTree', 2), payload: lengthDelimited(0x1a, entry) })
  await peer.next(Kind.reply, Kind.error)
  peer.send(request('echo', 3, { payload: hex('80') }))
  assert.deepEqual((await peer.next(Kind.reply)).payload, hex('80'))
  return 'plain data; nothing is inherited afterwards'
}

async function handlers(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const text = (value: string): Buffer =>
    Buffer.concat([
      value.length < 32 ? Buffer.from([0xa0 + value.length]) : Buffer.from([0xd9, value.length]),
      Buffer.from(value),
    ])
  const rows: readonly (readonly [string, string])[] = [
    ['throw', 'internal'],
    ['reject', 'internal'],
    ['throw a string', 'internal'],
    ['throw undefined', 'internal'],
    ['reject with nothing', 'internal'],
    ['RpcError', 'aborted'],
    ['a function', 'internal'],
    ['a thenable that throws', 'internal'],
    ['settles twice', ''],
    ['a thenable that calls twice', ''],
    ['no reply', ''],
  ]
  let msgID = 1
  for (const [how, code] of rows) {
    peer.send(request('fail', msgID, { payload: text(how) }))
    const answer = await within(5_000, how, peer.next(Kind.reply, Kind.error))
    assert.equal(answer.msgID, msgID++, how)
    assert.equal(answer.kind === Kind.error ? statusOf(answer).code : '', code, how)
    if (answer.kind === Kind.error) assert.doesNotMatch(statusOf(answer).message, /secret/)
  }
  await expectServed(peer, msgID++)
  peer.send(request('fail', msgID, { payload: text('after close') }))
  await scene.target.until(({ started }) => (started.fail ?? 0) >= rows.length + 1, 'the handler has started')
  peer.close()
  await scene.target.until(({ clients }) => clients === 1, 'the peer is gone')
  await scene.target.letGo()
  return `${rows.length} ways, one answer each, and an answer after the caller has gone`
}

async function busyHandlers(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  const max = 500
  await flood(peer, framesOf(max, 1, request('stubborn', 1)), 1)
  await scene.target.until(({ running }) => running.stubborn === max, 'all run')
  peer.send(request('stubborn', max + 1))
  await expectRefusal(peer, max + 1, 'resource_exhausted', /handlersMax/)
  // CANCEL frees no place: the handlers do not listen.
  for (let msgID = 1; msgID <= max; msgID++) peer.send({ kind: Kind.cancel, methodID: methodID('stubborn'), msgID })
  peer.send(request('stubborn', max + 2))
  await expectRefusal(peer, max + 2, 'resource_exhausted', /handlersMax/)
  const during = await scene.target.letGo()
  assert.equal(during.running.stubborn, max)
  for (let count = 0; count < max; count++) await within(5_000, 'a final answer', peer.next(Kind.error, Kind.reply))
  await expectServed(peer, max + 3)
  return `${max} handlers that never end, cancelled or not: the next is refused`
}

async function metadata(scene: Scene): Promise<string> {
  const entries = (count: number): Buffer =>
    metadataHeader(...Array.from({ length: count }, (_, index) => [`k${index}`, ''] as const))
  const header = (what: string, bytes: Buffer): readonly [string, Partial<FrameParts>] => [what, { header: bytes }]
  const rows = [
    header('65 entries', entries(65)),
    header('as many entries as a header can be long', entries(6_000)),
    header('a value of 60 KB', metadataHeader(['k', Buffer.alloc(60_000, 'x')])),
    header('a header of 8 193 bytes', metadataHeader(['k', Buffer.alloc(8_184, 'x')])),
    header('a key twice', metadataHeader(['k', ''], ['k', ''])),
    header('__proto__', metadataHeader(['__proto__', ''])),
    header('NUL in a key', metadataHeader(['k\0', ''])),
    header('upper case', metadataHeader(['K', ''])),
    header('an empty key', metadataHeader(['', ''])),
    header('a key that is no UTF-8', metadataHeader([hex('ff'), ''])),
    header('a value that is no UTF-8', metadataHeader(['k', hex('fffe')])),
    header('a length beyond the header', hex('12ff01')),
    header('no message', hex('ff')),
  ]
  await expectRefused(scene, 'invalid_argument', rows)
  return `${rows.length} headers`
}

async function deadlines(scene: Scene): Promise<string> {
  const peer = await scene.peer()
  // As long as possible, and beyond what a timer of Node's can wait (it would fire at once).
  for (const [msgID, ms] of [0xffff_ffff, 0x8000_0000, 0x7fff_ffff].entries())
    peer.send(request('linger', msgID + 1, { header: timeoutHeader(ms) }))
  peer.send(request('linger', 4, { header: timeoutHeader(0) }))
  peer.send(request('linger', 5, { header: timeoutHeader(1) }))
  const answer = await within(5_000, 'the deadline of 1 ms', peer.next(Kind.error))
  assert.equal(answer.msgID, 5)
  assert.equal(statusOf(answer).code, 'deadline_exceeded')
  const health = await scene.target.health()
  assert.equal(health.running.linger, 4)
  const rows: readonly (readonly [string, Partial<FrameParts>])[] = [
    ['a time of wire type varint', { header: hex('08ffffffffffffffffff01') }],
    ['a time of 64 bits', { header: hex('09ffffffffffffff7f') }],
    ['a time cut short', { header: hex('0d0000') }],
  ]
  const other = await scene.peer()
  for (const [what, parts] of rows) {
    other.send(request('echo', 1, parts))
    const reply = await within(5_000, what, other.next(Kind.reply, Kind.error))
    if (reply.kind === Kind.error) assert.equal(statusOf(reply).code, 'invalid_argument')
  }
  return 'u32 on the wire: negative, 2^63 and NaN can not be said'
}

export const requestRows: readonly Row[] = [
  {
    id: 'F5',
    what: '100 000 requests for an unknown method in a row',
    expected: 'unimplemented each, flat heap, the connection lives',
    run: unknownMethods,
  },
  {
    id: 'F7',
    what: 'floods of answers and CANCELs that nobody waits for',
    expected: 'counted and dropped, flat heap',
    run: strayAnswers,
  },
  {
    id: 'F8',
    what: 'MessagePack that is malformed, too deep, too many, or of a forbidden type',
    expected: 'invalid_argument, the lane goes on',
    run: badMsgpack,
  },
  {
    id: 'F8',
    what: 'protobuf that is malformed, too deep, or not used up',
    expected: 'invalid_argument, the lane goes on',
    run: badProtobuf,
  },
  {
    id: 'F8',
    what: 'payloads within all limits that cost the most to decode',
    expected: 'served, bounded time and memory',
    run: heavyPayloads,
  },
  { id: 'F8', what: 'keys that pollute prototypes', expected: 'plain data', run: keysOfPrototypes },
  {
    id: 'F9',
    what: 'handlers that throw, reject, settle twice, answer after the end',
    expected: 'internal, once, without the text',
    run: handlers,
  },
  {
    id: 'F9',
    what: 'handlers that never settle, cancelled or not (rapid reset)',
    expected: 'resource_exhausted from handlersMax on, counted until they finish',
    run: busyHandlers,
  },
  {
    id: 'F10',
    what: 'metadata: too many, too large, twice, __proto__, NUL, no UTF-8',
    expected: 'invalid_argument',
    run: metadata,
  },
  {
    id: 'F11',
    what: 'deadlines of 1 ms, none, and beyond what a timer can wait',
    expected: 'kept, or no deadline; never at once',
    run: deadlines,
  },
]
