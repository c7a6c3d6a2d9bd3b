// Attackers, one kind at a time or all at once, beside the honest client: what the server's memory came to, what it may come
// to by its limits, and how long honest calls took before and meanwhile.

import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { decodedBytesMax } from '../../codec/decoded-size.ts'
import type { Deeds } from './attack-process.ts'
import { giveCore } from './cores.ts'
import type { HonestFigures, HonestOrder } from './honest-process.ts'
import { type Health, TargetServer } from './target.ts'
import { LIMITS, messageLimits, type Strictness } from './target-service.ts'

const KIB = 1024

/** Honest calls before attackers came and beside them, and what those have done. */
export interface AttackOutcome {
  readonly before: HonestFigures
  readonly during: HonestFigures
  readonly deeds: Deeds
}

/** The server after all attacks, and what its limits allow it to take. */
export interface SiegeOutcome {
  readonly health: Health
  readonly formulaBytes: number
}

/** Peers that have shaken hands in attack-process.ts at any moment, and the honest client. */
const PEERS = 17
/** Of those, the ones that fill their windows behind a handler that holds the lane, and maybe cancel what waits. */
const WINDOWS = 2
/** Memory that a waiting request takes beyond its bytes, per byte, for the smallest requests there are: where it is, how to find it, and as much of others that were cancelled. */
const SMALLEST_REQUEST_FACTOR = 6
/** Heap that a value of MessagePack may take, bytes. */
const VALUE_BYTES = 32
/** Bytes for one that has not said HELLO: a control frame, its socket, its timer. */
const STRANGER_BYTES = 32 * KIB
const HANDSHAKES = 1_000

/**
 * What the limits allow the server to hold beyond what it has when idle:
 *
 *   peers × (a frame in the making + what is written and not acknowledged + one answer)
 *   + full windows × (their bytes + what waiting requests take beside)
 *   + strangers + sessions without a connection + one message being decoded, and one as garbage
 */
export function formulaBytes(idleBytes: number, strictness: Strictness): number {
  const { frameMaxBytes, maxValues, maxDecodedBytes } = messageLimits[strictness]
  const decodedBytes = Math.max(decodedBytesMax(frameMaxBytes, maxDecodedBytes), maxValues * VALUE_BYTES)
  const perPeer = frameMaxBytes + LIMITS.sessionLogMaxBytes + frameMaxBytes
  const windows = WINDOWS * LIMITS.requestWindowBytes * (1 + SMALLEST_REQUEST_FACTOR)
  return (
    idleBytes + PEERS * perPeer + windows + HANDSHAKES * STRANGER_BYTES + LIMITS.detachedBytesMax + 2 * decodedBytes
  )
}

/**
 * The row "memory ceiling" of the list of bad inputs: silent sockets (C1), peers that do not read (C3) what small requests
 * make large (A1), wrong lengths (F1), and bombs, together.
 */
export const CEILING = ['silent sockets', 'non-readers', 'unread streams', 'wrong lengths', 'bombs', 'protobuf bombs']

/** What attackers do, each alone or all at once. */
export const DEEDS = [
  ...CEILING,
  'salvos',
  'protobuf salvos',
  'full windows',
  'cancelled windows',
  'returning sessions',
  'rapid resets',
  'PING floods',
  'bad requests',
  'noise',
]

/** Calls of so long do not count: until V8 has made code of all that they need everything is slow, and attackers would seem to do little. */
const WARM_UP_MS = 10_000

/** A server, an honest client with a process of its own, and attackers that come and go. */
export class Siege {
  /** Whether the honest client and the server have cores on which they wait for nobody. */
  readonly areCoresOwn: boolean
  readonly #strictness: Strictness
  readonly #target: TargetServer
  readonly #honest: ChildProcess
  readonly #idle: Health

  private constructor(strictness: Strictness, target: TargetServer, honest: ChildProcess, idle: Health) {
    this.#strictness = strictness
    this.#target = target
    this.#honest = honest
    this.#idle = idle
    this.areCoresOwn = [honest.pid!, target.pid].every(giveCore)
  }

  /** `compileProcesses()` comes first. */
  static async begin(strictness: Strictness): Promise<Siege> {
    const target = await TargetServer.start({ strictness, isCompiled: true })
    const idle = await target.health()
    const siege = new Siege(strictness, target, await startProcess('honest-process', [target.address]), idle)
    await siege.#call(WARM_UP_MS)
    return siege
  }

  /** Runs attackers for `attackMs`, after honest calls alone for `baselineMs`. */
  async attack(deeds: readonly string[], baselineMs: number, attackMs: number): Promise<AttackOutcome> {
    const before = await this.#call(baselineMs)
    // Its calls go on meanwhile, and do not count: behind a pause they would be slow for a while, and attackers have done nothing yet.
    this.#start()
    const attack = await startProcess('attack-process', [String(this.#target.port), ...deeds], {
      HOSTILE_LIMITS: this.#strictness,
    })
    try {
      await this.#stop()
      const during = await this.#call(attackMs)
      const ended = once(attack, 'message') as Promise<[Deeds]>
      attack.send('stop')
      const [done] = await ended
      await this.#target.until(({ clients }) => clients === 1, 'nothing is left of the attackers', {
        limitMs: 15_000,
        ask: () => this.#target.glance(),
      })
      return { before, during, deeds: done }
    } finally {
      attack.kill('SIGKILL')
    }
  }

  async end(): Promise<SiegeOutcome> {
    const health = await this.#target.health()
    this.#honest.kill('SIGKILL')
    await this.#target.stop()
    return { health, formulaBytes: formulaBytes(this.#idle.rssBytes, this.#strictness) }
  }

  /** Honest calls for so long, and what came of them. */
  async #call(forMs: number): Promise<HonestFigures> {
    this.#start()
    await pause(forMs)
    return this.#stop()
  }

  #start(): void {
    this.#honest.send('start' satisfies HonestOrder)
  }

  async #stop(): Promise<HonestFigures> {
    const answered = once(this.#honest, 'message') as Promise<[HonestFigures]>
    this.#honest.send('stop' satisfies HonestOrder)
    const [figures] = await answered
    return figures
  }
}

const root = path.resolve(import.meta.dirname, '../..')

/**
 * Compiles the package and the processes of this folder: what is measured is what users run. (tsx gives each function that
 * is made a name, by a table of its own: 256 bytes for every closure of every connection and call.)
 */
export function compileProcesses(): void {
  for (const project of ['tsconfig.build.json', 'test/hostile/tsconfig.json'])
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { cwd: root, stdio: 'inherit' })
}

/** A process of this folder that has said that it is ready. */
async function startProcess(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const child = fork(path.join(root, 'build/test/hostile', `${name}.js`), args, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} has ended before it was ready`))),
  ])
  return child
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
