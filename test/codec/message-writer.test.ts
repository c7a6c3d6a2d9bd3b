// The writer that generated code shares keeps nothing of what it has written.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageWriter } from '../../codec/message-writer.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Writes two lists, one within the other's message, and returns what tells whether they are still there. */
function write(writer: MessageWriter): WeakRef<object>[] {
  const lists = [[{}], [{}]]
  writer.begin({ buffer: Buffer.alloc(64), position: 0 }, {})
  writer.list(lists[0]!, 'outer')
  const at = writer.open(0x0a, {}, 'outer[0]')
  writer.list(lists[1]!, 'inner')
  writer.close(at)
  writer.end()
  return lists.map((list) => new WeakRef(list))
}

test('a message that has been written keeps none of its lists', async () => {
  const writer = new MessageWriter()
  const written = write(writer)
  // What a WeakRef was made for lives until the turn is over.
  await new Promise(setImmediate)
  collectGarbage()
  assert.deepEqual(
    written.map((list) => list.deref()),
    [undefined, undefined],
  )
  assert.ok(writer instanceof MessageWriter)
})
