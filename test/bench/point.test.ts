// A point: its targets take turns, and one that is too slow for it is left out and named.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkLeaks } from 'gorums/testing'
import { echoPoint } from '../../bench/experiments/goal-points.ts'
import type { Settings } from '../../bench/experiments/point.ts'
import { closeToFastest, leastDisturbed, measurePoint } from '../../bench/experiments/turns.ts'
import { localServers } from '../../bench/processes/server-handle.ts'
import { markdown } from '../../bench/report/text.ts'
import { loadTarget } from '../../bench/targets/targets.ts'
import { report } from './made-report.ts'

function settings(told: string[]): Settings {
  return {
    rounds: 3,
    launches: 1,
    windowMs: 20,
    warmupMs: 20,
    clientFlags: [],
    serverFlags: [],
    source: localServers,
    progress: (line) => told.push(line),
  }
}

describe('a point', () => {
  it('has so many rounds of each target as were asked for', async (t) => {
    checkLeaks(t)
    const told: string[] = []
    const targets = [await loadTarget('gorums'), await loadTarget('floor')]
    const { results, leftOut } = await measurePoint(echoPoint('4x16B', 4, 16), targets, settings(told))
    assert.equal(leftOut, undefined)
    assert.deepEqual(
      results.map(({ target, rounds }) => [target, rounds.length]),
      [
        ['gorums', 3],
        ['floor', 3],
      ],
    )
    assert.equal(told.length, 2)
  })

  it('has a part of the rounds with each launch', async (t) => {
    checkLeaks(t)
    const launches = { ...settings([]), rounds: 5, launches: 2 }
    const { results } = await measurePoint(echoPoint('4x16B', 4, 16), [await loadTarget('floor')], launches)
    assert.deepEqual(
      results.map(({ rounds }) => rounds.length),
      [5],
    )
  })

  it('has five rounds with each launch when it takes long, and fewer only when fewer were asked for', async (t) => {
    checkLeaks(t)
    const roundsOf = async (rounds: number): Promise<number[]> => {
      const long = { ...settings([]), rounds, launches: 2, pointMaxMs: 0 }
      const { results } = await measurePoint(echoPoint('4x16B', 4, 16), [await loadTarget('floor')], long)
      return results.map((each) => each.rounds.length)
    }
    assert.deepEqual(await roundsOf(13), [10])
    assert.deepEqual(await roundsOf(4), [4])
  })

  it('launches again the first target, and what is up to five times as slow as the fastest', () => {
    const rounds = (...speeds: number[]): { callsPerSecond: number }[] =>
      speeds.map((callsPerSecond) => ({ callsPerSecond }))
    const speeds = new Map([
      ['ours', rounds(1, 99, 99)],
      ['floor', rounds(500, 5, 510)],
      ['close', rounds(1, 100, 100)],
      ['other', rounds(99, 99, 900)],
    ])
    assert.deepEqual(closeToFastest(speeds), ['ours', 'floor', 'close'])
  })

  it('leaves out, and names in the report, a target whose warm-up does not end in time', async (t) => {
    checkLeaks(t)
    const told: string[] = []
    const point = echoPoint('4x16B', 4, 16)
    // Its warm-up of 20 ms can not be over after 1.
    const measured = await measurePoint(point, [await loadTarget('floor')], { ...settings(told), warmupMaxMs: 1 })
    const reason = 'its warm-up with 4 calls in flight had not ended after 1 ms'
    assert.deepEqual(measured, { point, results: [], leftOut: [{ target: 'floor', reason }] })
    assert.match(told.join('\n'), /^ {2}floor +left out: its warm-up with 4 calls/)
    const text = markdown(report({ name: point.name, title: point.title, points: [measured] }))
    assert.ok(text.includes(`floor is left out: ${reason}.`), text)
  })

  it('counts the turns that others have not disturbed, and of the rest those that they have disturbed least', () => {
    const turns = [0.5, 0.09, 0.3, 0.02, 0.11].map((others, position) => ({ others, position }))
    const chosen = (count: number): number[] => leastDisturbed(turns, count).map(({ position }) => position)
    // Up to a tenth of the machine counts as nothing: the order of the turns decides.
    assert.deepEqual(chosen(1), [1])
    assert.deepEqual(chosen(2), [1, 3])
    assert.deepEqual(chosen(4), [1, 3, 4, 2])
  })
})
