// What has happened in a simulation: a hash of all of it, so that two runs can be compared, and, when wanted, the lines
// themselves. Only times, names and numbers go in: texts of errors differ between machines.

/** What has happened in a simulated world, as lines and as a hash of all of them. */
export class Trace {
  readonly #keeps: number
  readonly #lines: string[] = []
  #first = 0x811c9dc5
  #second = 0x01234567
  #events = 0

  /** `keeps`: how many of the last lines are kept; 0 for none, Infinity for all. */
  constructor(keeps = 0) {
    this.#keeps = keeps
  }

  get events(): number {
    return this.#events
  }

  /** 16 hexadecimal digits that depend on everything that was added, and on its order. */
  get hash(): string {
    return hex(this.#first) + hex(this.#second)
  }

  /** The lines that were kept, the oldest first. */
  get lines(): readonly string[] {
    return this.#lines
  }

  add(atMs: number, host: string, what: string, number = 0): void {
    this.#events++
    this.#mix(Math.round(atMs * 1000))
    this.#mix(number)
    for (let index = 0; index < host.length; index++) this.#mix(host.charCodeAt(index))
    for (let index = 0; index < what.length; index++) this.#mix(what.charCodeAt(index))
    if (this.#keeps === 0) return
    this.#lines.push(`${atMs.toFixed(3).padStart(12)}  ${host.padEnd(6)} ${what}${number === 0 ? '' : ` ${number}`}`)
    if (this.#lines.length > this.#keeps * 2) this.#lines.splice(0, this.#lines.length - this.#keeps)
  }

  #mix(value: number): void {
    const low = value | 0
    this.#first = Math.imul(this.#first ^ low, 0x01000193) ^ (this.#second >>> 15)
    this.#second = Math.imul(this.#second ^ Math.floor(value / 2 ** 32) ^ low, 0x85ebca6b) + this.#first
    this.#second |= 0
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}
