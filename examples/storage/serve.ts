// One storage server: alone, or as a replica with members. Also the inside of a process that `processes.ts` has started,
// which is told its members, and dies with its parent.

import path from 'node:path'
import { createReplica, createServer, type Replica, RpcError, type Server } from 'gorums'
import { type ServerInterceptorName, serverInterceptors } from './interceptors.ts'
import { type FromReplica, removeDirectory, type ToReplica } from './processes.ts'
import { storageHandlers } from './server.ts'
import { Storage } from './storage_gorums.ts'
import { Store } from './store.ts'

export interface ServeOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Who it says it is. Default: nobody; replicas need an id. */
  readonly nodeID?: string | undefined
  /** All replicas, this one included: nested calls go to them. Default: it stands alone. */
  readonly nodes?: Readonly<Record<string, string>> | undefined
  /** A file that outlives the process. Default: memory only. */
  readonly journal?: string | undefined
  readonly interceptors: readonly ServerInterceptorName[]
}

/** Replicas on one machine find each other again within half a second. */
export const LOCAL_BACKOFF = { minMs: 20, maxMs: 500 } as const

const JOIN_TIMEOUT_MS = 2_000

/** Serves until SIGINT or SIGTERM, then finishes what was accepted. */
export async function serve(options: ServeOptions): Promise<void> {
  const store = new Store(options.journal)
  const server = options.nodes === undefined ? aloneServer(options) : replica(options)
  server.handle(Storage, storageHandlers(store))
  const { host, port } = await server.listen({ host: options.host, port: options.port })
  const who = options.nodeID === undefined ? 'storage server' : `storage server "${options.nodeID}"`
  console.log(`${who} listens on ${host}:${port}, ${store.size} keys; Ctrl-C ends it`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  await server.close()
  store.close()
}

/**
 * Serves on behalf of a parent process: reports its address, joins the members that it is told, and dies with the parent.
 * Its journal is in the parent's `directory`, which it removes when the parent did not get to it.
 */
export async function serveParent(options: ServeOptions, directory: string): Promise<void> {
  // Ctrl-C reaches the whole process group; the parent decides what it means.
  process.on('SIGINT', () => {})
  let stoppedSiblings: readonly number[] = []
  const onOrphaned = (): void => {
    // A process that is stopped can not see that its parent has gone.
    for (const pid of stoppedSiblings) killIfThere(pid)
    removeDirectory(directory)
    process.exit(0)
  }
  process.on('disconnect', onOrphaned)
  if (process.connected !== true) onOrphaned()
  const report = (message: FromReplica): void => {
    process.send?.(message)
  }
  const store = new Store(path.join(directory, `${options.nodeID}.journal`))
  const server = replica(options).handle(Storage, storageHandlers(store))
  const { host, port } = await server.listen({ host: options.host, port: options.port })
  process.on('message', (message: ToReplica) => {
    if (message.type === 'stopped') stoppedSiblings = message.pids.filter((pid) => pid !== process.pid)
    else void join(server, message.nodes).then(() => report({ type: 'joined' }))
  })
  report({ type: 'listening', address: `${host}:${port}`, keys: store.size })
}

/** Joins the members; resolves when it is known of each of them whether it is there. */
async function join(server: Replica, nodes: Readonly<Record<string, string>>): Promise<void> {
  try {
    await server.join(nodes).waitFor((status) => status.connecting.size === 0, { timeoutMs: JOIN_TIMEOUT_MS })
  } catch (error) {
    // Who is still undecided then will be connected to later.
    if (!(error instanceof RpcError)) throw error
  }
}

function aloneServer({ nodeID, interceptors }: ServeOptions): Server {
  return createServer({
    ...(nodeID === undefined ? {} : { nodeID }),
    interceptors: serverInterceptors(interceptors, { nodeID: nodeID ?? 'anonymous' }),
  })
}

function replica({ nodeID, nodes, interceptors }: ServeOptions): Replica {
  if (nodeID === undefined) throw new RangeError('a replica needs an id: --id <one of --nodes>')
  return createReplica({
    nodeID,
    ...(nodes === undefined ? {} : { nodes }),
    backoff: LOCAL_BACKOFF,
    serverInterceptors: serverInterceptors(interceptors, { nodeID }),
  })
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
