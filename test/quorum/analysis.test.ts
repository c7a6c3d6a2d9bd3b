// What is known about a system before any call: minimal quorums, failures survived, load, and whether two systems meet.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Bound } from '../../src/quorum/bound.ts'
import { type QuorumSystem, quorum } from '../../src/quorum/index.ts'
import { loadByProgram, loadOfDisjoint } from '../../src/quorum/load.ts'
import { minimalQuorums, type Sample, samples, survives } from './dumb-twin.ts'

const ids = (size: number): string[] => Array.from({ length: size }, (_, index) => `n${index}`)
const square = (side: number) => {
  const nodes = ids(side * side)
  return quorum.grid(nodes.slice(0, side).map((_, row) => nodes.slice(row * side, (row + 1) * side)))
}
const wide = quorum.grid([
  ['n0', 'n1', 'n2'],
  ['n3', 'n4', 'n5'],
])
const triples = quorum.choose(
  2,
  [0, 3, 6].map((from) => quorum.choose(2, ids(9).slice(from, from + 3))),
)

// The load of "row and column" is that of its 9 crosses, of 5 nodes each out of 9: 5/9, by symmetry.
const KNOWN: readonly (readonly [string, QuorumSystem, number, number, number])[] = [
  ['a single node', quorum.majority(), 1, 0, 1],
  ['a majority of 3', quorum.majority(), 3, 1, 2 / 3],
  ['a majority of 4', quorum.majority(), 4, 1, 3 / 4],
  ['a majority of 5', quorum.majority(), 5, 2, 3 / 5],
  ['a majority of 101', quorum.majority(), 101, 50, 51 / 101],
  ['all of 3', quorum.all(), 3, 0, 1],
  ['any one of 3', quorum.threshold(1), 3, 2, 1 / 3],
  ['a Byzantine quorum of 4', quorum.byzantine(), 4, 1, 3 / 4],
  ['a Byzantine quorum of 7', quorum.byzantine(), 7, 2, 5 / 7],
  ['a row of a 3x3 grid', square(3).read, 9, 2, 1 / 3],
  ['a column of a 3x3 grid', square(3).write, 9, 2, 1 / 3],
  ['a row of a 10x10 grid', square(10).read, 100, 9, 1 / 10],
  ['a row of a 2x3 grid', wide.read, 6, 1, 1 / 2],
  ['a column of a 2x3 grid', wide.write, 6, 2, 1 / 3],
  ['a row and a column of a 3x3 grid', quorum.choose(2, [square(3).read, square(3).write]), 9, 2, 5 / 9],
  ['2 of 3 triples', triples, 9, 3, 4 / 9],
  ['a dictator', quorum.weighted({ n0: 3, n1: 1, n2: 1 }, 3), 3, 0, 1],
  ['two strong and three weak', quorum.weighted({ n0: 2, n1: 2, n2: 1, n3: 1, n4: 1 }, 4), 5, 1, 4 / 7],
  ['equal votes', quorum.weighted({ n0: 2, n1: 2, n2: 2 }, 3), 3, 1, 2 / 3],
  ['a spectator without votes', quorum.weighted({ n0: 1, n1: 1, n2: 1, n3: 0 }, 2), 4, 1, 2 / 3],
  ['a dead weight', quorum.choose(2, ['n0', quorum.choose(1, ids(5).slice(1))]), 5, 0, 1],
  ['two disjoint majorities', quorum.joint(ids(3), ids(8).slice(3), quorum.majority()), 8, 1, 2 / 3],
  ['the same majority twice', quorum.joint(ids(5), ids(5), quorum.majority()), 5, 2, 3 / 5],
  ['one node replaced', quorum.joint(ids(3), ids(4).slice(1), quorum.majority()), 4, 1, 2 / 3],
]
for (const [name, system, size, failures, load] of KNOWN) {
  test(`${name} survives ${failures} failures and has load ${load.toFixed(3)}`, () => {
    const bound = system.bind(ids(size))
    assert.equal(bound.survives, failures)
    assert.ok(Math.abs(bound.load - load) < 1e-9, `${bound.load} is not ${load}`)
  })
}

const asText = (sets: Iterable<Iterable<string>>): string[] => [...sets].map((set) => [...set].sort().join('')).sort()

test('minimal quorums and survived failures agree with a twin that tries every subset', () => {
  fc.assert(
    fc.property(samples, (sample) => {
      const bound = sample.system.bind(sample.members)
      assert.deepEqual(asText(bound.minimalQuorums()), asText(minimalQuorums(sample)))
      assert.equal(bound.survives, survives(sample))
    }),
    { numRuns: 1000 },
  )
})

test('the formula for the load agrees with the linear program wherever both apply', () => {
  let compared = 0
  fc.assert(
    fc.property(samples, ({ system, members }) => {
      const { gate } = system.bind(members) as Bound
      const formula = loadOfDisjoint(gate)
      if (formula === undefined) return
      compared++
      assert.ok(Math.abs(formula - loadByProgram(gate)!) < 1e-9)
    }),
    { numRuns: 1000 },
  )
  assert.ok(compared > 200, `only ${compared} systems compared`)
})

test('many parts that share few nodes are searched as few nodes', () => {
  const members = ids(6)
  const joint = quorum.joint(members, members.slice(1), quorum.majority())
  const bound = quorum.choose(4, [quorum.majority(), joint, joint, joint, joint, ...members]).bind(members)
  assert.equal(bound.minimalQuorums().length, 15)
  assert.equal(bound.survives, 2)
})

test('how many failures a joint system survives needs no search, however large its two sides', () => {
  const members = ids(60)
  const bound = quorum.joint(members.slice(0, 51), members.slice(9), quorum.majority()).bind(members)
  assert.equal(bound.survives, 25)
})

/** Plays "pick the quorum whose nodes were picked least": approaches the load from above, and bounds it from below. */
function playedLoad(sample: Sample): { least: number; most: number } {
  const quorums = minimalQuorums(sample)
  const seen = new Map(sample.members.map((id) => [id, 0]))
  const price = new Map(sample.members.map((id) => [id, 1]))
  let least = 0
  const rounds = 400
  for (let round = 0; round < rounds; round++) {
    const prices = [...price.values()].reduce((sum, value) => sum + value, 0)
    const costs = quorums.map((set) => [...set].reduce((sum, id) => sum + price.get(id)!, 0))
    const cheapest = Math.min(...costs)
    least = Math.max(least, cheapest / prices)
    for (const id of quorums[costs.indexOf(cheapest)]!) {
      seen.set(id, seen.get(id)! + 1)
      price.set(id, price.get(id)! * 1.05)
    }
  }
  return { least, most: Math.max(...seen.values()) / rounds }
}

test('the load of any system lies between the bounds that playing the game gives', () => {
  fc.assert(
    fc.property(samples, (sample) => {
      const { load } = sample.system.bind(sample.members)
      const { least, most } = playedLoad(sample)
      assert.ok(least <= load + 1e-9 && load <= most + 1e-9, `${load} is not in ${least} to ${most}: ${sample}`)
      assert.ok(most - least < 0.1, `the game is undecided: ${least} to ${most}: ${sample}`)
    }),
    { numRuns: 150 },
  )
})

test('the load of a system too large to search is a RangeError, not a wrong number', () => {
  const votes = Object.fromEntries(ids(24).map((id, index) => [id, index < 12 ? 2 : 1]))
  const bound = quorum.weighted(votes, 19).bind(ids(24))
  assert.equal(bound.survives, 8)
  assert.throws(() => bound.load, {
    name: 'RangeError',
    message:
      'quorum weighted(19 of 36 votes) over 24 members: more than 10000 sets to search for its load; ' +
      'ask about a smaller system',
  })
})

test('whether two systems meet agrees with a twin, and a counterexample is two quorums without a common node', () => {
  let met = 0
  let apart = 0
  fc.assert(
    fc.property(samples, samples, (a, b) => {
      const [boundA, boundB] = [a.system.bind(a.members), b.system.bind(b.members)]
      const quorumsA = minimalQuorums(a)
      const quorumsB = minimalQuorums(b)
      const expected = quorumsA.every((one) => quorumsB.every((other) => [...one].some((id) => other.has(id))))
      const answer = quorum.intersects(boundA, boundB)
      assert.equal(answer.intersects, expected)
      if (answer.intersects) {
        met++
        return
      }
      apart++
      const [one, other] = answer.counterexample
      assert.ok(asText(quorumsA).includes(asText([one])[0]!), `${one} is not a minimal quorum of ${a}`)
      assert.ok(asText(quorumsB).includes(asText([other])[0]!), `${other} is not a minimal quorum of ${b}`)
      assert.ok(one.every((id) => !other.includes(id)))
    }),
    { numRuns: 2000 },
  )
  assert.ok(met > 100 && apart > 100, `${met} met, ${apart} did not`)
})

test('rows and columns of a grid always meet, two columns do not', () => {
  const { read, write } = square(10)
  assert.deepEqual(quorum.intersects(read, write, ids(100)), { intersects: true })
  assert.deepEqual(quorum.intersects(wide.write, wide.write, ids(6)), {
    intersects: false,
    counterexample: [
      ['n0', 'n3'],
      ['n1', 'n4'],
    ],
  })
})

test('counting systems are compared by arithmetic, whatever their size', () => {
  const members = ids(1000)
  assert.deepEqual(quorum.intersects(quorum.majority(), quorum.majority(), members), { intersects: true })
  assert.deepEqual(quorum.intersects(quorum.threshold(400), quorum.threshold(601), members), { intersects: true })
  const answer = quorum.intersects(quorum.threshold(400), quorum.threshold(600), members)
  assert.ok(!answer.intersects)
  assert.deepEqual(answer.counterexample, [members.slice(0, 400), members.slice(400)])
})

test('majorities meet when one node is replaced, not when two of three are', () => {
  const old = quorum.majority().bind(['a', 'b', 'c'])
  const added = quorum.majority().bind(['a', 'b', 'c', 'd'])
  const replaced = quorum.majority().bind(['c', 'd', 'e'])
  assert.deepEqual(quorum.intersects(old, added), { intersects: true })
  assert.deepEqual(quorum.intersects(old, replaced), {
    intersects: false,
    counterexample: [
      ['a', 'b'],
      ['d', 'e'],
    ],
  })
})

test('a joint quorum meets the majorities of both sides', () => {
  const [before, after] = [ids(5), ids(8).slice(3)]
  const both = quorum.joint(before, after, quorum.majority()).bind(ids(8))
  assert.deepEqual(quorum.intersects(both, quorum.majority().bind(before)), { intersects: true })
  assert.deepEqual(quorum.intersects(quorum.majority().bind(after), both), { intersects: true })
})

test('a large system is compared with a small one by searching the small one, in either order', () => {
  const members = ids(36)
  const { read } = square(6)
  const most = quorum.threshold(31)
  assert.deepEqual(quorum.intersects(most, read, members), { intersects: true })
  assert.deepEqual(quorum.intersects(read, most, members), { intersects: true })
  const answer = quorum.intersects(quorum.threshold(30), read, members)
  assert.ok(!answer.intersects)
  assert.deepEqual(answer.counterexample, [members.slice(6), members.slice(0, 6)])
})

test('two systems that are both too large to search are a RangeError', () => {
  const members = ids(40)
  const votes = Object.fromEntries(members.map((id, index) => [id, 1 + (index % 3)]))
  assert.throws(() => quorum.intersects(quorum.weighted(votes, 41), quorum.majority(), members), {
    name: 'RangeError',
    message:
      'quorum.intersects: weighted(41 of 79 votes) over 40 members and majority over 40 both take more than 100000 ' +
      'sets to search: ask about fewer members',
  })
})
