// Real sockets whose links are cut again and again under pipelined load, in both directions: calls of the client, and calls
// back by the server. Nothing may be lost, run twice, run out of order, or be unknown.

import { connect, createServer, type RpcError, rpc, service } from 'gorums'
import { startFaultProxy } from 'gorums/testing'

const There = service('links.There', { count: rpc<{ n: number; back: boolean }, { n: number }>() })
const Back = service('links.Back', { count: rpc<{ n: number }, { n: number }>() })

export interface LinkCutOptions {
  readonly cuts: number
  readonly seed?: number
  /** Calls in flight. Default 64. */
  readonly inFlight?: number
}

export interface LinkCutResult {
  readonly cuts: number
  readonly calls: number
  readonly callsBack: number
  /** Calls that did not end well, by code and `executed`. */
  readonly failures: Readonly<Record<string, number>>
  /** Requests that ran more than once, never, or behind a later one. */
  readonly twice: number
  readonly lost: number
  readonly disordered: number
  readonly seconds: number
}

/** Who has run, in which order. */
class Runs {
  readonly #times = new Map<number, number>()
  #last = 0
  disordered = 0

  add(n: number): void {
    this.#times.set(n, (this.#times.get(n) ?? 0) + 1)
    if (n <= this.#last) this.disordered++
    this.#last = n
  }

  get twice(): number {
    return [...this.#times.values()].filter((times) => times > 1).length
  }

  missingOf(count: number): number {
    return count - this.#times.size
  }
}

export async function runLinkCuts({ cuts, seed = 1, inFlight = 64 }: LinkCutOptions): Promise<LinkCutResult> {
  const startedAt = performance.now()
  const there = new Runs()
  const back = new Runs()
  const failures: Record<string, number> = {}
  const fail = (error: RpcError): void => {
    const key = `${error.code} ${error.executed}`
    failures[key] = (failures[key] ?? 0) + 1
  }
  let callsBack = 0
  const server = createServer()
  server.handle(There, {
    count: async ({ n, back: callsHome }, context) => {
      there.add(n)
      context.release()
      if (callsHome) await context.peer.client(Back).count({ n: ++callsBack }).catch(fail)
      return { n }
    },
  })
  const proxy = await startFaultProxy({ target: await server.listen(), seed })
  proxy.treat('both', { pieceMaxBytes: 700 })
  const callbacks = createServer()
  callbacks.handle(Back, {
    count: ({ n }) => {
      back.add(n)
      return { n }
    },
  })
  const config = await connect([proxy.address], {
    server: callbacks,
    backoff: { minMs: 1, maxMs: 10 },
    whenDown: 'wait',
  })
  const client = config.nodes[0]!.client(There)
  let calls = 0
  const work = async (): Promise<void> => {
    while (proxy.counters.cuts < cuts) {
      const n = ++calls
      await client.count({ n, back: n % 3 === 0 }).catch(fail)
      // Every so many calls the link goes, wherever their bytes are.
      if (n % (inFlight * 2) === 0 && config.status.connected.size > 0) proxy.cut()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  await config.close()
  await server.close()
  await proxy.close()
  return {
    cuts: proxy.counters.cuts,
    calls,
    callsBack,
    failures,
    twice: there.twice + back.twice,
    lost: there.missingOf(calls) + back.missingOf(callsBack),
    disordered: there.disordered + back.disordered,
    seconds: (performance.now() - startedAt) / 1000,
  }
}
