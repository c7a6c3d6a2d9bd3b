// Who asks for much does not keep others waiting: a server does what one peer asks for a slice at a time, and serves the others in
// between. On a clock that moves by what handlers say that their work has taken.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Configuration, connect, createServer, quorumStream, rpc, service, unicast } from 'gorums'
import { VirtualRuntime } from '../net/virtual-runtime.ts'
import { LIMIT } from './cluster.ts'

const Work = service('slices.Work', {
  call: rpc<string, string>(),
  later: rpc<string, string>(),
  note: unicast<string>(),
  /** 20 items of `LOOK_BYTES`. */
  items: quorumStream<string, string>({ concurrent: true }),
  /** Holds its lane until `letGo`. */
  hold: rpc<string, string>(),
})
type Method = 'call' | 'later' | 'note' | 'hold'

/** More than a slice may take, ms. */
const MUCH_MS = 1
/** As many bytes of requests that take no time may be dealt with before the clock is looked at again; a request has at least so many. */
const LOOK_BYTES = 512
const REQUEST_BYTES = 16 + 16

/** A server whose handlers take `MUCH_MS` each for requests that do not begin with `!`, and clients of it. */
class Bench {
  readonly runtime = new VirtualRuntime()
  /** What handlers were given, in order. */
  readonly handled: string[] = []
  readonly configurations: Configuration[] = []
  /** Lets what holds its lane end. */
  letGo: () => void = assert.fail
  #port = 0
  #workedMs = 0

  static async start(t: TestContext): Promise<Bench> {
    const bench = new Bench()
    const { runtime } = bench
    const now = runtime.now.bind(runtime)
    runtime.now = () => now() + bench.#workedMs
    const work = (what: string): string => {
      bench.handled.push(what)
      if (!what.startsWith('!')) bench.#workedMs += MUCH_MS
      return what
    }
    const server = createServer({ nodeID: 'server', runtime })
    server.handle(Work, {
      call: work,
      later: async (what) => work(what),
      note: (what) => void work(what),
      *items(what) {
        for (const item of named(20, what, LOOK_BYTES)) yield work(item)
      },
      hold: (what) =>
        new Promise((resolve) => {
          bench.letGo = () => resolve(what)
        }),
    })
    bench.#port = (await server.listen()).port
    t.after(async () => {
      for (const configuration of bench.configurations) await configuration.close()
      await server.close({ drainTimeoutMs: 0 })
    })
    return bench
  }

  /** A client of its own; returns what calls its server. */
  async client(): Promise<(method: Method, what: string) => Promise<unknown>> {
    const { runtime } = this
    const configuration = await connect(
      { server: `127.0.0.1:${this.#port}` },
      { runtime, waitFor: 'all', callTimeoutMs: Infinity },
    )
    this.configurations.push(configuration)
    await runtime.settle()
    const client = configuration.node('server').client(Work)
    return (method, what) => client[method](what)
  }
}

function named(count: number, name: string, length = name.length): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`.padEnd(length, '.'))
}

for (const method of ['call', 'later', 'note'] as const) {
  test(`${method}: large requests of one peer leave room for another after each of them`, LIMIT, async (t) => {
    const bench = await Bench.start(t)
    const [busy, calm] = [await bench.client(), await bench.client()]
    const large = named(8, 'large', LOOK_BYTES)
    const done = [...large.map((what) => busy(method, what)), calm('call', 'small')]
    await Promise.all(done)
    await bench.runtime.settle()
    assert.equal(bench.handled.indexOf('small'), 1, bench.handled.map((what) => what.slice(0, 7)).join())
    assert.deepEqual(
      bench.handled.filter((what) => what !== 'small'),
      large,
      'in order, once each',
    )
  })

  test(`${method}: so do those that have waited behind a handler`, LIMIT, async (t) => {
    const bench = await Bench.start(t)
    const [busy, calm] = [await bench.client(), await bench.client()]
    const large = named(20, 'large', LOOK_BYTES)
    const first = busy('hold', 'first')
    const done = large.map((what) => busy(method, what))
    await bench.runtime.settle()
    assert.equal(bench.handled.length, 0)
    bench.letGo()
    done.push(first, calm('call', 'small'))
    // What comes meanwhile does not overtake.
    await first
    done.push(busy(method, 'last'))
    await Promise.all(done)
    await bench.runtime.settle()
    const before = bench.handled.indexOf('small')
    assert.ok(before <= 5, `${before} before it`)
    const inOrder = bench.handled.filter((what) => what !== 'small')
    assert.deepEqual(inOrder, [...large, 'last'])
  })

  for (const light of [0, 20])
    test(`${method}: so do small ones behind ${light} that take no time`, LIMIT, async (t) => {
      const bench = await Bench.start(t)
      const [busy, calm] = [await bench.client(), await bench.client()]
      const small = [...named(light, '!'), ...named(100, '')]
      const done = [...small.map((what) => busy(method, what)), calm('call', 'other')]
      await Promise.all(done)
      await bench.runtime.settle()
      const before = bench.handled.indexOf('other') - light
      assert.ok(before <= (light > 0 ? LOOK_BYTES / REQUEST_BYTES : 1), `${before} before it`)
      assert.deepEqual(
        bench.handled.filter((what) => what !== 'other'),
        small,
      )
    })
}

test('several peers that ask for much keep one that asks for little waiting for one slice', LIMIT, async (t) => {
  const bench = await Bench.start(t)
  const busy = await Promise.all(Array.from({ length: 5 }, () => bench.client()))
  const calm = await bench.client()
  // By then it is known who asks for much.
  await Promise.all(busy.map((call, index) => call('call', `first of ${index}`.padEnd(LOOK_BYTES, '.'))))
  bench.handled.length = 0
  const done = busy.flatMap((call, index) => named(2, `${index}`, LOOK_BYTES).map((what) => call('call', what)))
  await Promise.all([...done, calm('call', 'small')])
  assert.ok(bench.handled.indexOf('small') <= 1, bench.handled.map((what) => what.slice(0, 5)).join())
  // And they take turns.
  const order = bench.handled.filter((what) => what !== 'small').map((what) => what.slice(0, 3))
  assert.deepEqual(order, ['0 0', '1 0', '2 0', '3 0', '4 0', '0 1', '1 1', '2 1', '3 1', '4 1'])
})

test('a peer whose requests have become light is served at once again', LIMIT, async (t) => {
  const bench = await Bench.start(t)
  const [busy, calm] = [await bench.client(), await bench.client()]
  await busy('call', 'large'.padEnd(LOOK_BYTES, '.'))
  await busy('call', '!light')
  bench.handled.length = 0
  await Promise.all([busy('call', '!of the one'), calm('call', '!of the other')])
  assert.deepEqual(bench.handled, ['!of the one', '!of the other'])
})

for (const method of ['call', 'later'] as const) {
  test(`${method}: answers leave between slices`, LIMIT, async (t) => {
    const bench = await Bench.start(t)
    const busy = await bench.client()
    const handled: number[] = []
    const first = busy('hold', 'first')
    const done = named(20, method, LOOK_BYTES).map((what) =>
      busy(method, what).then(() => handled.push(bench.handled.length)),
    )
    await bench.runtime.settle()
    bench.letGo()
    await Promise.all([first, ...done])
    assert.ok(handled[0]! <= 5, `the first answer came when ${handled[0]} had been handled`)
  })
}

test('streams give way after an item that took long, and take turns', LIMIT, async (t) => {
  const bench = await Bench.start(t)
  await bench.client()
  const calm = await bench.client()
  const client = bench.configurations[0]!.client(Work)
  const streams = ['one', 'two'].map(async (what) => {
    const items: string[] = []
    for await (const { value } of client.items(what)) items.push(value!)
    return items
  })
  await Promise.all([...streams, calm('call', 'small')])
  assert.ok(bench.handled.indexOf('small') <= 5, `${bench.handled.indexOf('small')} items before it`)
  const order = bench.handled.filter((what) => what !== 'small').map((what) => what.slice(0, 3))
  for (let index = 2; index < order.length - 1; index++) assert.notEqual(order[index], order[index - 1], order.join())
  for (const [index, items] of (await Promise.all(streams)).entries())
    assert.deepEqual(items, named(20, ['one', 'two'][index]!, LOOK_BYTES))
})

test('however many streams a peer has, others wait for one slice of them at a time', LIMIT, async (t) => {
  const bench = await Bench.start(t)
  await bench.client()
  const calm = await bench.client()
  const client = bench.configurations[0]!.client(Work)
  const streams = Array.from({ length: 20 }, async () => {
    for await (const { error } of client.items('item')) assert.equal(error, undefined)
  })
  for (const what of ['small 0', 'small 1', 'small 2']) await calm('call', what)
  const before = bench.handled.indexOf('small 2')
  await Promise.all(streams)
  assert.ok(before < bench.handled.length / 3, `${before} of ${bench.handled.length} before it`)
})

test('requests of a session that ends while they wait for the next slice do not run', LIMIT, async (t) => {
  const bench = await Bench.start(t)
  const busy = await bench.client()
  const first = busy('hold', 'first')
  const calls = named(20, 'large', LOOK_BYTES).map((what) => busy('later', what))
  const outcomes = Promise.allSettled(calls)
  await bench.runtime.settle()
  bench.letGo()
  await first
  const closed = bench.configurations[0]!.close()
  const handled = bench.handled.length
  await closed
  await bench.runtime.settle()
  await outcomes
  assert.ok(bench.handled.length < 20, `${handled}, then ${bench.handled.length} of 20`)
})

test('what a peer has sent before it closed is read to the end', LIMIT, async (t) => {
  const bench = await Bench.start(t)
  const busy = await bench.client()
  const large = named(20, 'large', LOOK_BYTES)
  const sent = large.map((what) => busy('note', what))
  await Promise.all([...sent, bench.configurations[0]!.close()])
  await bench.runtime.settle()
  assert.deepEqual(bench.handled, large)
})
