// What a process has used so far.

export interface Usage {
  /** CPU time of the process, user and system, µs. */
  readonly cpuMicros: number
  readonly rssBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
}

export function readUsage(): Usage {
  const { user, system } = process.cpuUsage()
  const memory = process.memoryUsage()
  return {
    cpuMicros: user + system,
    rssBytes: memory.rss,
    heapBytes: memory.heapUsed,
    externalBytes: memory.external,
  }
}
