// How users name nodes, and the checks of it.

import { checkNodeID, parseAddress } from '../options.ts'

/** Nodes by id with their addresses, or addresses that are the ids. */
export type NodeAddresses = Readonly<Record<string, string>> | readonly string[]

/** One node as it is asked for. */
export interface NodeEntry {
  readonly id: string
  readonly address: string
  /** Whether the server must have this id. */
  readonly expectsID: boolean
}

/** Checks what a caller names as nodes. Throws TypeError and RangeError: no nodes, a bad address, an id twice. */
export function nodeEntries(nodes: NodeAddresses): NodeEntry[] {
  if (typeof nodes !== 'object' || nodes === null)
    throw new TypeError('nodes must be { id: "host:port", … } or ["host:port", …]')
  const isList = Array.isArray(nodes)
  const entries = isList
    ? (nodes as readonly string[]).map((address) => ({ id: address, address, expectsID: false }))
    : Object.entries(nodes as Record<string, string>).map(([id, address]) => ({ id, address, expectsID: true }))
  if (entries.length === 0) throw new RangeError('a configuration needs at least one node')
  const seen = new Set<string>()
  for (const { id, address } of entries) {
    parseAddress(address)
    checkNodeID(id)
    if (seen.has(id)) throw new RangeError(`node "${id}" is named twice`)
    seen.add(id)
  }
  return entries
}
