// The errors of calls that were not sent: one for all that were refused alike, another as soon as anything differs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from 'gorums'
import { UnsentErrors } from '../../src/net/unsent-errors.ts'

test('a node that is down says why, and says the newest reason', () => {
  const unsent = new UnsentErrors('n', '127.0.0.1:1')
  const [refused, lost] = ['refused', 'lost'].map((message) => new RpcError('unavailable', message))
  const unknown = unsent.down(undefined)
  assert.equal(unknown.message, 'node n (127.0.0.1:1) is down: not connected')
  assert.equal(unsent.down(undefined), unknown)
  const error = unsent.down(refused)
  assert.equal(error.message, 'node n (127.0.0.1:1) is down: refused')
  assert.equal(error.cause, refused)
  assert.equal(error.executed, 'no')
  assert.equal(unsent.down(refused), error)
  assert.equal(unsent.down(lost).cause, lost)
  assert.equal(unsent.down(undefined).message, unknown.message)
})

test('a full queue says its numbers, whichever of them changes', () => {
  const unsent = new UnsentErrors('n', 'n')
  const first = unsent.queueFull({ calls: 3, bytes: 300 }, 50, 320)
  assert.equal(
    first.message,
    'node n: queue is full (300 bytes of 3 calls wait, the request has 50, queueMaxBytes is 320)',
  )
  assert.equal(unsent.queueFull({ calls: 3, bytes: 300 }, 50, 320), first)
  const others = [
    unsent.queueFull({ calls: 2, bytes: 300 }, 50, 320),
    unsent.queueFull({ calls: 2, bytes: 310 }, 50, 320),
    unsent.queueFull({ calls: 2, bytes: 310 }, 60, 320),
  ]
  assert.deepEqual(
    others.map(({ message }) => message),
    [
      '300 bytes of 2 calls wait, the request has 50',
      '310 bytes of 2 calls wait, the request has 50',
      '310 bytes of 2 calls wait, the request has 60',
    ].map((numbers) => `node n: queue is full (${numbers}, queueMaxBytes is 320)`),
  )
})
