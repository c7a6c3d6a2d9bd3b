// Attempts to connect, on a clock that is moved by hand: how often a node is dialled that is not there, refuses us, or
// accepts and hangs up, and what starts the backoff anew.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Configuration, type ConnectOptions, connect, type RpcError } from 'gorums'
import { controlFrame, decodeHello, encodeGoAway, encodeReject } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { Echo } from './echo-service.ts'
import { RawPeer } from './raw-peer.ts'
import { type VirtualDial, VirtualRuntime } from './virtual-runtime.ts'

const MINUTE_MS = 60_000
/** The waits of the default backoff before jitter. */
const STEPS_MS = [
  50, 80, 128, 204.8, 327.68, 524.288, 838.8608, 1342.17728, 2147.483648, 3435.9738368, 5000, 5000, 5000,
]

interface Setup {
  readonly runtime: VirtualRuntime
  readonly config: Configuration
  readonly rejections: RpcError[]
}

async function setUp(
  t: TestContext,
  onDial: (dial: VirtualDial, runtime: VirtualRuntime) => void,
  options: ConnectOptions = {},
): Promise<Setup> {
  const runtime = new VirtualRuntime()
  runtime.onDial = (dial) => onDial(dial, runtime)
  const config = await connect({ a: 'node-a.example:7000' }, { runtime, waitFor: 'none', ...options })
  t.after(() => config.close())
  const rejections: RpcError[] = []
  config.on('rejected', (_node, error) => rejections.push(error))
  return { runtime, config, rejections }
}

/** Plays a server that says HELLO_OK and hangs up `lifeMs` later. */
function hangUpAfter(lifeMs: number): (dial: VirtualDial, runtime: VirtualRuntime) => void {
  return (dial, runtime) => {
    const node = new RawPeer(dial.accept(), () => runtime.settle())
    node.welcome().then(() => {
      if (lifeMs === 0) node.close()
      else runtime.startTimer(lifeMs, () => node.close())
    }, assert.fail)
  }
}

function rejectWith(retry: boolean): (dial: VirtualDial, runtime: VirtualRuntime) => void {
  const why = { code: 'failed_precondition', message: 'not for you', metadata: {}, notExecuted: true } as const
  return (dial, runtime) => {
    const node = new RawPeer(dial.accept(), () => runtime.settle())
    node.next(Kind.hello).then(() => {
      node.send(PREFACE, controlFrame(Kind.reject, encodeReject({ why, versionMin: 1, versionMax: 1, retry })))
      node.stream.end()
    }, assert.fail)
  }
}

/** The times between attempts. */
function gapsOf(dials: readonly VirtualDial[]): number[] {
  return dials.slice(1).map((dial, index) => dial.at - dials[index]!.at)
}

/** The first gaps are these, give or take the rounding of 1 ms. */
function assertGaps(dials: readonly VirtualDial[], expected: readonly number[]): void {
  const gaps = gapsOf(dials).slice(0, expected.length)
  assert.equal(gaps.length, expected.length)
  for (const [index, gap] of gaps.entries())
    assert.ok(Math.abs(gap - expected[index]!) <= 1, `${gaps} is not ${expected}`)
}

test('a node that refuses connections is dialled with waits that grow to maxMs', async (t) => {
  const { runtime } = await setUp(t, (dial) => dial.refuse())
  runtime.nextRandom = () => 1 - Number.EPSILON
  await runtime.advance(30_000)
  assertGaps(runtime.dials, STEPS_MS)
})

test('the jitter is full: each wait is its step times a random number', async (t) => {
  const { runtime } = await setUp(t, (dial) => dial.refuse())
  runtime.nextRandom = () => 0.25
  await runtime.advance(30_000)
  assertGaps(
    runtime.dials,
    STEPS_MS.map((step) => step / 4),
  )
})

test('a dead node costs a bounded number of attempts a minute, from the first on', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { runtime, config } = await setUp(t, (dial) => dial.refuse())
    let state = seed
    runtime.nextRandom = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state / 2 ** 32
    }
    await runtime.advance(MINUTE_MS)
    assert.ok(runtime.dials.length <= 60, `${runtime.dials.length} attempts in the first minute`)
    const before = runtime.dials.length
    await runtime.advance(10 * MINUTE_MS)
    const perMinute = (runtime.dials.length - before) / 10
    assert.ok(perMinute > 12 && perMinute < 40, `${perMinute} attempts a minute`)
    await config.close()
  }
})

test('a wait is never 0, not even when the random number is', async (t) => {
  const { runtime } = await setUp(t, (dial) => dial.refuse())
  runtime.nextRandom = () => 0
  await runtime.advance(20)
  assert.ok(gapsOf(runtime.dials).every((gap) => gap >= 1))
})

test('the options of the backoff are kept to', async (t) => {
  const backoff = { minMs: 100, factor: 2, maxMs: 1_000 }
  const { runtime } = await setUp(t, (dial) => dial.refuse(), { backoff })
  runtime.nextRandom = () => 1 - Number.EPSILON
  await runtime.advance(10_000)
  assertGaps(runtime.dials, [100, 200, 400, 800, 1_000, 1_000])
})

test('the name is resolved again at every attempt', async (t) => {
  const { runtime } = await setUp(t, (dial) => dial.refuse('getaddrinfo ENOTFOUND node-a.example'))
  await runtime.advance(10_000)
  assert.ok(runtime.dials.length > 5)
  for (const { host, port } of runtime.dials) assert.deepEqual([host, port], ['node-a.example', 7000])
})

test('a node that says HELLO_OK and hangs up at once is not dialled in a hot loop', async (t) => {
  const { runtime } = await setUp(t, hangUpAfter(0))
  runtime.nextRandom = () => 1 - Number.EPSILON
  await runtime.advance(30_000)
  assertGaps(runtime.dials, STEPS_MS)
})

test('a life of just under a second does not start the backoff anew', async (t) => {
  const { runtime } = await setUp(t, hangUpAfter(999))
  runtime.nextRandom = () => 1 - Number.EPSILON
  await runtime.advance(MINUTE_MS)
  assertGaps(runtime.dials, [1_049, 1_079, 1_127, 1_204])
})

test('a life of a second starts the backoff anew', async (t) => {
  const { runtime } = await setUp(t, hangUpAfter(1_000))
  runtime.nextRandom = () => 1 - Number.EPSILON
  await runtime.advance(10_000)
  assertGaps(runtime.dials, [1_050, 1_050, 1_050, 1_050])
})

test('a refusal that trying again does not change takes the slowest step at once, and is an event each time', async (t) => {
  const { runtime, config, rejections } = await setUp(t, rejectWith(false))
  await runtime.advance(20_000)
  assert.deepEqual(gapsOf(runtime.dials), [5_000, 5_000, 5_000, 5_000])
  assert.equal(rejections.length, 5)
  assert.equal(config.node('a').state, 'down')
  assert.match(rejections[0]!.message, /^node-a\.example:7000 rejected the connection: not for you/)
  assert.equal(rejections[0]!.code, 'failed_precondition')
  assert.equal(rejections[0]!.nodeID, 'a')
  await assert.rejects(config.node('a').client(Echo).echo('hi'), {
    code: 'unavailable',
    executed: 'no',
    message: /not for you/,
  })
})

test('a refusal that may pass is tried again as any failure is, and is no event', async (t) => {
  const { runtime, config, rejections } = await setUp(t, rejectWith(true))
  runtime.nextRandom = () => 1 - Number.EPSILON
  await runtime.advance(1_000)
  assertGaps(runtime.dials, [50, 80, 128, 205])
  assert.deepEqual(rejections, [])
  assert.match(config.node('a').lastError!.message, /not for you/)
})

test('the backoff does not wait for traffic: a node that comes back is found without a call', async (t) => {
  let isThere = false
  const { runtime, config } = await setUp(t, (dial, own) => {
    if (isThere) hangUpAfter(MINUTE_MS)(dial, own)
    else dial.refuse()
  })
  await runtime.advance(MINUTE_MS)
  assert.equal(config.node('a').state, 'down')
  isThere = true
  await runtime.advance(5_000)
  assert.equal(config.node('a').state, 'up')
  assert.equal(config.node('a').lastError, undefined)
})

test('a connection to itself, as TCP makes it between equal ports, is named and not dialled in a hot loop', async (t) => {
  const { runtime, config } = await setUp(t, (dial) => dial.loopBack())
  await runtime.advance(MINUTE_MS)
  assert.equal(config.node('a').state, 'down')
  assert.match(config.node('a').lastError!.message, /node-a\.example:7000.*itself/)
  assert.ok(runtime.dials.length < 60, `${runtime.dials.length} attempts`)
})

test('a node that answers HELLO with GOAWAY says why', async (t) => {
  const why = { code: 'resource_exhausted', message: 'come back later', metadata: {}, notExecuted: true } as const
  const { runtime, config } = await setUp(t, (dial, own) => {
    const node = new RawPeer(dial.accept(), () => own.settle())
    node.next(Kind.hello).then(() => {
      node.send(PREFACE, controlFrame(Kind.goaway, encodeGoAway({ lastFrame: 0, why })))
      node.stream.end()
    }, assert.fail)
  })
  await runtime.settle()
  assert.match(config.node('a').lastError!.message, /node-a\.example:7000.*come back later/)
})

test('close() ends the attempt of the moment and the wait for the next', async (t) => {
  const { runtime, config } = await setUp(t, () => {})
  await runtime.settle()
  await config.close()
  assert.equal(runtime.dials[0]!.stream.isClosed, true)
  assert.equal(runtime.timerCount, 0)
  await runtime.advance(MINUTE_MS)
  assert.equal(runtime.dials.length, 1)

  const other = await setUp(t, (dial) => dial.refuse())
  await other.runtime.advance(10)
  await other.config.close()
  assert.equal(other.runtime.timerCount, 0)
  await other.runtime.advance(MINUTE_MS)
  assert.equal(other.runtime.dials.length, 1)
})

test('every attempt says HELLO with a higher epoch, and one incarnation', async (t) => {
  const hellos: Buffer[] = []
  const { runtime } = await setUp(t, (dial, own) => {
    const node = new RawPeer(dial.accept(), () => own.settle())
    node.welcome().then((hello) => {
      hellos.push(hello.payload)
      node.close()
    }, assert.fail)
  })
  await runtime.advance(2_000)
  const decoded = hellos.map((payload) => decodeHello(new FieldReader(payload, 0, payload.length)))
  assert.ok(decoded.length > 3)
  assert.deepEqual(
    decoded.map((hello) => hello.attachEpoch),
    decoded.map((_, index) => index + 1),
  )
  assert.equal(new Set(decoded.map((hello) => hello.incarnation.toString('hex'))).size, 1)
  assert.equal(decoded[0]!.expectedNodeID, 'a')
})
