// One node's answer to a call, and the answers of several as a map by node id.

import type { Metadata, RpcError } from '../errors.ts'
import type { Call } from './call.ts'
import { Fate } from './call-setup.ts'
import type { Configuration } from './configuration.ts'

/** What one node answered: a value or an error. */
export type Response<T> =
  | { readonly nodeID: string; readonly value: T; readonly error: undefined; readonly metadata: Metadata }
  | { readonly nodeID: string; readonly value: undefined; readonly error: RpcError; readonly metadata: Metadata }

/**
 * The replies of a call at one moment: read-only and map-like by node id, in order of arrival. What terminals resolve with
 * and quorum functions receive.
 */
export class Replies<T> implements Iterable<[string, T]> {
  /** The configuration that was called; undefined on a call of one node. */
  readonly configuration: Configuration | undefined
  readonly #map: ReadonlyMap<string, T>
  readonly #call: Call
  readonly #states: readonly number[]

  /** Replies are made by the framework. */
  constructor(call: Call, configuration: Configuration | undefined) {
    const map = new Map<string, T>()
    for (const position of call.arrivals) map.set(call.nodeAt(position).id, call.values[position] as T)
    this.#map = map
    this.#call = call
    this.#states = call.states.slice()
    this.configuration = configuration
  }

  get size(): number {
    return this.#map.size
  }

  get(nodeID: string): T | undefined {
    return this.#map.get(nodeID)
  }

  has(nodeID: string): boolean {
    return this.#map.has(nodeID)
  }

  keys(): MapIterator<string> {
    return this.#map.keys()
  }

  values(): MapIterator<T> {
    return this.#map.values()
  }

  entries(): MapIterator<[string, T]> {
    return this.#map.entries()
  }

  forEach(callback: (value: T, nodeID: string, replies: this) => void): void {
    for (const [nodeID, value] of this.#map) callback(value, nodeID, this)
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.#map[Symbol.iterator]()
  }

  /** The nodes that had failed, with their errors. */
  get errors(): ReadonlyMap<string, RpcError> {
    const errors = new Map<string, RpcError>()
    this.#states.forEach((state, position) => {
      const error = this.#call.errors?.[position]
      if (error !== undefined && (state === Fate.failed || state === Fate.abandoned))
        errors.set(this.#call.nodeAt(position).id, error)
    })
    return errors
  }

  /** The ids of the nodes that were contacted and had neither answered nor failed. */
  get pending(): readonly string[] {
    return this.#states.flatMap((state, position) =>
      state === Fate.idle || state === Fate.queued || state === Fate.written ? [this.#call.nodeAt(position).id] : [],
    )
  }
}
