// A simulated disk: what was written is there at once, and survives a crash only if it was synced before. Of what was not,
// some writes survive, some do not, and one may survive in part, sector by sector.

import type { Storage, StorageFile } from '../../net/runtime.ts'
import type { SimulatedHost } from './host.ts'
import type { Random } from './random.ts'

const SECTOR_BYTES = 512
const NOTHING = Buffer.alloc(0)

/** A change of a file that is not durable yet; without `bytes` it is cut to `position`. */
interface Change {
  readonly position: number
  readonly bytes: Buffer | undefined
}

class FileContent {
  current: Buffer = NOTHING
  durable: Buffer = NOTHING
  changes: Change[] = []
}

export class SimulatedDisk {
  /** Writes that a crash has taken back, and those of which it has left a part. */
  lostWrites = 0
  tornWrites = 0
  readonly #host: SimulatedHost
  readonly #random: Random
  readonly #files = new Map<string, FileContent>()

  constructor(host: SimulatedHost, random: Random) {
    this.#host = host
    this.#random = random
  }

  /** The disk as one life of its host sees it. */
  storageOf(life: number): Storage {
    return {
      open: (name) => this.#later(life, 0.2, () => this.#open(life, name)),
      remove: (name) => this.#later(life, 0.2, () => void this.#files.delete(name)),
      list: () => this.#later(life, 0.2, () => [...this.#files.keys()].sort()),
    }
  }

  /** The power is gone. */
  crash(): void {
    for (const file of this.#files.values()) {
      let content = file.durable
      for (const change of file.changes) {
        const kept = this.#survivor(change)
        if (kept !== undefined) content = apply(content, kept)
      }
      file.current = content
      file.durable = content
      file.changes = []
    }
  }

  #survivor(change: Change): Change | undefined {
    if (this.#random.chance(0.5)) return change
    const sectors = Math.floor((change.bytes?.length ?? 0) / SECTOR_BYTES)
    if (sectors > 0 && this.#random.chance(0.5)) {
      this.tornWrites++
      return {
        position: change.position,
        bytes: change.bytes!.subarray(0, this.#random.int(1, sectors) * SECTOR_BYTES),
      }
    }
    this.lostWrites++
    return undefined
  }

  #open(life: number, name: string): StorageFile {
    const file = this.#files.get(name) ?? new FileContent()
    this.#files.set(name, file)
    const change = (each: Change): void => {
      file.current = apply(file.current, each)
      file.changes.push(each)
    }
    return {
      size: () => this.#later(life, 0.05, () => file.current.length),
      read: (position, length) =>
        this.#later(life, 0.2, () => Buffer.from(file.current.subarray(position, position + length))),
      write: (position, bytes) => {
        const copy = Buffer.from(bytes)
        return this.#later(life, 0.2, () => change({ position, bytes: copy }))
      },
      truncate: (size) => this.#later(life, 0.2, () => change({ position: size, bytes: undefined })),
      sync: () =>
        this.#later(life, 5, () => {
          file.durable = file.current
          file.changes = []
        }),
      close: () => this.#later(life, 0.05, () => {}),
    }
  }

  /** Does something after up to `slowestMs`. In a life that has ended nothing happens, and nobody is told. */
  #later<T>(life: number, slowestMs: number, action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#host.lives(life)) return
      this.#host.plan('disk', this.#random.between(slowestMs / 10, slowestMs), life, () => {
        try {
          resolve(action())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}

function apply(content: Buffer, { position, bytes }: Change): Buffer {
  if (bytes === undefined) {
    const cut = Buffer.alloc(position)
    content.copy(cut, 0, 0, position)
    return cut
  }
  const changed = Buffer.alloc(Math.max(content.length, position + bytes.length))
  content.copy(changed)
  bytes.copy(changed, position)
  return changed
}
