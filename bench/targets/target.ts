// The one interface that everything measured stands behind: what serves, what calls, and what is said of it in reports.

import type { HistogramData } from '../measure/histogram.ts'
import type { Caller } from '../measure/load.ts'

/**
 * What is called. `echo`: the reply is the request. `write`: the reply is empty. `multicast`: there is none. `slow`: an
 * echo after a while. `rpc`: an echo of one node.
 */
export type Operation = 'echo' | 'write' | 'multicast' | 'slow' | 'rpc'

export interface ServeOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly operation: Operation
  /** `slow`: how long its handler takes, ms. */
  readonly delayMs: number
  /** The largest message, bytes. */
  readonly payloadMaxBytes: number
  /** How much may wait to be handled, bytes. Default: the target's own. */
  readonly bufferBytes?: number | undefined
}

export interface ConnectOptions {
  readonly operation: Operation
  /** What every call carries, bytes. */
  readonly payloadBytes: number
  /** How many nodes must have answered for a call to be done. */
  readonly quorum: number
  /** Whether every node must be connected to at first. */
  readonly waitForAll: boolean
  /** How much may wait to be sent to a node, bytes. Default: the target's own. */
  readonly bufferBytes?: number | undefined
}

/** What one server has received of one-way messages. Times are of the wall clock, ms. */
export interface Received {
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
  /** From when it was sent until it was handled; empty for targets that do not carry the time. */
  readonly latency: HistogramData
}

export interface RunningServer {
  /** `host:port`. */
  readonly address: string
  /** One-way messages since the last time this was asked. */
  takeReceived(): Received
  close(): Promise<void>
}

export interface TargetClient extends Caller {
  /** One-way operations: sends without waiting. What is not sent shows in what servers have received. */
  send?(): void
  close(): Promise<void>
}

/** What a report says of a target. */
export interface TargetDescription {
  /** What is measured, with its version. */
  readonly version: string
  /** Options that differ from its defaults, and those that matter. */
  readonly options: string
  /** Where its code is. */
  readonly code: string
}

export interface Target {
  readonly name: string
  readonly title: string
  readonly operations: readonly Operation[]
  /** The package of `bench/peers/package.json` that it needs. */
  readonly needs?: string
  describe(): TargetDescription
  serve(options: ServeOptions): Promise<RunningServer>
  /** Connects to the nodes. Rejects with an error that names the node that can not be had, its address, and why. */
  connect(addresses: readonly string[], options: ConnectOptions): Promise<TargetClient>
}
