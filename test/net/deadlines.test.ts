// All deadlines on one timer: they pass in the order of their times, exactly, and not at all once they were removed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines, Expiring } from '../../src/net/deadlines.ts'
import { Turn } from '../../src/net/turn.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

class Watched extends Expiring {
  readonly #note: (name: string) => void
  readonly name: string
  readonly dueAt: number

  constructor(name: string, dueAt: number, note: (name: string) => void) {
    super()
    this.name = name
    this.dueAt = dueAt
    this.#note = note
  }

  onDeadline(): void {
    this.#note(this.name)
  }
}

interface Setup {
  readonly runtime: VirtualRuntime
  readonly deadlines: Deadlines
  readonly turn: Turn
  /** `name@ms since the start` of every deadline that has passed. */
  readonly passed: string[]
  readonly watch: (name: string, timeoutMs: number) => Watched
}

function setUp(onPassed: (name: string) => void = () => {}): Setup {
  const runtime = new VirtualRuntime()
  const startedAt = runtime.now()
  const turn = new Turn(runtime)
  const deadlines = new Deadlines(turn)
  const passed: string[] = []
  const watch = (name: string, timeoutMs: number): Watched => {
    turn.begin()
    const watched = new Watched(name, turn.now() + timeoutMs, (which) => {
      passed.push(`${which}@${runtime.now() - startedAt}`)
      onPassed(which)
    })
    deadlines.add(watched, timeoutMs)
    return watched
  }
  return { runtime, deadlines, turn, passed, watch }
}

test('deadlines pass at their time, whatever order they were added in', async () => {
  const { runtime, passed, watch } = setUp()
  watch('c', 300)
  watch('a', 100)
  watch('d', 300)
  watch('b', 200)
  await runtime.advance(99)
  assert.deepEqual(passed, [])
  await runtime.advance(1_000)
  assert.deepEqual(passed, ['a@100', 'b@200', 'c@300', 'd@300'])
})

test('deadlines with one timeout pass in the order in which they were added', async () => {
  const { runtime, passed, watch } = setUp()
  for (let count = 0; count < 5; count++) {
    watch(`${count}`, 100)
    await runtime.advance(10)
  }
  await runtime.advance(100)
  assert.deepEqual(passed, ['0@100', '1@110', '2@120', '3@130', '4@140'])
})

test('a shorter deadline that comes later passes earlier', async () => {
  const { runtime, passed, watch } = setUp()
  watch('long', 10_000)
  await runtime.advance(50)
  watch('short', 100)
  await runtime.advance(10_000)
  assert.deepEqual(passed, ['short@150', 'long@10000'])
})

test('a removed deadline does not pass, wherever in its list it was, and may be removed again', async () => {
  const { runtime, deadlines, passed, watch } = setUp()
  const all = ['first', 'second', 'third', 'fourth', 'fifth'].map((name) => watch(name, 100))
  for (const index of [0, 2, 4, 2]) deadlines.remove(all[index]!)
  watch('sixth', 100)
  await runtime.advance(1_000)
  assert.deepEqual(passed, ['second@100', 'fourth@100', 'sixth@100'])
  for (const each of all) deadlines.remove(each)
  assert.equal(runtime.timerCount, 0)
})

test('without deadlines no timer stands', async () => {
  const { runtime, deadlines, watch } = setUp()
  assert.equal(runtime.timerCount, 0)
  const one = watch('one', 100)
  const other = watch('other', 200)
  assert.equal(runtime.timerCount, 1)
  deadlines.remove(one)
  deadlines.remove(other)
  assert.equal(runtime.timerCount, 0)
  watch('again', 100)
  await runtime.advance(100)
  assert.equal(runtime.timerCount, 0)
})

test('a thousand deadlines stand on one timer', () => {
  const { runtime, watch } = setUp()
  for (let count = 0; count < 1_000; count++) watch(`${count}`, 1_000 - count)
  assert.equal(runtime.timerCount, 1)
})

test('Infinity never passes and needs no timer', async () => {
  const { runtime, deadlines, passed, watch } = setUp()
  const endless = watch('endless', Infinity)
  assert.equal(runtime.timerCount, 0)
  await runtime.advance(10 ** 12)
  deadlines.remove(endless)
  assert.deepEqual(passed, [])
})

test('a timeout beyond what a timer can wait passes when it is due, not before', async () => {
  const { runtime, passed, watch } = setUp()
  const year = 365 * 24 * 3_600_000
  watch('year', year)
  await runtime.advance(year - 1)
  assert.deepEqual(passed, [])
  await runtime.advance(1)
  assert.deepEqual(passed, [`year@${year}`])
})

test('a timer that fires too early is started again for the rest', async () => {
  const { runtime, turn, passed, watch } = setUp()
  const { startTimer } = runtime
  runtime.startTimer = (delayMs, callback) => startTimer.call(runtime, delayMs > 10 ? delayMs - 10 : delayMs, callback)
  watch('one', 100)
  turn.begin()
  await runtime.advance(99)
  assert.deepEqual(passed, [])
  await runtime.advance(1)
  assert.deepEqual(passed, ['one@100'])
})

test('what a passing deadline adds and removes counts', async () => {
  const setup = setUp((name) => {
    if (name === 'first') setup.watch('added', 100)
    if (name === 'first') setup.deadlines.remove(second)
  })
  setup.watch('first', 100)
  const second = setup.watch('second', 100)
  await setup.runtime.advance(1_000)
  assert.deepEqual(setup.passed, ['first@100', 'added@200'])
})

test('after a pause of the process what has arrived is read first, and saves what it answers', async () => {
  const { runtime, deadlines, passed, watch } = setUp()
  const answered = watch('answered', 100)
  watch('unanswered', 100)
  // The answer has arrived before the timer fires, and is read behind it.
  runtime.afterReading(() => deadlines.remove(answered))
  await runtime.pause(10_000)
  assert.deepEqual(passed, ['unanswered@10000'])
})

test('on time nothing is waited for', async () => {
  const { runtime, deadlines, passed, watch } = setUp()
  const late = watch('late', 100)
  await runtime.settle()
  runtime.afterReading(() => deadlines.remove(late))
  await runtime.pause(100)
  assert.deepEqual(passed, ['late@100'])
})

/** Each deadline that passes takes 0.04 ms of the clock: three make a slice. */
function setUpSlow(onPassed: (name: string) => void): Setup {
  let spent = 0
  const setup = setUp((name) => {
    spent += 0.04
    onPassed(name)
  })
  const { now } = setup.runtime
  setup.runtime.now = () => now.call(setup.runtime) + spent
  return setup
}

const nameOf = (line: string): string => line.slice(0, line.indexOf('@'))

test('very many that pass at once do so a slice at a time, in order, and others have their turns in between', async () => {
  const seen: string[] = []
  const { runtime, passed, watch } = setUpSlow((name) => {
    seen.push(name)
    if (name === 'a' || name === 'd') runtime.afterReading(() => seen.push('others'))
  })
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) watch(name, 100)
  await runtime.advance(100)
  assert.deepEqual(seen, ['a', 'b', 'c', 'others', 'd', 'e', 'f', 'others', 'g'])
  assert.deepEqual(passed.map(nameOf), ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  assert.equal(runtime.timerCount, 0)
})

test('what is added and removed between two slices counts', async () => {
  const setup = setUpSlow((name) => {
    if (name !== 'a') return
    setup.runtime.afterReading(() => {
      setup.deadlines.remove(last)
      setup.watch('added', 50)
    })
  })
  for (const name of ['a', 'b', 'c', 'd']) setup.watch(name, 100)
  const last = setup.watch('last', 100)
  await setup.runtime.advance(100)
  assert.deepEqual(setup.passed.map(nameOf), ['a', 'b', 'c', 'd'])
  await setup.runtime.advance(50)
  assert.deepEqual(setup.passed.map(nameOf), ['a', 'b', 'c', 'd', 'added'])
})

test('one that throws does not keep the others from passing', async () => {
  const setup = setUp((name) => {
    if (name === 'faulty') throw new Error('from a deadline')
  })
  setup.watch('faulty', 100)
  setup.watch('next', 100)
  await assert.rejects(setup.runtime.advance(100), /from a deadline/)
  await setup.runtime.advance(1)
  assert.deepEqual(setup.passed.map(nameOf), ['faulty', 'next'])
})
