// Servers on other machines: an agent there (`--server host:port`) starts server processes when it is asked to, over our own
// RPCs, and answers for them. One benchmark at a time uses an agent: a new one ends what an older one has left.

import { type Configuration, connect, createServer, type Node, RpcError, rpc, type Server, service } from 'gorums'
import { downNodes } from '../targets/down-nodes.ts'
import type { Received, ServeOptions, Target } from '../targets/target.ts'
import { type ServerHandle, type ServerSource, startServerProcess } from './server-handle.ts'
import type { Usage } from './usage.ts'

interface StartRequest {
  readonly target: string
  readonly options: Omit<ServeOptions, 'host' | 'port'>
  readonly flags: readonly string[]
}

const Control = service('bench.Control', {
  /** Ends what earlier benchmarks have left. */
  begin: rpc<object, object>(),
  /** Starts a server; its port, and a key to name it by. */
  start: rpc<StartRequest, { key: number; port: number }>(),
  usage: rpc<{ key: number }, Usage>(),
  received: rpc<{ key: number }, Received>(),
  end: rpc<{ key: number }, object>(),
})

/** The flags of Node.js that an agent passes on: those of profiles. Others (`--import`, `--eval`) would run any code. */
const PROFILE_FLAG =
  /^--(cpu-prof|heap-prof|trace-event-categories=v8,node|(cpu-prof-dir|heap-prof-dir|trace-event-file-pattern)=.*)$/

/** Serves benchmarks at an address until the returned server is closed. */
export async function startAgent(
  host: string,
  port: number,
): Promise<{ server: Server; address: string; close(): Promise<void> }> {
  const handles = new Map<number, ServerHandle>()
  let nextKey = 1
  const handle = (key: number): ServerHandle => {
    const found = handles.get(key)
    if (found === undefined) throw new RangeError(`this agent has no server ${key}`)
    return found
  }
  const endAll = async (): Promise<void> => {
    const left = [...handles.values()]
    handles.clear()
    await Promise.all(left.map((each) => each.end()))
  }
  const server = createServer()
  server.handle(Control, {
    async begin() {
      await endAll()
      return {}
    },
    async start({ target, options, flags }) {
      const refused = flags.find((flag) => !PROFILE_FLAG.test(flag))
      if (refused !== undefined)
        throw new RpcError('permission_denied', `an agent does not pass on the flag ${refused}`)
      const started = await startServerProcess(target, { ...options, host, port: 0 }, flags)
      const key = nextKey++
      handles.set(key, started)
      return { key, port: Number(started.address.slice(started.address.lastIndexOf(':') + 1)) }
    },
    usage: ({ key }) => handle(key).usage(),
    received: ({ key }) => handle(key).takeReceived(),
    async end({ key }) {
      const ending = handle(key)
      handles.delete(key)
      await ending.end()
      return {}
    },
  })
  const bound = await server.listen({ host, port })
  return {
    server,
    address: `${bound.host}:${bound.port}`,
    async close() {
      await server.close()
      await endAll()
    },
  }
}

/** Agents to start servers on, one each. */
export class Agents implements ServerSource {
  readonly #config: Configuration

  private constructor(config: Configuration) {
    this.#config = config
  }

  /** Rejects with an error that names each agent that can not be had, and why. */
  static async connect(addresses: readonly string[]): Promise<Agents> {
    const config = await connect(addresses, { waitFor: (status) => status.connecting.size === 0 })
    const down = downNodes(config)
    if (down !== undefined) {
      await config.close()
      throw new Error(down)
    }
    const agents = new Agents(config)
    for (const node of config.nodes) await told(node, node.client(Control).begin({}))
    return agents
  }

  async start(
    target: Target,
    position: number,
    options: ServeOptions,
    flags: readonly string[],
  ): Promise<ServerHandle> {
    const node = this.#config.nodes[position]
    if (node === undefined)
      throw new RangeError(`${position + 1} servers are needed, and there are ${this.#config.size} remotes`)
    const control = node.client(Control)
    const { key, port } = await told(node, control.start({ target: target.name, options, flags }))
    return {
      address: `${node.address.slice(0, node.address.lastIndexOf(':'))}:${port}`,
      usage: () => told(node, control.usage({ key })),
      takeReceived: () => told(node, control.received({ key })),
      end: async () => {
        await told(node, control.end({ key }))
      },
    }
  }

  close(): Promise<void> {
    return this.#config.close()
  }
}

/** What an agent answers; its errors with its name. */
async function told<T>(node: Node, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw new Error(`agent ${node.address}: ${(error as Error).message}`, { cause: error })
  }
}
