// Reports: what they say of figures that are given to them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Section } from '../../bench/experiments/benchmark.ts'
import { largePayloadFacts } from '../../bench/experiments/full-benchmarks.ts'
import { echoPoint } from '../../bench/experiments/goal-points.ts'
import type { PointResult } from '../../bench/experiments/point.ts'
import { changes } from '../../bench/report/baseline.ts'
import { judge } from '../../bench/report/goals.ts'
import { page } from '../../bench/report/page.ts'
import { plotsOf } from '../../bench/report/plots.ts'
import { barPlot, linePlot, short } from '../../bench/report/svg.ts'
import { markdown } from '../../bench/report/text.ts'
import { report, result, section } from './made-report.ts'

describe('goals', () => {
  it('are judged by rounds that stood side by side, not by medians of rounds that did not', () => {
    // A slow second was the second turn's, in which the floor had half of its speed as well.
    const verdicts = judge([
      section('64x16B', result('gorums', 70, 40, 90), result('floor', 100, 50, 120), result('grpc-stream', 4, 2, 5)),
    ])
    assert.deepEqual(
      verdicts.map(({ against, value, isMet }) => [against, value, isMet]),
      [
        ['floor', 0.75, true],
        ['grpc-stream', 18, false],
      ],
    )
  })

  it('are judged by facts, and left out when there is no figure', () => {
    const stopped: Section = { ...section('stopped'), facts: [{ name: 'memory growth', value: 0.2, unit: 'share' }] }
    assert.deepEqual(
      judge([stopped]).map(({ fact, isMet }) => [fact, isMet]),
      [['memory growth', false]],
    )
  })
})

describe('large payloads', () => {
  it('are judged by the least ratio to a stream per call from 64 KiB to 4 MiB', () => {
    const KIB = 1024
    const at = (payloadBytes: number, ours: number): PointResult => ({
      point: echoPoint('payload', 4, payloadBytes),
      results: [result('gorums', ours), result('grpc-unary', 10)],
    })
    const points = [at(KIB, 1), at(64 * KIB, 25), at(1024 * KIB, 9), at(4096 * KIB, 30), at(16384 * KIB, 1)]
    const facts = largePayloadFacts(points)
    assert.deepEqual(
      judge([{ name: 'sweep-payload', title: 'larger messages', points, facts }]).map(({ value, isMet }) => [
        value,
        isMet,
      ]),
      [[0.9, false]],
    )
    assert.deepEqual(largePayloadFacts(points.slice(0, 1)), [])
  })
})

describe('a report', () => {
  const made = report(section('64x16B', result('gorums', 10, 11, 12), result('floor', 20, 21, 22)))

  it('says of each target its version, options and code, and of the run its layout', () => {
    assert.deepEqual(
      made.targets.map(({ name }) => name),
      ['gorums', 'floor'],
    )
    for (const part of ['bench/targets/floor.ts', 'codec protobuf', 'one process per server', 'gorums / floor'])
      assert.ok(markdown(made).includes(part), part)
  })

  it('says when the machine was not quiet', () => {
    const disturbed = section('64x16B', { ...result('gorums', 10), others: 0.42 }, result('floor', 20))
    const told = 'others had up to 42 % of it in rounds that count'
    assert.ok(markdown(report(disturbed)).includes(told))
    assert.ok(!markdown(made).includes('not quiet'))
  })

  it('is a page that holds every table and plot and loads nothing', () => {
    const html = page(made)
    assert.equal(html.match(/<svg /g)?.length, plotsOf(made).length)
    assert.ok(html.includes('<td>gorums</td>'))
    assert.ok(html.includes('prefers-color-scheme:dark'))
    assert.doesNotMatch(html, /<script|<link|src=|url\(/)
  })

  it('is compared with an older one: what overlaps has not changed', () => {
    const later = report(section('64x16B', result('gorums', 20, 21, 22), result('floor', 21, 25, 26)))
    assert.deepEqual(changes(made, later), ['64x16B, 64 in flight, 16 B, gorums: +91 % (11 to 21 calls/s)'])
    assert.deepEqual(changes(made, made), [])
  })
})

describe('plots', () => {
  it('have a bar for each value that was measured, the larger the higher, and escape what they are given', () => {
    const svg = barPlot(
      'a <b>',
      'calls/s',
      ['x', 'y'],
      [
        { label: 'p & q', values: [10, undefined] },
        { label: 'r', values: [1000, 100] },
      ],
    )
    const heights = [...svg.matchAll(/width="[\d.]+" height="([\d.]+)"><title>/g)].map((match) => Number(match[1]))
    assert.equal(heights.length, 3)
    assert.ok(heights[0]! < heights[2]! && heights[2]! < heights[1]!)
    assert.ok(svg.includes('a &lt;b&gt;') && svg.includes('p &amp; q'))
  })

  it('put points where their values are, on log and on linear axes', () => {
    const svg = linePlot(
      't',
      [
        {
          name: 's',
          values: [
            [1, 1],
            [10, 2],
            [100, 4],
          ],
        },
      ],
      { label: 'x', isLog: true },
      { label: 'y', isLog: false },
    )
    const [, points] = /points="([^"]+)"/.exec(svg)!
    const [first, second, third] = points!.split(' ').map((place) => place.split(',').map(Number))
    assert.ok(Math.abs(second![0]! - first![0]! - (third![0]! - second![0]!)) < 0.2)
    assert.ok(Math.abs(2 * (first![1]! - second![1]!) - (second![1]! - third![1]!)) < 0.3)
  })

  it('of growth have a mark for each value that was measured, and say where 0 is', () => {
    const points = [0, 16, 64 * 1024].map((bytes) => ({
      point: echoPoint('payload', 4, bytes),
      results: [result('gorums', 10)],
    }))
    const grown: Section = {
      name: 'sweep-payload',
      title: 'larger messages',
      points,
      axis: { label: 'bytes', values: [0, 16, 64 * 1024] },
    }
    const svg = plotsOf(report(grown)).find((plot) => plot.includes('larger messages: throughput'))!
    for (const text of ['>16 B<', '>64 KiB<', '>bytes (0 is in the table only)<']) assert.ok(svg.includes(text), text)
    assert.ok(!svg.includes('>0 B<') && !svg.includes('NaN') && !svg.includes('Infinity'))
  })

  it('write numbers in a few characters', () => {
    assert.deepEqual([0, 0.05, 950, 1234, 234567, 1.5e6].map(short), ['0', '0.05', '950', '1.2k', '235k', '1.5M'])
  })
})
