// The instruments of memory, on objects whose size is known.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { collectedBytes, measureOneAllocation } from '../../bench/measure/observation.ts'
import { retainedBy } from '../../bench/measure/retained.ts'

const KIB = 1024

/** Runs `work` where garbage can be collected at will, as with --expose-gc. */
async function withGC(work: () => Promise<void>): Promise<void> {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc')
  try {
    await work()
  } finally {
    globalThis.gc = undefined
  }
}

class Kept {
  readonly numbers: number[]
  readonly inner: { readonly bytes: Buffer }

  constructor() {
    this.numbers = Array.from({ length: 100 }, (_, index) => index + 0.5)
    this.inner = { bytes: Buffer.allocUnsafeSlow(KIB) }
  }
}

describe('the instruments of memory', () => {
  it('tell what hangs on the objects of a class, and how', async () => {
    const kept = Array.from({ length: 200 }, () => new Kept())
    const parts = new Map((await retainedBy('Kept')).map(({ path, bytes }) => [path, bytes]))
    assert.equal(kept.length, 200)
    // A hundred doubles; the buffer's bytes; and an object of two fields, which is small.
    assert.ok(parts.get('Kept.numbers')! >= 800 && parts.get('Kept.numbers')! < 1100, JSON.stringify([...parts]))
    assert.ok(parts.get('Kept.inner.bytes.buffer')! >= KIB, JSON.stringify([...parts]))
    assert.ok(parts.get('Kept')! >= 16 && parts.get('Kept')! < 100, JSON.stringify([...parts]))
    await assert.rejects(retainedBy('NoSuchClass'), /the heap has no object of the class NoSuchClass/)
  })

  it('count what one piece of work allocates, inside and outside of the heap, whether kept or not', async () => {
    await withGC(async () => {
      const MANY = 64
      const outside = await measureOneAllocation(async () => {
        for (let made = 0; made < MANY; made++) Buffer.allocUnsafeSlow(KIB)
      })
      assert.ok(outside! >= MANY * KIB && outside! < MANY * KIB * 2, `${outside} bytes`)
      const collected = await measureOneAllocation(async () => globalThis.gc!())
      assert.equal(collected, undefined)
    })
  })

  it('count what is kept after a collection, and nothing that is not', async () => {
    await withGC(async () => {
      const before = collectedBytes()
      const kept = Buffer.alloc(512 * KIB)
      for (let made = 0; made < 8; made++) Buffer.alloc(512 * KIB)
      const growth = collectedBytes() - before
      assert.ok(growth >= kept.length && growth < 2 * kept.length, `${growth} bytes`)
    })
  })

  it('say when garbage can not be collected', () => {
    assert.throws(() => collectedBytes(), /started without --expose-gc/)
  })
})
