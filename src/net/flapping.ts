// Whether two processes fight for one node id: each that connects displaces the other, again and again. A process that was
// restarted displaces its predecessor once.

/** So many displacements of one node id within so many ms mean that two processes fight for it. */
const FLAPS = 3
const FLAPS_MS = 60_000
/** So many node ids are watched for that. */
const FLAPPING_MAX = 1_000

export class Flapping {
  /** When each node id was displaced, lately, in ms; the one that was displaced longest ago first. */
  readonly #displacedAt = new Map<string, number[]>()

  /** A connected process with this node id was displaced, `now`, ms. Returns what that looks like when it is too often. */
  note(nodeID: string, now: number): string | undefined {
    const times = (this.#displacedAt.get(nodeID) ?? []).filter((at) => now - at < FLAPS_MS)
    times.push(now)
    this.#displacedAt.delete(nodeID)
    this.#displacedAt.set(nodeID, times)
    const [longestAgo] = this.#displacedAt.keys()
    if (this.#displacedAt.size > FLAPPING_MAX && longestAgo !== undefined) this.#displacedAt.delete(longestAgo)
    if (times.length < FLAPS) return undefined
    const what = `${times.length} times within ${FLAPS_MS / 1000} s: do two processes run as this node?`
    return `node "${nodeID}" was displaced by another process ${what}`
  }
}
