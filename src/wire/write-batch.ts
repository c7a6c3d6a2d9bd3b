// What one connection will write at the next flush: ranges of shared buffers, in order. Neighbouring frames of one buffer
// become one range, so that the frames of many calls go to each of their nodes in one write and without a copy.

/** A range this large is written by reference; smaller ones that are not neighbours are copied together. */
const REFERENCE_BYTES = 16 * 1024

export class WriteBatch {
  /** The newest range, which may still grow. Most batches are one range. */
  #buffer: Buffer | undefined
  #start = 0
  #end = 0
  /** The ranges before it. */
  #earlier: Range[] = []
  #bytes = 0

  /** Bytes waiting for the next `take()`. */
  get bytes(): number {
    return this.#bytes
  }

  add(buffer: Buffer, start: number, end: number): void {
    this.#bytes += end - start
    if (this.#buffer === buffer && this.#end === start) {
      this.#end = end
      return
    }
    if (this.#buffer !== undefined) this.#earlier.push(this.#newest())
    this.#buffer = buffer
    this.#start = start
    this.#end = end
  }

  /** The bytes to write, in order, as few pieces as is worth the copying. The batch is empty afterwards. */
  take(): Buffer[] {
    if (this.#buffer === undefined) return []
    const newest = this.#newest()
    const earlier = this.#earlier
    this.#buffer = undefined
    this.#bytes = 0
    if (earlier.length === 0) return [bytesOf(newest)]
    this.#earlier = []
    earlier.push(newest)
    return join(earlier)
  }

  #newest(): Range {
    return { buffer: this.#buffer!, start: this.#start, end: this.#end }
  }
}

interface Range {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

/** Small ranges that follow one another become one piece; a large one is a piece of its own. */
function join(ranges: readonly Range[]): Buffer[] {
  const pieces: Buffer[] = []
  let first = 0
  while (first < ranges.length) {
    let next = first + 1
    if (isSmall(ranges[first]!)) while (next < ranges.length && isSmall(ranges[next]!)) next++
    pieces.push(next === first + 1 ? bytesOf(ranges[first]!) : Buffer.concat(ranges.slice(first, next).map(bytesOf)))
    first = next
  }
  return pieces
}

function isSmall({ start, end }: Range): boolean {
  return end - start < REFERENCE_BYTES
}

function bytesOf({ buffer, start, end }: Range): Buffer {
  return start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end)
}
