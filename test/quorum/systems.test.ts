// What each system means, what it is called, and what it rejects, with the message.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type QuorumSystem, quorum } from '../../src/quorum/index.ts'

const ABC = ['a', 'b', 'c']
const ids = (size: number): string[] => Array.from({ length: size }, (_, index) => `n${index}`)
const untyped = quorum as unknown as Record<string, (...args: unknown[]) => QuorumSystem>

test('a majority is more than half, also of an even number', () => {
  for (const [size, need] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ]) {
    const bound = quorum.majority().bind(ids(size!))
    assert.equal(bound.needed, `needs ${need} of ${size}`)
    assert.equal(bound.isQuorum(ids(need!)), true)
    assert.equal(bound.isQuorum(ids(need! - 1)), false)
  }
})

test('a Byzantine quorum is more than (n + f) / 2, with the largest f unless given', () => {
  for (const [size, need] of [
    [4, 3],
    [5, 4],
    [6, 4],
    [7, 5],
    [10, 7],
    [13, 9],
  ]) {
    assert.equal(quorum.byzantine().bind(ids(size!)).needed, `needs ${need} of ${size}`)
  }
  assert.equal(quorum.byzantine({ f: 1 }).bind(ids(10)).needed, 'needs 6 of 10')
  assert.equal(quorum.byzantine({ f: 0 }).bind(ids(3)).needed, 'needs 2 of 3')
})

test('any two Byzantine quorums share more than f members, and n - f members are a quorum', () => {
  for (let f = 1; f <= 5; f++) {
    for (let size = 3 * f + 1; size <= 20; size++) {
      const need = quorum.byzantine({ f }).bind(ids(size)).tally()
      let replies = 0
      while (need.state === 'pending') need.reply(replies++)
      assert.ok(2 * replies - size > f, `two quorums of ${replies} out of ${size}`)
      assert.ok(replies <= size - f)
    }
  }
})

test('a grid need not be square: a row reads, a column writes', () => {
  const { read, write } = quorum.grid([
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
  ])
  const members = [...'fedcba']
  assert.deepEqual(read.bind(members).minimalQuorums(), [
    ['c', 'b', 'a'],
    ['f', 'e', 'd'],
  ])
  assert.deepEqual(write.bind(members).minimalQuorums(), [
    ['d', 'a'],
    ['e', 'b'],
    ['f', 'c'],
  ])
})

test('joint consensus needs the system in both sets of members, which a configuration can give', () => {
  const bound = quorum.joint(ABC, { members: ['c', 'd', 'e'] }, quorum.majority()).bind([...'abcde'])
  assert.equal(bound.isQuorum(['a', 'b', 'd', 'e']), true)
  assert.equal(bound.isQuorum(['a', 'c', 'd']), true)
  assert.equal(bound.isQuorum(ABC), false)
  assert.equal(bound.isQuorum(['c', 'd', 'e']), false)
})

test('choosing both a row and a column makes quorums that meet each other', () => {
  const { read, write } = quorum.grid([
    ['a', 'b'],
    ['c', 'd'],
  ])
  const both = quorum.choose(2, [read, write])
  assert.deepEqual(quorum.intersects(both, both, [...'abcd']), { intersects: true })
  assert.equal(both.bind([...'abcd']).minimalQuorums().length, 4)
})

test('a nested system is over the nodes that it names, or over all members', () => {
  const bound = quorum.choose(2, ['a', quorum.majority(), quorum.weighted({ b: 1, c: 1 }, 2)]).bind([...'abcde'])
  assert.equal(bound.isQuorum(['b', 'c']), false)
  assert.equal(bound.isQuorum(['b', 'c', 'a']), true)
  assert.equal(bound.isQuorum(['b', 'c', 'd']), true)
  assert.equal(bound.isQuorum(['a', 'd']), false)
})

test('what was passed can be changed afterwards without changing the system', () => {
  const votes: Record<string, number> = { a: 2, b: 1, c: 1 }
  const rows = [['a', 'b', 'c']]
  const members = [...ABC]
  const systems = [quorum.weighted(votes, 3), quorum.grid(rows).read, quorum.joint(members, rows[0]!, quorum.all())]
  const bound = quorum.all().bind(members)
  votes.a = 9
  rows[0]!.push('d')
  members.push('d')
  for (const system of systems) assert.doesNotThrow(() => system.bind(ABC))
  assert.deepEqual(bound.members, ABC)
})

const { read, write } = quorum.grid([
  ['a', 'b', 'c'],
  ['d', 'e', 'f'],
])
const triple = quorum.choose(2, ABC)
const WORDS: readonly (readonly [QuorumSystem, string, string, string])[] = [
  [quorum.majority(), 'abcde', 'majority', 'needs 3 of 5'],
  [quorum.threshold(3), 'abcde', 'threshold(3)', 'needs 3 of 5'],
  [quorum.all(), 'abc', 'all', 'needs 3 of 3'],
  [quorum.byzantine(), 'abcd', 'byzantine', 'needs 3 of 4'],
  [quorum.byzantine({ f: 1 }), 'abcde', 'byzantine(f=1)', 'needs 4 of 5'],
  [quorum.weighted({ a: 2, b: 1, c: 1 }, 3), 'abc', 'weighted(3 of 4 votes)', 'needs 3 of 4 votes'],
  [read, 'abcdef', 'grid(2x3).read', 'needs one whole row of the 2x3 grid'],
  [write, 'abcdef', 'grid(2x3).write', 'needs one whole column of the 2x3 grid'],
  [quorum.choose(1, ['d', triple]), 'abcd', 'choose(1 of 2)', 'needs 1 of {d, 2 of {a, b, c}}'],
  [
    quorum.choose(9, [...'abcdefghij']),
    'abcdefghij',
    'choose(9 of 10)',
    'needs 9 of {a, b, c, d, e, f, g, h and 2 more}',
  ],
  [
    quorum.joint(ABC, ['c', 'd'], quorum.majority()),
    'abcd',
    'joint(majority)',
    'needs 2 of 3 in {a, b, c} and 2 of 2 in {c, d}',
  ],
]
for (const [system, members, name, needed] of WORDS) {
  test(`${name} says that it ${needed}`, () => {
    const bound = system.bind([...members])
    assert.equal(system.name, name)
    assert.equal(bound.needed, needed)
    assert.equal(bound.system, system)
    assert.deepEqual(bound.members, [...members])
  })
}

type Rejection = readonly [attempt: () => unknown, message: string]
const bindABC = (system: QuorumSystem) => () => system.bind(ABC)

const RANGE_ERRORS: Readonly<Record<string, Rejection>> = {
  'a threshold of 0': [() => quorum.threshold(0), 'quorum.threshold: k must be a whole number of at least 1, got 0'],
  'a threshold of 1.5': [
    () => quorum.threshold(1.5),
    'quorum.threshold: k must be a whole number of at least 1, got 1.5',
  ],
  'a threshold of NaN': [
    () => quorum.threshold(NaN),
    'quorum.threshold: k must be a whole number of at least 1, got NaN',
  ],
  'a threshold above the number of members': [
    bindABC(quorum.threshold(4)),
    'quorum threshold(4): there are only 3 members; use a k of 1 to 3',
  ],
  'Byzantine quorums of three': [
    bindABC(quorum.byzantine()),
    'quorum byzantine: 3 members can not tolerate f = 1 Byzantine (n > 3f): use at least 4 members, ' +
      'or majority() if none of them lies',
  ],
  'more Byzantine members than a third': [
    () => quorum.byzantine({ f: 2 }).bind(ids(6)),
    'quorum byzantine(f=2): 6 members can not tolerate f = 2 Byzantine (n > 3f): use at least 7 members ' +
      'or a smaller f',
  ],
  'a negative f': [
    () => quorum.byzantine({ f: -1 }),
    'quorum.byzantine: f must be a whole number of at least 0, got -1',
  ],
  'negative votes': [
    () => quorum.weighted({ a: -1 }, 1),
    "quorum.weighted: the votes of node 'a' must be a whole number of at least 0, got -1",
  ],
  'votes for nobody': [() => quorum.weighted({}, 1), 'quorum.weighted: votes is empty: name at least one'],
  'no votes at all': [
    () => quorum.weighted({ a: 0 }, 1),
    'quorum.weighted: the sum of all votes must be a whole number of at least 1, got 0',
  ],
  'a need of 0 votes': [
    () => quorum.weighted({ a: 1 }, 0),
    'quorum.weighted: need must be a whole number of at least 1, got 0',
  ],
  'a need of more votes than there are': [
    () => quorum.weighted({ a: 1, b: 1 }, 3),
    'quorum.weighted: need is 3, but all nodes together have 2 votes',
  ],
  'votes for a node that is no member': [
    bindABC(quorum.weighted({ a: 1, b: 1, c: 1, x: 1 }, 2)),
    "quorum weighted(2 of 4 votes): node 'x' is not one of the 3 members (a, b, c)",
  ],
  'a member without votes': [
    bindABC(quorum.weighted({ a: 1, b: 1 }, 2)),
    "quorum weighted(2 of 2 votes): member 'c' has no place in it (it names a, b): name every member, and no others",
  ],
  'a grid without rows': [() => quorum.grid([]), 'quorum.grid: rows is empty: name at least one'],
  'a grid with an empty row': [() => quorum.grid([[]]), 'quorum.grid: rows[0] is empty: name at least one'],
  'a grid with rows of different lengths': [
    () => quorum.grid([['a', 'b'], ['c']]),
    'quorum.grid: rows[1] has 1 nodes and rows[0] has 2: give every row the same number',
  ],
  'a node that is in a grid twice': [
    () =>
      quorum.grid([
        ['a', 'b'],
        ['c', 'a'],
      ]),
    "quorum.grid: rows names node 'a' twice: name each node once",
  ],
  'a node that is in a row twice': [
    () => quorum.grid([['a', 'a']]),
    "quorum.grid: rows[0] names node 'a' twice: name each node once",
  ],
  'a grid with a node that is no member': [
    bindABC(quorum.grid([['a', 'b', 'c', 'd']]).write),
    "quorum grid(1x4).write: node 'd' is not one of the 3 members (a, b, c)",
  ],
  'a member that is not in the grid': [
    bindABC(quorum.grid([['a'], ['b']]).read),
    "quorum grid(2x1).read: member 'c' has no place in it (it names a, b): name every member, and no others",
  ],
  'choosing none': [() => quorum.choose(0, ABC), 'quorum.choose: k must be a whole number of at least 1, got 0'],
  'choosing from nothing': [() => quorum.choose(1, []), 'quorum.choose: parts is empty: name at least one'],
  'choosing more than there are': [
    () => quorum.choose(3, ['a', 'b']),
    'quorum.choose: k is 3, but there are only 2 parts to choose from',
  ],
  'choosing from the same node twice': [
    () => quorum.choose(1, ['a', triple, 'a']),
    "quorum.choose: parts names node 'a' twice: name each node once",
  ],
  'choosing from a node that is no member': [
    bindABC(quorum.choose(1, ['x', quorum.all()])),
    "quorum choose(1 of 2): node 'x' is not one of the 3 members (a, b, c)",
  ],
  'choosing from a nested system with a node that is no member': [
    bindABC(quorum.choose(1, [quorum.all(), quorum.choose(1, ['x'])])),
    "quorum choose(1 of 1): node 'x' is not one of the 3 members (a, b, c)",
  ],
  'a member that is not among the nodes to choose from': [
    bindABC(quorum.choose(1, ['a', 'b'])),
    "quorum choose(1 of 2): member 'c' has no place in it (it names a, b): name every member, and no others",
  ],
  'a nested system that does not fit': [
    bindABC(quorum.choose(1, [quorum.threshold(4)])),
    'quorum threshold(4): there are only 3 members; use a k of 1 to 3',
  ],
  'joint members that are empty': [
    () => quorum.joint([], ABC, quorum.all()),
    'quorum.joint: membersA is empty: name at least one',
  ],
  'a joint member that is no member': [
    bindABC(quorum.joint(ABC, ['d'], quorum.all())),
    "quorum joint(all): node 'd' is not one of the 3 members (a, b, c)",
  ],
  'a member in neither of the joint sets': [
    bindABC(quorum.joint(['a'], ['b'], quorum.all())),
    "quorum joint(all): member 'c' has no place in it (it names a, b): name every member, and no others",
  ],
  'a system that fits only one of the joint sets': [
    bindABC(quorum.joint(ABC, ['a'], quorum.threshold(2))),
    'quorum threshold(2): there are only 1 members; use a k of 1 to 1',
  ],
  'no members': [() => quorum.majority().bind([]), 'quorum majority: members is empty: name at least one'],
  'a member twice': [
    () => quorum.majority().bind(['a', 'b', 'a']),
    "quorum majority: members names node 'a' twice: name each node once",
  ],
  'a member without an id': [
    () => quorum.majority().bind(['a', '']),
    'quorum majority: members[1] must be a node id, got an empty string',
  ],
  'asking whether an unknown node makes a quorum': [
    () => quorum.majority().bind(ABC).isQuorum(['a', 'x']),
    "quorum majority: node 'x' is not one of the 3 members (a, b, c)",
  ],
  'asking what an unknown failed node makes impossible': [
    () => quorum.majority().bind(ABC).canBecome([], ['x']),
    "quorum majority: node 'x' is not one of the 3 members (a, b, c)",
  ],
  'listing too many quorums': [
    () => quorum.majority().bind(ids(31)).minimalQuorums(),
    'quorum majority over 31 members: more than 100000 sets to search for its quorums; ask about a smaller system',
  ],
}

const TYPE_ERRORS: Readonly<Record<string, Rejection>> = {
  'a threshold that is no number': [() => untyped.threshold!('3'), 'quorum.threshold: k must be a number, got string'],
  'an f that is no number': [() => untyped.byzantine!({ f: '1' }), 'quorum.byzantine: f must be a number, got string'],
  'a bare number as Byzantine options': [
    () => untyped.byzantine!(1),
    'quorum.byzantine: options must be an object such as { f: 1 }, got number',
  ],
  'votes that are no object': [
    () => untyped.weighted!(['a'], 1),
    'quorum.weighted: votes must be an object such as { a: 2, b: 1 }, got an array',
  ],
  'votes that are no numbers': [
    () => untyped.weighted!({ a: '1' }, 1),
    "quorum.weighted: the votes of node 'a' must be a number, got string",
  ],
  'a need that is missing': [
    () => untyped.weighted!({ a: 1 }),
    'quorum.weighted: need must be a number, got undefined',
  ],
  'rows that are no array': [() => untyped.grid!({}), 'quorum.grid: rows must be an array, got object'],
  'a row that is no array': [() => untyped.grid!(['ab']), 'quorum.grid: rows[0] must be an array, got string'],
  'a node id that is no string': [
    () => untyped.grid!([[1]]),
    'quorum.grid: rows[0][0] must be a node id (a string), got number',
  ],
  'parts that are no array': [() => untyped.choose!(1, 'abc'), 'quorum.choose: parts must be an array, got string'],
  'a part that is neither node nor system': [
    () => untyped.choose!(1, ['a', null]),
    'quorum.choose: parts[1], if no node id, must be a quorum system made by quorum.…, got null',
  ],
  'joint members that are no list': [
    () => untyped.joint!(ABC, 3, quorum.all()),
    'quorum.joint: membersB must be an array, got number',
  ],
  'a joint system that is none': [
    () => untyped.joint!(ABC, ABC, 'majority'),
    'quorum.joint: system must be a quorum system made by quorum.…, got string',
  ],
  'members that are no array': [
    () => quorum.majority().bind('abc' as unknown as string[]),
    'quorum majority: members must be an array, got string',
  ],
  'comparing what is no system': [
    () => untyped.intersects!(quorum.all(), {}, ABC),
    'quorum.intersects: the second argument must be a quorum system, bound or not, got object',
  ],
  'comparing systems without members': [
    () => quorum.intersects(quorum.all(), quorum.all()),
    'quorum.intersects: the first argument, all, is not bound: pass the members as third argument',
  ],
}

for (const [name, [attempt, message]] of Object.entries(RANGE_ERRORS)) {
  test(`${name}: a RangeError that says why`, () => assert.throws(attempt, { name: 'RangeError', message }))
}
for (const [name, [attempt, message]] of Object.entries(TYPE_ERRORS)) {
  test(`${name}: a TypeError that says why`, () => assert.throws(attempt, { name: 'TypeError', message }))
}
