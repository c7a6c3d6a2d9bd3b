// What objects of one class keep alive, by how it hangs on them: `Call.frame.buffer` is the buffer of the frame of a Call.
// Read from a heap snapshot of this process, the format of which is that of Chrome's developer tools.

import { getHeapSnapshot } from 'node:v8'

/** Something that hangs on the objects in the same way. */
export interface Retained {
  readonly path: string
  /** Bytes for each of the objects, on average. */
  readonly bytes: number
}

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly node_types: readonly [readonly string[], ...unknown[]]
      readonly edge_fields: readonly string[]
      readonly edge_types: readonly [readonly string[], ...unknown[]]
    }
  }
  readonly nodes: readonly number[]
  readonly edges: readonly number[]
  readonly strings: readonly string[]
}

/** Parts of an object that no program sees as objects of their own: they count as the object. */
const INNER = new Set(['elements', 'properties', 'context', 'backing_store'])
/** What has less than this for each object is of others, or of nobody in particular, bytes. */
const LEAST_BYTES = 8
/** So many steps away from an object all of a program is near. */
const STEPS_MAX = 7

/** What the objects of the class `name` keep alive, the largest first. */
export async function retainedBy(name: string): Promise<Retained[]> {
  const chunks: string[] = []
  for await (const chunk of getHeapSnapshot().setEncoding('utf8')) chunks.push(chunk)
  return retainedIn(JSON.parse(chunks.join('')), name)
}

/** The same of a snapshot. RangeError when it has no object of the class. */
export function retainedIn(snapshot: Snapshot, name: string): Retained[] {
  const heap = new Heap(snapshot)
  const roots = heap.instancesOf(name)
  if (roots.length === 0) throw new RangeError(`the heap has no object of the class ${name}`)
  // Breadth first: what is reached in several ways counts for the shortest.
  const paths = new Map(roots.map((node) => [node, name]))
  const bytes = new Map<string, number>()
  // A map goes through what is added while it is gone through.
  for (const [node, path] of paths) {
    bytes.set(path, (bytes.get(path) ?? 0) + heap.bytesOf(node))
    if (path.split('.').length > STEPS_MAX) continue
    for (const [edge, to] of heap.edgesOf(node))
      if (!paths.has(to)) paths.set(to, INNER.has(edge) ? path : `${path}.${edge}`)
  }
  return [...bytes]
    .map(([path, sum]) => ({ path, bytes: sum / roots.length }))
    .filter((each) => each.bytes >= LEAST_BYTES)
    .sort((one, other) => other.bytes - one.bytes)
}

/** A snapshot's flat arrays as nodes and edges. */
class Heap {
  readonly #snapshot: Snapshot
  readonly #fields: readonly string[]
  readonly #edgeWidth: number
  readonly #kinds: readonly string[]
  /** Where the edges of each node begin. */
  readonly #firstEdges: number[] = []

  constructor(snapshot: Snapshot) {
    const { meta } = snapshot.snapshot
    this.#snapshot = snapshot
    this.#fields = meta.node_fields
    this.#edgeWidth = meta.edge_fields.length
    this.#kinds = meta.edge_types[0]
    let first = 0
    for (let node = 0; node < snapshot.nodes.length; node += this.#fields.length) {
      this.#firstEdges.push(first)
      first += this.#field(node, 'edge_count') * this.#edgeWidth
    }
  }

  instancesOf(name: string): number[] {
    const { nodes, strings, snapshot } = this.#snapshot
    const kind = snapshot.meta.node_types[0].indexOf('object')
    const found: number[] = []
    for (let node = 0; node < nodes.length; node += this.#fields.length)
      if (this.#field(node, 'type') === kind && strings[this.#field(node, 'name')] === name) found.push(node)
    return found
  }

  bytesOf(node: number): number {
    return this.#field(node, 'self_size')
  }

  /** What a node refers to and keeps alive, and how it is called there. */
  *edgesOf(node: number): Generator<readonly [string, number]> {
    const { edges, strings } = this.#snapshot
    const first = this.#firstEdges[node / this.#fields.length]!
    const end = first + this.#field(node, 'edge_count') * this.#edgeWidth
    for (let edge = first; edge < end; edge += this.#edgeWidth) {
      const kind = this.#kinds[edges[edge]!]!
      if (kind === 'weak') continue
      const isNumbered = kind === 'element' || kind === 'hidden'
      yield [isNumbered ? '*' : strings[edges[edge + 1]!]!, edges[edge + 2]!]
    }
  }

  #field(node: number, name: string): number {
    return this.#snapshot.nodes[node + this.#fields.indexOf(name)]!
  }
}
