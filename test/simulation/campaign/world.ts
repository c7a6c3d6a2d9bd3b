// One simulated world: servers, clients that call them in every way, and faults; all drawn from a seed.

import {
  connect,
  createNodeManager,
  createServer,
  quorumCall,
  quorumStream,
  RpcError,
  rpc,
  service,
  unicast,
} from 'gorums'
import { SharedNodeManager } from '../../../src/call/connect.ts'
import { Server } from '../../../src/call/server.ts'
import type { Context, Logger, TransportOptions } from '../../../src/index.ts'
import { multicast } from '../../../src/index.ts'
import type { Runtime } from '../../../src/net/runtime.ts'
import { drawFaults, type Fault, type FaultKind } from '../../../src/testing/simulation/faults.ts'
import type { SimulatedHost } from '../../../src/testing/simulation/host.ts'
import type { Weather } from '../../../src/testing/simulation/network.ts'
import type { Random } from '../../../src/testing/simulation/random.ts'
import type { Simulation } from '../../../src/testing/simulation/simulation.ts'
import type { Inside } from './invariants.ts'
import type { Ledger, Outcome } from './ledger.ts'
import type { Wire } from './wire.ts'
import type { WireEdges } from './wire-edges.ts'

interface Request {
  readonly caller: string
  readonly n: number
  readonly mode: 'now' | 'later' | 'release' | 'fail' | 'back'
  readonly items: number
  readonly pad: Uint8Array
}

interface Answer {
  readonly n: number
  readonly pad?: Uint8Array
}

const Work = service('sim.Work', {
  run: rpc<Request, Answer>(),
  runConcurrently: rpc<Request, Answer>({ concurrent: true }),
  tell: unicast<Request>(),
  tellAll: multicast<Request>(),
  ask: quorumCall<Request, Answer>(),
  items: quorumStream<Request, { i: number }>(),
})

const Back = service('sim.Back', { back: rpc<{ caller: string; n: number }, object>() })

/** A world as it was drawn. Plain data: it can be printed, and changed by hand. */
export interface WorldPlan {
  readonly seed: number
  readonly servers: readonly string[]
  readonly clients: readonly string[]
  readonly callsPerClient: number
  readonly paceMs: number
  readonly overMs: number
  readonly padMaxBytes: number
  /** How much answers carry beside what they say, bytes. */
  readonly answerBytes: number
  /** No handler answers at once. */
  readonly isSlow: boolean
  /** No process ends, no session expires. */
  readonly isGentle: boolean
  /** Processes end only when they have drained, and nothing may be refused or unknown. */
  readonly isRolling: boolean
  readonly drainTimeoutMs: number
  readonly transport: TransportOptions
  /** The network's, in place of what the seed has drawn. */
  readonly weather?: Weather
  /**
   * Who clients say they are: nobody; themselves, and one that is started again takes the place of the last; or all the same
   * node, whose living processes take each other's place again and again.
   */
  readonly clientNames: 'none' | 'own' | 'same'
  /** What is different for clients. */
  readonly clientTransport?: TransportOptions
  readonly whenDown: 'fail' | 'wait'
  readonly faults: readonly Fault[]
}

const GENTLE: readonly FaultKind[] = [
  'partition',
  'delay',
  'reset',
  'half-close',
  'blackhole',
  'refuse',
  'pause',
  'clock-jump',
]
const PORT = 7000
const NEVER_MS = 3_600_000

export function drawWorld(random: Random, seed: number): WorldPlan {
  const servers = ['a', 'b', 'c'].slice(0, random.int(1, 3))
  const clients = ['x', 'y'].slice(0, random.int(1, 2))
  const isGentle = random.chance(0.5)
  const overMs = random.magnitude(100, 20_000)
  const callsPerClient = random.int(20, 100)
  const windowBytes = random.chance(0.3) ? 20_000 : 200_000
  return {
    seed,
    servers,
    clients,
    callsPerClient,
    paceMs: (overMs / callsPerClient) * random.between(0.5, 2),
    overMs,
    padMaxBytes: random.chance(0.3) ? 12_000 : 60,
    answerBytes: 0,
    isSlow: false,
    isGentle,
    isRolling: false,
    clientNames: 'none',
    drainTimeoutMs: 2_000,
    transport: {
      sessions: isGentle || random.chance(0.85),
      sessionTtlMs: isGentle ? NEVER_MS : Math.round(random.magnitude(100, 60_000)),
      pingIntervalMs: random.int(100, 2_000),
      pingTimeoutMs: random.int(100, 2_000),
      handshakeTimeoutMs: random.int(100, 3_000),
      downAfterMs: random.int(10, 2_000),
      backoff: { minMs: random.int(1, 100), maxMs: random.int(500, 3_000) },
      limits: {
        frameMaxBytes: 16_384,
        requestWindowBytes: windowBytes,
        queueMaxBytes: random.chance(0.2) ? 30_000 : 16 * 1024 * 1024,
        handlersMax: random.chance(0.1) ? 3 : 10_000,
        detachedSessionsMax: isGentle || random.chance(0.8) ? 1_000 : 0,
      },
    },
    whenDown: random.chance(0.5) ? 'wait' : 'fail',
    faults: drawFaults(random, [...servers, ...clients], {
      overMs,
      ...(isGentle ? { kinds: GENTLE } : {}),
      mayCrash: random.chance(0.8) ? servers : [...servers, ...clients],
    }),
  }
}

/** What the programs of a world share. */
export interface World {
  readonly plan: WorldPlan
  readonly simulation: Simulation
  readonly ledger: Ledger
  readonly inside: Inside
  readonly wire: Wire
  readonly edges: WireEdges
  /** Clients that have made all their calls, those of their present life. */
  readonly finished: Set<string>
}

export function startServer(world: World, name: string): void {
  world.simulation.host(name, async (host) => {
    const { life } = host
    const runtime = world.wire.watch(host, () => world.inside.managerOf(name))
    const server = createServer({ ...world.plan.transport, runtime, logger: loggerOf(world), nodeID: name })
    world.inside.watch(name, Server.endpointOf(server).manager)
    const serving = new Serving(world, host, runtime)
    server.handle(Work, {
      run: (request, context) => serving.serve(request, context, true),
      runConcurrently: (request, context) => serving.serve(request, context, false),
      tell: async (request, context) => void (await serving.serve(request, context, true)),
      tellAll: async (request, context) => void (await serving.serve(request, context, true)),
      ask: (request, context) => serving.serve(request, context, true),
      items: (request) => serving.stream(request),
    })
    host.onStop = () => server.close({ drainTimeoutMs: world.plan.drainTimeoutMs })
    await server.listen({ port: PORT })
    if (!host.lives(life)) world.inside.forget(name)
  })
}

/** One life of a server. */
class Serving {
  readonly #world: World
  readonly #host: SimulatedHost
  readonly #runtime: Runtime
  readonly #life: number
  readonly #random: Random
  #backs = 0

  constructor(world: World, host: SimulatedHost, runtime: Runtime) {
    this.#world = world
    this.#host = host
    this.#runtime = runtime
    this.#life = host.life
    this.#random = world.simulation.random(`server ${host.name} ${host.life}`)
  }

  serve(request: Request, context: Context, holdsLane: boolean): Answer | Promise<Answer> {
    const { caller, n, mode } = request
    const { answerBytes, isSlow } = this.#world.plan
    const answer = answerBytes === 0 ? { n } : { n, pad: Buffer.alloc(answerBytes) }
    const isAtOnce = mode === 'now' && !isSlow
    this.#start(caller, n, holdsLane && !isAtOnce && mode !== 'fail')
    if (isAtOnce) return answer
    if (mode === 'fail') throw new RpcError('aborted', 'as asked')
    if (mode === 'back') return this.#callBack(caller, n, context)
    if (mode === 'release') {
      this.#world.ledger.release(caller, this.#host.name, this.#life, n)
      context.release()
    }
    return this.#sleep().then(() => {
      this.#world.ledger.release(caller, this.#host.name, this.#life, n)
      return answer
    })
  }

  async *stream({ caller, n, items }: Request): AsyncGenerator<{ i: number }> {
    this.#start(caller, n, true)
    try {
      for (let i = 0; i < items; i++) {
        if (this.#random.chance(0.3)) await this.#sleep()
        yield { i }
      }
    } finally {
      this.#world.ledger.release(caller, this.#host.name, this.#life, n)
    }
  }

  #start(caller: string, n: number, holdsLane: boolean): void {
    if (!this.#host.lives(this.#life)) return
    guard(this.#world, () => this.#world.ledger.start(caller, this.#host.name, this.#life, n, holdsLane))
  }

  async #callBack(caller: string, n: number, context: Context): Promise<{ n: number }> {
    const { ledger } = this.#world
    ledger.release(caller, this.#host.name, this.#life, n)
    context.release()
    const self = `${this.#host.name}/${this.#life}`
    const m = ++this.#backs
    ledger.call(self, caller, m, false, true)
    await context.peer
      .client(Back)
      .back({ caller: self, n: m }, { timeoutMs: NEVER_MS })
      .then(
        () => this.#tell(self, caller, m, 'ok'),
        (error: RpcError) => this.#tell(self, caller, m, outcomeOf(error)),
      )
    return { n }
  }

  #tell(self: string, caller: string, m: number, outcome: Outcome): void {
    guard(this.#world, () => this.#world.ledger.tell(self, caller, m, outcome))
  }

  #sleep(): Promise<void> {
    const ms = this.#random.magnitude(this.#world.plan.isSlow ? 20 : 0.05, 50)
    return new Promise((resolve) => void this.#runtime.startTimer(ms, resolve))
  }
}

export function startClient(world: World, name: string): void {
  world.simulation.host(name, async (host) => {
    const { plan } = world
    const caller = `${name}/${host.life}`
    const runtime = world.wire.watch(host, () => world.inside.managerOf(name))
    const backs = createServer({ ...plan.transport, runtime })
    backs.handle(Back, {
      back: ({ caller: server, n }) => {
        guard(world, () => world.ledger.start(server, caller, host.life, n, false))
        return {}
      },
    })
    const transport = {
      ...plan.transport,
      ...plan.clientTransport,
      ...nameOf(plan, name),
      runtime,
      logger: loggerOf(world),
    }
    const manager = createNodeManager({ ...transport, server: backs })
    world.inside.watch(name, SharedNodeManager.endpointOf(manager).manager)
    const config = await connect(Object.fromEntries(plan.servers.map((server) => [server, `${server}:${PORT}`])), {
      manager,
      callTimeoutMs: NEVER_MS,
      whenDown: plan.whenDown,
      waitFor: 'none',
    })
    host.onStop = async () => {
      await config.close()
      await manager.close()
    }
    await new Calling(world, host, runtime, caller, config).run()
    if (host.life === Number(caller.split('/')[1])) world.finished.add(name)
  })
}

function nameOf({ clientNames, clients }: WorldPlan, name: string): TransportOptions {
  if (clientNames === 'none') return {}
  return { nodeID: clientNames === 'own' ? name : clients[0]! }
}

type Config = Awaited<ReturnType<typeof connect>>

/** One life of a client. */
class Calling {
  readonly #world: World
  readonly #runtime: Runtime
  readonly #caller: string
  readonly #config: Config
  readonly #random: Random
  #n = 0

  constructor(world: World, host: SimulatedHost, runtime: Runtime, caller: string, config: Config) {
    this.#world = world
    this.#runtime = runtime
    this.#caller = caller
    this.#config = config
    this.#random = world.simulation.random(`client ${host.name} ${host.life}`)
  }

  /** Makes all calls, each without waiting for those before. */
  async run(): Promise<void> {
    const { plan } = this.#world
    for (let made = 0; made < plan.callsPerClient; made++) {
      this.#makeOne()
      if (this.#random.chance(0.5)) await this.#sleep(this.#random.between(0, 4 * plan.paceMs))
    }
  }

  #makeOne(): void {
    const random = this.#random
    const { plan, ledger } = this.#world
    const kind = random.pick([
      'run',
      'run',
      'run',
      'runConcurrently',
      'tell',
      'tellAll',
      'ask',
      'ask',
      'items',
    ] as const)
    const n = ++this.#n
    const isOneWay = kind === 'tell' || kind === 'tellAll'
    const request: Request = {
      caller: this.#caller,
      n,
      mode: random.pick(isOneWay ? ['now', 'later'] : ['now', 'now', 'later', 'release', 'fail', 'back']),
      items: random.int(0, 6),
      pad: Buffer.alloc(random.int(0, plan.padMaxBytes)),
    }
    const isCancelled = random.chance(0.08)
    const hasDeadline = random.chance(0.05)
    const controller = isCancelled ? new AbortController() : undefined
    if (controller !== undefined) this.#runtime.startTimer(random.magnitude(0.1, plan.overMs), () => controller.abort())
    const options = {
      ...(controller === undefined ? {} : { signal: controller.signal }),
      ...(hasDeadline ? { timeoutMs: Math.ceil(random.magnitude(1, plan.overMs)) } : {}),
    }
    const isExcused = isCancelled || hasDeadline
    if (kind === 'run' || kind === 'runConcurrently' || kind === 'tell') {
      const server = random.pick(plan.servers)
      ledger.call(this.#caller, server, n, isOneWay, isExcused)
      this.#config
        .node(server)
        .client(Work)
        [kind](request, options)
        .then(
          () => this.#tell(server, n, isOneWay ? 'sent' : 'ok'),
          (error: RpcError) => this.#tell(server, n, outcomeOf(error)),
        )
      return
    }
    for (const server of plan.servers) ledger.call(this.#caller, server, n, isOneWay, isExcused)
    if (kind === 'tellAll') this.#tellAll(request, options)
    else this.#ask(kind, request, options)
  }

  #tellAll(request: Request, options: object): void {
    this.#config
      .client(Work)
      .tellAll(request, options)
      .then(
        () => this.#tellEach(request.n, new Map()),
        (error: { errors: ReadonlyMap<string, RpcError> }) => this.#tellEach(request.n, error.errors),
      )
  }

  #tellEach(n: number, errors: ReadonlyMap<string, RpcError>): void {
    for (const server of this.#world.plan.servers) {
      const error = errors.get(server)
      this.#tell(server, n, error === undefined ? 'sent' : outcomeOf(error))
    }
  }

  #ask(kind: 'ask' | 'items', request: Request, options: object): void {
    const { ledger } = this.#world
    const client = this.#config.client(Work)
    const onReply = ({ nodeID, value }: { nodeID: string; value: unknown }): void => {
      if (value === undefined || kind === 'ask') return
      guard(this.#world, () => ledger.item(this.#caller, nodeID, request.n, (value as { i: number }).i))
    }
    const call = client[kind](request, { ...options, onReply })
    // Some have what they wanted before all nodes have answered.
    if (kind === 'ask' && request.n % 3 === 0) call.first().catch(() => {})
    void call.settled.then(({ nodes }) => {
      for (const { nodeID, outcome, error } of nodes) {
        if (outcome === 'replied' && kind === 'items')
          guard(this.#world, () => ledger.ended(this.#caller, nodeID, request.n, request.items))
        this.#tell(nodeID, request.n, error === undefined ? 'ok' : outcomeOf(error))
      }
    })
  }

  #tell(server: string, n: number, outcome: Outcome): void {
    guard(this.#world, () => this.#world.ledger.tell(this.#caller, server, n, outcome))
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#runtime.startTimer(ms, resolve))
  }
}

function loggerOf({ edges }: World): Logger {
  return { warn: (message) => edges.onWarning(message) }
}

/** A violation that is found within a callback ends the simulation. */
function guard(world: World, check: () => void): void {
  try {
    check()
  } catch (error) {
    world.simulation.fail(error)
  }
}

function outcomeOf(error: RpcError): Outcome {
  return error.executed === 'yes' ? 'failed' : error.executed
}
