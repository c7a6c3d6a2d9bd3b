// Seeded randomness: streams of numbers that depend on a seed and a name only, so that a draw more in one place changes
// nothing in another. The generator is sfc32 (Doty-Humphrey), which passes PractRand; it is no cryptography.

/** Numbers that a seed decides. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** The stream of `name` under `seed`. */
  constructor(seed: number | string, name = '') {
    const text = `${seed}/${name}`
    this.#a = hashText(text, 0x9e3779b9)
    this.#b = hashText(text, 0x243f6a88)
    this.#c = hashText(text, 0xb7e15162)
    for (let round = 0; round < 12; round++) this.uint32()
  }

  /** 0 to 2^32 − 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }

  /** A number in [0, 1). */
  next(): number {
    return this.uint32() / 2 ** 32
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** A number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** A number from `low` to `high` of which every order of magnitude is equally likely. `low` must be positive. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.next()
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of the elements, which must not be empty. */
  pick<T>(elements: readonly T[]): T {
    return elements[this.int(0, elements.length - 1)]!
  }

  /** A random order of the elements. */
  shuffle<T>(elements: readonly T[]): T[] {
    const shuffled = [...elements]
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.int(0, index)
      const element = shuffled[index]!
      shuffled[index] = shuffled[other]!
      shuffled[other] = element
    }
    return shuffled
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count)
    for (let index = 0; index < count; index++) bytes[index] = this.uint32() & 0xff
    return bytes
  }
}

/** FNV-1a over the characters, with murmur's finish. */
function hashText(text: string, start: number): number {
  let hash = start
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}
