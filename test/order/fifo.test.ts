// P1: the handlers of one peer start in the order in which its calls were made, whatever the call types, in both
// directions, and however handlers release their lane.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Configuration,
  type Context,
  connect,
  createServer,
  multicast,
  quorumCall,
  quorumStream,
  rpc,
  type Server,
  service,
  unicast,
} from 'gorums'

interface Numbered {
  readonly number: number
}

const Ordered = service('order.Ordered', {
  one: rpc<Numbered, Numbered>(),
  way: unicast<Numbered>(),
  all: multicast<Numbered>(),
  quorum: quorumCall<Numbered, Numbered>(),
  stream: quorumStream<Numbered, Numbered>(),
})

/** Records what its handlers are started with; `complete` rejects at the first number that is not above the last. */
class Recorder {
  last = 0
  count = 0
  readonly #target: number
  readonly complete: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(target: number) {
    this.#target = target
    this.complete = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever waits for it hears of it later.
    this.complete.catch(() => {})
  }

  note({ number }: Numbered): void {
    if (number <= this.last) this.#reject(new Error(`${number} started after ${this.last}`))
    this.last = number
    if (++this.count === this.#target) this.#resolve()
  }
}

/** A small generator of pseudo-random numbers, so that a failing run can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Handlers that record their order; some answer at once, some later (a slow server's half), some release before they do. */
function serve(server: Server, recorder: Recorder, seed: number, isSlow = false): void {
  const random = randomFrom(seed)
  const handle = (request: Numbered, context: Context): Numbered | Promise<Numbered> => {
    recorder.note(request)
    const chance = random()
    if (chance < (isSlow ? 0.5 : 0.9)) return request
    if (chance < 0.95 && chance > 0.7) context.release()
    return afterTurns(isSlow ? 2 : 1).then(() => {
      context.release()
      return request
    })
  }
  server.handle(Ordered, {
    one: handle,
    way: handle,
    all: handle,
    quorum: handle,
    *stream(request, context) {
      handle(request, context)
      yield request
    },
  })
}

async function startNodes(
  t: { after(fn: () => Promise<void>): void },
  ids: readonly string[],
  calls: number,
): Promise<{ nodes: Record<string, string>; recorders: Recorder[]; servers: Server[] }> {
  const nodes: Record<string, string> = {}
  const recorders: Recorder[] = []
  const servers: Server[] = []
  for (const [index, id] of ids.entries()) {
    const server = createServer({ nodeID: id })
    const recorder = new Recorder(calls)
    serve(server, recorder, index + 1, index === 2)
    const { host, port } = await server.listen()
    nodes[id] = `${host}:${port}`
    recorders.push(recorder)
    servers.push(server)
  }
  t.after(async () => {
    await Promise.all(servers.map((server) => server.close({ drainTimeoutMs: 0 })))
  })
  return { nodes, recorders, servers }
}

test('100 000 pipelined calls of mixed types, a quorum of 2 of 3 and one slow server: all start in order at all, however handlers release', async (t) => {
  const calls = 100_000
  const { nodes, recorders } = await startNodes(t, ['a', 'b', 'c'], calls)
  const config = await connect(nodes, { waitFor: 'all', callTimeoutMs: Infinity })
  t.after(() => config.close())
  const client = config.client(Ordered)
  const singles = config.nodes.map((node) => node.client(Ordered))
  const random = randomFrom(7)
  let number = 0
  const issue = (): Promise<unknown> => {
    const request = { number: ++number }
    const chance = random()
    if (chance < 0.5) return client.quorum(request).threshold(2)
    if (chance < 0.7) return client.all(request)
    if (chance < 0.8) return Promise.all(singles.map((single) => single.one(request)))
    if (chance < 0.9) return Promise.all(singles.map((single) => single.way(request)))
    return client.stream(request).all()
  }
  const worker = async (): Promise<void> => {
    while (number < calls) await issue()
  }
  await Promise.all([...Array.from({ length: 256 }, worker), ...recorders.map((recorder) => recorder.complete)])
  for (const recorder of recorders) {
    assert.equal(recorder.last, calls)
    assert.equal(recorder.count, calls)
  }
})

test('a slow reader gets every call in order although the quorum never waits for it', async (t) => {
  const calls = 20_000
  const { nodes, recorders } = await startNodes(t, ['a', 'b'], calls)
  const slow = createServer({ nodeID: 'slow' })
  const recorder = new Recorder(calls)
  slow.handle(Ordered, {
    async quorum(request) {
      recorder.note(request)
      if (request.number % 64 === 0) await afterTurns(2)
      return request
    },
  })
  const { host, port } = await slow.listen()
  t.after(() => slow.close({ drainTimeoutMs: 0 }))
  const config = await connect({ ...nodes, slow: `${host}:${port}` }, { waitFor: 'all', callTimeoutMs: Infinity })
  t.after(() => config.close())
  const client = config.client(Ordered)
  let number = 0
  const worker = async (): Promise<void> => {
    while (number < calls) await client.quorum({ number: ++number }).threshold(2)
  }
  await Promise.all(Array.from({ length: 128 }, worker))
  await Promise.all([...recorders, recorder].map((each) => each.complete))
  assert.equal(recorder.last, calls)
})

test('100 000 calls of mixed types, half of them from the server to its client: all start in order in both directions', async (t) => {
  const calls = 50_000
  const back = new Recorder(calls)
  const forth = new Recorder(calls)
  const callbacks = createServer()
  serve(callbacks, back, 3)
  const { promise: connected, resolve: noteConnected } = deferred()
  const server = createServer({ onConnect: noteConnected, callTimeoutMs: Infinity })
  serve(server, forth, 4)
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const config = await connect([`${host}:${port}`], { server: callbacks, waitFor: 'all', callTimeoutMs: Infinity })
  t.after(() => config.close())
  await connected
  const pump = async (peers: Configuration, seed: number): Promise<void> => {
    const random = randomFrom(seed)
    const all = peers.client(Ordered)
    const single = peers.nodes[0]!.client(Ordered)
    let number = 0
    const issue = (): Promise<unknown> => {
      const request = { number: ++number }
      const chance = random()
      if (chance < 0.3) return single.one(request)
      if (chance < 0.5) return single.way(request)
      if (chance < 0.7) return all.all(request)
      if (chance < 0.9) return all.quorum(request).majority()
      return all.stream(request).all()
    }
    const worker = async (): Promise<void> => {
      while (number < calls) await issue()
    }
    await Promise.all(Array.from({ length: 64 }, worker))
  }
  await Promise.all([pump(config, 5), pump(server.clients, 6), back.complete, forth.complete])
  assert.deepEqual([back.last, forth.last], [calls, calls])
})

test('nested calls without release do not wait for their own lane: answers overtake requests', async (t) => {
  const Chain = service('order.Chain', { outer: rpc<Numbered, Numbered>(), inner: rpc<Numbered, Numbered>() })
  const callbacks = createServer()
  callbacks.handle(Chain, { inner: ({ number }) => ({ number: number * 2 }) })
  const server = createServer()
  server.handle(Chain, {
    // Calls its caller back before it has returned: the answer comes over the connection whose lane it holds.
    outer: async (request, context) => context.peer.client(Chain).inner(request),
  })
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const config = await connect([`${host}:${port}`], { server: callbacks })
  t.after(() => config.close())
  const client = config.nodes[0]!.client(Chain)
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => client.outer({ number: index })))
  assert.deepEqual(
    answers.map(({ number }) => number),
    Array.from({ length: 100 }, (_, index) => index * 2),
  )
})

test('the next handler starts when the running one releases, not before, and concurrent methods do not hold the lane', async (t) => {
  const Gate = service('order.Gate', {
    hold: rpc<Numbered, Numbered>(),
    pass: rpc<Numbered, Numbered>(),
    free: rpc<Numbered, Numbered>({ concurrent: true }),
  })
  const events: string[] = []
  const { promise: letGo, resolve: open } = deferred()
  const { promise: heldStarted, resolve: noteHeld } = deferred()
  const { promise: freeStarted, resolve: noteFree } = deferred()
  const server = createServer()
  server.handle(Gate, {
    async hold(request, context) {
      events.push('hold starts')
      noteHeld()
      await letGo
      events.push('hold releases')
      context.release()
      await afterTurns(3)
      events.push('hold ends')
      return request
    },
    pass(request) {
      events.push('pass runs')
      return request
    },
    async free(request) {
      events.push('free starts')
      noteFree()
      await letGo
      return request
    },
  })
  const { host, port } = await server.listen()
  t.after(() => server.close({ drainTimeoutMs: 0 }))
  const config = await connect([`${host}:${port}`])
  t.after(() => config.close())
  const client = config.nodes[0]!.client(Gate)
  const free = client.free({ number: 0 })
  await freeStarted
  const hold = client.hold({ number: 1 })
  const pass = client.pass({ number: 2 })
  await heldStarted
  await afterTurns(5)
  assert.deepEqual(events, ['free starts', 'hold starts'])
  open()
  await Promise.all([free, hold, pass])
  assert.deepEqual(events, ['free starts', 'hold starts', 'hold releases', 'pass runs', 'hold ends'])
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
