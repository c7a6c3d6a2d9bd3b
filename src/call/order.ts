// Orders of nodes for `sortBy`: best first.

import { functionList } from '../options.ts'
import type { Node } from './node.ts'

/** Negative when `one` comes first. */
export type NodeOrder = (one: Node, other: Node) => number

/** The fastest first, by mean latency; nodes without an answer yet come last. */
export const latency: NodeOrder = (one, other) => {
  const a = one.latency.meanMs
  const b = other.latency.meanMs
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a - b
}

/** Nodes without an error first. */
export const lastError: NodeOrder = (one, other) =>
  Number(one.lastError !== undefined) - Number(other.lastError !== undefined)

/** By node id, in the order of their UTF-8 bytes. */
export const byID: NodeOrder = (one, other) =>
  Buffer.compare(Buffer.from(one.id, 'utf8'), Buffer.from(other.id, 'utf8'))

/** Several orders as one: where the first sees no difference the next decides. Throws TypeError for what is no order. */
export function inOrder(orders: readonly NodeOrder[]): NodeOrder {
  const checked = functionList('orders', orders)
  return (one, other) => {
    for (const order of checked) {
      const difference = order(one, other)
      if (difference !== 0) return difference
    }
    return 0
  }
}
