// The record of a call: what happened at each node, and when. What `settled` resolves with.

import type { RpcError } from '../errors.ts'
import type { Call } from './call.ts'
import { Fate } from './call-setup.ts'

/** What happened to a call at one node. Times are ms since the call was made; undefined for what did not happen. */
export interface NodeRecord {
  readonly nodeID: string
  readonly outcome: 'replied' | 'failed' | 'skipped'
  /** When it was given to the node's queue: 0, as calls are sent when they are made; undefined for a node that was skipped. */
  readonly queuedMs: number | undefined
  /** When it was given to the node's connection. */
  readonly writtenMs: number | undefined
  /** When the (final) answer was there; for a one-way call when it was written. */
  readonly answeredMs: number | undefined
  readonly error: RpcError | undefined
}

/** What happened to a call. */
export interface CallRecord {
  readonly method: string
  readonly nodes: readonly NodeRecord[]
}

export function recordOf(call: Call): CallRecord {
  const nodes = call.contacts.nodes.map((node, position): NodeRecord => {
    const state = call.fateAt(position)
    const writtenAt = call.writtenAt(position)
    const answeredAt = call.answeredAt(position)
    return {
      nodeID: node.id,
      outcome: state === Fate.replied ? 'replied' : state === Fate.skipped ? 'skipped' : 'failed',
      queuedMs: state === Fate.skipped ? undefined : 0,
      writtenMs: writtenAt === 0 ? undefined : writtenAt - call.madeAt,
      answeredMs: answeredAt === 0 ? undefined : answeredAt - call.madeAt,
      error: call.errorAt(position),
    }
  })
  return { method: call.setup.method.fullName, nodes }
}
