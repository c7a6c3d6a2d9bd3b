// Node's Runtime, with what a test counts beside it: attempts to connect, accepted streams, and the delays of the timers
// that stand. Sockets and time are real.

import { nodeRuntime } from '../../src/net/node-runtime.ts'
import type { Runtime } from '../../src/net/runtime.ts'

export interface CountedRuntime {
  readonly runtime: Runtime
  /** `host:port` of every attempt to connect. */
  readonly dials: readonly string[]
  /** Resolves when there have been so many attempts. */
  readonly untilDialled: (count: number) => Promise<void>
  /** The addresses of all streams that were accepted. */
  readonly accepted: readonly string[]
  /** The delays, ms, of all timers that were started, in order. */
  readonly delays: readonly number[]
  /** The delays, ms, of the timers that have neither fired nor been cancelled. */
  readonly standing: () => readonly number[]
}

/** `random` makes the jitter of every backoff the same. */
export function countedRuntime(random = 0.5): CountedRuntime {
  const dials: string[] = []
  const accepted: string[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  const delays: number[] = []
  const timers = new Set<{ delayMs: number }>()
  const runtime: Runtime = {
    ...nodeRuntime,
    random: () => random,
    dial: (host, port, tls) => {
      dials.push(`${host}:${port}`)
      for (const { count, resolve } of waiting) if (dials.length >= count) resolve()
      waiting = waiting.filter(({ count }) => dials.length < count)
      return nodeRuntime.dial(host, port, tls)
    },
    listen: (address, tls, handler) =>
      nodeRuntime.listen(address, tls, {
        onStream: (stream) => {
          accepted.push(stream.remoteAddress)
          handler.onStream(stream)
        },
        onError: (error) => handler.onError(error),
      }),
    startTimer: (delayMs, callback) => {
      const entry = { delayMs }
      timers.add(entry)
      delays.push(delayMs)
      const timer = nodeRuntime.startTimer(delayMs, () => {
        timers.delete(entry)
        callback()
      })
      return {
        cancel: () => {
          timers.delete(entry)
          timer.cancel()
        },
      }
    },
  }
  const untilDialled = (count: number): Promise<void> =>
    dials.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))
  return { runtime, dials, untilDialled, accepted, delays, standing: () => [...timers].map((timer) => timer.delayMs) }
}
