// A TCP proxy that does to real connections what networks do: it cuts them, closes one of their directions, holds their bytes
// back, loses them, slows them down, hands them on in small pieces, refuses new ones. Order is always kept; TLS passes through
// as it is.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { FaultPipe } from './fault-pipe.ts'
import { Random } from './simulation/random.ts'

/** Options of `startFaultProxy`. */
export interface FaultProxyOptions {
  /** Where connections are passed on to. */
  readonly target: { readonly host: string; readonly port: number }
  /** Decides everything that is random. Default 1. */
  readonly seed?: number | string
}

/** What a proxy does to the bytes of one direction: `up` is towards the target. */
export type Direction = 'up' | 'down'

/** How the bytes of a direction are treated. What is not given stays as it is. */
export interface Treatment {
  /** How long each piece is held, ms; pieces do not overtake each other. */
  delayMs?: number
  /** The largest piece that is passed on at once, bytes; each has a random size up to it. */
  pieceMaxBytes?: number
  /** How much passes in a second on each connection, bytes. Default: as much as comes. */
  bytesPerSecond?: number
  /** `hold`: bytes wait until this is changed; `lose`: they vanish, and the connection with them is never whole again. */
  flow?: 'pass' | 'hold' | 'lose'
  /** The chance that a piece has one bit flipped. */
  flipChance?: number
}

/** What a proxy has done so far. */
export interface FaultProxyCounters {
  connections: number
  refused: number
  cuts: number
  halfCloses: number
  bytes: number
  lostBytes: number
  flippedBits: number
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
  readonly pipes: Readonly<Record<Direction, FaultPipe>>
}

/** Proxies are made by `startFaultProxy()`. */
export class FaultProxy {
  readonly counters: FaultProxyCounters = {
    connections: 0,
    refused: 0,
    cuts: 0,
    halfCloses: 0,
    bytes: 0,
    lostBytes: 0,
    flippedBits: 0,
  }
  /** Whether new connections are reset at once. */
  isRefusing = false
  readonly #target: FaultProxyOptions['target']
  readonly #random: Random
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #treatments: Record<Direction, Required<Treatment>> = { up: { ...PASSING }, down: { ...PASSING } }

  constructor({ target, seed = 1 }: FaultProxyOptions) {
    this.#target = target
    this.#random = new Random(seed, 'fault proxy')
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => this.#join(near))
  }

  /** What clients dial in place of the target, `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Connections that stand. */
  get connections(): number {
    return this.#pairs.size
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Changes how bytes of a direction are treated, on all connections, from now on. */
  treat(direction: Direction | 'both', treatment: Treatment): void {
    for (const each of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
      Object.assign(this.#treatments[each], treatment)
      for (const { pipes } of this.#pairs) pipes[each].wake()
    }
  }

  /** Resets every connection, at both ends; what is on its way is lost. Returns how many there were. */
  cut(): number {
    const cuts = this.#pairs.size
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    this.counters.cuts += cuts
    return cuts
  }

  /** Ends one direction of every connection, as its sender might have; the other goes on. Returns how many there were. */
  halfClose(direction: Direction): number {
    for (const { pipes } of this.#pairs) pipes[direction].halfClose()
    this.counters.halfCloses += this.#pairs.size
    return this.#pairs.size
  }

  /** Cuts everything and stops listening. */
  async close(): Promise<void> {
    for (const { near, far } of this.#pairs) {
      near.destroy()
      far.destroy()
    }
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #join(near: Socket): void {
    near.on('error', () => {})
    if (this.isRefusing) {
      this.counters.refused++
      near.resetAndDestroy()
      return
    }
    this.counters.connections++
    const far = connect({ ...this.#target, noDelay: true, allowHalfOpen: true })
    const pipe = (from: Socket, to: Socket, direction: Direction): FaultPipe =>
      new FaultPipe(from, to, this.#treatments[direction], this.#random, this.counters)
    const pair = { near, far, pipes: { up: pipe(near, far, 'up'), down: pipe(far, near, 'down') } }
    this.#pairs.add(pair)
    for (const socket of [near, far]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#pairs.delete(pair)
        pair.pipes.up.close()
        pair.pipes.down.close()
        near.destroy()
        far.destroy()
      })
    }
  }
}

const PASSING: Required<Treatment> = {
  delayMs: 0,
  pieceMaxBytes: Infinity,
  bytesPerSecond: Infinity,
  flow: 'pass',
  flipChance: 0,
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options)
  await proxy.listen()
  return proxy
}
