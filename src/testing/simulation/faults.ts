// The language of faults: plain data, so that a schedule can be printed, hashed, shrunk and drawn.

import type { Random } from './random.ts'
import type { Simulation } from './simulation.ts'

/** What goes wrong, when (ms from when it is scheduled), with whom, and for how long (ms). */
export type Fault =
  /** Bytes between the groups are held back: both ways, or only those from `from` to `to`. */
  | {
      readonly kind: 'partition'
      readonly atMs: number
      readonly forMs: number
      readonly from: readonly string[]
      readonly to: readonly string[]
      readonly isOneWay: boolean
    }
  /** Bytes take longer. */
  | {
      readonly kind: 'delay'
      readonly atMs: number
      readonly forMs: number
      readonly from: string
      readonly to: string
      readonly extraMs: number
    }
  /** Connections from one host to another are cut; `hears`: who is told. */
  | {
      readonly kind: 'reset'
      readonly atMs: number
      readonly from: string
      readonly to: string
      readonly hears: 'both' | 'one' | 'other'
    }
  /** One end of the connections is told that the other has ended them. */
  | { readonly kind: 'half-close'; readonly atMs: number; readonly from: string; readonly to: string }
  /** Bytes vanish; connections that have lost some never go on. */
  | {
      readonly kind: 'blackhole'
      readonly atMs: number
      readonly forMs: number
      readonly from: string
      readonly to: string
    }
  /** New connections are refused. */
  | { readonly kind: 'refuse'; readonly atMs: number; readonly forMs: number; readonly host: string }
  /** The process stands still. */
  | { readonly kind: 'pause'; readonly atMs: number; readonly forMs: number; readonly host: string }
  /** The process is killed, and started again; `isSilent`: peers are not told, as when the power fails. */
  | {
      readonly kind: 'crash'
      readonly atMs: number
      readonly forMs: number
      readonly host: string
      readonly isSilent: boolean
    }
  /** The process is asked to stop, as by SIGTERM (its host's `onStop`); when it has stopped it is started again. */
  | { readonly kind: 'restart'; readonly atMs: number; readonly forMs: number; readonly host: string }
  /** The machine's clock is set. */
  | { readonly kind: 'clock-jump'; readonly atMs: number; readonly host: string; readonly byMs: number }
  /** Whoever dials a host reaches another. */
  | { readonly kind: 'move'; readonly atMs: number; readonly forMs: number; readonly host: string; readonly to: string }

/** What a fault does. */
export type FaultKind = Fault['kind']

/** All kinds of faults. */
export const faultKinds: readonly FaultKind[] = [
  'partition',
  'delay',
  'reset',
  'half-close',
  'blackhole',
  'refuse',
  'pause',
  'crash',
  'restart',
  'clock-jump',
  'move',
]

/** Makes a fault happen now, and sees to it that it ends. */
export function applyFault(simulation: Simulation, fault: Fault): void {
  const { network } = simulation
  const later = (action: () => void): void => {
    if ('forMs' in fault) simulation.plan('heal', fault.forMs, action)
  }
  switch (fault.kind) {
    case 'partition': {
      for (const [from, to] of waysOf(fault)) {
        network.block(from, to)
        later(() => network.unblock(from, to))
      }
      return simulation.count(fault.isOneWay ? 'one-way partition' : 'partition')
    }
    case 'delay':
      network.delay(fault.from, fault.to, fault.extraMs)
      later(() => network.delay(fault.from, fault.to, -fault.extraMs))
      return simulation.count('delay')
    case 'reset': {
      const cuts = network.reset(fault.from, fault.to, fault.hears)
      return simulation.count(fault.hears === 'both' ? 'reset' : 'one-sided reset', cuts)
    }
    case 'half-close':
      return simulation.count('half-close', network.halfClose(fault.from, fault.to))
    case 'blackhole':
      network.blackhole(fault.from, fault.to)
      later(() => network.unblackhole(fault.from, fault.to))
      return simulation.count('blackhole')
    case 'refuse':
      network.refuse(fault.host)
      return later(() => network.allow(fault.host))
    case 'pause': {
      const host = simulation.host(fault.host)
      if (!host.isUp || host.isPaused) return
      host.pause()
      const { life } = host
      later(() => {
        if (host.life === life) host.goOn()
      })
      return simulation.count('pause')
    }
    case 'crash': {
      const host = simulation.host(fault.host)
      if (!host.isUp) return
      host.crash(fault.isSilent)
      later(() => host.boot())
      return simulation.count(fault.isSilent ? 'silent crash' : 'crash')
    }
    case 'restart': {
      const host = simulation.host(fault.host)
      if (!host.isUp || host.isPaused) return
      host.stop(() => simulation.plan('heal', fault.forMs, () => host.boot()))
      return simulation.count('restart')
    }
    case 'clock-jump':
      simulation.host(fault.host).jumpClock(fault.byMs)
      return simulation.count('clock-jump')
    case 'move':
      network.move(fault.host, fault.to)
      later(() => network.move(fault.host, undefined))
      return simulation.count('move')
  }
}

/** The pairs of hosts between which a partition holds bytes back. */
function waysOf(fault: Extract<Fault, { kind: 'partition' }>): [string, string][] {
  const ways: [string, string][] = []
  for (const from of fault.from) {
    for (const to of fault.to) {
      ways.push([from, to])
      if (!fault.isOneWay) ways.push([to, from])
    }
  }
  return ways
}

/** What kind of schedule to draw. */
export interface FaultPlan {
  /** Faults begin within this time, and have ended a little later, ms. */
  readonly overMs: number
  /** About how many there are; each seed has its own number. Default 8. */
  readonly count?: number
  /** The hosts that may crash, or have their address taken. Default: all. */
  readonly mayCrash?: readonly string[]
  /** The kinds to draw from. Each seed leaves out some. Default: all. */
  readonly kinds?: readonly FaultKind[]
}

/**
 * Draws a schedule. Each seed has its own mixture of kinds, its own rates and its own sizes ("swarm testing", Groce et al.,
 * ISSTA 2012): a run with resets only finds what a run with everything hides.
 */
export function drawFaults(random: Random, hosts: readonly string[], plan: FaultPlan): Fault[] {
  const kinds = random.shuffle(plan.kinds ?? faultKinds).slice(0, random.int(1, 5))
  const count = random.int(1, 2 * (plan.count ?? 8))
  const faults: Fault[] = []
  for (let index = 0; index < count; index++) {
    const fault = drawFault(random, random.pick(kinds), hosts, plan)
    if (fault !== undefined) faults.push(fault)
  }
  return faults.sort((one, other) => one.atMs - other.atMs)
}

/** What happens this early happens while everybody connects, ms. */
const BEGINNING_MS = 20

function drawFault(random: Random, kind: FaultKind, hosts: readonly string[], plan: FaultPlan): Fault | undefined {
  // Beginnings are worth more than their share: that is when nothing is known yet.
  const within = random.chance(0.2) ? Math.min(plan.overMs, BEGINNING_MS) : plan.overMs
  const atMs = Math.round(random.between(0, within) * 1000) / 1000
  const forMs = Math.round(random.magnitude(1, plan.overMs))
  const [from, to] = random.shuffle(hosts) as [string, string]
  const host = random.pick(hosts)
  const mortal = (plan.mayCrash ?? hosts).length === 0 ? undefined : random.pick(plan.mayCrash ?? hosts)
  switch (kind) {
    case 'partition': {
      const order = random.shuffle(hosts)
      const split = random.int(1, order.length - 1)
      return { kind, atMs, forMs, from: order.slice(0, split), to: order.slice(split), isOneWay: random.chance(0.4) }
    }
    case 'delay':
      return { kind, atMs, forMs, from, to, extraMs: Math.round(random.magnitude(1, 2_000)) }
    case 'reset':
      return { kind, atMs, from, to, hears: random.pick(['both', 'both', 'one', 'other']) }
    case 'half-close':
      return { kind, atMs, from, to }
    case 'blackhole':
      return { kind, atMs, forMs, from, to }
    case 'refuse':
    case 'pause':
      return { kind, atMs, forMs, host }
    case 'crash':
      return mortal === undefined ? undefined : { kind, atMs, forMs, host: mortal, isSilent: random.chance(0.4) }
    case 'restart':
      return mortal === undefined ? undefined : { kind, atMs, forMs, host: mortal }
    case 'clock-jump':
      return { kind, atMs, host, byMs: Math.round(random.between(-100_000, 100_000)) }
    case 'move': {
      const others = (plan.mayCrash ?? hosts).filter((each) => each !== mortal)
      if (mortal === undefined || others.length === 0) return undefined
      return { kind, atMs, forMs, host: mortal, to: random.pick(others) }
    }
  }
}

/** When all faults of a schedule have ended, ms. */
export function endOfFaults(faults: readonly Fault[]): number {
  return faults.reduce((end, fault) => Math.max(end, fault.atMs + ('forMs' in fault ? fault.forMs : 0)), 0)
}
