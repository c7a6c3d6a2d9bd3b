// The production runtime with its doors watched: how often the clock is read, in how many turns, and what is written to which
// stream. It owns no test.

import type { Runtime } from 'gorums'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import type { ByteStream, ByteStreamHandler, TlsOptions } from '../../src/net/runtime.ts'

export class RuntimeSpy {
  /** How often the monotonic clock was read. */
  clockReads = 0
  /** How often anything came from outside, or the work of a turn ended: what may begin with a look at the clock. */
  turns = 0
  /** What was written, by the address of the other end. */
  readonly written = new Map<string, Buffer[]>()

  readonly runtime: Runtime = {
    ...nodeRuntime,
    now: () => {
      this.clockReads++
      return nodeRuntime.now()
    },
    startTimer: (delayMs, callback) => nodeRuntime.startTimer(delayMs, () => this.#turn(callback)),
    afterJobs: (callback) => nodeRuntime.afterJobs(() => this.#turn(callback)),
    afterReading: (callback) => nodeRuntime.afterReading(() => this.#turn(callback)),
    dial: (host, port, tls) => this.#dial(host, port, tls),
  }

  #turn(callback: () => void): void {
    this.turns++
    callback()
  }

  #dial(host: string, port: number, tls: TlsOptions | undefined): ByteStream {
    const stream = nodeRuntime.dial(host, port, tls)
    const pieces: Buffer[] = []
    this.written.set(`${host}:${port}`, pieces)
    return through(stream, {
      start: (handler: ByteStreamHandler) => stream.start(this.#watch(handler)),
      write: (written: readonly Buffer[]) => {
        pieces.push(...written)
        stream.write(written)
      },
    })
  }

  #watch(handler: ByteStreamHandler): ByteStreamHandler {
    return through(handler, {
      onOpen: () => this.#turn(() => handler.onOpen()),
      onBytes: (bytes: Buffer) => this.#turn(() => handler.onBytes(bytes)),
      onDrain: () => this.#turn(() => handler.onDrain()),
      onClose: (error: Error | undefined) => this.#turn(() => handler.onClose(error)),
    })
  }
}

/** An object that does some things itself and leaves the rest to another. */
function through<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (key in own) return Reflect.get(own, key)
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
