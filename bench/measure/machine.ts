// How busy the machine has been with other things: rounds in which it was are measured again. Linux alone says so.

import { readFileSync } from 'node:fs'

/** CPU time of all cores since the machine was started, in ticks of the kernel's. */
export interface MachineTime {
  /** Of programs, and of other machines on the same hardware; not of interrupts, which nobody is charged for. */
  readonly busy: number
  readonly all: number
}

/** Ticks per second, whatever the kernel works with: what it tells programs is in these. */
const TICKS_PER_SECOND = 100

/** Undefined where it can not be known. */
export function readMachineTime(): MachineTime | undefined {
  try {
    return machineTimeIn(readFileSync('/proc/stat', 'utf8'))
  } catch {
    return undefined
  }
}

/** What the first line of /proc/stat says; undefined when it is not as it should be. */
export function machineTimeIn(stat: string): MachineTime | undefined {
  const ticks = /^cpu +([\d ]+)\n/.exec(stat)?.[1]?.split(' ').map(Number)
  if (ticks === undefined || ticks.length < 8) return undefined
  const [user, nice, system, , , , , steal] = ticks as [number, number, number, number, number, number, number, number]
  // Guests are in `user` already.
  return { busy: user + nice + system + steal, all: ticks.slice(0, 8).reduce((sum, each) => sum + each, 0) }
}

/** Which share of the machine others have had between two looks, of which our processes used `ownMicros` µs; 0 when it is not known. */
export function shareOfOthers(
  before: MachineTime | undefined,
  after: MachineTime | undefined,
  ownMicros: number,
): number {
  if (before === undefined || after === undefined || after.all <= before.all) return 0
  const own = (ownMicros / 1e6) * TICKS_PER_SECOND
  return Math.max(0, (after.busy - before.busy - own) / (after.all - before.all))
}
