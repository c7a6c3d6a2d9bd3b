// What a row of the list of bad inputs is, what it may use, and how the usual expectations are put.

import assert from 'node:assert/strict'
import type net from 'node:net'
import { decodeStatus, type Status } from '../../src/wire/control.ts'
import { FieldReader } from '../../src/wire/fields.ts'
import { Kind } from '../../src/wire/frame.ts'
import type { FrameParts, RawPeer, ReceivedFrame } from '../net/raw-peer.ts'
import { shakeHands } from './attackers.ts'
import type { HonestClient } from './honest-client.ts'
import type { TargetServer } from './target.ts'
import { HI, methodID, type TargetKey } from './target-service.ts'

/** One bad input. */
export interface Row {
  /** As in the list: F framing, C connections, A amplification, D codecs, R repetition, E evil server. */
  readonly id: string
  readonly what: string
  readonly expected: string
  /** Does the deed, checks the reaction, and returns a figure worth printing. Absent where there is nothing to do. */
  readonly run?: (scene: Scene) => Promise<string | undefined>
  /** Why there is nothing to do. */
  readonly why?: string
}

/** What a row works with. What it tracks is closed when the row is over. */
export class Scene {
  readonly target: TargetServer
  readonly honest: HonestClient
  #tracked: (() => unknown)[] = []

  constructor(target: TargetServer, honest: HonestClient) {
    this.target = target
    this.honest = honest
  }

  get port(): number {
    return this.target.port
  }

  track<T extends RawPeer | net.Socket>(attacker: T): T {
    this.after(() => ('close' in attacker ? attacker.close() : attacker.destroy()))
    return attacker
  }

  /** Calls back when the row is over; the last first. */
  after(callback: () => unknown): void {
    this.#tracked.push(callback)
  }

  /** A peer that has gone through the handshake. */
  async peer(changes: Parameters<typeof shakeHands>[1] = {}): Promise<RawPeer> {
    return this.track(await shakeHands(this.port, changes))
  }

  async end(): Promise<void> {
    for (const callback of this.#tracked.splice(0).reverse()) await callback()
  }
}

/** A REQUEST for a method of the target; what is left out is right. */
export function request(key: TargetKey, msgID: number, parts: Partial<FrameParts> = {}): FrameParts {
  return { kind: Kind.request, methodID: methodID(key), payload: HI, msgID, ...parts }
}

/** The connection is ended with GOAWAY, for this reason, and no byte behind the bad one is interpreted. */
export async function expectGoAway(peer: RawPeer, says: RegExp): Promise<void> {
  if (!peer.isClosed) peer.send({ kind: Kind.oneway, methodID: methodID('note'), msgID: 0x7fff_0000, payload: HI })
  const { why } = await peer.goAway()
  assert.match(why.message, says)
}

/** The next answer is an ERROR of this code for this msgID, and says that nothing ran. */
export async function expectRefusal(peer: RawPeer, msgID: number, code: string, says = /./): Promise<void> {
  const answer = await peer.next(Kind.error, Kind.reply, Kind.end, Kind.item)
  assert.equal(answer.kind, Kind.error)
  assert.equal(answer.msgID, msgID)
  const status = statusOf(answer)
  assert.equal(status.code, code, status.message)
  assert.equal(status.notExecuted, true)
  assert.match(status.message, says)
}

export function statusOf(frame: ReceivedFrame): Status {
  return decodeStatus(new FieldReader(frame.payload, 0, frame.payload.length))
}

/** The peer is served as if nothing had happened. */
export async function expectServed(peer: RawPeer, msgID: number): Promise<void> {
  peer.send(request('echo', msgID))
  const answer = await peer.next(Kind.reply, Kind.error)
  assert.equal(answer.kind, Kind.reply, answer.kind === Kind.error ? statusOf(answer).message : '')
  assert.equal(answer.msgID, msgID)
  assert.deepEqual(answer.payload, HI)
}

/** Resolves within `limitMs`, or fails with `what`. */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

export function inMiB(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
