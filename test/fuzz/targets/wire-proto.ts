// The control messages as protobufjs reads them, in the form that ours have. It is the other opinion in a comparison: it
// applies none of the limits that ours do.

import type protobufjs from 'protobufjs'
import { Reader } from 'protobufjs/minimal.js'
import { codeFromNumber } from '../../../src/errors.ts'

interface Entry {
  readonly key: string
  readonly text?: string
  readonly binary?: Uint8Array
}

/** Names that ours spell otherwise than protobufjs does. */
const NAMES: Readonly<Record<string, string>> = {
  clusterId: 'clusterID',
  nodeId: 'nodeID',
  expectedNodeId: 'expectedNodeID',
  sessionId: 'sessionID',
}

/**
 * The message in these bytes; undefined when it has a field whose number does not fit 29 bits: ours skip it as any that
 * they do not know, protobufjs refuses it. Throws when protobufjs can not read it for any other reason.
 */
export function asOurs(type: protobufjs.Type, bytes: Buffer): object | undefined {
  try {
    const message = type.decode(bytes) as unknown as Record<string, unknown>
    const why = type.fields.why
    // Ours take the last of several; protobufjs merges them.
    if (why !== undefined) message.why = lastOf(bytes, why.id, why.resolve().resolvedType as protobufjs.Type)
    return convert(type, message)
  } catch (error) {
    if (error instanceof Error && /^invalid tag encoding/.test(error.message)) return undefined
    throw error
  }
}

function convert(type: protobufjs.Type, message: Record<string, unknown>): object {
  const fields = type.fieldsArray.map((field) => {
    field.resolve()
    const value = message[field.name]
    const name = NAMES[field.name] ?? field.name
    if (field.name === 'metadata') return [name, metadataOf(value as readonly Entry[])]
    if (type.name === 'Status' && name === 'code') return [name, codeFromNumber(value as number)]
    if (field.resolvedType !== null && field.resolvedType !== undefined) {
      const inner = field.resolvedType as protobufjs.Type
      return [name, convert(inner, (value ?? inner.create()) as Record<string, unknown>)]
    }
    // A 64-bit integer, within the range that ours take.
    if (typeof value === 'object' && value !== null && 'toNumber' in value) return [name, Number(String(value))]
    // What protobufjs has for a byte field that is not there.
    if (field.type === 'bytes' && (value as Uint8Array).length === 0) return [name, Buffer.alloc(0)]
    return [name, value]
  })
  return Object.fromEntries(fields)
}

/** The last message field of this number. */
function lastOf(bytes: Buffer, id: number, type: protobufjs.Type): unknown {
  const reader = Reader.create(bytes)
  let last: unknown
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === ((id << 3) | 2)) last = type.decode(reader.bytes())
    else reader.skipType(tag & 7)
  }
  return last
}

function metadataOf(entries: readonly Entry[]): object {
  return Object.fromEntries(
    entries.map((entry) => [entry.key, Object.hasOwn(entry, 'binary') ? entry.binary : (entry.text ?? '')]),
  )
}
