// The benchmark's command line: what is read, and what is refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chosenBenchmarks } from '../../bench/experiments/benchmarks.ts'
import { parseOptions, USAGE, UsageError } from '../../bench/options.ts'

describe('the command line of the benchmark', () => {
  it('reads times, bytes, lists and expressions', () => {
    const options = parseOptions([
      '--time',
      '1.5s',
      '--payload',
      '64KiB',
      '--remotes',
      'a:1,b:2',
      '--benchmarks',
      '^Q',
    ])!
    assert.equal(options.timeMs, 1500)
    assert.equal(options.payloadBytes, 65536)
    assert.deepEqual(options.remotes, ['a:1', 'b:2'])
    assert.equal(options.configSize, 2)
    assert.equal(options.benchmarks?.source, '^Q')
  })

  for (const [args, message] of [
    [['--rounds', '0'], /--rounds 0: must be a whole number of at least 1/],
    [['--time', '5'], /--time 5: must be a time like 600ms/],
    [['--payload', '1GB'], /--payload 1GB: must be a number of bytes/],
    [['--benchmarks', '('], /--benchmarks: Invalid regular expression/],
    [['--targets', 'grpc'], /there is no "grpc"; there are gorums, floor/],
    [['--heap', 'much'], /--heap much: must be a number of bytes/],
    [['--heap', '1MiB', '--remotes', 'host:1'], /--heap is for processes of this machine/],
    [['--remotes', 'host'], /"host" must look like host:port/],
    [['--server', 'host:70000'], /"host:70000" must look like host:port/],
    [['--config-size', '3', '--quorum-size', '4'], /--quorum-size 4: there are 3 nodes/],
    [['--fast'], /--fast/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, () => {
      assert.throws(
        () => parseOptions(args),
        (error) => error instanceof UsageError && message.test(error.message),
      )
    })
  }

  it('has a time for each point of the goals table, and none where somebody has said what to measure', () => {
    const pointMaxMs = (...args: string[]): number => parseOptions(args)!.pointMaxMs
    assert.equal(pointMaxMs(), 25_000)
    for (const args of [['--full'], ['--ci'], ['--benchmarks', '^64x16B$'], ['--rounds', '14']])
      assert.equal(pointMaxMs(...args), Number.POSITIVE_INFINITY, args.join(' '))
  })

  it('chooses the goals by default, all with --full, and by name', () => {
    const names = (...args: string[]) => chosenBenchmarks(parseOptions(args)!).map(({ name }) => name)
    assert.deepEqual(names(), ['1x16B', '64x16B', '512x16B', '64x1KiB', '64x64KiB', '4x1MiB', 'stopped', 'multicast'])
    assert.ok(names('--full').includes('sweep-nodes'))
    assert.deepEqual(names('--benchmarks', 'Slow'), ['SlowServer', 'SlowNode'])
    assert.throws(() => names('--benchmarks', 'nothing'), /--benchmarks nothing: there are 1x16B/)
  })

  it('says of every flag what it is for', () => {
    for (const flag of [
      'full',
      'benchmarks',
      'concurrent',
      'config-size',
      'quorum-size',
      'max-async',
      'payload',
      'time',
      'warmup',
      'remotes',
      'server',
      'server-stats',
      'send-buffer',
      'server-buffer',
      'heap',
      'cpuprofile',
      'memprofile',
      'trace',
      'list',
      'baseline',
      'json',
      'ci',
    ])
      assert.ok(USAGE.includes(`--${flag}`), flag)
  })
})
