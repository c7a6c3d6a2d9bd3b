// A counter on one server that must not forget what it has acknowledged: it writes the new count to its disk, waits until
// that is durable, and then answers. Everything from outside comes through `runtime`, so it runs anywhere.

import { createServer, type Runtime, rpc, type Server, service } from 'gorums'

export const Counter = service('simulation.Counter', { add: rpc<{ by: number }, { count: number }>() })

export interface CounterOptions {
  readonly runtime: Runtime
  readonly port: number
  /** Whether an answer waits for the disk. Leaving that out is the mistake that the simulation is to find. */
  readonly syncs: boolean
}

export async function serveCounter({ runtime, port, syncs }: CounterOptions): Promise<Server> {
  const file = await runtime.storage.open('count')
  const saved = await file.read(0, 8)
  let count = saved.length === 8 ? Number(saved.readBigUInt64BE()) : 0
  const server = createServer({ runtime })
  server.handle(Counter, {
    async add({ by }) {
      count += by
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64BE(BigInt(count))
      await file.write(0, bytes)
      if (syncs) await file.sync()
      return { count }
    },
  })
  await server.listen({ port })
  return server
}
