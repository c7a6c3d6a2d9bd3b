// What is known of one connection of a simulated world: its two ends, how far its handshake has come on either side, what it
// has to send again, and which connection of the same dialler came before it.

import type { ChannelSession } from '../../../src/net/channel-session.ts'
import type { NodeManager } from '../../../src/net/node-manager.ts'
import type { SimulatedHost } from '../../../src/testing/simulation/host.ts'
import type { SimulatedStream } from '../../../src/testing/simulation/stream.ts'
import type { Hello, HelloOk, Reject } from '../../../src/wire/control.ts'
import { decodeGoAway, decodeHello, decodeHelloOk, decodeReject } from '../../../src/wire/control.ts'
import { Kind } from '../../../src/wire/frame.ts'
import type { IncomingFrame } from '../../../src/wire/incoming-frame.ts'

/** What an end sends again, and how much of it has arrived, frames. */
export interface Rest {
  readonly frames: number
  arrived: number
}

export class End {
  readonly link: Link
  readonly side: 'dialled' | 'accepted'
  readonly host: SimulatedHost
  readonly life: number
  readonly remoteAddress: string
  isOpen = true
  /** Its process has ended without a word. */
  hasDied = false
  bytesRead = 0
  /** The session goes on: what this end sends again. Undefined before, and for a new session. */
  rest: Rest | undefined
  /** It accepts no more requests, and has written so. */
  hasSaidGoAway = false
  hasHeardGoAway = false
  readonly #manager: () => NodeManager | undefined

  constructor(
    link: Link,
    side: 'dialled' | 'accepted',
    host: SimulatedHost,
    remoteAddress: string,
    manager: () => NodeManager | undefined,
  ) {
    this.link = link
    this.side = side
    this.host = host
    this.life = host.life
    this.remoteAddress = remoteAddress
    this.#manager = manager
    if (side === 'dialled') link.dialler = this
    else link.acceptor = this
  }

  get manager(): NodeManager | undefined {
    return this.host.lives(this.life) ? this.#manager() : undefined
  }

  get other(): End | undefined {
    return this.side === 'dialled' ? this.link.acceptor : this.link.dialler
  }

  /** Which process at which address this is an end of: its connections come one after the other. */
  get channelKey(): string {
    return `${this.host.name}/${this.life} > ${this.remoteAddress}`
  }

  /** The session that HELLO has named, as this side has it. */
  get namedSession(): ChannelSession | undefined {
    const id = this.link.hello?.sessionID
    if (id === undefined || id.length === 0) return undefined
    return this.manager?.channels.find(({ session }) => session?.id.equals(id))?.session
  }
}

export class Link {
  dialler: End | undefined
  acceptor: End | undefined
  hello: Hello | undefined
  helloOk: HelloOk | undefined
  reject: Reject | undefined
  hasHelloArrived = false
  hasHelloOkArrived = false
  /** The ACK behind HELLO_OK has arrived: the connection counts for the acceptor, too. */
  hasAckArrived = false

  /** Whether its HELLO asks for a session to go on. */
  get asksToResume(): boolean {
    return this.hello !== undefined && this.hello.sessionID.length > 0
  }

  noteWritten(end: End, frame: IncomingFrame): void {
    const { kind } = frame
    if (kind === Kind.hello) this.hello = decodeHello(frame.payloadReader())
    else if (kind === Kind.helloOk) this.helloOk = decodeHelloOk(frame.payloadReader())
    else if (kind === Kind.reject) this.reject = decodeReject(frame.payloadReader())
    else if (kind === Kind.goaway && decodeGoAway(frame.payloadReader()).why.notExecuted) end.hasSaidGoAway = true
  }

  /** Before the process itself reads it. */
  noteRead(end: End, frame: IncomingFrame): void {
    const { kind } = frame
    if (kind < 0x80) {
      const rest = end.other?.rest
      if (rest !== undefined && rest.arrived < rest.frames) rest.arrived++
    } else if (kind === Kind.hello) this.hasHelloArrived = true
    else if (kind === Kind.helloOk) this.#begin(end, this.helloOk!)
    else if (kind === Kind.ack && !this.hasAckArrived && end.side === 'accepted') this.#count(end)
    else if (kind === Kind.goaway && decodeGoAway(frame.payloadReader()).why.notExecuted) end.hasHeardGoAway = true
  }

  #begin(end: End, helloOk: HelloOk): void {
    this.hasHelloOkArrived = true
    if (helloOk.resumed) end.rest = restOf(end, helloOk.receivedFrames)
  }

  #count(end: End): void {
    this.hasAckArrived = true
    if (this.helloOk!.resumed) end.rest = restOf(end, this.hello!.receivedFrames)
  }
}

function restOf(end: End, received: number): Rest {
  const written = end.namedSession?.frames.written ?? received
  return { frames: written - received, arrived: 0 }
}

/** Finds the link that a stream is an end of. */
export class LinkMaker {
  readonly #links = new WeakMap<SimulatedStream, Link>()

  linkOf(stream: SimulatedStream): Link {
    const { other } = stream
    const there = other === undefined ? undefined : this.#links.get(other)
    const link = there ?? new Link()
    this.#links.set(stream, link)
    return link
  }
}
