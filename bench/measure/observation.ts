// What is measured in rounds of its own, because measuring it disturbs: what calls allocate, how late the event loop runs,
// and what goes over the wire.

import net from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { GCProfiler, getHeapStatistics } from 'node:v8'

export interface Allocation {
  /** Allocated on the JavaScript heap, whether collected since or not, bytes. */
  readonly heapBytes: number
  /** By how much memory outside of it has grown over the runs between collections, bytes. */
  readonly externalBytes: number
}

/** What `work` allocates in this process: the growth between one garbage collection and the next, added up. */
export async function measureAllocation(work: () => Promise<void>): Promise<Allocation> {
  const profiler = new GCProfiler()
  const begin = getHeapStatistics()
  profiler.start()
  await work()
  const { statistics } = profiler.stop()
  const end = getHeapStatistics()
  let heap = begin.used_heap_size
  let external = begin.external_memory
  let heapBytes = 0
  let externalBytes = 0
  for (const { beforeGC, afterGC } of statistics) {
    heapBytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - heap)
    externalBytes += Math.max(0, beforeGC.heapStatistics.externalMemory - external)
    heap = afterGC.heapStatistics.usedHeapSize
    external = afterGC.heapStatistics.externalMemory
  }
  heapBytes += Math.max(0, end.used_heap_size - heap)
  externalBytes += Math.max(0, end.external_memory - external)
  return { heapBytes, externalBytes }
}

/**
 * What one piece of work allocates in this process, on the heap and outside of it, bytes: what is there after it and was not
 * before, with no collection in between. Undefined when there was one. Needs --expose-gc.
 */
export async function measureOneAllocation(work: () => Promise<void>): Promise<number | undefined> {
  const profiler = new GCProfiler()
  collectGarbage()
  profiler.start()
  const before = allocatedBytes()
  await work()
  const after = allocatedBytes()
  return profiler.stop().statistics.length === 0 ? after - before : undefined
}

/** Memory after a garbage collection, on the heap and outside of it, bytes. Needs --expose-gc. */
export function collectedBytes(): number {
  collectGarbage()
  return allocatedBytes()
}

function allocatedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new TypeError('the process was started without --expose-gc')
  globalThis.gc()
  // The second one waits for buffers that the first has let go of.
  globalThis.gc()
}

export interface LoopDelay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** How late timers of 1 ms are while `work` runs. */
export async function measureLoopDelay(work: () => Promise<void>): Promise<LoopDelay> {
  const monitor = monitorEventLoopDelay({ resolution: 1 })
  monitor.enable()
  await work()
  monitor.disable()
  const ms = (nanos: number): number => (Number.isFinite(nanos) ? nanos / 1e6 : 0)
  return { p50Ms: ms(monitor.percentile(50)), p99Ms: ms(monitor.percentile(99)), maxMs: ms(monitor.max) }
}

/** A relay to one address that counts the bytes of both directions. */
export class CountingRelay {
  bytes = 0
  readonly address: string
  readonly #server: net.Server
  readonly #sockets: Set<net.Socket>

  private constructor(server: net.Server, sockets: Set<net.Socket>, address: string) {
    this.#server = server
    this.#sockets = sockets
    this.address = address
  }

  static async start(target: string): Promise<CountingRelay> {
    const colon = target.lastIndexOf(':')
    const [host, port] = [target.slice(0, colon).replace(/^\[|\]$/g, ''), Number(target.slice(colon + 1))]
    const sockets = new Set<net.Socket>()
    const server = net.createServer({ noDelay: true }, (near) => {
      const far = net.connect({ host, port, noDelay: true })
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from)
        from.on('data', (chunk) => {
          relay.bytes += chunk.length
          to.write(chunk)
        })
        from.on('error', () => to.destroy())
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const relay = new CountingRelay(server, sockets, `127.0.0.1:${(server.address() as net.AddressInfo).port}`)
    return relay
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
