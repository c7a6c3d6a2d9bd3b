// What is known of a node's latency: nothing before the first answer, a mean that follows, percentiles to within a fifth.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyRecorder } from '../../src/net/latency.ts'

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 0.2, `${actual} is not within 20 % of ${expected}`)
}

test('nothing is known before the first answer', () => {
  assert.deepEqual(new LatencyRecorder().read(), {
    meanMs: Number.NaN,
    p50Ms: Number.NaN,
    p99Ms: Number.NaN,
    samples: 0,
  })
})

test('the first answer is the mean', () => {
  const recorder = new LatencyRecorder()
  recorder.record(8)
  const { meanMs, p50Ms, p99Ms, samples } = recorder.read()
  assert.equal(meanMs, 8)
  assert.equal(samples, 1)
  close(p50Ms, 8)
  close(p99Ms, 8)
})

test('each further answer moves the mean a fifth of the way', () => {
  const recorder = new LatencyRecorder()
  for (const ms of [10, 20, 20]) recorder.record(ms)
  assert.equal(recorder.read().meanMs, 10 + 2 + 1.6)
})

test('percentiles are right to within a fifth, over six decades', () => {
  for (const scale of [0.002, 0.1, 1, 30, 2_000]) {
    const recorder = new LatencyRecorder()
    for (let index = 1; index <= 1_000; index++) recorder.record((index / 1_000) * scale)
    const { p50Ms, p99Ms } = recorder.read()
    close(p50Ms, 0.5 * scale)
    close(p99Ms, 0.99 * scale)
  }
})

test('one slow answer in fifty is seen by p99 and not by p50', () => {
  const recorder = new LatencyRecorder()
  for (let index = 0; index < 1_000; index++) recorder.record(index % 50 === 0 ? 500 : 1)
  const { p50Ms, p99Ms } = recorder.read()
  close(p50Ms, 1)
  close(p99Ms, 500)
})

test('percentiles follow a node that has changed', () => {
  const recorder = new LatencyRecorder()
  for (let index = 0; index < 10_000; index++) recorder.record(1)
  for (let index = 0; index < 3_000; index++) recorder.record(100)
  close(recorder.read().p50Ms, 100)
  assert.equal(recorder.read().samples, 13_000)
})

test('0 and times beyond measure are taken', () => {
  const recorder = new LatencyRecorder()
  for (const ms of [0, 0, 10 ** 9]) recorder.record(ms)
  const { p50Ms, p99Ms } = recorder.read()
  assert.ok(p50Ms < 0.002 && p99Ms > 10_000, `${p50Ms}, ${p99Ms}`)
})
