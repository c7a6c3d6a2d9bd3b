// A machine in a simulation: a program that is booted, paused, crashed and booted again; a clock of its own; a disk that
// outlives its crashes. What belongs to one life of it never acts in another.

import type {
  AcceptHandler,
  ByteStream,
  ListenAddress,
  ListeningPort,
  Runtime,
  Storage,
  Timer,
  TlsOptions,
} from '../../net/runtime.ts'
import { SimulatedDisk } from './disk.ts'
import type { PlannedEvent } from './event-queue.ts'
import type { Random } from './random.ts'
import type { Simulation } from './simulation.ts'

/** The program of a host: runs when the host is booted, and again after each restart, with a runtime of its own. */
export type Program = (host: SimulatedHost) => void | Promise<void>

/** All simulations begin at this time of their machines' clocks. */
const WALL_TIME_START = 1_700_000_000_000

/** A machine of a simulated world: its program, its clock and its disk. */
export class SimulatedHost {
  readonly name: string
  readonly simulation: Simulation
  readonly disk: SimulatedDisk
  /** What its program does when it is asked to stop. Set by the program; without it, it is simply ended. */
  onStop: (() => Promise<void>) | undefined
  /** Told when it has crashed, or was stopped, with the number of the life that has ended. */
  onCrash: ((life: number) => void) | undefined
  readonly #program: Program
  readonly #random: Random
  #life = 0
  #isUp = false
  #isPaused = false
  /** What was due while it was paused. */
  #deferred: PlannedEvent[] = []
  #runtime: HostRuntime
  #wallOffsetMs: number

  /** Hosts are made by `simulation.host()`. */
  constructor(simulation: Simulation, name: string, program: Program) {
    this.simulation = simulation
    this.name = name
    this.#program = program
    this.#random = simulation.random(`host ${name}`)
    this.#wallOffsetMs = this.#random.between(-1_000, 1_000)
    this.disk = new SimulatedDisk(this, simulation.random(`disk ${name}`))
    this.#runtime = new HostRuntime(this, this.#random)
  }

  /** The runtime of its present life: what its program passes to `createServer`, `connect` and the others. */
  get runtime(): Runtime {
    return this.#runtime
  }

  /** Counts its lives: 1 after the first boot. */
  get life(): number {
    return this.#life
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Timers that its present life has started, and that stand. */
  get timers(): number {
    return this.#runtime.timers
  }

  /** Connections, one end of which is on it. */
  get streams(): number {
    return this.simulation.network.streamsOf(this).length
  }

  lives(life: number): boolean {
    return this.#isUp && this.#life === life
  }

  /** Starts its program. Does nothing when it runs already. */
  boot(): void {
    if (this.#isUp) return
    this.#isUp = true
    this.onStop = undefined
    this.#life++
    this.#runtime = new HostRuntime(this, this.#random)
    const { life } = this
    this.plan('boot', 0, life, () => {
      Promise.resolve()
        .then(() => this.#program(this))
        .catch((error: unknown) => {
          if (this.lives(life)) this.simulation.fail(error)
        })
    })
  }

  /** Ends its program without a word. `isSilent`: its peers are not told either, as when the power fails. */
  crash(isSilent: boolean): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#isPaused = false
    this.#deferred = []
    this.simulation.network.onCrashed(this, isSilent)
    this.disk.crash()
    this.onCrash?.(this.#life)
  }

  /** Asks its program to stop, ends it when it has, and calls back. Does nothing more when it crashes meanwhile. */
  stop(onStopped: () => void): void {
    const { life } = this
    const end = (): void => {
      if (!this.lives(life)) return
      this.crash(false)
      onStopped()
    }
    const stopping = this.onStop?.()
    if (stopping === undefined) return end()
    stopping.then(end, (error: unknown) => this.simulation.fail(error))
  }

  /** Stops its time. What happens to it meanwhile happens when it goes on; its kernel takes connections and bytes. */
  pause(): void {
    if (this.#isUp) this.#isPaused = true
  }

  goOn(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    const deferred = this.#deferred
    this.#deferred = []
    // Timers are seen first by an event loop that wakes, whatever came before them.
    for (const event of deferred) if (event.kind === 'timer') this.#again(event)
    for (const event of deferred) if (event.kind !== 'timer') this.#again(event)
  }

  /** Puts off what is due while it is paused. @internal */
  defer(event: PlannedEvent): void {
    this.#deferred.push(event)
  }

  /** Moves what its clock says to people; its monotonic time goes on. */
  jumpClock(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  wallTime(): number {
    return Math.floor(WALL_TIME_START + this.simulation.now + this.#wallOffsetMs)
  }

  /** Plans something that happens to this host, in one life of it. @internal */
  plan(kind: string, delayMs: number, life: number, action: () => void): PlannedEvent {
    return this.simulation.plan(kind, delayMs, action, this, life)
  }

  #again(event: PlannedEvent): void {
    const { action } = event
    if (action === undefined) return
    const again = this.simulation.plan(event.kind, 0, () => event.action?.(), this, event.life)
    event.cancel = () => {
      event.action = undefined
      again.cancel()
    }
  }
}

/** The runtime of one life of a host. After that life it does nothing. */
class HostRuntime implements Runtime {
  readonly storage: Storage
  timers = 0
  readonly #host: SimulatedHost
  readonly #life: number
  readonly #random: Random

  constructor(host: SimulatedHost, random: Random) {
    this.#host = host
    this.#life = host.life
    this.#random = random
    this.storage = host.disk.storageOf(host.life)
  }

  now(): number {
    return this.#host.simulation.now
  }

  wallTime(): number {
    return this.#host.wallTime()
  }

  startTimer(delayMs: number, callback: () => void): Timer {
    if (!this.#isAlive) return NO_TIMER
    // A timer for ever is never due.
    if (delayMs === Infinity) return NO_TIMER
    this.timers++
    let stands = true
    const event = this.#host.plan('timer', Math.max(0, delayMs), this.#life, () => {
      stands = false
      this.timers--
      callback()
    })
    return {
      cancel: () => {
        if (!stands) return
        stands = false
        this.timers--
        event.cancel()
      },
    }
  }

  afterJobs(callback: () => void): void {
    if (this.#isAlive) this.#host.simulation.afterJobs(callback, this.#host, this.#life)
  }

  afterReading(callback: () => void): void {
    if (this.#isAlive) this.#host.plan('turn', 0, this.#life, callback)
  }

  random(): number {
    return this.#random.next()
  }

  randomBytes(count: number): Buffer {
    return this.#random.bytes(count)
  }

  /** Connects to a host by its name. There is no TLS in a simulation: throws TypeError when it is asked for. */
  dial(host: string, port: number, tls: TlsOptions | undefined): ByteStream {
    if (tls !== undefined) throw new TypeError('there is no TLS in a simulation')
    return this.#host.simulation.network.dial(this.#host, this.#life, host, port)
  }

  listen(address: ListenAddress, tls: TlsOptions | undefined, handler: AcceptHandler): Promise<ListeningPort> {
    if (tls !== undefined) throw new TypeError('there is no TLS in a simulation')
    return this.#host.simulation.network.listen(this.#host, this.#life, address, handler)
  }

  get #isAlive(): boolean {
    return this.#host.lives(this.#life)
  }
}

const NO_TIMER: Timer = { cancel() {} }
