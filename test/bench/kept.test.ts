// Reports that were written before: shown again, and compared with.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { page } from '../../bench/report/page.ts'
import { throughputPlot } from '../../bench/report/plots.ts'
import type { Report } from '../../bench/report/report.ts'
import { markdown } from '../../bench/report/text.ts'
import { emptyFolder, runCommand } from './command-process.ts'
import { report, result, section } from './made-report.ts'

function keep(folder: string, name: string, kept: Report | object): string {
  const file = path.join(folder, name)
  writeFileSync(file, JSON.stringify(kept))
  return file
}

describe('bench --from', () => {
  it('prints and writes a report again without measuring anything', async (t) => {
    const folder = emptyFolder(t)
    const old = report(section('64x16B', result('gorums', 700, 800, 900), result('floor', 1000, 1100, 1200)))
    const [json, plot] = [path.join(folder, 'again.json'), path.join(folder, 'plot.svg')]
    const from = keep(folder, 'old.json', old)
    const { code, output } = await runCommand('--from', from, '--out', folder, '--json', json, '--plot', plot)
    assert.equal(code, 0, output)
    const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
    assert.equal(read('bench.md'), markdown(old))
    assert.equal(read('bench.html'), page(old))
    assert.equal(read('plot.svg'), `${throughputPlot(old)}\n`)
    assert.deepEqual(JSON.parse(read('again.json')), JSON.parse(JSON.stringify(old)))
    assert.match(output, /64 in flight, 16 B \| gorums \/ floor \| ≥ 0\.75 \| 0\.727 \| +NO/)
    // Nothing was measured: no benchmark is announced.
    assert.doesNotMatch(output, /^\[1\//m)
  })

  it('says what a file is that is no report', async (t) => {
    const folder = emptyFolder(t)
    const { code, output } = await runCommand('--from', keep(folder, 'other.json', { format: 2 }), '--out', folder)
    assert.equal(code, 1)
    assert.match(output, /other\.json is no report of this benchmark/)
  })
})

describe('bench --baseline', () => {
  it('names what has changed beyond noise, and nothing else', async (t) => {
    const folder = emptyFolder(t)
    const old = keep(folder, 'old.json', report(section('64x16B', result('gorums', 10, 11, 12), result('floor', 50))))
    const now = keep(folder, 'new.json', report(section('64x16B', result('gorums', 20, 21, 22), result('floor', 51))))
    const changed = await runCommand('--from', now, '--baseline', old, '--out', folder)
    assert.equal(changed.code, 0, changed.output)
    assert.match(
      changed.output,
      /against \S+old\.json: \n {2}64x16B, 64 in flight, 16 B, gorums: \+91 % \(11 to 21 calls\/s\)\n\n/,
    )
    const same = await runCommand('--from', now, '--baseline', now, '--out', folder)
    assert.match(same.output, /against \S+new\.json: nothing has changed beyond noise\n/)
  })

  it('that can not be read is told before anything is measured', async () => {
    const { code, output } = await runCommand('--benchmarks', '^1x16B$', '--baseline', 'never-written.json')
    assert.equal(code, 1)
    assert.match(output, /never-written\.json can not be read as a report: ENOENT/)
    assert.doesNotMatch(output, /^\[1\//m)
  })
})
