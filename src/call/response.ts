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
  /** How many nodes have replied. */
  readonly size: number
  readonly #call: Call
  /** The call's own, which it forgets in the end; a copy on streams, whose replies change. */
  readonly #values: readonly unknown[] | undefined
  /** For who asks by id: most go through them, which needs no map. */
  #map: ReadonlyMap<string, T> | undefined
  /** What had become of each node; undefined when none had failed, which leaves those that had replied and the rest. */
  readonly #states: readonly number[] | undefined

  /** Replies are made by the framework. */
  constructor(call: Call, configuration: Configuration | undefined) {
    const { isStream } = call.setup.method
    this.configuration = configuration
    this.size = call.arrived
    this.#call = call
    this.#values = isStream ? call.values?.slice() : call.values
    this.#states = isStream || call.hasFailed ? call.fates() : undefined
  }

  get(nodeID: string): T | undefined {
    return this.#byID().get(nodeID)
  }

  has(nodeID: string): boolean {
    return this.#byID().has(nodeID)
  }

  keys(): MapIterator<string> {
    const ids: string[] = []
    for (let index = 0; index < this.size; index++) ids.push(this.#idAt(index))
    return ids.values()
  }

  values(): MapIterator<T> {
    const values: T[] = []
    for (let index = 0; index < this.size; index++) values.push(this.#valueAt(index))
    return values.values()
  }

  entries(): MapIterator<[string, T]> {
    const entries: [string, T][] = []
    for (let index = 0; index < this.size; index++) entries.push([this.#idAt(index), this.#valueAt(index)])
    return entries.values()
  }

  forEach(callback: (value: T, nodeID: string, replies: this) => void): void {
    for (let index = 0; index < this.size; index++) callback(this.#valueAt(index), this.#idAt(index), this)
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.entries()
  }

  #byID(): ReadonlyMap<string, T> {
    this.#map ??= new Map(this.entries())
    return this.#map
  }

  /** The id of the node that was, in the order of arrival, the one behind `index` others. */
  #idAt(index: number): string {
    const call = this.#call
    return call.nodeAt(call.arrivalAt(index)).id
  }

  #valueAt(index: number): T {
    return this.#values?.[this.#call.arrivalAt(index)] as T
  }

  /** The nodes that had failed, with their errors. */
  get errors(): ReadonlyMap<string, RpcError> {
    const errors = new Map<string, RpcError>()
    this.#states?.forEach((state, position) => {
      const error = this.#call.errorAt(position)
      if (error !== undefined && (state === Fate.failed || state === Fate.abandoned))
        errors.set(this.#call.nodeAt(position).id, error)
    })
    return errors
  }

  /** The ids of the nodes that were contacted and had neither answered nor failed. */
  get pending(): readonly string[] {
    const { contacts } = this.#call
    return contacts.nodes.filter((_, position) => this.#isPending(position)).map(({ id }) => id)
  }

  #isPending(position: number): boolean {
    const call = this.#call
    const state = this.#states?.[position]
    if (state !== undefined) return state === Fate.idle || state === Fate.queued || state === Fate.written
    return call.fateAt(position) !== Fate.skipped && !call.hasReplied(position, this.size)
  }
}
