// The simulated network: who can be reached from where, how long bytes take, and what becomes of connections. Bytes of one
// direction arrive in order or not at all, as with TCP; what is held back by a partition arrives when it is healed.

import type { AcceptHandler, ByteStream, ListenAddress, ListeningPort } from '../../net/runtime.ts'
import type { SimulatedHost } from './host.ts'
import type { Random } from './random.ts'
import type { Simulation } from './simulation.ts'
import { SimulatedStream } from './stream.ts'

/** How a network behaves without faults. Each simulation draws its own, unless it is told. */
export interface Weather {
  /** How long a piece of bytes is on its way, ms. */
  readonly delayMinMs: number
  readonly delayMaxMs: number
  /** How often a packet is lost and sent again by TCP, which holds up its connection for 0.2 to 5 s. 0 to 1. */
  readonly stallChance: number
  /** The largest piece in which bytes arrive, bytes. */
  readonly chunkMaxBytes: number
  /** What the two kernels and the cable hold in one direction, bytes; the rest stays buffered at the sender. */
  readonly pipeBytes: number
}

/** What is wrong on the way from one host to another. Counted, as faults may overlap. */
class Way {
  blocked = 0
  blackholed = 0
  extraDelayMs = 0
}

interface Listener {
  readonly host: SimulatedHost
  readonly life: number
  readonly handler: AcceptHandler
}

/** A connection that is not answered is tried again after so long, ms. */
const SYN_AGAIN_MS = 1_000
const FIRST_PORT = 7_000

export class Network {
  readonly weather: Weather
  readonly #simulation: Simulation
  readonly #random: Random
  readonly #ways = new Map<string, Way>()
  readonly #listeners = new Map<string, Listener>()
  readonly #streams = new Set<SimulatedStream>()
  readonly #refusing = new Map<string, number>()
  readonly #moved = new Map<string, string>()
  #waiting: (() => void)[] = []
  #scratch = Buffer.alloc(64 * 1024)
  #ports = 0

  constructor(simulation: Simulation, weather: Weather) {
    this.#simulation = simulation
    this.#random = simulation.random('network')
    this.weather = weather
  }

  get pipeBytes(): number {
    return this.weather.pipeBytes
  }

  /** Memory for bytes that are valid during one call. */
  scratch(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.alloc(bytes * 2)
    return this.#scratch.subarray(0, bytes)
  }

  streamsOf(host: SimulatedHost): SimulatedStream[] {
    return [...this.#streams].filter((stream) => stream.host === host)
  }

  forget(stream: SimulatedStream): void {
    this.#streams.delete(stream)
  }

  // Connecting

  dial(from: SimulatedHost, life: number, name: string, port: number): ByteStream {
    const stream = this.#newStream(from, `${name}:${port}`)
    this.#simulation.counters.dials++
    this.#simulation.plan('syn', this.#delay(from.name, name), () => this.#connect(stream, life, name, port))
    return stream
  }

  listen(host: SimulatedHost, life: number, address: ListenAddress, handler: AcceptHandler): Promise<ListeningPort> {
    const port = address.port ?? this.#freePort(host.name)
    const key = `${host.name}:${port}`
    const taken = this.#listeners.get(key)
    if (taken?.host.lives(taken.life)) return Promise.reject(new Error(`listen EADDRINUSE ${key}`))
    const listener = { host, life, handler }
    this.#listeners.set(key, listener)
    const close = async (): Promise<void> => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
    }
    return Promise.resolve({ host: host.name, port, close })
  }

  #freePort(name: string): number {
    let port = FIRST_PORT
    while (this.#listeners.has(`${name}:${port}`)) port++
    return port
  }

  #connect(stream: SimulatedStream, life: number, name: string, port: number): void {
    const from = stream.host
    if (stream.isClosed || !from.lives(life)) return
    const target = this.#moved.get(name) ?? name
    const there = this.#way(from.name, target)
    const back = this.#way(target, from.name)
    if (there.blocked + there.blackholed + back.blocked + back.blackholed > 0) {
      this.#simulation.plan('syn', SYN_AGAIN_MS, () => this.#connect(stream, life, name, port))
      return
    }
    const listener = this.#listeners.get(`${target}:${port}`)
    const delayMs = this.#delay(target, from.name)
    const isRefused = this.#refusing.has(target)
    if (isRefused) this.#simulation.count('refuse')
    if (listener === undefined || !listener.host.lives(listener.life) || isRefused) {
      from.plan('refused', delayMs, life, () => stream.close(new Error(`connect ECONNREFUSED ${name}:${port}`)))
      return
    }
    const accepted = this.#newStream(listener.host, `${from.name}:${50_000 + (this.#ports++ % 10_000)}`)
    stream.other = accepted
    accepted.other = stream
    this.#simulation.counters.connections++
    from.plan('connected', delayMs, life, () => {
      if (!stream.isClosed) stream.open()
    })
    listener.host.plan('accept', this.#random.chance(0.05) ? delayMs * 10 : 0, listener.life, () => {
      if (accepted.isClosed) return
      listener.handler.onStream(accepted)
      accepted.open()
    })
  }

  #newStream(host: SimulatedHost, remoteAddress: string): SimulatedStream {
    const stream = new SimulatedStream(this, host, remoteAddress)
    this.#streams.add(stream)
    return stream
  }

  // Bytes

  deliverSoon(stream: SimulatedStream, delayMs?: number): void {
    const { other } = stream
    if (stream.isDelivering || other === undefined) return
    stream.isDelivering = true
    const { now } = this.#simulation
    const stallMs = this.#random.chance(this.weather.stallChance) ? this.#random.magnitude(200, 5_000) : 0
    const usualMs = delayMs ?? this.#delay(stream.host.name, other.host.name)
    const at = Math.max(now + usualMs + stallMs, stream.arrivesAfter)
    stream.arrivesAfter = at
    other.host.plan('bytes', at - now, other.life, () => this.#deliver(stream, other))
  }

  #deliver(stream: SimulatedStream, other: SimulatedStream): void {
    stream.isDelivering = false
    if (stream.isClosed) return
    const way = this.#way(stream.host.name, other.host.name)
    if (way.blackholed > 0) stream.isBlackholed = true
    if (stream.isBlackholed) {
      stream.take(Infinity)
      return
    }
    if (way.blocked > 0) {
      stream.isDelivering = true
      this.#waiting.push(() => {
        stream.isDelivering = false
        this.deliverSoon(stream)
      })
      return
    }
    if (other.isClosed) return this.#resetLater(stream)
    const there = stream.bytesOnTheWay
    if (there > 0) {
      const count = this.#random.chance(0.5) ? there : this.#random.int(1, Math.min(there, this.weather.chunkMaxBytes))
      const bytes = stream.take(count)
      this.#simulation.trace.add(this.#simulation.now, other.host.name, 'reads', count)
      other.receive(bytes)
    }
    if (stream.isClosed) return
    if (stream.hasBytesOnTheWay) this.deliverSoon(stream, this.#random.between(0, this.weather.delayMinMs))
    else if (stream.isEnding) this.#end(stream, other)
  }

  /** Everything has arrived, and the end as well: the other side closes too. */
  #end(stream: SimulatedStream, other: SimulatedStream): void {
    other.close(undefined)
    this.#closeLater(stream, undefined)
  }

  #closeLater(stream: SimulatedStream, error: Error | undefined, delayMs?: number): void {
    const { host, life, other } = stream
    const usual = this.#delay(other?.host.name ?? host.name, host.name)
    host.plan('close', delayMs ?? usual, life, () => stream.close(error))
  }

  #resetLater(stream: SimulatedStream): void {
    this.#closeLater(stream, new Error('read ECONNRESET'))
  }

  /** How many of the bytes that are on their way arrive although their sender is gone. */
  survivors(bytes: number): number {
    return this.#random.chance(0.5) ? bytes : this.#random.int(0, bytes)
  }

  /** An end was destroyed by its owner. The other end reads what was on its way, `last`, and hears of the end. */
  onDestroyed(stream: SimulatedStream, last: Buffer): void {
    const { other } = stream
    if (other === undefined || other.isClosed || stream.isBlackholed) return
    const way = this.#way(stream.host.name, other.host.name)
    if (way.blackholed > 0) return
    if (way.blocked > 0) {
      this.#waiting.push(() => this.onDestroyed(stream, last))
      return
    }
    const { now } = this.#simulation
    const at = Math.max(now + this.#delay(stream.host.name, other.host.name), stream.arrivesAfter)
    other.host.plan('bytes', at - now, other.life, () => {
      if (last.length > 0) other.receive(last)
      this.#resetLater(other)
    })
  }

  onCrashed(host: SimulatedHost, isSilent: boolean): void {
    for (const stream of this.streamsOf(host)) {
      const { other } = stream
      const last = stream.takeSome()
      stream.close(undefined)
      if (other === undefined || other.isClosed) continue
      if (isSilent) other.isBlackholed = true
      else this.onDestroyed(stream, last)
    }
  }

  // Faults

  /** Cuts every connection between two hosts. `hears` says which of them are told. Returns how many there were. */
  reset(one: string, other: string, hears: 'both' | 'one' | 'other'): number {
    let cuts = 0
    for (const stream of [...this.#streams]) {
      const peer = stream.other
      if (peer === undefined || stream.host.name !== one || peer.host.name !== other || stream.isClosed) continue
      cuts++
      for (const [end, isTold] of [[stream, hears !== 'other'] as const, [peer, hears !== 'one'] as const]) {
        // What is on its way until then still arrives: a prefix.
        if (isTold) this.#closeLater(end, new Error('read ECONNRESET'), this.#random.between(0, 2))
        else end.isBlackholed = true
      }
    }
    return cuts
  }

  /** Something in between ends the connections of two hosts, as seen from `one`; `other` hears of it by that only. */
  halfClose(one: string, other: string): number {
    let ends = 0
    for (const stream of [...this.#streams]) {
      if (stream.host.name !== one || stream.other?.host.name !== other || stream.isClosed) continue
      ends++
      stream.isBlackholed = true
      this.#closeLater(stream, undefined, this.#random.between(0, 2))
    }
    return ends
  }

  /** Holds back all bytes from one host to another, until `unblock`. */
  block(from: string, to: string): void {
    this.#way(from, to).blocked++
  }

  unblock(from: string, to: string): void {
    const way = this.#way(from, to)
    way.blocked = Math.max(0, way.blocked - 1)
    this.#goOn()
  }

  /** Loses all bytes from one host to another, until `unblackhole`; connections that have lost some never go on. */
  blackhole(from: string, to: string): void {
    this.#way(from, to).blackholed++
  }

  unblackhole(from: string, to: string): void {
    const way = this.#way(from, to)
    way.blackholed = Math.max(0, way.blackholed - 1)
  }

  delay(from: string, to: string, extraMs: number): void {
    this.#way(from, to).extraDelayMs += extraMs
  }

  /** A host refuses connections, until it was allowed as often. */
  refuse(name: string): void {
    this.#refusing.set(name, (this.#refusing.get(name) ?? 0) + 1)
  }

  allow(name: string): void {
    const times = (this.#refusing.get(name) ?? 0) - 1
    if (times > 0) this.#refusing.set(name, times)
    else this.#refusing.delete(name)
  }

  /** Whoever dials `name` reaches another host; `undefined`: itself again. */
  move(name: string, to: string | undefined): void {
    if (to === undefined) this.#moved.delete(name)
    else this.#moved.set(name, to)
  }

  #goOn(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) each()
  }

  #way(from: string, to: string): Way {
    const key = `${from}>${to}`
    let way = this.#ways.get(key)
    if (way === undefined) {
      way = new Way()
      this.#ways.set(key, way)
    }
    return way
  }

  #delay(from: string, to: string): number {
    const { delayMinMs, delayMaxMs } = this.weather
    if (from === to) return 0.01
    return this.#random.between(delayMinMs, delayMaxMs) + this.#way(from, to).extraDelayMs
  }
}
