// The storage service: its messages and its methods, which are the same on both sides of the socket. How entries are
// ordered is part of the contract too: servers and clients must agree on which of two is newer.

import { multicast, quorumCall, quorumStream, rpc, service, unicast } from 'gorums'

/** A value and when it was written. Times are logical: a number that grows, and the writer's id where numbers are equal. */
export interface Entry {
  readonly value: string
  /** 0: nobody has written this key. */
  readonly timestamp: number
  readonly writerID: string
}

export interface ReadRequest {
  readonly key: string
}

export interface WriteRequest extends Entry {
  readonly key: string
}

export interface WriteReply {
  /** False when the replica has a newer entry, which it keeps. */
  readonly isNew: boolean
}

/** What a replica has read for its caller, and from whom. */
export interface NestedReadReply extends Entry {
  readonly readFrom: readonly string[]
}

/** What a replica has written for its caller, and where. */
export interface NestedWriteReply {
  readonly writtenTo: readonly string[]
}

export const Storage = service('storage.Storage', {
  // One node.
  readRPC: rpc<ReadRequest, Entry>(),
  writeRPC: rpc<WriteRequest, WriteReply>(),
  writeUnicast: unicast<WriteRequest>(),
  // A configuration.
  writeMulticast: multicast<WriteRequest>(),
  readQC: quorumCall<ReadRequest, Entry>(),
  writeQC: quorumCall<WriteRequest, WriteReply>(),
  /** What the replica has, and then every newer entry that it gets, until the caller has enough. */
  readStream: quorumStream<ReadRequest, Entry>(),
  /** The replica makes a quorum call of its own to answer. */
  readNested: quorumCall<ReadRequest, NestedReadReply>(),
  writeNested: quorumCall<WriteRequest, NestedWriteReply>(),
})

/** What a key holds before its first write. */
export const NOTHING: Entry = Object.freeze({ value: '', timestamp: 0, writerID: '' })

/** Whether `one` was written after `other`. */
export function isNewer(one: Entry, other: Entry): boolean {
  return one.timestamp === other.timestamp ? one.writerID > other.writerID : one.timestamp > other.timestamp
}

/** Whether both are the same write. */
export function isSame(one: Entry, other: Entry): boolean {
  return one.timestamp === other.timestamp && one.writerID === other.writerID
}

/** The newest of some entries: the quorum function of every read. */
export function newest(entries: Iterable<Entry>): Entry {
  let found = NOTHING
  for (const entry of entries) if (isNewer(entry, found)) found = entry
  return found
}
