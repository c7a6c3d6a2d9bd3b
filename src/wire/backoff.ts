// How long a dialler waits before its next attempt. Arithmetic only: the random number and the clock come from outside.

/** `minMs` → `maxMs`, growing by `factor` with each failed attempt. */
export interface Backoff {
  readonly minMs: number
  readonly maxMs: number
  readonly factor: number
}

/** No wait is longer, whatever the options say: a day, ms. */
const DELAY_MAX_MS = 86_400_000

/**
 * The wait after `failures` failed attempts in a row (1 = the first), ms: full jitter over an exponentially growing step,
 * `random` in [0, 1). Never 0, so that a dead port is not dialled in a hot loop.
 */
export function backoffDelayMs(backoff: Backoff, failures: number, random: number): number {
  const step = Math.min(backoff.maxMs, DELAY_MAX_MS, backoff.minMs * backoff.factor ** (failures - 1))
  return Math.max(1, Math.ceil(step * random))
}
