// The picture of a schedule: one lane per host, every fault where it was and what it was, and nothing of it is markup.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawTimeline } from 'gorums/testing'
import type { Fault } from '../../src/testing/simulation/faults.ts'

const FAULTS: readonly (readonly [Fault, string])[] = [
  [{ kind: 'partition', atMs: 10, forMs: 100, from: ['a', 'b'], to: ['c'], isOneWay: true }, 'partition a → c'],
  [{ kind: 'partition', atMs: 10, forMs: 100, from: ['b'], to: ['c'], isOneWay: false }, 'partition b ↔ c'],
  [{ kind: 'delay', atMs: 20, forMs: 50, from: 'a', to: 'b', extraMs: 30 }, 'delay → b +30 ms'],
  [{ kind: 'reset', atMs: 30, from: 'a', to: 'b', hears: 'both' }, 'reset → b'],
  [{ kind: 'reset', atMs: 31, from: 'a', to: 'b', hears: 'one' }, 'reset → b, a is told'],
  [{ kind: 'reset', atMs: 32, from: 'a', to: 'b', hears: 'other' }, 'reset → b, b is told'],
  [{ kind: 'blackhole', atMs: 40, from: 'a', to: 'c' }, 'blackhole → c'],
  [{ kind: 'crash', atMs: 60, forMs: 10, host: 'c', isSilent: true }, 'crash (power)'],
  [{ kind: 'crash', atMs: 90, forMs: 10, host: 'c', isSilent: false }, 'crash'],
  [{ kind: 'clock-jump', atMs: 95, host: 'b', byMs: -500 }, 'clock-jump -500 ms'],
] as unknown as readonly (readonly [Fault, string])[]

for (const [fault, caption] of FAULTS) {
  test(`${caption}: is drawn and said`, () => {
    const svg = drawTimeline({ title: 'One fault', hosts: ['a', 'b', 'c'], faults: [fault], endMs: 200 })
    assert.ok(svg.includes(`>${caption}</text>`), svg)
    assert.match(svg, 'forMs' in fault ? /<rect class="fault"/ : /<path class="fault"/)
  })
}

test('long runs are told in seconds, marks cross all lanes, and no text is taken for markup', () => {
  const marks = [{ atMs: 12_000, text: '<broken> & "told"' }]
  const svg = drawTimeline({ title: 'a < b', hosts: ['a&b'], faults: [], marks, endMs: 60_000 })
  assert.match(svg, />10 s<\/text>/)
  assert.ok(svg.includes('a &lt; b') && svg.includes('a&amp;b') && svg.includes('&lt;broken&gt; &amp; "told"'))
  assert.equal(svg.match(/class="mark"/g)?.length, 1)
})

test('connections that are made and lost are marks on the lanes of their hosts, as far as the picture goes', () => {
  const connections = [
    { atMs: 10, host: 'a', isLost: false },
    { atMs: 20, host: 'a', isLost: true },
    { atMs: 20, host: 'nobody', isLost: true },
    { atMs: 2_000, host: 'a', isLost: false },
  ]
  const svg = drawTimeline({ title: 'a', hosts: ['a'], faults: [], connections, endMs: 100 })
  assert.equal(svg.match(/<circle class="made"/g)?.length, 1)
  assert.equal(svg.match(/<circle class="lost"/g)?.length, 1)
  assert.ok(svg.includes('<title>connection lost at 20 ms</title>'))
})
