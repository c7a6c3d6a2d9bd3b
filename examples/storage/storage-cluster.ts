// Storage servers or replicas in this process, for tests: their stores can be looked into. Those that are processes of
// their own are in processes.ts.

import type { Replica, Server, ServerInterceptor } from 'gorums'
import { type LocalCluster, startLocalCluster, type TestContextLike } from 'gorums/testing'
import { storageHandlers } from './server.ts'
import { type Entry, Storage } from './storage_gorums.ts'
import { Store } from './store.ts'

export interface StorageCluster<S extends Server | Replica> {
  readonly cluster: LocalCluster<S>
  store(nodeID: string): Store
}

/** Starts `count` servers; they are closed when the test ends. */
export async function startStorage(
  t: TestContextLike,
  count: number,
  interceptors: (nodeID: string) => readonly ServerInterceptor[] = () => [],
): Promise<StorageCluster<Server>> {
  const stores = new Map<string, Store>()
  const cluster = await startLocalCluster(count, (server, nodeID) => setUp(server, nodeID, stores), {
    server: (nodeID) => ({ interceptors: interceptors(nodeID) }),
  })
  t.after(() => cluster.close())
  return { cluster, store: (nodeID) => stores.get(nodeID)! }
}

/** The same with replicas. */
export async function startReplicas(t: TestContextLike, count: number): Promise<StorageCluster<Replica>> {
  const stores = new Map<string, Store>()
  const cluster = await startLocalCluster(count, (replica, nodeID) => setUp(replica, nodeID, stores), {
    replicas: true,
  })
  t.after(() => cluster.close())
  return { cluster, store: (nodeID) => stores.get(nodeID)! }
}

function setUp(server: Server | Replica, nodeID: string, stores: Map<string, Store>): void {
  const store = new Store()
  stores.set(nodeID, store)
  server.handle(Storage, storageHandlers(store))
}

/** Puts an entry into some stores, behind the servers' backs. */
export function plant(
  { store }: Pick<StorageCluster<Server>, 'store'>,
  nodeIDs: string,
  key: string,
  entry: Entry,
): void {
  for (const nodeID of nodeIDs) store(nodeID).put({ key, ...entry })
}
