// Ends a process that has been in one execution for too long, and says in which: nothing in the process itself could. The
// input lies in shared memory, which a thread of its own looks at.

import { Worker } from 'node:worker_threads'

/** So much of an input is kept for the report. */
const INPUT_BYTES = 1 << 20

const WATCH = `
  const { workerData: { shared, limitMs, pid } } = require('node:worker_threads')
  const state = new Int32Array(shared, 0, 2)
  const bytes = new Uint8Array(shared, 8)
  let last = 0
  setInterval(() => {
    const count = Atomics.load(state, 0)
    if (count !== 0 && count === last) {
      const input = Buffer.from(bytes.subarray(0, Math.min(state[1], bytes.length))).toString('base64')
      require('node:fs').writeSync(2, 'hang: execution ' + count + ' has run for ' + limitMs + ' ms; its input: ' + input + '\\n')
      process.kill(pid, 'SIGKILL')
    }
    last = count
  }, limitMs)
`

export class Watchdog {
  readonly #state: Int32Array
  readonly #bytes: Uint8Array
  readonly #worker: Worker

  /** `limitMs`: how long one execution may take at least; it is noticed within twice that. */
  constructor(limitMs = 15_000) {
    const shared = new SharedArrayBuffer(8 + INPUT_BYTES)
    this.#state = new Int32Array(shared, 0, 2)
    this.#bytes = new Uint8Array(shared, 8)
    this.#worker = new Worker(WATCH, { eval: true, workerData: { shared, limitMs, pid: process.pid } })
    this.#worker.unref()
  }

  /** An execution begins. */
  begin(input: Buffer): void {
    this.#bytes.set(input.subarray(0, INPUT_BYTES))
    this.#state[1] = input.length
    Atomics.store(this.#state, 0, (Atomics.load(this.#state, 0) + 1) | 0 || 1)
  }

  /** No execution is under way, and none follows. */
  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
