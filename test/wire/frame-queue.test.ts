// The queue of requests that wait, against an array of frames.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameDecoder } from '../../src/wire/decoder.ts'
import { Kind } from '../../src/wire/frame.ts'
import { FrameQueue } from '../../src/wire/frame-queue.ts'
import type { IncomingFrame } from '../../src/wire/incoming-frame.ts'
import { frameOf } from '../net/raw-peer.ts'
import { collectGarbage } from './garbage.ts'

interface Kept {
  readonly kind: number
  readonly msgID: number
  readonly methodID: number
  readonly dueAt: number
  readonly header: string
  readonly payload: string
}

/** Bodies around the sizes at which they are kept in another way. */
const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2_020, max: 2_052 }).map((length) => new Uint8Array(length).fill(length)) },
  { weight: 1, arbitrary: fc.constantFrom(900, 1_000, 20_000).map((length) => new Uint8Array(length).fill(7)) },
)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('push' as const),
      kind: fc.constantFrom(Kind.request, Kind.request, Kind.oneway),
      methodID: fc.nat(0xffffffff),
      dueAt: fc.constantFrom(Infinity, 0, 1.5, 1e12),
      header: fc.uint8Array({ maxLength: 20 }),
      payload: bytes,
      count: fc.constantFrom(1, 1, 1, 50, 400),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('shift' as const), count: fc.constantFrom(1, 3, 60, 1_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('withdraw' as const),
      from: fc.nat(1_000),
      every: fc.integer({ min: 1, max: 4 }),
      count: fc.constantFrom(1, 5, 300),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const) }) },
)

/** The frame as a decoder gives it. */
function decoded(parts: Parameters<typeof frameOf>[0], use: (frame: IncomingFrame) => void): void {
  const onFrame = (frame: IncomingFrame): boolean => {
    use(frame)
    return true
  }
  new FrameDecoder({ onFrame }, 1 << 20).push(frameOf(parts))
}

function firstOf(queue: FrameQueue): Kept | undefined {
  const frame = queue.first()
  if (frame === undefined) return undefined
  const { kind, msgID, methodID, dueAt, headerStart, payloadStart, end } = frame
  const header = frame.bytes.toString('hex', headerStart, payloadStart)
  return { kind, msgID, methodID, dueAt, header, payload: frame.bytes.toString('hex', payloadStart, end) }
}

test('a queue of frames gives back what an array would, whatever is done to it', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom(1, 1_500_000_001),
      fc.boolean(),
      (steps, stride, looks) => {
        const queue = new FrameQueue()
        let twin: Kept[] = []
        let number = 0
        const gone: number[] = []
        for (const each of steps) {
          if (each.type === 'push') {
            const { kind, methodID, dueAt, header, payload } = each
            for (let count = 0; count < each.count; count++) {
              // Rising, as clients give them, or in any order.
              const msgID = (++number * stride) % 2_147_483_647
              const parts = { kind, msgID, methodID, header: Buffer.from(header), payload: Buffer.from(payload) }
              decoded(parts, (frame) => queue.push(frame, dueAt))
              const hex = { header: parts.header.toString('hex'), payload: parts.payload.toString('hex') }
              twin.push({ kind, msgID, methodID, dueAt, ...hex })
            }
          } else if (each.type === 'shift') {
            for (let count = 0; count < each.count && twin.length > 0; count++) {
              assert.deepEqual(firstOf(queue), twin[0])
              queue.shift()
              gone.push(twin.shift()!.msgID)
              if (looks) assert.equal(queue.has(gone.at(-1)!), false)
            }
          } else if (each.type === 'withdraw') {
            for (let count = 0; count < each.count && twin.length > 0; count++) {
              const index: number = (each.from + count * each.every) % twin.length
              const kept: Kept = twin[index]!
              const withdrawn = queue.withdraw(kept.msgID)
              assert.equal(withdrawn === undefined, kept.kind === Kind.oneway)
              if (withdrawn === undefined) continue
              twin.splice(index, 1)
              const frameBytes = 16 + (kept.header.length + kept.payload.length) / 2
              assert.deepEqual(withdrawn, { methodID: kept.methodID, frameBytes })
              assert.equal(queue.withdraw(kept.msgID), undefined)
              assert.equal(queue.has(kept.msgID), false)
            }
          } else {
            queue.clear()
            twin = []
          }
          assert.equal(queue.length, twin.length)
          assert.deepEqual(firstOf(queue), twin[0])
          if (!looks) continue
          for (const unknown of [0, 0xffffffff]) {
            assert.equal(queue.has(unknown), false)
            assert.equal(queue.withdraw(unknown), undefined)
          }
          for (const { kind, msgID } of twin.slice(-3)) assert.equal(queue.has(msgID), kind === Kind.request)
        }
        for (const msgID of gone) assert.equal(queue.has(msgID), false)
        for (const kept of twin) {
          assert.deepEqual(firstOf(queue), kept)
          queue.shift()
        }
        assert.equal(queue.first(), undefined)
      },
    ),
  )
})

/** Bytes of memory in use. */
function used(): number {
  // The memory of buffers counts until the collection after the one that has found them.
  collectGarbage()
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Requests of these msgIDs, from the first to the last, each after a look whether there is one already. */
function pushAll(queue: FrameQueue, from: number, to: number, payload = Buffer.from([0xc0])): void {
  for (let msgID = from; msgID <= to; msgID++)
    if (!queue.has(msgID))
      decoded({ kind: Kind.request, msgID, methodID: 7, payload }, (frame) => queue.push(frame, Infinity))
}

test('frames that would fill their chunks to the last byte are in order', () => {
  // Each takes 8 + 16 bytes beside its payload: 32, 64 or 256 in all.
  for (const length of [8, 40, 232]) {
    const queue = new FrameQueue()
    pushAll(queue, 1, 2_000, Buffer.alloc(length, length))
    for (let msgID = 1; msgID <= 2_000; msgID++) {
      assert.equal(firstOf(queue)!.msgID, msgID)
      assert.equal(firstOf(queue)!.payload.length, 2 * length)
      queue.shift()
    }
    assert.equal(queue.first(), undefined)
  }
})

test('those that stay in a chunk are moved when most that lie there have been withdrawn', () => {
  const queue = new FrameQueue()
  const withdraw = (from: number, to: number): void => {
    for (let msgID = from; msgID <= to; msgID++) queue.withdraw(msgID)
  }
  const chunk = (): Buffer => queue.first()!.bytes
  // 25 bytes each: 40 fit the first chunk, 327 the second.
  pushAll(queue, 1, 700)
  for (let left = 0; left < 40; left++) {
    queue.first()
    queue.shift()
  }
  const second = chunk()
  assert.equal(queue.first()!.msgID, 41)
  withdraw(42, 204)
  assert.equal(chunk(), second, 'not when it is the smaller part')
  withdraw(368, 700)
  assert.equal(chunk(), second, 'nor for those that lie elsewhere')
  withdraw(205, 205)
  assert.notEqual(chunk(), second)
  assert.equal(chunk().length, 25 * queue.length, 'and then they get what they need')
  assert.equal(queue.length, 163)
  const all = Array.from({ length: 163 }, () => {
    const { msgID } = firstOf(queue)!
    queue.shift()
    return msgID
  })
  assert.deepEqual(all, [41, ...Array.from({ length: 162 }, (_, index) => 206 + index)])
  pushAll(queue, 1, 40)
  const small = chunk()
  withdraw(2, 40)
  assert.equal(chunk(), small, 'nor when all that lies there is little')
})

test('one of very many is found without a table of all, wherever it stands', () => {
  const queue = new FrameQueue()
  pushAll(queue, 1, 200_000)
  const before = used()
  for (const msgID of [200_000, 1, 100_000, 150_001]) {
    assert.equal(queue.has(msgID), true)
    assert.deepEqual(queue.withdraw(msgID), { methodID: 7, frameBytes: 17 })
    assert.equal(queue.has(msgID), false)
  }
  assert.ok(used() - before < 200_000, `${used() - before} bytes more`)
})

for (const order of ['from the first on', 'from the last on'] as const) {
  test(`a few that stay, again and again, among many that are withdrawn ${order}, are put together`, () => {
    const withFewLeft = (rounds: number): FrameQueue => {
      const queue = new FrameQueue()
      for (let round = 0; round < rounds; round++) {
        const first = 1 + round * 5_000
        pushAll(queue, first, first + 4_999)
        for (let index = 0; index < 5_000; index++) {
          const place = order === 'from the first on' ? index : 4_999 - index
          if (place % 400 !== 0) queue.withdraw(first + place)
        }
      }
      return queue
    }
    // What the code itself takes, compiled and counted for coverage, and the chunks that are kept when nobody uses them.
    withFewLeft(50).clear()
    const before = used()
    const queue = withFewLeft(200)
    assert.equal(queue.length, 200 * 13)
    const left = used() - before
    assert.ok(left < 3 * 25 * queue.length, `${left} bytes are left for ${queue.length}`)
  })
}

test('requests whose msgIDs do not rise leave nothing behind when they leave', () => {
  const queue = new FrameQueue()
  pushAll(queue, 1_000_000, 1_000_000)
  const before = used()
  for (let msgID = 200_000; msgID > 0; msgID--) {
    pushAll(queue, msgID, msgID)
    queue.first()
    queue.shift()
  }
  assert.equal(queue.length, 1)
  assert.ok(used() - before < 1_000_000, `${used() - before} bytes are left`)
})

test('what waits is a copy of small frames and of what others will write to, and large ones of their own are not copied', () => {
  const queue = new FrameQueue()
  const small = frameOf({ kind: Kind.request, msgID: 1, payload: Buffer.from('small') })
  const large = frameOf({ kind: Kind.request, msgID: 2, payload: Buffer.alloc(3_000, 1) })
  const own = frameOf({ kind: Kind.request, msgID: 3, payload: Buffer.alloc(3_000, 2) })
  const decoder = (isOwned: boolean): FrameDecoder =>
    new FrameDecoder(
      {
        onFrame: (frame) => {
          frame.isOwned = isOwned
          queue.push(frame, 0)
          return true
        },
      },
      1 << 20,
    )
  decoder(false).push(small)
  decoder(false).push(large)
  decoder(true).push(own)
  for (const each of [small, large]) each.fill(0xff)
  const [first, isFirstOwned] = [firstOf(queue), queue.first()!.isOwned]
  assert.equal(first!.payload, Buffer.from('small').toString('hex'))
  assert.equal(isFirstOwned, false, 'its chunk is used again')
  queue.shift()
  assert.equal(firstOf(queue)!.payload, '01'.repeat(3_000))
  assert.equal(queue.first()!.isOwned, true)
  queue.shift()
  assert.equal(queue.first()!.bytes.buffer, own.buffer)
})

test('a waiting request of 17 bytes takes less than 40, and queues that were long give their memory back', () => {
  const COUNT = 200_000
  const queue = new FrameQueue()
  const fill = (): void => pushAll(queue, 1, COUNT)
  fill()
  queue.clear()
  const before = used()
  fill()
  const perFrame = (used() - before) / COUNT
  assert.ok(perFrame < 40, `${perFrame.toFixed(0)} bytes each`)
  assert.ok(perFrame > 17)
  // All but every hundredth are withdrawn: what is left does not keep the memory of the others.
  for (let msgID = 1; msgID <= COUNT; msgID++) if (msgID % 100 !== 0) queue.withdraw(msgID)
  assert.equal(queue.length, COUNT / 100)
  const left = used() - before
  assert.ok(left < (COUNT * perFrame) / 10, `${left} bytes are left of ${COUNT * perFrame}`)
  queue.clear()
  assert.ok(used() - before < 1_000_000, `${used() - before} bytes are left`)
})

test('large frames are let go when they leave, whichever way', () => {
  const queue = new FrameQueue()
  pushAll(queue, 1, 1)
  const before = used()
  pushAll(queue, 2, 201, Buffer.alloc(100_000))
  for (let msgID = 2; msgID <= 101; msgID++) queue.withdraw(msgID)
  pushAll(queue, 202, 202)
  for (; queue.length > 1; queue.shift()) queue.first()
  assert.ok(used() - before < 1_000_000, `${used() - before} bytes are left of 20 000 000`)
  assert.equal(queue.length, 1)
})

test('small frames that wait do not keep the memory of larger ones that come and are withdrawn', () => {
  const queue = new FrameQueue()
  pushAll(queue, 1, 50_000)
  const before = used()
  for (let msgID = 50_001; msgID <= 70_000; msgID++) {
    pushAll(queue, msgID, msgID, Buffer.alloc(2_000))
    queue.withdraw(msgID)
  }
  const left = used() - before
  assert.ok(left < 8_000_000, `${left} bytes are left of 40 000 000`)
  assert.equal(queue.length, 50_000)
})
