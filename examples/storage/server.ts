// The handlers of the storage service, for servers and replicas alike. What a replica remembers is the store's
// business, what a majority of replies means the clients'.

import {
  type Configuration,
  type Context,
  type Handlers,
  type QuorumCall,
  QuorumError,
  type Replies,
  RpcError,
} from 'gorums'
import { newest } from './entry.ts'
import { type Entry, type NestedReadReply, type ReadRequest, Storage, type WriteRequest } from './storage_gorums.ts'
import type { Store } from './store.ts'

/**
 * Handlers that keep entries in `store`. Those of one client run one after the other, in the order in which it called, so
 * they need no locks; `context.release()` lets the next one start early.
 */
export function storageHandlers(store: Store): Handlers<(typeof Storage)['methods']> {
  const read = ({ key }: ReadRequest): Entry => store.get(key)
  const write = (request: WriteRequest): { isNew: boolean } => ({ isNew: store.put(request) })
  return {
    readRPC: read,
    writeRPC: write,
    writeUnicast: write,
    writeMulticast: write,
    readQC: read,
    writeQC: write,
    async *readStream({ key }, context) {
      // It may last long: without this, everything else that the client sends would wait behind it.
      context.release()
      yield* store.changes(key, context.signal)
    },
    async readNested(request, context): Promise<NestedReadReply> {
      const members = membersOf(context)
      // What our caller sends next need not wait for us. And if it is a replica that does the same for us in this moment,
      // then without this the two would wait for each other.
      context.release()
      const replies = await majorityOf(members.client(Storage).readQC(request, timeLeft(context)))
      return { ...newest(replies.values()), readFrom: [...replies.keys()] }
    },
    async writeNested(request, context) {
      const members = membersOf(context)
      context.release()
      const replies = await majorityOf(members.client(Storage).writeQC(request, timeLeft(context)))
      return { writtenTo: [...replies.keys()] }
    },
  }
}

/** The replicas that this one belongs to: all of them, itself included. */
function membersOf(context: Context): Configuration {
  try {
    return context.configuration
  } catch {
    throw new RpcError('failed_precondition', 'this server stands alone: nested calls need a replica with members')
  }
}

/** The replies of a majority. Our caller gets the reason when there is none: the errors of a handler's own calls stay with it. */
async function majorityOf<T>(call: QuorumCall<unknown, T>): Promise<Replies<T>> {
  try {
    return await call.majority()
  } catch (error) {
    if (!(error instanceof QuorumError)) throw error
    throw new RpcError('unavailable', `a nested call failed: ${error.message}`)
  }
}

/** Nobody waits longer for a nested call than the caller of the outer one does. */
function timeLeft(context: Context): { timeoutMs: number; signal: AbortSignal } {
  return { timeoutMs: context.remainingMs, signal: context.signal }
}
