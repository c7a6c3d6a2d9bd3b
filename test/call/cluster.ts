// What the tests of calls run against: servers, or replicas, on loopback, closed when the test that started them ends; and
// the small things that tests wait on. It owns no test.

import assert from 'node:assert/strict'
import {
  type Configuration,
  type ConnectOptions,
  connect,
  type Handlers,
  type Methods,
  type NodeAddresses,
  type Replica,
  type ReplicaOptions,
  type Service,
} from 'gorums'
import {
  checkLeaks,
  type LocalCluster,
  type LocalClusterOptions,
  startLocalCluster,
  type TestContextLike,
} from 'gorums/testing'

/** Given to every test: one that waits for what never comes fails instead of holding up the run. */
export const LIMIT = Object.freeze({ timeout: 20_000 })

/** Calls outlast the test: nothing that should end at once is saved by its deadline. */
const PATIENT = Object.freeze({ callTimeoutMs: 60_000 })

/** What a setup may do with a server or a replica. */
export interface Handling {
  handle<M extends Methods>(service: Service<M>, handlers: Handlers<M>): unknown
}

export type Setup = (server: Handling, nodeID: string) => void
export type ClusterOptions = Omit<LocalClusterOptions, 'replicas' | 'calling'> & { readonly calling?: CallingOptions }

type CallingOptions = Pick<ReplicaOptions, 'callTimeoutMs' | 'interceptors' | 'whenDown' | 'whenFull'>

const checked = new WeakSet<TestContextLike>()

/** Sees to it once per test that nothing is left of it. Closing comes before. */
function watchOver(t: TestContextLike): void {
  if (checked.has(t)) return
  checked.add(t)
  checkLeaks(t)
}

/** Starts `count` servers named a, b, c … They are closed, with what they have connected, when the test ends. */
export async function startCluster(
  t: TestContextLike,
  count: number,
  setup: Setup,
  options: ClusterOptions = {},
): Promise<LocalCluster> {
  watchOver(t)
  const cluster = await startLocalCluster(count, setup, {
    ...options,
    connect: { ...PATIENT, waitFor: 'all', ...options.connect },
  })
  t.after(() => cluster.close())
  return cluster
}

/** Starts servers and connects to all of them. */
export async function connectCluster(
  t: TestContextLike,
  count: number,
  setup: Setup,
  options: ConnectOptions = {},
): Promise<{ cluster: LocalCluster; configuration: Configuration }> {
  const cluster = await startCluster(t, count, setup)
  return { cluster, configuration: await cluster.connect(options) }
}

/** Connects to some nodes, all of which must be there; closed when the test ends. */
export async function connectTo(
  t: TestContextLike,
  nodes: NodeAddresses,
  options: ConnectOptions = {},
): Promise<Configuration> {
  watchOver(t)
  const configuration = await connect(nodes, { ...PATIENT, waitFor: 'all', ...options })
  t.after(() => configuration.close())
  return configuration
}

/** The addresses of these nodes of a cluster. */
export function addressesOf(cluster: LocalCluster, ...nodeIDs: readonly string[]): Record<string, string> {
  return Object.fromEntries(nodeIDs.map((nodeID) => [nodeID, cluster.addresses[nodeID]!]))
}

/** An end without warning: nothing is drained. */
export const CRASH = Object.freeze({ drainTimeoutMs: 0 })

/** Starts `count` replicas and waits until they are connected with each other. */
export async function startReplicas(
  t: TestContextLike,
  count: number,
  setup: Setup,
  options: ClusterOptions = {},
): Promise<LocalCluster<Replica>> {
  watchOver(t)
  const calling = { ...PATIENT, ...options.calling }
  const cluster = await startLocalCluster(count, setup, { ...options, calling, replicas: true })
  t.after(() => cluster.close())
  for (const nodeID of cluster.nodeIDs)
    await cluster.server(nodeID).configuration.waitFor((status) => status.connected.size === count)
  return cluster
}

/** A promise with its ends outside. */
export class Gate<T = void> {
  readonly opened: Promise<T>
  #open: (value: T) => void = () => {}

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(value: T): void {
    this.#open(value)
  }
}

/** Things that happen, to be waited for by number. */
export class Tally<T = string> {
  readonly seen: T[] = []
  #waiting: { count: number; resolve: () => void }[] = []

  readonly add = (thing: T): void => {
    this.seen.push(thing)
    const ready = this.#waiting.filter(({ count }) => count <= this.seen.length)
    this.#waiting = this.#waiting.filter(({ count }) => count > this.seen.length)
    for (const { resolve } of ready) resolve()
  }

  /** Resolves with all of them when there are `count` or more. */
  async reached(count: number): Promise<readonly T[]> {
    if (this.seen.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
    return this.seen
  }
}

/** Resolves when the signal fires. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}

/** A handler's way to never answer by itself: the next request may start, and this one ends when its caller gives up. */
export async function untilAborted(context: { readonly signal: AbortSignal; release(): void }): Promise<never> {
  context.release()
  throw await aborted(context.signal)
}

/** Lets the event loop turn until `condition` holds. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!condition()) {
    assert.ok(performance.now() < giveUpAt, `never happened: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** What a promise was rejected with. Fails when it was not. */
export async function rejection<E extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...rest: never[]) => E,
): Promise<E> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    if (error instanceof type) return error
    throw error
  }
  assert.fail(`expected a rejection, got ${String(value)}`)
}

/** What a function threw. Fails when it did not. */
export function thrown<E extends Error>(run: () => unknown, type: abstract new (...rest: never[]) => E): E {
  try {
    run()
  } catch (error) {
    if (error instanceof type) return error
    throw error
  }
  assert.fail('expected an error to be thrown')
}
