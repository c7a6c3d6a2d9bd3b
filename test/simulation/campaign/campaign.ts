// Runs simulated worlds, one per seed, and checks every promise of the framework in each of them.

import { endOfFaults, type Fault } from '../../../src/testing/simulation/faults.ts'
import { Random } from '../../../src/testing/simulation/random.ts'
import { Simulation } from '../../../src/testing/simulation/simulation.ts'
import { Ages } from './ages.ts'
import { maybeCrowded } from './crowded.ts'
import { Inside } from './invariants.ts'
import { maybeLate } from './late.ts'
import { Ledger, Violation } from './ledger.ts'
import { maybeNamed } from './named.ts'
import { maybeRolling } from './rolling.ts'
import { maybeTorn } from './torn.ts'
import { Wire } from './wire.ts'
import { WireEdges } from './wire-edges.ts'
import { drawWorld, startClient, startServer, type World, type WorldPlan } from './world.ts'

/** So long after the last fault every call must have been answered, ms. */
const SETTLE_MS = 300_000
/** The insides are looked at after every so many events. */
const CHECK_EVERY = 8
const QUIET_MS = 1_000
/** A connection may have to die first, and the last ACK may be a packet that is lost and sent again. */
const QUIET_MAX_MS = 60_000

export interface SeedResult {
  readonly seed: number
  readonly hash: string
  readonly virtualMs: number
  readonly events: number
  readonly calls: number
  readonly runs: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  readonly connections: number
  readonly sessions: number
  readonly resumes: number
  /** How often each edge case of going on with a session was met. */
  readonly edges: Readonly<Record<string, number>>
  readonly isGentle: boolean
  readonly isRolling: boolean
  readonly violation: { readonly invariant: string; readonly what: string; readonly atMs: number } | undefined
  readonly trace: readonly string[]
}

export interface SeedOptions {
  /** In place of what the seed has drawn. */
  readonly change?: Partial<WorldPlan>
  /** How many of the last lines of the trace to keep. */
  readonly traceLines?: number
}

export function planOf(seed: number, change: Partial<WorldPlan> = {}): WorldPlan {
  const plan = maybeNamed(maybeTorn(maybeCrowded(maybeLate(maybeRolling(drawWorld(new Random(seed, 'world'), seed))))))
  return { ...plan, ...change }
}

/** One world from beginning to end. Never rejects: what goes wrong is the violation. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const plan = planOf(seed, options.change)
  const ledger = new Ledger(plan)
  let events = 0
  const simulation = new Simulation({
    seed,
    weather: plan.weather ?? {},
    traceLines: options.traceLines ?? 0,
    afterEvent: () => {
      if (++events % CHECK_EVERY === 0) inside.check()
    },
  })
  const ages = new Ages((name) => pausedMs(plan.faults, name))
  const inside = new Inside((error) => simulation.fail(error), ages)
  const edges = new WireEdges()
  inside.onSession = (session) => edges.look(session)
  const world: World = { plan, simulation, ledger, inside, wire: new Wire([edges]), edges, finished: new Set() }
  let violation: SeedResult['violation']
  try {
    await live(world)
  } catch (error) {
    const invariant = error instanceof Violation ? error.invariant : 'throws'
    const what = error instanceof Violation ? error.message : String((error as Error)?.stack ?? error)
    violation = { invariant, what, atMs: simulation.now }
  }
  return {
    seed,
    hash: simulation.trace.hash,
    virtualMs: simulation.now,
    events: simulation.counters.events,
    calls: ledger.calls,
    runs: ledger.runs,
    outcomes: ledger.outcomes,
    faults: simulation.counters.faults,
    connections: simulation.counters.connections,
    sessions: inside.sessions,
    resumes: inside.resumes,
    edges: { ...inside.edges, ...edges.counts },
    isGentle: plan.isGentle,
    isRolling: plan.isRolling,
    violation,
    trace: simulation.trace.lines,
  }
}

async function live(world: World): Promise<void> {
  const { simulation, plan, ledger, inside } = world
  for (const name of plan.servers) startServer(world, name)
  for (const name of plan.clients) startClient(world, name)
  for (const name of [...plan.clients, ...plan.servers]) {
    const host = simulation.host(name)
    host.onCrash = (life) => {
      ledger.died(`${name}/${life}`)
      inside.forget(name)
      world.finished.delete(name)
      world.wire.died(host)
    }
  }
  simulation.schedule(plan.faults)
  const healedAt = endOfFaults(plan.faults)
  await simulation.run(healedAt)
  const isDone = (): boolean => world.finished.size === plan.clients.length && ledger.open === 0
  if (!(await simulation.run(isDone, SETTLE_MS)))
    throw new Violation(
      'every call ends',
      `${ledger.open} are open ${SETTLE_MS} ms after the last fault: ${ledger.openNames}`,
    )
  // By then every planned cancellation has come, too.
  await simulation.run(QUIET_MS + plan.overMs)
  inside.check()
  if (!(await simulation.run(() => inside.leftovers(!plan.isGentle) === undefined, QUIET_MAX_MS)))
    throw new Violation('nothing left', inside.leftovers(!plan.isGentle) ?? '')
  if (!(await simulation.run(() => inside.stillFull() === undefined, QUIET_MAX_MS)))
    throw new Violation('room again', inside.stillFull() ?? '')
  ledger.finish()
  checkDials(world)
  await closeAll(world)
}

/** For how long a process is paused in all, at most. */
function pausedMs(faults: readonly Fault[], name: string): number {
  return faults.reduce((sum, fault) => sum + (fault.kind === 'pause' && fault.host === name ? fault.forMs : 0), 0)
}

/** Whoever can not connect must not try in a hot loop. */
function checkDials(world: World): void {
  const { plan, simulation } = world
  const { dials } = simulation.counters
  const pairs = plan.servers.length * plan.clients.length
  const slowest = plan.transport.backoff!.maxMs!
  const allowed = 40 * pairs + 8 * simulation.counters.connections + (8 * pairs * simulation.now) / slowest
  if (dials > allowed)
    throw new Violation('no hot loop', `${dials} attempts to connect, ${Math.round(allowed)} are plenty`)
}

/** Everybody closes; nothing may be left that could still happen. */
async function closeAll({ simulation, plan }: World): Promise<void> {
  let closed = 0
  const names = [...plan.clients, ...plan.servers]
  for (const name of names) {
    simulation
      .host(name)
      .onStop?.()
      .then(
        () => closed++,
        (error: unknown) => simulation.fail(error),
      )
  }
  if (!(await simulation.run(() => closed === names.length, 60_000)))
    throw new Violation('closes', `${names.length - closed} of ${names.length} have not closed after a minute`)
  await simulation.run(10_000)
  for (const name of names) {
    const { timers, streams } = simulation.host(name)
    if (timers + streams > 0) throw new Violation('nothing left', `${name} has ${timers} timers and ${streams} streams`)
  }
}
