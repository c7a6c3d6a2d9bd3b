// What the page of an evidence run says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageOf, type Report, type ReportedFinding } from './page.ts'

function pageWith(...findings: ReportedFinding[]): string {
  const isAsPromised = findings.every((finding) => finding.isAsPromised)
  const report: Report = {
    commit: 'abc1234',
    form: 'short',
    at: '2026-01-01T00:00:00.000Z',
    machine: '2 × a <machine>',
    node: 'v20',
    seconds: 3,
    isAsPromised,
    findings,
  }
  return pageOf(report)
}

const FINDING: ReportedFinding = { name: 'one', title: 'One', isAsPromised: true, seconds: 1, figures: {} }

test('the page says first what is not as promised', () => {
  assert.match(pageWith(FINDING), /1 experiments, everything as promised/)
  const page = pageWith(FINDING, { ...FINDING, name: 'two', isAsPromised: false })
  assert.match(page, /Not as promised: two\./)
  assert.doesNotMatch(page, /everything as promised/)
  assert.equal(page.match(/✖/g)?.length, 1)
})

test('figures are tables with words and units, and text stays text', () => {
  const figures = { p99BeforeMs: 4.25, calls: 10_000, failures: [], rows: { a: { peakMiB: 1 }, b: { peakMiB: 2 } } }
  const page = pageWith({ ...FINDING, figures: { ...figures, 'a <kind>': '<b>' } })
  assert.match(page, /<th>p99 before \(ms\)<\/th><td>4\.25</)
  assert.match(page, /<th>calls<\/th><td>10\u202f000</)
  assert.match(page, /<th>failures<\/th><td>none</)
  assert.match(page, /<th><\/th><th>peak \(MiB\)<\/th><\/tr><tr><th>a<\/th><td class="number">1</)
  assert.match(page, /<th>a &lt;kind&gt;<\/th><td>&lt;b&gt;</)
  assert.match(page, /a &lt;machine&gt;/)
})
