// Quorums are counted against the declared members: no view, order, skipped node, failure or lost connection lets a minority
// pass for a quorum, and after a change of members a system still intersects or is refused.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  byID,
  type Configuration,
  lastError,
  latency,
  QuorumError,
  type QuorumSystem,
  quorum,
  quorumCall,
  quorumStream,
  service,
} from 'gorums'
import type { TestContextLike } from 'gorums/testing'
import { CRASH, connectCluster, type Handling, LIMIT, rejection } from './cluster.ts'
import { Puppet, Puppets, type Question } from './puppets.ts'

interface Vote {
  /** The ids of the nodes that say yes; the others fail. */
  readonly yes: string
}

const Ballot = service('safety.Ballot', { vote: quorumCall<Vote, string>(), votes: quorumStream<Vote, string>() })
const FIVE = 'abcde'

function decide({ yes }: Vote, nodeID: string): string {
  if (!yes.includes(nodeID)) throw new Error('no')
  return nodeID
}

function setup(server: Handling, nodeID: string): void {
  server.handle(Ballot, {
    vote: (request) => decide(request, nodeID),
    *votes(request) {
      for (let item = 0; item < 5; item++) yield decide(request, nodeID)
    },
  })
}

async function start(t: TestContextLike, count = 5) {
  const { cluster, configuration } = await connectCluster(t, count, setup)
  return { cluster, configuration }
}

/** Every subset of some letters. */
function subsets(letters: string): string[] {
  return Array.from({ length: 2 ** letters.length }, (_, mask) =>
    [...letters].filter((_, position) => (mask >> position) % 2 === 1).join(''),
  )
}

/** Whether the call got its quorum. What it got must be what the nodes said. */
async function reaches(configuration: Configuration, system: QuorumSystem, vote: Vote, skips = ''): Promise<boolean> {
  const perNode = (request: Vote, { id }: { id: string }): Vote | undefined =>
    skips.includes(id) ? undefined : request
  try {
    const replies = await configuration
      .client(Ballot)
      .vote(vote, skips === '' ? {} : { perNode })
      .quorum(system)
    for (const [nodeID, value] of replies) assert.equal(value, nodeID)
    return true
  } catch (error) {
    assert.ok(error instanceof QuorumError, String(error))
    assert.equal(error.reason, 'impossible')
    return false
  }
}

test(
  'a majority is one of the members, whoever is contacted and whoever answers: all subsets of five',
  LIMIT,
  async (t) => {
    const { configuration } = await start(t)
    for (const contacted of subsets(FIVE)) {
      const view = configuration.subset([...contacted])
      for (const yes of subsets(FIVE)) {
        const answering = [...contacted].filter((id) => yes.includes(id))
        const expected = answering.length >= 3
        assert.equal(
          await reaches(view, quorum.majority(), { yes }),
          expected,
          `${contacted} contacted, ${yes} say yes`,
        )
      }
    }
  },
)

test('skipped nodes are not replies: all subsets of five skipped, all say yes', LIMIT, async (t) => {
  const { configuration } = await start(t)
  for (const skipped of subsets(FIVE)) {
    for (const yes of [FIVE, 'abc', 'ab', 'cde'])
      assert.equal(
        await reaches(configuration, quorum.majority(), { yes }, skipped),
        [...yes].filter((id) => !skipped.includes(id)).length >= 3,
        `${skipped} skipped, ${yes} say yes`,
      )
  }
})

test(
  'grids, weights and nested systems hold in a view exactly when those who answer are a quorum',
  LIMIT,
  async (t) => {
    const { configuration } = await start(t, 4)
    const { read, write } = quorum.grid([
      ['a', 'b'],
      ['c', 'd'],
    ])
    const systems = [
      read,
      write,
      quorum.byzantine(),
      quorum.weighted({ a: 3, b: 1, c: 1, d: 1 }, 4),
      quorum.choose(2, [read, 'a', quorum.threshold(3)]),
      quorum.joint(['a', 'b', 'c'], ['b', 'c', 'd'], quorum.majority()),
    ]
    for (const system of systems) {
      const bound = configuration.bind(system)
      for (const contacted of ['abcd', 'abc', 'ad', 'bc', 'd']) {
        const view = configuration.subset([...contacted])
        for (const yes of subsets('abcd')) {
          const expected = bound.isQuorum([...yes].filter((id) => contacted.includes(id)))
          assert.equal(await reaches(view, system, { yes }), expected, `${system.name}: ${contacted}, ${yes} say yes`)
        }
      }
    }
  },
)

/** Every end that promises a majority, and declared ones. */
const MAJORITIES: readonly ((configuration: Configuration, vote: Vote) => Promise<unknown>)[] = [
  (configuration, vote) => configuration.client(Ballot).vote(vote).majority(),
  (configuration, vote) => configuration.client(Ballot).vote(vote).threshold(3),
  (configuration, vote) =>
    configuration
      .client(Ballot)
      .vote(vote)
      .matching(3, () => true),
  (configuration, vote) => configuration.client(Ballot).votes(vote).majority(),
  (configuration, vote) => configuration.client(Ballot).votes(vote).correctable().reached(3),
  (configuration, vote) => configuration.client(Ballot).vote(vote).correctable().reached(3),
  (configuration, vote) =>
    configuration
      .client(Ballot, { quorum: quorum.majority(), functions: { vote: () => 'any' } })
      .vote(vote)
      .result(),
  (configuration, vote) =>
    configuration
      .client(Ballot, { quorum: quorum.majority() })
      .votes(vote)
      .reduce(() => 'any'),
]

test('two of five never get a majority, by any end, in any view, in any state of the connections', LIMIT, async (t) => {
  const { cluster, configuration } = await start(t)
  const views: readonly (readonly [string, (from: Configuration) => Configuration])[] = [
    ['the configuration itself', (from) => from],
    ['a subset', (from) => from.subset(['a', 'b'])],
    ['without three', (from) => from.without(['c', 'd', 'e'])],
    ['the two fastest', (from) => from.sortBy(latency).take(2)],
    ['the two without errors', (from) => from.sortBy(lastError, byID).take(2)],
    ['a view of a view', (from) => from.without('e').sortBy(byID).take(3).subset(['b', 'a'])],
    ['nobody', (from) => from.subset([])],
  ]
  const refusesEverywhere = async (yes: string): Promise<void> => {
    for (const [what, view] of views) {
      for (const [index, majority] of MAJORITIES.entries()) {
        const error = await rejection(majority(view(configuration), { yes }), QuorumError)
        assert.equal(error.reason, 'impossible', `${what}, end ${index}`)
      }
    }
  }
  await refusesEverywhere('ab')
  await cluster.stop('e', CRASH)
  await cluster.stop('d', CRASH)
  await cluster.stop('c', CRASH)
  await refusesEverywhere(FIVE)
  await configuration.waitFor(({ down }) => down.size === 3)
  await refusesEverywhere(FIVE)
  const failed = await rejection(configuration.client(Ballot).vote({ yes: FIVE }).majority(), QuorumError)
  assert.equal(configuration.without(failed).size, 2)
  await rejection(configuration.without(failed).client(Ballot).vote({ yes: FIVE }).majority(), QuorumError)
  for await (const view of configuration.watch({}, (each) => each.without([...each.status.down]))) {
    await rejection(view.client(Ballot).vote({ yes: FIVE }).majority(), QuorumError)
    break
  }
  await cluster.restart('c')
  await configuration.waitFor(({ connected }) => connected.size === 3)
  assert.equal((await configuration.client(Ballot).vote({ yes: FIVE }).majority()).size, 3)
})

test(
  'a view counts its members, not its contacts: k of the members is sent, k beyond them is a RangeError',
  LIMIT,
  async (t) => {
    const { configuration } = await start(t)
    const view = configuration.subset(['a', 'b'])
    assert.deepEqual([view.size, view.members.length], [2, 5])
    assert.equal((await view.client(Ballot).vote({ yes: FIVE }).threshold(2)).size, 2)
    const error = await rejection(view.client(Ballot).vote({ yes: FIVE }).threshold(3), QuorumError)
    assert.equal(error.reason, 'impossible')
    assert.match(error.message, /3 of 5.*not contacted: c, d, e/)
    assert.throws(() => view.client(Ballot).vote({ yes: FIVE }).threshold(6), RangeError)
    assert.throws(() => view.client(Ballot).vote({ yes: FIVE }).matching(6), RangeError)
    assert.equal((await view.client(Ballot).vote({ yes: FIVE }).all()).size, 2)
  },
)

test('contacts that are too few for a quorum are an error before any of them has answered', LIMIT, async (t) => {
  const puppets = new Puppets()
  const { configuration } = await connectCluster(t, 5, puppets.setup)
  const client = configuration.subset(['a', 'b']).client(Puppet)
  const skipping = { perNode: (request: Question, { id }: { id: string }) => ('ab'.includes(id) ? request : undefined) }
  for (const majority of [
    client.ask({ text: 'view' }).majority(),
    client.follow({ text: 'view' }).majority(),
    configuration.client(Puppet).ask({ text: 'skipped' }, skipping).majority(),
    configuration.subset([]).client(Puppet).ask({ text: 'nobody' }).majority(),
  ]) {
    const error = await rejection(majority, QuorumError)
    assert.equal(error.reason, 'impossible')
    assert.equal((error.replies as { size: number }).size, 0)
  }
})

test('a call keeps counting the members that it was made with', LIMIT, async (t) => {
  const { configuration } = await start(t)
  const smaller = configuration.remove('d', 'e')
  t.after(() => smaller.close())
  const before = configuration.client(Ballot, { quorum: quorum.majority() })
  const after = smaller.client(Ballot, { quorum: quorum.majority() })
  assert.equal((await after.vote({ yes: 'ab' }).result()).size, 2, 'two of three')
  await rejection(before.vote({ yes: 'ab' }).result(), QuorumError)
  assert.equal((await before.vote({ yes: 'abd' }).result()).size, 3, 'three of five')
  await rejection(after.vote({ yes: 'ade' }).result(), QuorumError)
})

test('after a change of members a system intersects itself, or is refused with a RangeError', LIMIT, async (t) => {
  const { cluster, configuration } = await start(t, 4)
  const grid = quorum.grid([
    ['a', 'b'],
    ['c', 'd'],
  ])
  const systems: readonly (readonly [QuorumSystem, QuorumSystem])[] = [
    [quorum.majority(), quorum.majority()],
    [quorum.all(), quorum.threshold(1)],
    [quorum.byzantine(), quorum.byzantine()],
    [grid.read, grid.write],
    [quorum.weighted({ a: 2, b: 1, c: 1, d: 1 }, 3), quorum.weighted({ a: 2, b: 1, c: 1, d: 1 }, 3)],
    [quorum.choose(2, [grid.read, grid.write]), quorum.choose(2, [grid.read, grid.write])],
  ]
  const removed = configuration.remove('d')
  const changed = [
    removed,
    configuration.remove('a', 'b'),
    await removed.add({ e: cluster.addresses.d! }),
    await configuration.add({ e: cluster.addresses.a! }),
    await configuration.replace('a', { e: cluster.addresses.a! }),
  ]
  t.after(async () => {
    for (const each of changed) await each.close()
  })
  let refused = 0
  for (const each of changed) {
    for (const [read, write] of systems) {
      try {
        each.bind(read)
        each.bind(write)
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error))
        assert.throws(() => each.client(Ballot, { quorum: { vote: read, votes: write } }), RangeError)
        refused++
        continue
      }
      assert.equal(quorum.intersects(read, write, each.members).intersects, true, `${read.name} of ${each.members}`)
    }
  }
  // The systems that name nodes fit no other members; three or two nodes do not tolerate a liar.
  assert.equal(refused, 3 * changed.length + 2)
})

test('two joint configurations both have to agree while members change', LIMIT, async (t) => {
  const { configuration } = await start(t)
  const old = configuration.remove('d', 'e')
  const next = configuration.remove('a', 'b')
  t.after(async () => {
    await old.close()
    await next.close()
  })
  const both = quorum.joint(old, next, quorum.majority())
  assert.equal(await reaches(configuration, both, { yes: 'abc' }), false, 'one of the new three')
  assert.equal(await reaches(configuration, both, { yes: 'acd' }), true)
  assert.equal(await reaches(configuration, both, { yes: 'cde' }), false, 'one of the old three')
  const ofViews = quorum.joint(old.take(1), next.without(['d', 'e']), quorum.majority())
  assert.equal(await reaches(configuration, ofViews, { yes: 'ac' }), false, 'views have the members of the whole')
  assert.equal(await reaches(configuration, ofViews, { yes: 'acd' }), true)
})
