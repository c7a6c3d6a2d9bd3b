// Tallies of every kind of quorum system, beside a plain counter that waits for as many replies as the tally did. One
// operation is the tally of one call: it is made, told of replies in the order of the members, and asked after each.

import type { BoundQuorum, QuorumSystem, Tally } from '../../src/quorum/index.ts'
import { quorum } from '../../src/quorum/index.ts'
import { type Candidate, compare } from './comparison.ts'

const OPERATIONS = 1000
/** Tallies live as long as their calls: so many are in flight, and none is a local variable only. */
const IN_FLIGHT = 64

interface Counter {
  missing: number
}

function counter(need: number, members: number): Candidate {
  const inFlight: Counter[] = Array.from({ length: IN_FLIGHT }, () => ({ missing: need }))
  const run = (): number => {
    let replies = 0
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const tally = { missing: need }
      inFlight[operation % IN_FLIGHT] = tally
      for (let position = 0; position < members; position++) {
        replies++
        tally.missing--
        if (tally.missing === 0) break
      }
    }
    return replies
  }
  return { name: `counter to ${need}`, run }
}

function ours(name: string, bound: BoundQuorum): Candidate {
  const inFlight: Tally[] = Array.from({ length: IN_FLIGHT }, () => bound.tally())
  const members = bound.members.length
  const run = (): number => {
    let replies = 0
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const tally = bound.tally()
      inFlight[operation % IN_FLIGHT] = tally
      for (let position = 0; position < members; position++) {
        replies++
        tally.reply(position)
        if (tally.state === 'reached') break
      }
    }
    return replies
  }
  return { name, run }
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index + 1}`)
const grid = [ids(9).slice(0, 3), ids(9).slice(3, 6), ids(9).slice(6)]

const SYSTEMS: readonly (readonly [string, number, QuorumSystem])[] = [
  ['majority of 3', 3, quorum.majority()],
  ['majority of 5', 5, quorum.majority()],
  ['threshold 7 of 7', 7, quorum.threshold(7)],
  ['majority of 31', 31, quorum.majority()],
  ['weighted, 5 nodes', 5, quorum.weighted({ n1: 3, n2: 2, n3: 2, n4: 1, n5: 1 }, 5)],
  ['grid 3x3, a row', 9, quorum.grid(grid).read],
  ['grid 3x3, a column', 9, quorum.grid(grid).write],
  ['joint, 3 to 5 nodes', 5, quorum.joint(ids(3), ids(5), quorum.majority())],
  [
    'choose 2 of 3 majorities of 3',
    9,
    quorum.choose(
      2,
      grid.map((group) => quorum.choose(2, group)),
    ),
  ],
]

for (const [name, count, system] of SYSTEMS) {
  const bound = system.bind(ids(count))
  const tally = bound.tally()
  let need = 0
  while (tally.state !== 'reached') tally.reply(need++)
  await compare(name, OPERATIONS, [counter(need, count), ours('Tally (src/quorum/tally.ts)', bound)])
}
