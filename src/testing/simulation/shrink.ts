// Makes a schedule of faults that fails smaller, as long as it still fails: delta debugging (Zeller and Hildebrandt, IEEE
// TSE 2002) over the faults, then shorter durations.

import type { Fault } from './faults.ts'

/**
 * The smallest schedule found for which `fails` resolves with true, which it must for `faults` itself. Tries at most
 * `triesMax` (300) schedules.
 */
export async function shrinkSchedule(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
  triesMax = 300,
): Promise<readonly Fault[]> {
  let tries = 0
  const stillFails = async (candidate: readonly Fault[]): Promise<boolean> =>
    tries++ < triesMax && (await fails(candidate))
  const few = await withoutParts(faults, stillFails)
  return withShorter(few, stillFails)
}

async function withoutParts(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<readonly Fault[]> {
  let smallest = faults
  for (let size = Math.ceil(faults.length / 2); size >= 1; ) {
    let isSmaller = false
    for (let start = 0; start < smallest.length; ) {
      const candidate = [...smallest.slice(0, start), ...smallest.slice(start + size)]
      if (await fails(candidate)) {
        smallest = candidate
        isSmaller = true
      } else {
        start += size
      }
    }
    if (size === 1 && !isSmaller) break
    size = isSmaller ? Math.min(size, Math.max(1, smallest.length)) : Math.floor(size / 2)
  }
  return smallest
}

async function withShorter(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<readonly Fault[]> {
  let shortest = [...faults]
  for (let index = 0; index < shortest.length; index++) {
    for (let fault = shortest[index]!; 'forMs' in fault && fault.forMs > 1; ) {
      const shorter: Fault = { ...fault, forMs: Math.floor(fault.forMs / 2) }
      const candidate = shortest.with(index, shorter)
      if (!(await fails(candidate))) break
      shortest = candidate
      fault = shorter
    }
  }
  return shortest
}
