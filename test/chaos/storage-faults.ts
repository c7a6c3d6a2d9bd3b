// What is done to storage replicas that are processes, to the connections with them, and to a client: each kind of fault begins
// and ends for one replica at a time.

import { createServer, type Server } from 'gorums'
import type { FaultProxy } from 'gorums/testing'
import type { ReplicaProcesses } from '../../examples/storage/processes.ts'
import { storageHandlers } from '../../examples/storage/server.ts'
import { Storage } from '../../examples/storage/storage_gorums.ts'
import { Store } from '../../examples/storage/store.ts'
import type { Random } from '../../src/testing/simulation/random.ts'
import type { ClientProcess } from './register-client.ts'

/** Who the faults are done to. */
export interface Targets {
  readonly processes: ReplicaProcesses
  /** Between the clients and each replica. */
  readonly proxies: ReadonlyMap<string, FaultProxy>
  readonly client: ClientProcess
  readonly random: Random
}

export interface FaultKind {
  /** It is done to a majority of the replicas or to all of them, not to a minority, or to the client. */
  readonly hits?: 'majority' | 'all' | 'client'
  /** It ends with the process: SIGKILL. */
  readonly kills?: true
  /** It lasts for a time that is drawn up to the longest; others for a fraction of a second. */
  readonly isLong?: true
  begin(id: string): unknown
  end?(id: string): unknown
}

const SLOW: Parameters<FaultProxy['treat']>[1] = { delayMs: 20 }
const FAST: Parameters<FaultProxy['treat']>[1] = { delayMs: 0 }

/** All kinds of faults, by name. */
export function faultKinds({ processes, proxies, client, random }: Targets): Readonly<Record<string, FaultKind>> {
  const proxy = (id: string): FaultProxy => proxies.get(id)!
  const restart = (id: string): Promise<unknown> => processes.restart(id)
  const vanish = (direction: 'up' | 'down'): FaultKind => ({
    isLong: true,
    begin: (id) => proxy(id).treat(direction, { flow: 'lose' }),
    end: (id) => {
      // No byte may be missed in the middle of a connection.
      proxy(id).cut()
      proxy(id).treat(direction, { flow: 'pass' })
    },
  })
  const strangers = new Map<string, Server>()
  return {
    kill: { kills: true, begin: (id) => processes.kill(id), end: restart },
    'kill a majority': { kills: true, hits: 'majority', begin: (id) => processes.kill(id), end: restart },
    // As when the power fails: what their journals have is all that is left.
    'kill all': { kills: true, hits: 'all', begin: (id) => processes.kill(id), end: restart },
    'kill during HELLO': {
      kills: true,
      begin: async (id) => {
        await holdHandshake(proxy(id))
        await processes.kill(id)
        proxy(id).treat('down', { flow: 'pass' })
      },
      end: restart,
    },
    'kill, and another server takes the port': {
      kills: true,
      begin: async (id) => {
        await processes.kill(id)
        strangers.set(id, await startStranger(processes.addresses[id]!))
      },
      end: async (id) => {
        await strangers.get(id)!.close()
        await processes.restart(id)
      },
    },
    'kill the client': { kills: true, hits: 'client', begin: () => client.kill() },
    stop: { isLong: true, begin: (id) => processes.stop(id), end: (id) => processes.cont(id) },
    'block the event loop': { begin: (id) => process.kill(processes.pid(id)!, 'SIGUSR2') },
    latency: { begin: (id) => proxy(id).treat('both', SLOW), end: (id) => proxy(id).treat('both', FAST) },
    bandwidth: {
      begin: (id) => proxy(id).treat('both', { bytesPerSecond: 20_000 }),
      end: (id) => proxy(id).treat('both', { bytesPerSecond: Infinity }),
    },
    slicer: {
      begin: (id) => proxy(id).treat('both', { pieceMaxBytes: 3 }),
      end: (id) => proxy(id).treat('both', { pieceMaxBytes: Infinity }),
    },
    reset: { begin: (id) => proxy(id).cut(), end: (id) => proxy(id).cut() },
    'half-close': { begin: (id) => proxy(id).halfClose(random.pick(['up', 'down'])) },
    'lose what goes to the replica': vanish('up'),
    'lose what comes from the replica': vanish('down'),
  }
}

/** Has every client connect anew; resolves when a HELLO is with the replica, and its answer is held. */
async function holdHandshake(proxy: FaultProxy): Promise<void> {
  proxy.treat('down', { flow: 'hold' })
  proxy.cut()
  const { connections, bytes } = proxy.counters
  while (proxy.counters.connections === connections || proxy.counters.bytes === bytes)
    await new Promise((resolve) => setImmediate(resolve))
}

/** A server of the same service that knows nothing, and is no replica: whoever takes it for one reads what was never there. */
async function startStranger(address: string): Promise<Server> {
  const server = createServer({ nodeID: 'stranger' }).handle(Storage, storageHandlers(new Store()))
  await server.listen({ port: Number(address.slice(address.lastIndexOf(':') + 1)) })
  return server
}
