// The dumb twin of src/quorum: random systems together with a predicate over sets of ids, written straight from the
// definition, and answers found by trying every subset. Shares no code with what it checks.

import fc from 'fast-check'
import { type QuorumSystem, quorum } from '../../src/quorum/index.ts'

export type Predicate = (replied: ReadonlySet<string>) => boolean

/** A system, the members it is for, and what it means. */
export interface Sample {
  readonly text: string
  readonly members: readonly string[]
  readonly system: QuorumSystem
  readonly holds: Predicate
}

const IDS = ['a', 'b', 'c', 'd', 'e', 'f']
const count = (ids: readonly string[], replied: ReadonlySet<string>): number =>
  ids.filter((id) => replied.has(id)).length
const majorityOf =
  (ids: readonly string[]): Predicate =>
  (replied) =>
    count(ids, replied) * 2 > ids.length

const someIDs = fc.shuffledSubarray(IDS, { minLength: 1 })

const thresholds: fc.Arbitrary<Sample> = someIDs.chain((members) =>
  fc.integer({ min: 1, max: members.length }).map((k) => ({
    text: `threshold(${k})`,
    members,
    system: quorum.threshold(k),
    holds: (replied: ReadonlySet<string>) => count(members, replied) >= k,
  })),
)

const majorities: fc.Arbitrary<Sample> = someIDs.map((members) => ({
  text: 'majority',
  members,
  system: quorum.majority(),
  holds: majorityOf(members),
}))

const weights: fc.Arbitrary<Sample> = someIDs
  .chain((members) => fc.tuple(fc.constant(members), fc.array(fc.nat(4), { minLength: 6, maxLength: 6 }), fc.nat()))
  .map(([members, votes, seed]) => {
    const byID = new Map(members.map((id, index) => [id, index === 0 ? votes[0]! + 1 : votes[index]!]))
    const sum = [...byID.values()].reduce((total, vote) => total + vote, 0)
    const need = 1 + (seed % sum)
    return {
      text: `weighted(${JSON.stringify(Object.fromEntries(byID))}, ${need})`,
      members,
      system: quorum.weighted(Object.fromEntries(byID), need),
      holds: (replied: ReadonlySet<string>) =>
        members.reduce((total, id) => total + (replied.has(id) ? byID.get(id)! : 0), 0) >= need,
    }
  })

const grids: fc.Arbitrary<Sample> = fc
  .tuple(fc.constantFrom([1, 1], [1, 3], [3, 1], [2, 2], [2, 3], [3, 2]), fc.boolean())
  .map(([[rows, columns], read]) => {
    const members = IDS.slice(0, rows! * columns!)
    const lines = Array.from({ length: rows! }, (_, row) => members.slice(row * columns!, (row + 1) * columns!))
    const { read: byRow, write: byColumn } = quorum.grid(lines)
    return {
      text: `grid ${rows}x${columns} ${read ? 'read' : 'write'}`,
      members,
      system: read ? byRow : byColumn,
      holds: (replied: ReadonlySet<string>) =>
        read
          ? lines.some((line) => line.every((id) => replied.has(id)))
          : lines[0]!.some((_, column) => lines.every((line) => replied.has(line[column]!))),
    }
  })

const naming = fc.oneof(weights, grids)
const simple = fc.oneof(thresholds, majorities, weights, grids)

const joints: fc.Arbitrary<Sample> = fc.tuple(someIDs, someIDs).map(([a, b]) => ({
  text: `joint(${a}; ${b})`,
  members: [...new Set([...a, ...b])],
  system: quorum.joint(a, { members: b }, quorum.majority()),
  holds: (replied) => majorityOf(a)(replied) && majorityOf(b)(replied),
}))

const chooseOf = (parts: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc
    .tuple(fc.array(parts, { maxLength: 3 }), fc.shuffledSubarray(IDS, { maxLength: 3 }), fc.boolean(), fc.nat())
    .filter(([nested, direct, all]) => nested.length + direct.length + (all ? 1 : 0) > 0)
    .map(([nested, direct, withMajority, seed]) => {
      const members = [...new Set([...direct, ...nested.flatMap((part) => part.members)])]
      if (members.length === 0) members.push('a')
      const predicates: Predicate[] = [
        ...direct.map(
          (id): Predicate =>
            (replied) =>
              replied.has(id),
        ),
        ...nested.map((part) => part.holds),
        ...(withMajority ? [majorityOf(members)] : []),
      ]
      const k = 1 + (seed % predicates.length)
      const systems = nested.map((part) => part.system)
      return {
        text: `choose(${k}, [${[...direct, ...nested.map((part) => part.text), ...(withMajority ? ['majority'] : [])]}])`,
        members,
        system: quorum.choose(k, [...direct, ...systems, ...(withMajority ? [quorum.majority()] : [])]),
        holds: (replied: ReadonlySet<string>) => predicates.filter((predicate) => predicate(replied)).length >= k,
      }
    })

// A nested system must name its nodes, or the twin would have to know over which members it is.
const chosen = chooseOf(fc.oneof(naming, joints, chooseOfNames()))

function chooseOfNames(): fc.Arbitrary<Sample> {
  return someIDs.chain((ids) =>
    fc.integer({ min: 1, max: ids.length }).map((k) => ({
      text: `choose(${k}, [${ids}])`,
      members: ids,
      system: quorum.choose(k, ids),
      holds: (replied: ReadonlySet<string>) => count(ids, replied) >= k,
    })),
  )
}

/** Any system over at most six members, with parts that may share nodes. */
export const samples: fc.Arbitrary<Sample> = fc.oneof(simple, joints, chosen, chosen).map((sample) => ({
  ...sample,
  toString: () => `${sample.text} over ${sample.members}`,
}))

/** All subsets, smallest masks first. */
export function subsets(ids: readonly string[]): ReadonlySet<string>[] {
  return Array.from({ length: 2 ** ids.length }, (_, mask) => new Set(ids.filter((_id, index) => (mask >> index) & 1)))
}

/** Every quorum that has no smaller one in it. */
export function minimalQuorums({ members, holds }: Sample): ReadonlySet<string>[] {
  return subsets(members).filter(
    (set) => holds(set) && [...set].every((id) => !holds(new Set([...set].filter((other) => other !== id)))),
  )
}

/** The most failures f such that every f members can fail. */
export function survives({ members, holds }: Sample): number {
  const fatal = subsets(members).filter((failed) => !holds(new Set(members.filter((id) => !failed.has(id)))))
  return Math.min(...fatal.map((failed) => failed.size)) - 1
}
