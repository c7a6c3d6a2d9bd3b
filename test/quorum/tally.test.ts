// The tally of each system: a table of votes, and random systems against their dumb twins.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type QuorumSystem, quorum, type Tally } from '../../src/quorum/index.ts'
import { type Sample, samples, subsets } from './dumb-twin.ts'

const MEMBERS = [...'abcdefghi']

const SYSTEMS: Readonly<Record<string, QuorumSystem>> = {
  majority: quorum.majority(),
  all: quorum.all(),
  byzantine: quorum.byzantine(),
  'byzantine f=1': quorum.byzantine({ f: 1 }),
  'threshold 1': quorum.threshold(1),
  'threshold 3': quorum.threshold(3),
  'a:3 b:1 c:1 d:1, 4': quorum.weighted({ a: 3, b: 1, c: 1, d: 1 }, 4),
  'a:2 b:0 c:1, 2': quorum.weighted({ a: 2, b: 0, c: 1 }, 2),
  'abc/def row': quorum.grid([[...'abc'], [...'def']]).read,
  'abc/def column': quorum.grid([[...'abc'], [...'def']]).write,
  'abc new cde': quorum.joint([...'abc'], [...'cde'], quorum.majority()),
  '2 of 3 triples': quorum.choose(2, [
    quorum.choose(2, [...'abc']),
    quorum.choose(2, [...'def']),
    quorum.choose(2, [...'ghi']),
  ]),
}

// One letter per member, a first: y replied, n failed, _ neither yet.
const TABLE = `
  votes       | system             | state
  _           | majority           | pending
  y           | majority           | reached
  n           | majority           | impossible
  y _         | majority           | pending
  y n         | majority           | impossible
  y _ n       | majority           | pending
  y y _       | majority           | reached
  n _ n       | majority           | impossible
  y y _ _     | majority           | pending
  y y y _     | majority           | reached
  n n _ _     | majority           | impossible
  n _ _ _     | majority           | pending
  y y n n _   | majority           | pending
  y y n n y   | majority           | reached
  y y n n n   | majority           | impossible
  y y _       | all                | pending
  y y y       | all                | reached
  _ _ n       | all                | impossible
  n n n n     | threshold 1        | impossible
  n n n y     | threshold 1        | reached
  y y _       | threshold 3        | pending
  n n y y y   | threshold 3        | reached
  n n n y y   | threshold 3        | impossible
  y y _ _     | byzantine          | pending
  y y y n     | byzantine          | reached
  n n _ _     | byzantine          | impossible
  y y y _ _ _ | byzantine          | pending
  y y y y _ _ | byzantine          | reached
  y y y _ _   | byzantine f=1      | pending
  y y y y _   | byzantine f=1      | reached
  y _ _ _     | a:3 b:1 c:1 d:1, 4 | pending
  y _ n y     | a:3 b:1 c:1 d:1, 4 | reached
  n _ _ _     | a:3 b:1 c:1 d:1, 4 | impossible
  _ n n y     | a:3 b:1 c:1 d:1, 4 | pending
  _ n n n     | a:3 b:1 c:1 d:1, 4 | impossible
  _ y _       | a:2 b:0 c:1, 2     | pending
  y n n       | a:2 b:0 c:1, 2     | reached
  n y y       | a:2 b:0 c:1, 2     | impossible
  y y _ _ y y | abc/def row        | pending
  y y n y y _ | abc/def row        | pending
  y y n y y y | abc/def row        | reached
  n _ _ _ _ n | abc/def row        | impossible
  y _ _ _ y _ | abc/def column     | pending
  y _ _ y _ _ | abc/def column     | reached
  n _ _ _ n _ | abc/def column     | pending
  n _ _ _ n n | abc/def column     | impossible
  y y _ _ _   | abc new cde        | pending
  y _ y _ _   | abc new cde        | pending
  y _ y y _   | abc new cde        | reached
  n n _ y y   | abc new cde        | impossible
  y y _ n n   | abc new cde        | impossible
  n _ _ _ n   | abc new cde        | pending
  y y _ y _ _ _ _ _ | 2 of 3 triples | pending
  y y _ y y _ n n n | 2 of 3 triples | reached
  n n _ _ _ _ n _ n | 2 of 3 triples | impossible
  n n _ _ _ _ n _ _ | 2 of 3 triples | pending
`

for (const line of TABLE.trim().split('\n').slice(1)) {
  const [votes, name, state] = line.split('|').map((cell) => cell.trim())
  const letters = votes!.split(' ')
  test(`with votes ${votes}, ${name} is ${state}`, () => {
    const bound = SYSTEMS[name!]!.bind(MEMBERS.slice(0, letters.length))
    const tally = bound.tally()
    letters.forEach((letter, position) => {
      if (letter !== '_') vote(tally, position, letter)
    })
    assert.equal(tally.state, state)
  })
}

function vote(tally: Tally, position: number, letter: string): void {
  if (letter === 'y') tally.reply(position)
  else tally.fail(position)
}

const outcomes = fc.record({
  sample: samples,
  order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
  letters: fc.array(fc.constantFrom('y', 'n'), { minLength: 6, maxLength: 6 }),
})

/** By trying every way in which the members without a vote may yet vote. */
function dumbState({ members, holds }: Sample, replied: readonly string[], failed: readonly string[]): string {
  if (holds(new Set(replied))) return 'reached'
  const open = members.filter((id) => !replied.includes(id) && !failed.includes(id))
  return subsets(open).some((more) => holds(new Set([...replied, ...more]))) ? 'pending' : 'impossible'
}

test('after every vote, in any order, a tally agrees with a twin that tries every outcome', () => {
  fc.assert(
    fc.property(outcomes, ({ sample, order, letters }) => {
      const { members, system } = sample
      const bound = system.bind(members)
      const tally = bound.tally()
      const replied: string[] = []
      const failed: string[] = []
      assert.equal(tally.state, 'pending')
      for (const position of order.filter((index) => index < members.length)) {
        vote(tally, position, letters[position]!)
        ;(letters[position] === 'y' ? replied : failed).push(members[position]!)
        const expected = dumbState(sample, replied, failed)
        assert.equal(tally.state, expected, `${sample} after replies of ${replied}, failures of ${failed}`)
        assert.equal(bound.isQuorum(replied), expected === 'reached')
        assert.equal(bound.canBecome(replied, failed), expected !== 'impossible')
      }
      assert.notEqual(tally.state, 'pending', 'everyone has voted')
    }),
    { numRuns: 2000 },
  )
})

test('tallies of one bound system do not disturb each other', () => {
  for (const system of [quorum.majority(), quorum.grid([['a', 'b', 'c']]).read]) {
    const bound = system.bind(['a', 'b', 'c'])
    const first = bound.tally()
    for (const position of [0, 1, 2]) first.reply(position)
    assert.equal(first.state, 'reached')
    assert.equal(bound.tally().state, 'pending')
  }
})

test('a reached tally stays reached, and an impossible one impossible, when the others vote', () => {
  for (const system of [quorum.threshold(1), quorum.weighted({ a: 3, b: 2, c: 2 }, 2)]) {
    const reached = system.bind(['a', 'b', 'c']).tally()
    reached.reply(0)
    reached.fail(1)
    reached.fail(2)
    assert.equal(reached.state, 'reached')
  }
  for (const system of [quorum.all(), quorum.weighted({ a: 3, b: 2, c: 2 }, 7)]) {
    const impossible = system.bind(['a', 'b', 'c']).tally()
    impossible.fail(0)
    impossible.reply(1)
    impossible.reply(2)
    assert.equal(impossible.state, 'impossible')
  }
})
