// Encoded frames that lie one behind the other in a buffer, as those that a session writes in a row do. Where one ends its
// length says, so nothing is kept of each.

import { LENGTH_BYTES, readU32 } from './frame.ts'

export class FrameRun {
  readonly buffer: Buffer
  start: number
  end: number
  /** How many. */
  frames = 1

  /** One frame. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer
    this.start = start
    this.end = end
  }

  get bytes(): number {
    return this.end - this.start
  }

  /** Takes one more frame, if it lies right behind the last. */
  extend(buffer: Buffer, start: number, end: number): boolean {
    if (buffer !== this.buffer || start !== this.end) return false
    this.end = end
    this.frames++
    return true
  }

  /** Leaves the first `count` frames out; returns how many bytes they had. */
  drop(count: number): number {
    const { start } = this
    if (count === this.frames) this.start = this.end
    else for (let frame = 0; frame < count; frame++) this.start += LENGTH_BYTES + readU32(this.buffer, this.start)
    this.frames -= count
    return this.start - start
  }
}
