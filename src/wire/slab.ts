// Memory for many small things, one behind the other: a Buffer for each would take more than they do. Nothing is ever written
// twice in one place, so who refers to its own part may go on doing so; it keeps the whole buffer.

export class Slab {
  /** Where the part lies that was taken last. */
  buffer = Buffer.alloc(0)
  readonly #bytes: number
  #used = 0

  /** `bytes`: the size of each buffer. Nothing larger is taken. */
  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Takes `length` bytes; returns where they begin in `buffer`. */
  take(length: number): number {
    if (this.buffer.length - this.#used < length) {
      this.buffer = Buffer.allocUnsafeSlow(this.#bytes)
      this.#used = 0
    }
    const start = this.#used
    this.#used += length
    return start
  }
}
