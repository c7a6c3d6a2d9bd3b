// What one connection will write at the next flush: ranges of shared buffers, in order. Neighbouring frames of one buffer
// become one range, so that the frames of many calls go to each of their nodes in one write and without a copy.

/** A range this large is written by reference; smaller ones that are not neighbours are copied together. */
const REFERENCE_BYTES = 16 * 1024

export class WriteBatch {
  #buffers: Buffer[] = []
  #starts: number[] = []
  #ends: number[] = []
  #bytes = 0

  /** Bytes waiting for the next `take()`. */
  get bytes(): number {
    return this.#bytes
  }

  add(buffer: Buffer, start: number, end: number): void {
    const last = this.#buffers.length - 1
    this.#bytes += end - start
    if (last >= 0 && this.#buffers[last] === buffer && this.#ends[last] === start) {
      this.#ends[last] = end
      return
    }
    this.#buffers.push(buffer)
    this.#starts.push(start)
    this.#ends.push(end)
  }

  /** The bytes to write, in order, as few pieces as is worth the copying. The batch is empty afterwards. */
  take(): Buffer[] {
    const pieces: Buffer[] = []
    const count = this.#buffers.length
    let first = 0
    while (first < count) {
      let next = first + 1
      if (this.#size(first) < REFERENCE_BYTES) while (next < count && this.#size(next) < REFERENCE_BYTES) next++
      pieces.push(next === first + 1 ? this.#range(first) : this.#join(first, next))
      first = next
    }
    this.#buffers.length = 0
    this.#starts.length = 0
    this.#ends.length = 0
    this.#bytes = 0
    return pieces
  }

  #size(index: number): number {
    return this.#ends[index]! - this.#starts[index]!
  }

  #range(index: number): Buffer {
    const buffer = this.#buffers[index]!
    const start = this.#starts[index]!
    const end = this.#ends[index]!
    return start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end)
  }

  #join(first: number, next: number): Buffer {
    let bytes = 0
    for (let index = first; index < next; index++) bytes += this.#size(index)
    const joined = Buffer.allocUnsafe(bytes)
    let position = 0
    for (let index = first; index < next; index++) {
      this.#buffers[index]!.copy(joined, position, this.#starts[index]!, this.#ends[index]!)
      position += this.#size(index)
    }
    return joined
  }
}
