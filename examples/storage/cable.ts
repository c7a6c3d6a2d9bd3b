// A cable between a client and a server that can be cut: a TCP relay on this machine. A cut closes what runs over it, and
// refuses new connections until it is mended.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export class Cable {
  readonly #target: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  readonly #relay = createServer((socket) => this.#join(socket))
  #port = 0

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
  }

  /** Lays a cable to a server; clients dial `address` instead of the server's. */
  static async lay(target: { readonly host: string; readonly port: number }): Promise<Cable> {
    const cable = new Cable(target)
    await cable.mend()
    return cable
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  async cut(): Promise<void> {
    if (!this.#relay.listening) return
    const closed = once(this.#relay, 'close')
    this.#relay.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async mend(): Promise<void> {
    if (this.#relay.listening) return
    this.#relay.listen(this.#port, '127.0.0.1')
    await once(this.#relay, 'listening')
    this.#port = (this.#relay.address() as AddressInfo).port
  }

  #join(near: Socket): void {
    const far = connect({ ...this.#target, noDelay: true })
    near.setNoDelay(true)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }
}
