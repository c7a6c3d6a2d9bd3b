// All attackers at once beside the honest client: what the server's memory came to, what it may come to by its limits, and
// how long honest calls took before and meanwhile.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { decodedBytesMax } from '../../codec/decoded-size.ts'
import type { Deeds } from './attack-process.ts'
import { HonestClient, type HonestFigures } from './honest-client.ts'
import { type Health, TargetServer } from './target.ts'
import { LIMITS, messageLimits, type Strictness } from './target-service.ts'

const KIB = 1024

export interface CombinedOutcome {
  readonly before: HonestFigures
  readonly during: HonestFigures
  readonly deeds: Deeds
  readonly idle: Health
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

/** What attackers do, each alone or all at once. */
export const DEEDS = [
  'silent sockets',
  'non-readers',
  'unread streams',
  'wrong lengths',
  'bombs',
  'protobuf bombs',
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

/** Calls of so long do not count: code that has just been loaded is slow, and what follows would look fast beside it. */
const WARM_UP_MS = 1_000

/** Runs attackers for `attackMs`, after honest calls alone for `baselineMs`. */
export async function runCombined(
  baselineMs: number,
  attackMs: number,
  deeds: readonly string[] = [],
  strictness: Strictness = 'usual',
): Promise<CombinedOutcome> {
  const target = await TargetServer.start({ strictness })
  let attack: ChildProcess | undefined
  try {
    const idle = await target.health()
    const honest = await HonestClient.connect(target.address)
    honest.start()
    await pause(WARM_UP_MS)
    await honest.stop()
    honest.start()
    await pause(baselineMs)
    const before = await honest.stop()
    // Its calls go on meanwhile, and do not count: behind a pause they would be slow for a while, and attackers have done nothing yet.
    honest.start()
    attack = await startAttack(target.port, deeds, strictness)
    await honest.stop()
    honest.start()
    await pause(attackMs)
    await honest.checkOnce()
    const during = await honest.stop()
    const health = await target.health()
    const done = await stopAttack(attack)
    await target.until(({ clients }) => clients === 1, 'nothing is left of the attackers', 15_000)
    await honest.checkOnce()
    await honest.close()
    return { before, during, deeds: done, idle, health, formulaBytes: formulaBytes(idle.rssBytes, strictness) }
  } finally {
    attack?.kill('SIGKILL')
    await target.stop()
  }
}

async function startAttack(port: number, deeds: readonly string[], strictness: Strictness): Promise<ChildProcess> {
  const script = path.join(import.meta.dirname, 'attack-process.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(port), ...deeds], {
    cwd: path.resolve(import.meta.dirname, '../..'),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, HOSTILE_LIMITS: strictness },
  })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('no attackers'))),
  ])
  return child
}

async function stopAttack(child: ChildProcess): Promise<Deeds> {
  const answered = once(child, 'message')
  child.send('stop')
  const [deeds] = (await answered) as [Deeds]
  return deeds
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
