// Waiting for the nodes of a configuration: until a condition holds, or again and again as they change.

import { RpcError } from '../errors.ts'
import type { ManagerListener, NodeManager } from '../net/node-manager.ts'
import { milliseconds } from '../options.ts'
import type { Configuration, ConfigurationStatus } from './configuration.ts'

/** Options of `waitFor`. */
export interface WaitOptions {
  /** Rejects with `cancelled` when it aborts. */
  readonly signal?: AbortSignal
  /** Rejects with `deadline_exceeded` after this time, ms. Default: never. */
  readonly timeoutMs?: number
}

/** Options of `watch`. */
export interface WatchOptions {
  /** How often to derive although no node has changed its state, ms. Default 1 000. */
  readonly intervalMs?: number
  /** Ends the iteration when it aborts. */
  readonly signal?: AbortSignal
}

export function waitForStatus(
  manager: NodeManager,
  configuration: Configuration,
  predicate: (status: ConfigurationStatus) => boolean,
  options: WaitOptions,
): Promise<ConfigurationStatus> {
  const timeoutMs = milliseconds('timeoutMs', options.timeoutMs, Infinity)
  const { signal } = options
  if (typeof predicate !== 'function') throw new TypeError('waitFor() takes a function of the status')
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      manager.listeners.delete(listener)
      timer?.cancel()
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const fail = (error: unknown): void => finish(() => reject(error))
    const onAbort = (): void => fail(new RpcError('cancelled', 'waitFor() was cancelled', { cause: signal?.reason }))
    const onTimeout = (): void => {
      const { connected, size } = configuration.status
      fail(
        new RpcError(
          'deadline_exceeded',
          `waitFor(): ${connected.size} of ${size} nodes are connected after ${timeoutMs} ms`,
        ),
      )
    }
    const check = (): void => {
      if (configuration.isClosed) return fail(new RpcError('cancelled', 'the configuration is closed'))
      try {
        const { status } = configuration
        if (predicate(status)) finish(() => resolve(status))
      } catch (error) {
        fail(error)
      }
    }
    const listener: ManagerListener = { onState: check, onDecided: check, onClosed: check }
    const timer = timeoutMs === Infinity ? undefined : manager.turn.runtime.startTimer(timeoutMs, onTimeout)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort)
    manager.listeners.add(listener)
    check()
  })
}

export function watchConfiguration(
  manager: NodeManager,
  configuration: Configuration,
  options: WatchOptions,
  derive: (configuration: Configuration) => Configuration,
): AsyncGenerator<Configuration, undefined> {
  const intervalMs = milliseconds('intervalMs', options.intervalMs, 1_000, 1)
  if (typeof derive !== 'function') throw new TypeError('watch() takes a function that derives a configuration')
  return derived(manager, configuration, intervalMs, options.signal, derive)
}

async function* derived(
  manager: NodeManager,
  configuration: Configuration,
  intervalMs: number,
  signal: AbortSignal | undefined,
  derive: (configuration: Configuration) => Configuration,
): AsyncGenerator<Configuration, undefined> {
  let last: Configuration | undefined
  while (!configuration.isClosed && !signal?.aborted) {
    const next = derive(configuration)
    if (last === undefined || !isSame(last, next)) {
      last = next
      yield next
    } else {
      await change(manager, intervalMs, signal)
    }
  }
  return undefined
}

/** Resolves when a node changes its state, the time is over, or the signal aborts. */
function change(manager: NodeManager, intervalMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      manager.listeners.delete(listener)
      timer.cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const listener: ManagerListener = { onState: wake, onClosed: wake }
    const timer = manager.turn.runtime.startTimer(intervalMs, wake)
    manager.listeners.add(listener)
    signal?.addEventListener('abort', wake)
  })
}

/** Whether two configurations have the same nodes in the same order, counted against the same members. */
function isSame(one: Configuration, other: Configuration): boolean {
  return (
    one.size === other.size && one.nodes.every((node, position) => node === other.nodes[position]) && one.equals(other)
  )
}
