// The byte stream within one process keeps the rules of every byte stream: order, ends, and nothing before its time.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStreamPair } from '../../src/net/memory-stream.ts'
import type { ByteStream, ByteStreamHandler } from '../../src/net/runtime.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

class Watcher implements ByteStreamHandler {
  readonly events: string[] = []

  onOpen(): void {
    this.events.push('open')
  }

  onBytes(bytes: Buffer): void {
    this.events.push(bytes.toString('latin1'))
  }

  onDrain(): void {
    this.events.push('drain')
  }

  onClose(error: Error | undefined): void {
    this.events.push(error === undefined ? 'close' : `close: ${error.message}`)
  }
}

interface Pair {
  readonly runtime: VirtualRuntime
  readonly one: ByteStream
  readonly other: ByteStream
  readonly atOne: string[]
  readonly atOther: string[]
}

async function openPair(): Promise<Pair> {
  const runtime = new VirtualRuntime()
  const [one, other] = memoryStreamPair(runtime, 'self')
  const [watchOne, watchOther] = [new Watcher(), new Watcher()]
  one.start(watchOne)
  other.start(watchOther)
  await runtime.settle()
  return { runtime, one, other, atOne: watchOne.events, atOther: watchOther.events }
}

test('both ends open, on a later turn, and say whose they are', async () => {
  const runtime = new VirtualRuntime()
  const [one, other] = memoryStreamPair(runtime, 'self')
  const watcher = new Watcher()
  one.start(watcher)
  assert.deepEqual(watcher.events, [])
  await runtime.settle()
  assert.deepEqual(watcher.events, ['open'])
  assert.deepEqual([one.remoteAddress, other.remoteAddress], ['self', 'self'])
  assert.equal(one.identity, undefined)
})

test('bytes arrive in order, on a later turn, and the writer hears that they are gone', async () => {
  const { runtime, one, atOne, atOther } = await openPair()
  one.write([Buffer.from('a'), Buffer.from('b')])
  one.write([Buffer.from('c')])
  assert.equal(one.bufferedBytes, 3)
  assert.deepEqual(atOther, ['open'])
  await runtime.settle()
  assert.equal(one.bufferedBytes, 0)
  assert.equal(atOther.slice(1).join(''), 'abc')
  assert.deepEqual(atOne, ['open', 'drain'])
})

test('both directions flow at once', async () => {
  const { runtime, one, other, atOne, atOther } = await openPair()
  one.write([Buffer.from('to other')])
  other.write([Buffer.from('to one')])
  await runtime.settle()
  assert.ok(atOne.includes('to one') && atOther.includes('to other'))
})

test('end() ends both ends after what was written', async () => {
  const { runtime, one, atOne, atOther } = await openPair()
  one.write([Buffer.from('last words')])
  one.end()
  one.write([Buffer.from('too late')])
  await runtime.settle()
  assert.deepEqual(atOther, ['open', 'last words', 'close'])
  assert.equal(atOne.at(-1), 'close')
})

test('destroy() loses what was not handed over, and tells both ends once', async () => {
  const { runtime, one, other, atOne, atOther } = await openPair()
  one.write([Buffer.from('lost')])
  one.destroy()
  one.destroy()
  other.destroy()
  await runtime.settle()
  assert.deepEqual(atOne, ['open', 'close'])
  assert.deepEqual(atOther, ['open', 'close'])
})

test('nothing is delivered behind the close', async () => {
  const { runtime, one, other, atOne } = await openPair()
  other.write([Buffer.from('on its way')])
  one.destroy()
  other.write([Buffer.from('into the void')])
  await runtime.settle()
  assert.deepEqual(atOne, ['open', 'close'])
})

test('what a handler writes while it is given bytes arrives too', async () => {
  const runtime = new VirtualRuntime()
  const [one, other] = memoryStreamPair(runtime, 'self')
  const watcher = new Watcher()
  const echo = new (class extends Watcher {
    override onBytes(bytes: Buffer): void {
      other.write([Buffer.from(bytes)])
    }
  })()
  one.start(watcher)
  other.start(echo)
  await runtime.settle()
  for (const word of ['one', 'two', 'three']) one.write([Buffer.from(word)])
  await runtime.settle()
  assert.equal(watcher.events.filter((event) => event !== 'open' && event !== 'drain').join(' '), 'one two three')
})
